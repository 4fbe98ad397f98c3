//! `linewitness report`: the same story for others: a page, a picture, a ticket, a page for an administrator, a retest.

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
        write_new(path, explain::report::html(&story, opened.warning(&story).as_deref()).as_bytes())?;
        say::aside(format_args!("The report is written to {}.", path.display()));
    }
    if let Some(path) = &args.retest {
        let profile = explain::report::retest(&story, opened.profile.as_deref())
            .map_err(|why| Failure::bad_input(format!("{}: {why}", args.bundle.display())))?;
        write_new(path, profile.as_bytes())?;
        let named = path.display().to_string();
        say::aside(format_args!("The retest is written to {named}. {}", explain::report::retest_asks(&story, &named)));
        explain::report::retest_lacks(&profile).into_iter().for_each(say::aside);
    }
    let written = args.svg.is_some() || args.html.is_some() || args.retest.is_some();
    let said = args.ticket || args.admin;
    if said || !written {
        opened.warning(&story).into_iter().for_each(say::line);
    }
    if args.ticket {
        let ticket = explain::report::ticket(&story);
        say::line(&ticket);
        if args.retest.is_none() && ticket.contains(explain::report::RETEST_FILE) {
            let (bundle, file) = (args.bundle.display(), explain::report::RETEST_FILE);
            say::aside(format_args!("Its attachment is made by `linewitness report {bundle} --retest {file}`."));
        }
    }
    if args.admin {
        say::raw(&explain::report::admin(&story, say::width()));
    }
    if !said && !written {
        say::raw(&explain::report::text(&story, &jiff::tz::TimeZone::system(), say::width()));
        say::line(format_args!("\n{}\n", "Appendix: for whoever can change something"));
        say::raw(&explain::report::admin(&story, say::width()));
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
