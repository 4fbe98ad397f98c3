//! `linewitness map`: what the names in a bundle stand for. It is told on this computer alone, and to nobody else.

use crate::{args::Map, say};
use desk::Failure;
use std::process::ExitCode;

pub fn run(args: &Map) -> Result<ExitCode, Failure> {
    let map = desk::map::of(&args.bundle)?;
    let width =
        |of: fn(&record::names::Named) -> &str| map.iter().map(|line| of(line).chars().count()).max().unwrap_or(0);
    let (name, is) = (width(|line| &line.name), width(|line| &line.is));
    if map.is_empty() {
        say::line("The bundle names nothing: everything in it was on this computer itself.");
    }
    for line in &map {
        // It was taken from the network once.
        let (shown, what) = (record::Heard::new(&line.is), record::Heard::new(&line.what));
        say::line(format_args!("{:name$}  {:is$}  {what}", line.name, shown.as_str()));
    }
    Ok(ExitCode::SUCCESS)
}
