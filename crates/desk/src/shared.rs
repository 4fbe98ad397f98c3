//! What of a run goes into its bundle, and so to others: the recording under names, or as it is where that is asked for.

use crate::files::why;
use engine::runs;
use explain::Story;
use record::{
    About, Names, Private, Profile, bundle,
    names::Named,
    profile::{self, Addresses},
};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

pub struct Shared {
    pub about: About,
    /// Nothing where the recording goes as it is.
    under_names: Option<UnderNames>,
    /// In words.
    pub not_done: Option<String>,
}

struct UnderNames {
    events: Vec<u8>,
    profile: String,
    story: Story,
    map: Vec<Named>,
}

/// In the place of a profile that an earlier version wrote otherwise.
const NOT_READ: &str = "# The profile could not be read again and was left out.\n";

impl Shared {
    /// What the names stand for is written into the run's folder first: a bundle without its map would be of no use to
    /// whoever is to look into a device's log. Counted names can be counted again where that fails; a desk's key is kept
    /// nowhere, and names made with it could never be translated.
    pub fn of(folder: &Path, about: &About, key: Option<&Private<String>>) -> io::Result<Self> {
        Self::as_asked(folder, about, key, None)
    }

    /// As `of`; what is `asked` goes before what the profile says.
    pub fn as_asked(
        folder: &Path,
        about: &About,
        key: Option<&Private<String>>,
        asked: Option<Addresses>,
    ) -> io::Result<Self> {
        let addresses = match asked {
            Some(asked) => asked,
            None => profile_in(folder)?.map_or_else(Addresses::default, |profile| addresses(&profile)),
        };
        let about = About { names: Some(addresses), ..about.clone() };
        let plain = Self { about, under_names: None, not_done: None };
        if addresses == Addresses::Plain {
            return Ok(plain);
        }
        let under_names = UnderNames::of(folder, key)?;
        let (under_names, not_done) = match (keep(&under_names.map, folder), key) {
            (Ok(()), _) => (under_names, None),
            (Err(error), None) => {
                tracing::warn!("what the names stand for could not be written: {error}");
                (under_names, None)
            }
            (Err(error), Some(_)) => (UnderNames::of(folder, None)?, Some(format!("{NOT_BY_KEY} ({})", why(&error)))),
        };
        Ok(Self { under_names: Some(under_names), not_done, ..plain })
    }

    /// What is told of it instead, where names change it.
    pub fn story(&self) -> Option<&Story> {
        self.under_names.as_ref().map(|under| &under.story)
    }

    /// What stands in the place of the recording.
    pub fn members(&self) -> Vec<(&'static str, &[u8])> {
        self.under_names.as_ref().map_or_else(Vec::new, |under| {
            vec![(bundle::EVENTS, under.events.as_slice()), (bundle::PROFILE, under.profile.as_bytes())]
        })
    }
}

const NOT_BY_KEY: &str = "the names in it count within this report alone and are not those of the desk's key, because what they stand for could not be written down";

impl UnderNames {
    fn of(folder: &Path, key: Option<&Private<String>>) -> io::Result<Self> {
        let mut names = key.map_or_else(Names::counted, Names::with_key);
        let (_, mut log, ..) = runs::read(folder)?;
        names.log(&mut log);
        let profile = profile_in(folder)?.map_or_else(|| NOT_READ.to_owned(), |profile| named(profile, &mut names));
        let (events, story) = (log.write_lines(), explain::story(&log));
        Ok(Self { events, profile, story, map: names.map() })
    }
}

/// What the names in the bundles of a run stand for: as it was written down, or counted again. Nothing where it goes as
/// it is.
pub fn map(folder: &Path) -> io::Result<Option<Vec<Named>>> {
    match fs::read(folder.join(runs::NAMES)) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Err(_) if profile_in(folder)?.is_some_and(|profile| addresses(&profile) == Addresses::Plain) => Ok(None),
        Err(_) => Ok(Some(UnderNames::of(folder, None)?.map)),
    }
}

fn profile_in(folder: &Path) -> io::Result<Option<Profile>> {
    Ok(profile::shown(&fs::read_to_string(folder.join(bundle::PROFILE))?))
}

fn addresses(profile: &Profile) -> Addresses {
    profile.share.addresses.unwrap_or_default()
}

fn named(mut profile: Profile, names: &mut Names) -> String {
    names.profile(&mut profile);
    profile.without_secrets()
}

/// A run may have had a bundle before, by other names: what those stand for stays.
fn keep(map: &[Named], folder: &Path) -> io::Result<()> {
    let path = folder.join(runs::NAMES);
    let mut whole: Vec<Named> = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(error) if error.kind() == ErrorKind::NotFound => vec![],
        Err(error) => return Err(error),
    };
    let more: Vec<Named> = map.iter().filter(|line| !whole.contains(line)).cloned().collect();
    whole.extend(more);
    runs::write_whole(&path, &serde_json::to_vec_pretty(&whole)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Clock, runs::Run};
    use record::profile::Address;

    fn name(name: &str) -> Named {
        Named { name: name.to_owned(), is: "a host".to_owned(), what: "host".to_owned() }
    }

    #[test]
    fn what_the_names_of_an_earlier_bundle_stand_for_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = || serde_json::from_slice::<Vec<Named>>(&fs::read(folder.path().join(runs::NAMES)).expect("there"));
        keep(&[name("host-b3x")], folder.path()).expect("kept");
        for _ in 0..2 {
            keep(&[name("host-1")], folder.path()).expect("kept");
            assert_eq!(kept().expect("a map"), [name("host-b3x"), name("host-1")]);
        }
    }

    #[test]
    fn where_the_map_cannot_be_written_names_are_counted_and_it_is_said() {
        let home = tempfile::tempdir().expect("a folder");
        let to = Address::parse("wss://voice.acme.example/").expect("an address");
        let run = Run::begin(home.path(), &Profile::to(to), Clock::real(), |error| panic!("{error}")).expect("begun");
        let (folder, about) = (run.folder.clone(), run.about.clone());
        run.recorder.settle().expect("a disk");
        fs::create_dir(folder.join(runs::NAMES)).expect("a folder in its place");

        let key = Private::new("a key of a desk's own".to_owned());
        let said = |key| {
            let shared = Shared::of(&folder, &about, key).expect("shared");
            let profile = String::from_utf8(shared.members()[1].1.to_vec()).expect("text");
            assert!(profile.contains("wss://host-1.example/"), "{profile}");
            shared.not_done
        };
        assert_eq!(said(None), None, "they can be counted again");
        let not_done = said(Some(&key)).expect("it is said");
        assert!(not_done.contains("not those of the desk's key"), "{not_done}");

        fs::remove_dir(folder.join(runs::NAMES)).expect("removed");
        let by_key = Shared::of(&folder, &about, Some(&key)).expect("shared");
        assert!(by_key.not_done.is_none() && !by_key.members()[1].1.is_empty());
        let is = |line: &Named| line.is == "voice.acme.example";
        assert_eq!(map(&folder).expect("a map").expect("of names").iter().filter(|line| is(line)).count(), 1);
    }
}
