//! One offer and its answer, as every provider has them: what is not sent yet, what waits for the answer, and what came
//! too early. Pure.

use super::{Event, sdp};
use record::{Micros, Stamp};
use std::time::Duration;

/// The far end's own thinking and two round trips. SDKs wait from 5 to 15 seconds.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A computer with many interfaces gathers a few dozen candidates; a stranger may send any number.
const MOST_CANDIDATES: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Empty: the list is complete.
    pub candidate: String,
    pub mid: Option<String>,
    pub line: Option<u16>,
}

impl Candidate {
    pub fn end() -> Self {
        Self { candidate: String::new(), mid: None, line: None }
    }
}

#[derive(Default)]
pub struct Offering {
    /// The offer that is not answered yet, with its candidates; kept so that it can be repeated over another socket.
    offer: Option<String>,
    local: Vec<Candidate>,
    /// How much of it went over the socket that stands.
    offer_sent: bool,
    local_sent: usize,
    asked: Option<Stamp>,
    /// Of the last answer.
    ufrag: Option<String>,
    /// Of the far end, come before its answer: useless until then.
    early: Vec<Candidate>,
    /// Candidates of the far end that were taken for this offer, wherever they stood.
    taken: usize,
}

/// What must be sent now, in this order.
pub struct ToSend {
    pub offer: Option<String>,
    pub candidates: Vec<Candidate>,
}

pub struct Answered {
    /// Whether the credentials are new; nothing for a first answer.
    pub restarted: Option<bool>,
    pub took: Duration,
    pub events: Vec<Event>,
}

impl Offering {
    /// A new offer takes the place of whatever was under way. `fresh`: it is the first of a call.
    pub fn offer(&mut self, sdp: String, fresh: bool) {
        let ufrag = if fresh { None } else { self.ufrag.take() };
        *self = Self { offer: Some(sdp), ufrag, ..Self::default() };
    }

    pub fn candidate(&mut self, candidate: Candidate) {
        if self.local.len() < MOST_CANDIDATES {
            self.local.push(candidate);
        }
    }

    /// The socket is gone. What was answered stays; what was not will be sent again.
    pub fn socket_lost(&mut self) {
        self.offer_sent = false;
        if self.offer.is_some() {
            self.local_sent = 0;
        }
        self.asked = None;
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The far end will not have this offer: nothing more of it is sent or waited for. What was agreed before it stands.
    pub fn refused(&mut self) {
        *self = Self { ufrag: self.ufrag.take(), ..Self::default() };
    }

    pub fn take_unsent(&mut self, now: Stamp) -> ToSend {
        let offer = self.offer.clone().filter(|_| !self.offer_sent);
        if offer.is_some() {
            self.offer_sent = true;
            self.asked = Some(now);
        }
        let candidates = self.local[self.local_sent..].to_vec();
        self.local_sent = self.local.len();
        ToSend { offer, candidates }
    }

    pub fn deadline(&self) -> Option<Micros> {
        self.asked.map(|asked| asked.awake + ANSWER_WITHIN)
    }

    /// Nobody answered in time; said once.
    pub fn overdue(&mut self, now: Stamp) -> bool {
        let overdue = self.deadline().is_some_and(|deadline| deadline <= now.awake);
        if overdue {
            self.asked = None;
        }
        overdue
    }

    /// `None` for an answer to nothing, or one too large to be one.
    pub fn answer(&mut self, sdp: &str, now: Stamp) -> Option<Answered> {
        if sdp.len() > sdp::LARGEST || !self.offer_sent {
            return None;
        }
        self.offer.take()?;
        let asked = self.asked.take();
        let new = sdp::ufrag(sdp).map(str::to_owned);
        let restarted = self.ufrag.is_some().then(|| new != self.ufrag);
        self.ufrag = new;
        let (sdp, taken) = sdp::with_candidates_up_to(MOST_CANDIDATES - self.early.len(), sdp);
        self.taken = self.early.len() + taken;
        let mut events = vec![Event::Answer { sdp }];
        events.extend(self.early.drain(..).map(remote));
        Some(Answered { restarted, took: asked.map_or(Duration::ZERO, |asked| now.since(asked)), events })
    }

    /// Hands it on, or keeps it until the answer is there.
    pub fn remote(&mut self, candidate: Candidate) -> Option<Event> {
        let parts = candidate.candidate.len() + candidate.mid.as_ref().map_or(0, String::len);
        if parts > sdp::LARGEST_CANDIDATE {
            return None;
        }
        if self.offer.is_none() && self.ufrag.is_some() {
            self.taken += 1;
            return (self.taken <= MOST_CANDIDATES).then(|| remote(candidate));
        }
        if self.early.len() < MOST_CANDIDATES {
            self.early.push(candidate);
        }
        None
    }
}

fn remote(candidate: Candidate) -> Event {
    let Candidate { candidate, mid, line } = candidate;
    Event::RemoteCandidate { candidate, mid, line }
}
