//! From our system's errors to `Trouble`, and to words without codes.

use super::stream::Witness;
use record::{Said, fact::Trouble, millis};
use std::io::{Error, ErrorKind};
use std::time::Duration;
use tokio_rustls::rustls;

/// Why a read or write in the middle of a stage failed.
pub fn of(error: &Error, witness: Option<&Witness>, waited: Duration) -> Trouble {
    // A write that was refused took the errno with it, and reading then met a mere end of file.
    match witness.and_then(|witness| witness.seen().write_fault) {
        Some(fault) if fault.kind != ErrorKind::BrokenPipe => plain(&fault.error(), waited),
        _ => plain(error, waited),
    }
}

fn plain(error: &Error, waited: Duration) -> Trouble {
    match error.kind() {
        ErrorKind::ConnectionRefused => Trouble::Refused,
        ErrorKind::ConnectionReset => Trouble::Reset,
        ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => Trouble::Closed,
        // The kernel's own patience ended before ours.
        ErrorKind::TimedOut => no_answer(waited),
        _ => Trouble::Local { errno: error.raw_os_error(), says: words(error) },
    }
}

pub fn no_answer(waited: Duration) -> Trouble {
    Trouble::NoAnswer { waited_ms: millis(waited) }
}

/// "No route to host" and not "No route to host (os error 113)": the number has its own field.
pub fn words(error: &Error) -> Said {
    let text = error.to_string();
    Said::new(text.rsplit_once(" (os error").map_or(text.as_str(), |(words, _)| words))
}

pub fn tls_error(error: &Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
