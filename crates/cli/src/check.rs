//! `linewitness check`: what a profile will do, what it will record, and what it cannot test.

use crate::{args::Check, say};
use desk::{Failure, check::describe, files, hold::Prepared};
use std::process::ExitCode;

pub fn run(args: &Check) -> Result<ExitCode, Failure> {
    let profile = files::profile(&args.profile)?;
    let prepared = Prepared::of(profile, false, Some(&args.profile.display().to_string()))?;
    say::line(describe(&prepared));
    let early = prepared.will_go_wrong();
    if !early.is_empty() {
        say::line("\nHeld now, it would go wrong in this:");
        early.iter().for_each(|says| say::line(format_args!("- {says}.")));
    }
    Ok(ExitCode::SUCCESS)
}
