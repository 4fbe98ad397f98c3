//! Phrases that every sentence is made of, so that the same thing has the same words everywhere.

use crate::timeline::{Pair, Socket, Timeline};
use record::{
    Said, Stamp, Wall,
    fact::{CandidateKind, ConnectStage, End, RefusalKind, Side, TlsTrouble, Trouble},
};
use std::time::Duration;

/// As long as it takes to be read: `0.94 s`, `60.1 s`, `12 min 05 s`, `4 h 00 min`.
pub fn length(d: Duration) -> String {
    let s = d.as_secs_f64();
    match s {
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 119.95 => format!("{s:.1} s"),
        _ => {
            let whole = s.round() as u64;
            match whole {
                ..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
                _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
            }
        }
    }
}

/// What was planned, in whole seconds where it is: `31 s`, `2 min 05 s`, `15 min`, `4 h`.
pub fn planned(d: Duration) -> String {
    let s = d.as_secs();
    if d.subsec_nanos() > 0 {
        return length(d);
    }
    match (s / 3600, s % 3600 / 60, s % 60) {
        _ if s < 120 => format!("{s} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, 0, 0) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

pub fn ms(ms: f64) -> String {
    if ms.abs() < 9.95 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// What an administrator searches a log for.
pub fn utc(at: Stamp) -> String {
    utc_of(at.wall)
}

pub fn utc_of(wall: Wall) -> String {
    format!("{} UTC", wall.timestamp().strftime("%H:%M:%S"))
}

/// To the hundredth, for what happened.
pub fn utc_exact(at: Stamp) -> String {
    format!("{} UTC", hundredths(at.wall))
}

pub fn hundredths(wall: Wall) -> String {
    format!("{}.{:02}", wall.timestamp().strftime("%H:%M:%S"), wall.micros().rem_euclid(1_000_000) / 10_000)
}

pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

pub fn count(n: usize, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// "a, b and c"
pub fn list(all: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = all.collect();
    match all.pop() {
        Some(last) if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        last => last.unwrap_or_default(),
    }
}

pub fn times(n: usize) -> String {
    match n {
        1 => "once".into(),
        2 => "twice".into(),
        n => format!("{n} times"),
    }
}

/// Where a line may break: at spaces, but never between a number and its unit.
pub fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let unit = matches!(word.trim_end_matches(['.', ',', ';', ':', ')']), "s" | "ms" | "min" | "h" | "UTC");
        match pieces.last_mut() {
            Some(number) if unit && number.ends_with(|c: char| c.is_ascii_digit()) => {
                number.push(' ');
                number.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

/// A stranger's words in quotation marks, or nothing.
pub fn quoted(says: &Said) -> String {
    if says.is_empty() { String::new() } else { format!(", saying “{says}”") }
}

/// The connection as a log of a device shows it.
pub fn flow(socket: &Socket) -> String {
    match &socket.tcp {
        Some(tcp) => format!("TCP {} to {}", tcp.local, tcp.remote),
        None => format!("the connection to {}", socket.to),
    }
}

/// The media's way as a log on it shows it. What goes by a relay of ours is seen between here and the relay only.
pub fn media_flow(timeline: &Timeline, pair: &Pair) -> String {
    let ends = format!("{} to {}", pair.local, pair.remote);
    match (pair.local_kind, timeline.relay_of(pair)) {
        (CandidateKind::Relay, Some(server)) => format!("media by the relay {server} (beyond it UDP {ends})"),
        (CandidateKind::Relay, None) => format!("media by a relay (beyond it UDP {ends})"),
        _ => format!("UDP {ends}"),
    }
}

pub fn close_code(code: u16) -> &'static str {
    match code {
        1000 => "normal end",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "data not accepted",
        1005 => "no code given",
        1006 => "no close frame",
        1007 => "bad data",
        1008 => "policy violation",
        1009 => "message too large",
        1010 => "extension missing",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS failure",
        3000..=3999 => "a registered code of the service's library",
        4000..=4999 => "the service's own code",
        _ => "unknown code",
    }
}

/// After "the connection ended ".
pub fn ended(end: &End) -> String {
    match end {
        End::CloseFrame { by, code, reason } => {
            let by = match by {
                Side::Us => "our",
                Side::Them => "the far end's",
            };
            match code {
                Some(code) => format!("with {by} close frame {code} ({}){}", close_code(*code), quoted(reason)),
                None => format!("with {by} close frame without a code{}", quoted(reason)),
            }
        }
        End::CloseNotify => "with a TLS close_notify and no close frame".into(),
        End::Fin => "with a TCP FIN and no close frame".into(),
        End::Reset => "with a TCP RST".into(),
        End::Silence { waited_ms } => {
            format!("in silence: a question of ours stayed without an answer for {}", length(millis(*waited_ms)))
        }
        End::Local { errno, says } if unreachable(*errno) => format!("because {}", no_way(*errno, says)),
        End::Local { errno, says } => format!("by {}", own_error(*errno, says)),
        End::Broken { says } => format!("because what came broke the protocol{}", quoted(says)),
        End::LetGo => "because we let go of it".into(),
    }
}

/// For `measured.ended`.
pub fn end_id(end: &End) -> &'static str {
    match end {
        End::CloseFrame { .. } => "close_frame",
        End::CloseNotify => "close_notify",
        End::Fin => "fin",
        End::Reset => "rst",
        End::Silence { .. } => "silence",
        End::Local { .. } => "local_error",
        End::Broken { .. } => "broken",
        End::LetGo => "let_go",
    }
}

pub fn stage(stage: ConnectStage) -> &'static str {
    match stage {
        ConnectStage::Proxy => "the HTTP proxy",
        ConnectStage::Dns => "the name look-up",
        ConnectStage::Tcp => "the TCP connection",
        ConnectStage::Udp => "the first UDP packet",
        ConnectStage::Tls => "the TLS handshake",
        ConnectStage::Upgrade => "the WebSocket upgrade",
        ConnectStage::Login => "the login",
        ConnectStage::Offer => "the call's offer",
        ConnectStage::Ice => "the ICE checks",
        ConnectStage::Dtls => "the DTLS handshake",
        ConnectStage::Media => "the first media packet",
    }
}

/// After "failed: ".
pub fn trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::NoSuchName { says } => format!("the resolver says there is no such name{}", quoted(says)),
        Trouble::NameFailed { says } => format!("the resolver gave no answer{}", quoted(says)),
        Trouble::Refused => "refused: the address answered that nobody listens there".into(),
        Trouble::Reset => "reset by the other side".into(),
        Trouble::Closed => "closed by the other side in the middle".into(),
        Trouble::NoAnswer { waited_ms } => format!("no answer within {}", length(millis(*waited_ms))),
        Trouble::Tls { kind, says } => {
            let kind = match kind {
                TlsTrouble::UnknownIssuer => "the certificate's issuer is not trusted here",
                TlsTrouble::Expired => "the certificate has expired",
                TlsTrouble::NotYetValid => "the certificate is not valid yet",
                TlsTrouble::WrongName => "the certificate is for another name",
                TlsTrouble::Revoked => "the certificate is revoked",
                TlsTrouble::BadCertificate => "the certificate is not acceptable",
                TlsTrouble::Alert => "the other side sent a TLS alert",
                TlsTrouble::Other => "TLS failed",
            };
            format!("{kind}{}", quoted(says))
        }
        Trouble::Http { status, server, says, retry_after_s } => {
            let server = server.as_ref().map(|s| format!(" from {s}")).unwrap_or_default();
            let retry = retry_after_s.map(|s| format!(", retry after {s:.0} s")).unwrap_or_default();
            format!("HTTP {status}{server}{retry}{}", quoted(says))
        }
        Trouble::Stun { code, says } => format!("the server refused with error {code}{}", quoted(says)),
        Trouble::NotUnderstood { says } => format!("the other side speaks something else{}", quoted(says)),
        Trouble::Local { errno, says } if unreachable(*errno) => no_way(*errno, says),
        Trouble::Local { errno, says } => own_error(*errno, says),
    }
}

fn own_error(errno: Option<i32>, says: &Said) -> String {
    let errno = errno.map(|errno| format!(" {errno}")).unwrap_or_default();
    format!("this system's own error{errno}{}", quoted(says))
}

/// EHOSTUNREACH and ENETUNREACH, by their numbers on Linux, macOS and Windows. The system says so where it has no route or
/// where nobody on its own link answers for the address, and just the same where a router on the way said it.
pub fn unreachable(errno: Option<i32>) -> bool {
    errno.is_some_and(|errno| matches!(errno, 101 | 113 | 51 | 65 | 10_051 | 10_065))
}

fn no_way(errno: Option<i32>, says: &Said) -> String {
    let errno = errno.map(|errno| format!(", error {errno}")).unwrap_or_default();
    format!("this system or a router on the way found no way there{errno}{}", quoted(says))
}

pub fn refusal(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Auth => "the credentials were not accepted",
        RefusalKind::Overloaded => "it is at its limit",
        RefusalKind::NoSuchCall => "it does not know the call any more",
        RefusalKind::TooLarge => "the message was too large",
        RefusalKind::BadRequest => "the request was not understood",
        RefusalKind::Other => "it did not want to",
    }
}

/// From a figure in a log, which may be any number at all.
pub fn millis(ms: f64) -> Duration {
    if ms.is_finite() && ms > 0.0 { Duration::from_micros((ms.min(1e12) * 1e3) as u64) } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_router_may_have_said_is_not_called_this_systems_own_error() {
        let local = |errno, says: &str| trouble(&Trouble::Local { errno: Some(errno), says: says.into() });
        let says = "this system or a router on the way found no way there, error 113, saying “No route to host”";
        assert_eq!(local(113, "No route to host"), says);
        assert_eq!(local(24, "Too many open files"), "this system's own error 24, saying “Too many open files”");
    }

    #[test]
    fn lengths_are_as_exact_as_a_reader_needs() {
        let say = |ms| length(Duration::from_millis(ms));
        assert_eq!(say(940), "0.94 s");
        assert_eq!(say(60_060), "60.1 s");
        assert_eq!(say(725_000), "12 min 05 s");
        assert_eq!(say(14_400_000), "4 h 00 min");
        let say = |ms| planned(Duration::from_millis(ms));
        assert_eq!([say(31_000), say(125_000), say(900_000), say(14_400_000)], ["31 s", "2 min 05 s", "15 min", "4 h"]);
        assert_eq!(say(500), "0.50 s");
        assert_eq!(millis(f64::NAN), Duration::ZERO);
        assert_eq!(millis(f64::INFINITY), Duration::ZERO);
    }
}
