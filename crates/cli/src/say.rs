//! The one place that speaks to the terminal.

use crate::exit;
use desk::{Failure, Fault};
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// A line of the result, on standard output. A reader that went away (`| head`) is no failure of ours.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Exactly these bytes, on standard output.
pub fn raw(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Of the terminal; 80 where there is none.
pub fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

/// A remark beside the result, on standard error.
pub fn aside(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Why a command ended early, and the exit code of that.
pub fn failure(failure: &Failure) -> ExitCode {
    aside(format_args!("linewitness: {failure}"));
    ExitCode::from(match failure.fault {
        Fault::Input => exit::BAD_INPUT,
        Fault::Ours => exit::OUR_FAULT,
    })
}
