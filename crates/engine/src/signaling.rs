//! Signaling adapters: one file a provider, each a pure state machine. It is fed what happened and asks for what to do;
//! sockets, clocks and the call belong to the session.

use crate::line::Target;
use record::{
    Heard, Private, Stamp,
    fact::{CallEndedBy, End, Fact, RefusalKind, SocketPurpose},
    profile::{IceServer, Profile},
    stamp::Micros,
};

/// An adapter's card: who it is, what the profile form asks, what the far end can do, and how to make one.
#[derive(Debug)]
pub struct Signaling {
    pub id: &'static str,
    pub label: &'static str,
    pub fields: &'static [Field],
    pub can: Can,
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

/// What verdicts and the caretaker need to know of a provider.
#[derive(Debug)]
pub struct Can {
    /// The call can be taken up over a new socket, with the same PeerConnection.
    pub resume: bool,
    pub restart_ice: bool,
    /// The far end sends our RTP back.
    pub echoes: bool,
    /// The far end tells what it saw.
    pub testifies: bool,
}

pub trait Adapter: Send {
    fn handle(&mut self, now: Stamp, input: In);
    /// Drained until `None` after every `handle`.
    fn poll(&mut self) -> Option<Out>;
    /// When, on the awake clock, `In::Tick` is wanted.
    fn wake_at(&self) -> Option<Micros>;
}

#[derive(Debug)]
pub enum In {
    /// Bring the session up; `purpose` says whether a call stands that is to be taken up.
    Connect {
        purpose: SocketPurpose,
    },
    SocketOpen,
    Text(String),
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

#[derive(Debug)]
pub enum Out {
    OpenSocket(Box<Target>),
    Text(String),
    CloseSocket { code: u16, reason: &'static str },
    Note(Fact),
    Event(Event),
}

/// What the session must act on.
#[derive(Debug)]
pub enum Event {
    /// Logged in, and resumed where that was asked for. The call may be placed, or its offer repeated.
    Ready {
        resumed: bool,
        ice_servers: Vec<IceServer>,
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
pub const ALL: &[&Signaling] = &[];

pub fn by_id(id: &str) -> Option<&'static Signaling> {
    ALL.iter().copied().find(|adapter| adapter.id == id)
}

/// Kept here so that adapters agree on it: a secret crosses into a message only through this.
pub fn secret_text(secret: &Private<String>) -> String {
    secret.reveal().clone()
}
