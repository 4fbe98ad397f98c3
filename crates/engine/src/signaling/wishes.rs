//! What an adapter wants of the session, in its order. Some of it is a far end's doing and becomes facts; how many of
//! these one socket may cause is counted here, for every provider alike. Pure.

use super::offering::Answered;
use super::{Event, Out};
use record::{
    Heard,
    fact::{CallEndedBy, Fact, RefusalKind, Signaling},
};
use std::collections::VecDeque;

/// Each refusal, each text that is none of its protocol's and each end of a call is a fact, and a far end may send them
/// without end. A real one says a few on a socket; after so many the socket is closed.
const MOST_TROUBLES: u32 = 20;

pub const PROTOCOL_ERROR: u16 = 1002;

#[derive(Default)]
pub struct Wishes {
    /// The number of the socket that stands, or stood last.
    pub conn: u32,
    /// Refusals, unreadable texts and ends of the call on this socket.
    troubles: u32,
    queue: VecDeque<Out>,
}

/// The socket has brought more trouble than one may: it is to be given up.
pub struct TooMuch;

impl TooMuch {
    pub const SAYS: &str = "too many refusals and unreadable messages on one socket";
}

impl Wishes {
    pub fn socket_open(&mut self, conn: u32) {
        self.conn = conn;
        self.troubles = 0;
    }

    pub fn next(&mut self) -> Option<Out> {
        self.queue.pop_front()
    }

    pub fn push(&mut self, out: Out) {
        self.queue.push_back(out);
    }

    pub fn text(&mut self, text: String) {
        self.push(Out::Text(text));
    }

    pub fn close(&mut self, code: u16, reason: &'static str) {
        self.push(Out::CloseSocket { code, reason });
    }

    pub fn note(&mut self, fact: impl Into<Fact>) {
        self.push(Out::Note(fact.into()));
    }

    pub fn event(&mut self, event: Event) {
        self.push(Out::Event(event));
    }

    pub fn answered(&mut self, answered: Answered) {
        let Answered { restarted, took, events } = answered;
        self.note(Signaling::Answered { conn: self.conn, restarted, took_ms: record::millis(took) });
        self.queue.extend(events.into_iter().map(Out::Event));
    }

    pub fn refused(&mut self, kind: RefusalKind, code: Heard, says: Heard) -> Result<(), TooMuch> {
        self.bear_one_more()?;
        self.say_refused(kind, code, says);
        Ok(())
    }

    /// `expected`: our own goodbye has brought it about, and it is no news.
    pub fn call_ended(
        &mut self,
        by: CallEndedBy,
        code: Option<Heard>,
        says: Heard,
        expected: bool,
    ) -> Result<(), TooMuch> {
        self.bear_one_more()?;
        if !expected {
            self.note(Signaling::CallEnded {
                conn: self.conn,
                by,
                code: code.map(Into::into),
                says: says.clone().into(),
            });
        }
        self.event(Event::CallEnded { by, says });
        Ok(())
    }

    /// The first trouble that is too many is said in its place; those after it are not.
    fn bear_one_more(&mut self) -> Result<(), TooMuch> {
        self.troubles = self.troubles.saturating_add(1);
        if self.troubles <= MOST_TROUBLES {
            return Ok(());
        }
        if self.troubles == MOST_TROUBLES + 1 {
            self.say_refused(RefusalKind::Other, "too_much".into(), TooMuch::SAYS.into());
        }
        Err(TooMuch)
    }

    fn say_refused(&mut self, kind: RefusalKind, code: Heard, says: Heard) {
        self.note(Signaling::Refused { conn: self.conn, kind, code: code.clone().into(), says: says.clone().into() });
        self.event(Event::Refused { kind, code, says });
    }
}
