//! `linewitness verify`: whether each part of a bundle, and each event in it, is as it was written.

use crate::{args::Verify, exit, say, unlock};
use desk::{Failure, files};
use record::{
    Damage,
    bundle::{self, Hash, Links, Member, Verified},
};
use std::process::ExitCode;

const NO_SIGNATURE: &str = "This finds accidents and edits by hand; it does not show who wrote the bundle, and whoever computes everything in it anew can write what they like.";

pub fn run(args: &Verify) -> Result<ExitCode, Failure> {
    if args.bundle.is_dir() {
        return Err(Failure::bad_input(format!(
            "{}: this is a folder; a run gets its hashes when its bundle is written",
            args.bundle.display()
        )));
    }
    let verified = files::verify(&args.bundle, &unlock::with(&args.unlock))?;
    verified.members.iter().for_each(|member| say::line(line(member, &verified)));
    let others = verified.damage.iter().filter(|item| !matches!(item, Damage::WrongHash { .. }));
    others.for_each(say::line);
    say::line(format_args!("\n{} {NO_SIGNATURE}", sentence(&verified)));
    Ok(if verified.damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::NOT_AS_WRITTEN) })
}

fn line(member: &Member, verified: &Verified) -> String {
    let says = match member.hash {
        Hash::Fits => "as it was written",
        Hash::Differs => "ALTERED: its SHA-256 is not the one that was written down",
        Hash::Untold => "cannot be checked: no SHA-256 of it was written down",
    };
    let more = match (member.name, verified.links) {
        (bundle::ABOUT, _) => format!("; schema {}", verified.bundle.about.schema),
        (bundle::EVENTS, Links::Hold { events }) => format!("; {events} events, each linked to the one before it"),
        (bundle::EVENTS, Links::Broken) => "; the links between its events are broken".into(),
        (bundle::EVENTS, Links::None) => {
            format!("; {} events without links, as older versions wrote them", verified.bundle.log.events.len())
        }
        _ => String::new(),
    };
    format!("{:<13} {:>11} bytes  {says}{more}", member.name, member.bytes)
}

fn sentence(Verified { damage, links, members, .. }: &Verified) -> String {
    let unchecked = members.iter().any(|member| member.hash == Hash::Untold);
    match damage.as_slice() {
        [] if unchecked => "Nothing was found to be altered; what cannot be checked is said above.".into(),
        [] if *links == Links::None => "Every part of this bundle is as it was written.".into(),
        [] => "Every part of this bundle and every event in it is as it was written.".into(),
        all if all.iter().all(Damage::is_of_the_recording) => {
            "Nothing was altered since this bundle was written; but its recording was damaged already.".into()
        }
        [one] => format!("This bundle is not as it was written: {one}."),
        [first, rest @ ..] => format!("This bundle is not as it was written: {first}, and {} more.", rest.len()),
    }
}
