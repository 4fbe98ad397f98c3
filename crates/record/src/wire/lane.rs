//! The words on a lane: JSON, one text frame each on a WebSocket; on TCP and TLS one line each, after `PREAMBLE`.
//!
//! ```text
//! caller                        reflector
//! begin ──────────────────────▶
//!       ◀────────────────────── welcome | refused
//!        … quiet, as planned …
//! ask 1 ──────────────────────▶                  where the caller speaks first
//!       ◀────────────────────── echo 1
//!       ◀────────────────────── word             where the reflector does; the caller then asks
//! stir  ──────────────────────▶                  no answer: it keeps one direction busy
//!       ◀────────────────────── stir
//! bye   ──────────────────────▶                  closed in order, and no loss
//!       ◀────────────────────── over             the call is gone, and the lane with it
//! ```
//!
//! The plan is said first, so that the reflector need not end a lane for being quiet: being quiet is what it is for.

use super::Sealed;
use crate::{
    Heard,
    fact::{Side, Stirred},
};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The first bytes of a lane that is no WebSocket; no HTTP request and no TLS handshake begins so.
pub const PREAMBLE: &str = "LINEWITNESS LANE 1\n";

/// No message of either side is larger; whoever sends one is not understood any more.
pub const LARGEST_MESSAGE: usize = 1024;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromLane {
    /// The first message of every lane. `lane` is the caller's number for it.
    Begin {
        ticket: Sealed,
        lane: u32,
        plan: Plan,
    },
    Ask {
        number: u64,
    },
    Stir,
    Bye,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum ToLane {
    /// `from` is where the reflector sees the caller.
    Welcome {
        from: SocketAddr,
    },
    Refused {
        why: Unwelcome,
        says: Heard,
    },
    Echo {
        number: u64,
    },
    Word,
    Stir,
    Over,
}

/// What the caller means to do, from the welcome on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The longest that the caller will be silent.
    pub quiet_ms: f64,
    /// Who speaks first after that silence; absent where it is not for proving anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Side>,
    /// What goes on during it.
    pub stirred: Stirred,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unwelcome {
    /// No call belongs to this ticket, or not any more.
    NoSuchCall,
    /// All places beside this call, or of the reflector, are taken.
    Full,
    BadRequest,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Private;

    #[test]
    fn a_beginning_reads_as_it_was_written_and_prints_no_ticket() {
        let plan = Plan { quiet_ms: 25_000.0, first: Some(Side::Us), stirred: Stirred::Not };
        let begin = FromLane::Begin { ticket: Sealed(Private::new("hunter2".into())), lane: 7, plan };
        let text = serde_json::to_string(&begin).expect("can be written");
        assert_eq!(
            text,
            r#"{"say":"begin","ticket":"hunter2","lane":7,"plan":{"quiet_ms":25000.0,"first":"us","stirred":"not"}}"#
        );
        assert_eq!(serde_json::from_str::<FromLane>(&text).expect("can be read"), begin);
        assert!(!format!("{begin:?}").contains("hunter2"));
    }
}
