//! `linewitness report`: the same story for others: a page, a picture, a paragraph.

use crate::{args::Report, say};
use desk::{Failure, files};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &Report) -> Result<ExitCode, Failure> {
    let opened = crate::explain::open(&args.bundle, &args.unlock)?;
    let story = explain::story(&opened.log);
    if let Some(path) = &args.svg {
        write_new(path, explain::report::svg(&story).as_bytes())?;
        say::aside(format_args!("The timeline is drawn in {}.", path.display()));
    }
    if let Some(path) = &args.html {
        write_new(path, explain::report::html(&story, opened.warning().as_deref()).as_bytes())?;
        say::aside(format_args!("The report is written to {}.", path.display()));
    }
    let drawn = args.svg.is_some() || args.html.is_some();
    if args.ticket || !drawn {
        opened.warning().into_iter().for_each(say::line);
    }
    if args.ticket {
        say::line(explain::report::ticket(&story));
    } else if !drawn {
        say::raw(&explain::report::text(&story, &jiff::tz::TimeZone::system(), say::width()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Nothing is overwritten, not even a picture.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    File::options()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| Failure::bad_input(format!("{}: {}", path.display(), files::why_not_written(&error))))
}
