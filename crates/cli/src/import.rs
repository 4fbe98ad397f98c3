//! `linewitness import`: a browser's dump as a bundle, and what it shows.

use crate::{args::Import, say};
use desk::{Failure, imports};
use std::process::ExitCode;

pub fn run(args: &Import) -> Result<ExitCode, Failure> {
    let imported = imports::read(&args.dump)?;
    let (story, out) = imports::write(&imported, args.out.clone())?;
    for row in story.rows.iter().take(1) {
        say::aside(&row.text);
    }
    say::line(format_args!("{}\nSaved as {}", story.head.headline, out.display()));
    Ok(ExitCode::SUCCESS)
}
