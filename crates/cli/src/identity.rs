//! `linewitness identity`: the secret that opens encrypted reports, and the line for profiles that goes with it.

use crate::{args::Identity, say, unlock};
use desk::{Failure, files, sealed};
use engine::Clock;
use std::process::ExitCode;

pub fn run(args: &Identity) -> Result<ExitCode, Failure> {
    // Whether it can be written at all comes before a passphrase is thought of.
    let file = files::free(args.file.clone())?;
    let passphrase = match args.passphrase {
        true => Some(unlock::chosen().map_err(Failure::bad_input)?),
        false => None,
    };
    let made = sealed::new_identity(&file, Clock::real().now().wall, passphrase.as_ref())?;
    say::aside(format_args!(
        "The identity is in {}. Who has that file opens the reports; without it nobody does. Keep it, and keep a copy.\n\
         Into profiles goes its recipient:\n",
        file.display()
    ));
    say::line(format_args!("[share]\nrecipient = \"{}\"", made.recipient));
    Ok(ExitCode::SUCCESS)
}
