//! Signaling adapters: one file a provider, each a pure state machine. It is fed what happened and asks for what to do;
//! sockets, clocks and the call belong to the session.

use crate::line::{Patience, Target};
use record::{
    Heard, Micros, Stamp,
    fact::{CallEndedBy, End, Fact, RefusalKind, SocketPurpose},
    profile::{IceServer, Profile},
    wire::LaneGate,
};
use std::fmt;

mod janus;
mod offering;
mod reflector;
pub mod sdp;
#[cfg(test)]
mod tests;
mod wishes;

/// An adapter's card: who it is, what the profile form asks, and how to make one.
#[derive(Debug)]
pub struct Signaling {
    pub id: &'static str,
    pub label: &'static str,
    pub fields: &'static [Field],
    /// Without it the far end's WebSocket does not come to stand.
    pub subprotocol: Option<&'static str>,
    pub new: fn(&Profile) -> Box<dyn Adapter>,
}

/// One line of the profile form.
#[derive(Debug)]
pub struct Field {
    pub id: &'static str,
    pub label: &'static str,
    pub secret: bool,
    pub required: bool,
}

pub trait Adapter: Send {
    fn handle(&mut self, now: Stamp, input: In);
    /// Drained until `None` after every `handle`.
    fn poll(&mut self) -> Option<Out>;
    /// When, on the awake clock, `In::Tick` is wanted.
    fn wake_at(&self) -> Option<Micros>;
}

pub enum In {
    /// Bring the session up; `purpose` says whether a call stands that is to be taken up.
    Connect {
        purpose: SocketPurpose,
    },
    /// The socket stands; `conn` is its number in the facts.
    SocketOpen {
        conn: u32,
    },
    Text(String),
    /// It has ended, or could not be made.
    SocketClosed(End),
    /// Place the call, or restart ICE in it.
    Offer {
        sdp: String,
        restart: bool,
    },
    LocalCandidate {
        candidate: String,
        mid: Option<String>,
        line: Option<u16>,
    },
    EndOfCandidates,
    /// End the call and the session in order.
    HangUp {
        reason: &'static str,
    },
    Tick,
}

pub enum Out {
    OpenSocket(Box<Target>),
    Text(String),
    CloseSocket { code: u16, reason: &'static str },
    Note(Fact),
    Event(Event),
}

/// What the session must act on.
pub enum Event {
    /// Logged in, and resumed where that was asked for. The call may be placed, or its offer repeated.
    Ready {
        resumed: bool,
        ice_servers: Vec<IceServer>,
        /// Lanes may be held beside the call.
        lanes: Option<LaneGate>,
    },
    Answer {
        sdp: String,
    },
    RemoteCandidate {
        candidate: String,
        mid: Option<String>,
        line: Option<u16>,
    },
    /// The far end will not; whether trying again makes sense is for the caretaker.
    Refused {
        kind: RefusalKind,
        code: Heard,
        says: Heard,
    },
    CallEnded {
        by: CallEndedBy,
        says: Heard,
    },
    /// The goodbye is said and the socket may go.
    HungUp,
}

/// Which adapters there are.
pub const ALL: &[&Signaling] = &[&reflector::SIGNALING, &janus::SIGNALING];

pub fn by_id(id: &str) -> Option<&'static Signaling> {
    ALL.iter().copied().find(|adapter| adapter.id == id)
}

/// The socket that a profile asks for.
fn target(profile: &Profile, subprotocol: Option<&'static str>) -> Out {
    Out::OpenSocket(Box::new(Target {
        url: profile.signaling.url.clone(),
        extra_ca: profile.signaling.ca.clone(),
        subprotocol,
        headers: Vec::new(),
        heartbeat: profile.signaling.heartbeat.planned(),
        largest_message: LARGEST_MESSAGE,
        patience: Patience::default(),
        scrub: profile.scrub(),
    }))
}

/// Descriptions of one audio track are a few kilobytes; ten times that is no signaling message any more.
const LARGEST_MESSAGE: usize = 64 * 1024;

/// Texts carry tokens, tickets and ICE passwords: whoever prints these sees only that something was there.
impl fmt::Debug for In {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { purpose } => write!(f, "Connect({purpose:?})"),
            Self::SocketOpen { conn } => write!(f, "SocketOpen({conn})"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::SocketClosed(end) => write!(f, "SocketClosed({end:?})"),
            Self::Offer { sdp, restart } => write!(f, "Offer({} bytes, restart: {restart})", sdp.len()),
            Self::LocalCandidate { candidate, .. } => write!(f, "LocalCandidate({candidate})"),
            Self::EndOfCandidates => f.write_str("EndOfCandidates"),
            Self::HangUp { reason } => write!(f, "HangUp({reason})"),
            Self::Tick => f.write_str("Tick"),
        }
    }
}
impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenSocket(target) => write!(f, "OpenSocket({})", target.url),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::CloseSocket { code, reason } => write!(f, "CloseSocket({code}, {reason})"),
            Self::Note(fact) => write!(f, "Note({fact:?})"),
            Self::Event(event) => write!(f, "{event:?}"),
        }
    }
}
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { resumed, ice_servers, .. } => {
                write!(f, "Ready(resumed: {resumed}, {} ICE servers)", ice_servers.len())
            }
            Self::Answer { sdp } => write!(f, "Answer({} bytes)", sdp.len()),
            Self::RemoteCandidate { candidate, .. } => write!(f, "RemoteCandidate({candidate})"),
            Self::Refused { kind, code, says } => write!(f, "Refused({kind:?}, {code}, {says})"),
            Self::CallEnded { by, says } => write!(f, "CallEnded({by:?}, {says})"),
            Self::HungUp => f.write_str("HungUp"),
        }
    }
}
