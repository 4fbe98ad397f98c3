//! The `linewitness` command: the whole product without a window. Each command is one file; this one only chooses. It is a
//! library so that the program with the window can do the same where there is no display.

mod args;
mod backlog;
mod calibrate;
mod check;
mod explain;
mod hold;
mod identity;
mod import;
mod live;
mod map;
mod recover;
mod reflect;
mod report;
mod runs;
mod say;
mod unlock;
mod verify;

use args::{Args, Command};
use clap::Parser;
pub use say::aside;
use std::ffi::OsString;
use std::process::ExitCode;

/// `args` begin with the name that the program was called by.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = Args::parse_from(args);
    let done = match args.command {
        Command::Hold(args) => hold::run(args),
        Command::Reflect(args) => reflect::run(args),
        Command::Explain(args) => explain::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Identity(args) => identity::run(&args),
        Command::Map(args) => map::run(&args),
        Command::Recover(args) => recover::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Runs(args) => runs::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(failure) => say::failure(&failure),
    }
}

/// The exit codes of the contract.
mod exit {
    pub const HELD: u8 = 0;
    pub const OUR_FAULT: u8 = 1;
    pub const BAD_INPUT: u8 = 2;
    pub const DROPPED: u8 = 3;
    pub const NOT_ESTABLISHED: u8 = 4;
    /// Of `verify`.
    pub const NOT_AS_WRITTEN: u8 = 3;
}
