//! How a connection ended, told from two witnesses: what the WebSocket layer said and what the socket below saw. Pure,
//! and the same for both ends of a connection.
//!
//! | | WebSocket layer | socket |
//! |---|---|---|
//! | close frame | hands out the frame | |
//! | TLS goodbye | a clean end | anything but an error |
//! | FIN | plain: a clean end; TLS: an end without goodbye | end of file |
//! | RST | an error | ECONNRESET, reading or writing |
//! | local | an error | any other errno |
//! | broken | a violation of WebSocket or TLS | more bytes than are allowed |

use super::stream::{Fault, ReadEnd, Seen};
use super::trouble;
use record::{
    Heard, Scrub,
    fact::{End, Side},
};
use std::io::ErrorKind;
use tokio_tungstenite::tungstenite::{
    Error,
    error::{CapacityError, ProtocolError},
    protocol::CloseFrame,
};

/// The end of a connection on which a close frame was sent; `by` is who sent the first.
pub fn by_close_frame(by: Side, frame: Option<&CloseFrame>, scrub: &Scrub) -> End {
    End::CloseFrame {
        by,
        code: frame.map(|frame| u16::from(frame.code)),
        reason: scrub.hear(frame.map_or("", |frame| frame.reason.as_str())).into(),
    }
}

/// The end of a connection on which no close frame came. `error` is what the WebSocket layer said, `None` if it merely
/// stopped.
pub fn without_close_frame(error: Option<&Error>, seen: &Seen, tls: bool) -> End {
    if seen.flooded {
        return End::Broken { says: "it sends more than it has to say".into() };
    }
    if let Some(says) = error.and_then(violation) {
        return End::Broken { says: says.into() };
    }
    if let Some(ReadEnd::Fault(fault)) = seen.read_end {
        return by_fault(fault);
    }
    let unclean = matches!(error, Some(Error::Io(error)) if error.kind() == ErrorKind::UnexpectedEof);
    // The TLS layer reports a clean end only after the other side's goodbye, whatever the socket did afterwards.
    if tls && !unclean && matches!(error, None | Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) {
        return End::CloseNotify;
    }
    match seen.write_fault {
        // The other side's FIN had come before, and its RST answered what we wrote after it.
        Some(fault) if fault.kind != ErrorKind::BrokenPipe => by_fault(fault),
        _ => End::Fin,
    }
}

fn by_fault(fault: Fault) -> End {
    if fault.kind == ErrorKind::ConnectionReset {
        End::Reset
    } else {
        End::Local { errno: fault.errno, says: trouble::words(&fault.error()) }
    }
}

/// What the other side did against the rules, or nothing if it merely went.
fn violation(error: &Error) -> Option<Heard> {
    match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(error) => Some(Heard::new(&format!("not WebSocket any more: {error}"))),
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            Some(Heard::new(&format!("a message of {size} bytes came; the limit is {max_size}")))
        }
        Error::Capacity(error) => Some(Heard::new(&error.to_string())),
        Error::Utf8(_) => Some("a text message was not UTF-8".into()),
        Error::Io(error) => {
            trouble::tls_error(error).map(|error| Heard::new(&format!("TLS failed in the middle: {error}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Stamp;
    use std::io;

    const AT: fn() -> Stamp = || Stamp::new(0, 0, 0);

    fn seen(read_end: Option<ReadEnd>, write_fault: Option<ErrorKind>) -> Seen {
        let fault = |kind| Fault { kind, errno: None, at: AT() };
        Seen { read_end, write_fault: write_fault.map(fault), ..Seen::nothing(AT()) }
    }
    fn stopped() -> Error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
    }

    #[test]
    fn the_same_clean_end_is_a_fin_without_tls_and_a_goodbye_with_it() {
        let seen = seen(Some(ReadEnd::Eof), None);
        assert_eq!(without_close_frame(Some(&stopped()), &seen, false), End::Fin);
        assert_eq!(without_close_frame(Some(&stopped()), &seen, true), End::CloseNotify);
    }

    #[test]
    fn tls_that_ends_without_its_goodbye_is_a_fin() {
        let error = Error::Io(io::Error::from(ErrorKind::UnexpectedEof));
        assert_eq!(without_close_frame(Some(&error), &seen(Some(ReadEnd::Eof), None), true), End::Fin);
    }

    #[test]
    fn a_reset_is_one_whether_reading_or_writing_met_it() {
        let fault = Fault { kind: ErrorKind::ConnectionReset, errno: None, at: AT() };
        let reading = seen(Some(ReadEnd::Fault(fault)), None);
        let writing = seen(Some(ReadEnd::Eof), Some(ErrorKind::ConnectionReset));
        assert_eq!(without_close_frame(Some(&stopped()), &reading, false), End::Reset);
        assert_eq!(without_close_frame(Some(&stopped()), &writing, false), End::Reset);
    }

    #[test]
    fn a_broken_pipe_after_the_far_ends_fin_is_still_its_fin() {
        let seen = seen(Some(ReadEnd::Eof), Some(ErrorKind::BrokenPipe));
        assert_eq!(without_close_frame(Some(&stopped()), &seen, false), End::Fin);
    }

    #[cfg(unix)]
    #[test]
    fn an_errno_of_our_own_system_is_kept_with_its_words() {
        let fault = Fault { kind: ErrorKind::TimedOut, errno: Some(libc::ETIMEDOUT), at: AT() };
        let end = without_close_frame(None, &seen(Some(ReadEnd::Fault(fault)), None), true);
        let End::Local { errno, says } = end else { panic!("{end:?}") };
        assert_eq!(errno, Some(libc::ETIMEDOUT));
        assert!(!says.is_empty() && !says.as_str().contains("os error"), "{says}");
    }

    #[test]
    fn a_flood_outweighs_what_reading_came_to() {
        let seen = Seen { flooded: true, ..seen(Some(ReadEnd::Eof), None) };
        let error = Error::Io(io::Error::from(ErrorKind::QuotaExceeded));
        assert!(matches!(without_close_frame(Some(&error), &seen, false), End::Broken { .. }));
    }

    #[test]
    fn a_violation_outweighs_whatever_the_socket_did_next() {
        let error = Error::Protocol(ProtocolError::InvalidOpcode(3));
        let end = without_close_frame(Some(&error), &seen(Some(ReadEnd::Eof), None), false);
        assert!(matches!(end, End::Broken { .. }), "{end:?}");
    }
}
