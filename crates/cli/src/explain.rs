//! `linewitness explain`: the verdict of a bundle, by today's rules.

use crate::{
    args::{Explain, Unlock},
    say, unlock,
};
use desk::{
    Failure,
    files::{self, Opened},
};
use std::path::Path;
use std::process::ExitCode;

/// All damage is told on standard error.
pub fn open(path: &Path, unlock: &Unlock) -> Result<Opened, Failure> {
    let opened = files::open_with(path, &unlock::with(unlock))?;
    opened.damage.iter().for_each(|damage| say::aside(format_args!("{}: {damage}", path.display())));
    Ok(opened)
}

pub fn run(args: &Explain) -> Result<ExitCode, Failure> {
    let opened = open(&args.bundle, &args.unlock)?;
    let story = explain::story(&opened.log);
    if args.json {
        say::line(files::verdict_json(&story));
    } else if args.drawn {
        let drawn = explain::update(None, &story);
        say::line(serde_json::to_string(&drawn).expect("a story holds text and numbers, which JSON can write"));
    } else {
        if let Some(warning) = opened.warning(&story) {
            say::line(format_args!("{warning}\n"));
        }
        say::raw(&explain::report::text(&story, &jiff::tz::TimeZone::system(), say::width()));
        say::line(format_args!("\n{}", files::provenance(&opened.about)));
    }
    Ok(ExitCode::SUCCESS)
}
