//! What a dump shows of its connections, whatever its format.

use crate::stats::Look;
use record::fact::IceState;

pub struct Dump {
    pub format: &'static str,
    /// The browser, in its own words.
    pub by: String,
    pub connections: Vec<Connection>,
}

/// One RTCPeerConnection. Times are milliseconds since the Unix epoch, and none is outside `TIMES`.
#[derive(Default)]
pub struct Connection {
    pub looks: Vec<Look>,
    pub states: Vec<(f64, IceState)>,
    pub closed: Option<f64>,
    /// Changes of state whose time says no zone, and so cannot be placed.
    pub without_zone: u32,
    /// The looks carry no times of their own; they are taken to lie evenly between the first and the last.
    pub evenly: bool,
}

/// Browsers open few connections, and a stranger's file may name a million.
pub const MOST_CONNECTIONS: usize = 64;
/// A look a second for a day.
pub const MOST_LOOKS: usize = 100_000;
/// Of one connection at a time: a conference of a hundred has fewer.
pub const MOST_REPORTS: usize = 1_000;
/// More changes of state than this are no call.
pub const MOST_STATES: usize = 10_000;

impl Connection {
    pub fn state(&mut self, at: f64, state: Option<IceState>) {
        if self.states.len() < MOST_STATES {
            self.states.extend(state.map(|state| (at, state)));
        }
    }
}

/// From 2001 to 2099: no dump is older than WebRTC, and everything else is no time.
pub fn time(ms: f64) -> Option<f64> {
    (ms.is_finite() && (978_307_200_000.0..4_070_908_800_000.0).contains(&ms)).then_some(ms)
}

/// In the words of the standard, with quotes around them or not, or as Chromium wrote them before.
pub fn ice_state(word: &str) -> Option<IceState> {
    let word = word.trim_matches('"');
    Some(match word.strip_prefix("ICEConnectionState").unwrap_or(word).to_ascii_lowercase().as_str() {
        "new" => IceState::New,
        "checking" => IceState::Checking,
        "connected" => IceState::Connected,
        "completed" => IceState::Completed,
        "disconnected" => IceState::Disconnected,
        "failed" => IceState::Failed,
        "closed" => IceState::Closed,
        _ => return None,
    })
}
