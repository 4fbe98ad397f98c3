//! The `linewitness` command: the whole product without a window. Each command is one file; this one only chooses.

mod args;
mod backlog;
mod calibrate;
mod check;
mod explain;
mod hold;
mod live;
mod logging;
mod recover;
mod reflect;
mod report;
mod say;
mod stop;

use args::{Args, Command};
use clap::Parser;
use desk::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.command {
        Command::Hold(args) => hold::run(args),
        Command::Reflect(args) => reflect::run(args),
        Command::Explain(args) => explain::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Recover(args) => recover::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(failure) => say::failure(&failure),
    }
}

/// The exit codes of the contract.
pub mod exit {
    pub const HELD: u8 = 0;
    pub const OUR_FAULT: u8 = 1;
    pub const BAD_INPUT: u8 = 2;
    pub const DROPPED: u8 = 3;
    pub const NOT_ESTABLISHED: u8 = 4;
}

/// Shared by all: a tokio runtime of the size this work needs.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        // One thread for the call's packets and one for everything else keeps either from delaying the other.
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::ours(format!("the system gave us no threads to work with: {error}")))
}
