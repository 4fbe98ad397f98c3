//! The bundle of a run once more, as its user asks for it now: under names, or with addresses as they are. It is packed in
//! memory, and the one that is kept stays as it is.

use crate::{Failure, files, map, shared::Shared};
use engine::runs::{self, Found};
use explain::Story;
use record::{bundle, profile::Addresses};
use std::fs;
use std::io;
use std::path::Path;

/// A bundle, and what is told of it.
#[derive(Debug)]
pub struct Packed {
    pub bytes: Vec<u8>,
    pub story: Story,
}

/// The run of this computer's own that this is the bundle of.
pub fn run_of(bundle: &Path) -> Option<Found> {
    let home = runs::home().ok()?;
    runs::list(&home).ok()?.into_iter().find(|run| map::is_bundle_of(run, bundle))
}

pub fn pack(run: &Found, addresses: Addresses) -> Result<Packed, Failure> {
    packed(run, addresses).map_err(|error| {
        let folder = run.folder.display();
        Failure::ours(format!("{folder}: the report cannot be made anew: {}", files::why(&error)))
    })
}

/// A desk's key is kept nowhere, so names are counted here.
fn packed(run: &Found, addresses: Addresses) -> io::Result<Packed> {
    let (_, log, _, damage) = runs::read(&run.folder)?;
    let shared = Shared::as_asked(&run.folder, &run.about, None, Some(addresses))?;
    let story = shared.story().cloned().unwrap_or_else(|| explain::story(&log));
    let (verdict, report) =
        (files::verdict_json(&story), explain::report::html(&story, files::warning(&damage).as_deref()));
    let read = |name: &str| fs::read(run.folder.join(name));
    let recorded = [(bundle::EVENTS, read(bundle::EVENTS)?), (bundle::PROFILE, read(bundle::PROFILE)?)];
    let recorded: Vec<(&str, &[u8])> = match shared.members() {
        under_names if under_names.is_empty() => recorded.iter().map(|(name, bytes)| (*name, &**bytes)).collect(),
        under_names => under_names,
    };
    let told = [(bundle::VERDICT, verdict.as_bytes()), (bundle::REPORT, report.as_bytes())];
    let mut bytes = Vec::new();
    bundle::write(&mut bytes, &shared.about, &[&recorded[..], &told].concat())?;
    Ok(Packed { bytes, story })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Clock, runs::Run};
    use record::{Profile, profile::Address};

    #[test]
    fn a_run_is_packed_under_names_or_as_it_is_and_nothing_of_it_changes() {
        let home = tempfile::tempdir().expect("a folder");
        let profile = Profile::to(Address::parse("wss://far.example/call").expect("an address"));
        drop(Run::begin(home.path(), &profile, Clock::real(), |_| {}).expect("it begins"));
        let run = runs::list(home.path()).expect("readable").pop().expect("just begun");
        let files = || fs::read_dir(&run.folder).expect("readable").count();
        for (addresses, says_it) in [(Addresses::Plain, true), (Addresses::Pseudonyms, false)] {
            let before = files();
            let packed = pack(&run, addresses).expect("packed");
            let opened = files::open_bytes(&packed.bytes, "a.witness").expect("a bundle");
            assert_eq!((opened.about.names, opened.damage.len()), (Some(addresses), 0));
            assert_eq!(opened.profile.expect("as used").contains("far.example"), says_it);
            // What the names stand for is kept beside it, and nothing else.
            assert_eq!(files() - before, usize::from(addresses == Addresses::Pseudonyms));
        }
    }
}
