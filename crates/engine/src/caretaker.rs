//! `Caretaker`: what to do about a loss. Pure: it is fed the facts of the log and asked what it wants, so that a recorded
//! run can be replayed against another policy.
//!
//! Its rules, which the big SDKs learned the hard way:
//! - signaling dead: open a new socket and take up the call; never restart ICE for it;
//! - signaling alive and media dead: restart ICE, because a restart cuts a path that may only be slow;
//! - both dead: the path itself is gone. Wait: an offer sent into it would throw the old path away and arrive late;
//! - a relay refused to a call that may use nothing else: place another call, whose session brings new credentials;
//! - recovery counts when RTP arrives again, whatever any state says.

mod path;
mod policy;
mod socket;

use path::Path;
use record::{
    Event, Fact, Policy, Seq, Stamp,
    fact::{
        Action, CallEndedBy, CandidateKind, Destination, End, EndedBy, Ice, IceState, Mark, Media, Move, Net, Outcome,
        Reason, RefusalKind, Signaling, SocketPurpose, TurnRequest,
    },
    millis,
    profile::{IcePolicy, Silence},
};
use socket::Socket;
use std::collections::VecDeque;
use std::time::Duration;

pub struct Caretaker {
    policy: Policy,
    dice: Dice,
    moves: u32,
    orders: VecDeque<Order>,
    socket: Socket,
    path: Path,
    established: bool,
    /// When the first attempt began; sets how long we try to get a call at all.
    started: Option<Stamp>,
    over: bool,
    /// No media packets by choice.
    by_checks: bool,
    /// Media may go over relays alone.
    relay_only: bool,
    /// The event observed last.
    latest: Seq,
}

/// What the session is to do, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Order {
    /// Note it, and carry out `Begin`s.
    Note(Action),
    Begin {
        id: u32,
        step: Move,
    },
    /// Nothing more can be done; the hold ends.
    End(EndedBy),
}

/// A move under way.
#[derive(Clone, Copy, Debug)]
struct Underway {
    id: u32,
    began: Stamp,
}

impl Caretaker {
    /// `seed` decides the jitter, so that a replay waits as the original did.
    pub fn new(policy: Policy, seed: u64) -> Self {
        Self {
            policy,
            dice: Dice(seed | 1),
            moves: 0,
            orders: VecDeque::new(),
            socket: Socket::default(),
            path: Path::default(),
            established: false,
            started: None,
            over: false,
            by_checks: false,
            relay_only: false,
            latest: 0,
        }
    }

    pub fn observe(&mut self, event: &Event) {
        self.latest = event.seq;
        match &event.fact {
            Fact::Mark(Mark::Started(plan)) => {
                self.by_checks = plan.silence == Silence::None;
                self.relay_only = plan.ice_policy == IcePolicy::Relay;
            }
            Fact::Signaling(fact) => self.signaling(event.seq, event.at, fact),
            Fact::Media(fact) => self.media(event.seq, event.at, fact),
            Fact::Ice(fact) => self.ice(event.seq, event.at, fact),
            Fact::Net(Net::Route { to: Destination::FarEnd, after: Some(_), found: false, .. })
                if self.policy.follows_the_network =>
            {
                self.path.moved(event.at, event.seq);
            }
            _ => {}
        }
    }

    /// Drained until `None` after every `observe`, and a few times a second for what time alone brings.
    pub fn poll(&mut self, now: Stamp) -> Option<Order> {
        if self.orders.is_empty() && !self.over {
            self.consider(now);
        }
        self.orders.pop_front()
    }

    fn signaling(&mut self, seq: Seq, at: Stamp, fact: &Signaling) {
        match fact {
            Signaling::Connecting { conn, .. } => {
                self.started.get_or_insert(at);
                self.socket.connecting(*conn);
            }
            Signaling::Ready { resumed, .. } => {
                let was_up_before = self.socket.ready(at);
                self.settle_reconnect(at, Outcome::Worked);
                self.alive(at);
                self.path.new_call_begins(at);
                if was_up_before && !resumed && self.path.call_stands() {
                    self.lose_call(at, Reason::CallLost, seq);
                }
            }
            Signaling::HeartbeatAnswered { .. } | Signaling::AnsweredAgain { .. } => self.alive(at),
            Signaling::Unanswered { .. } => self.path.signaling_silent(),
            Signaling::ConnectFailed { conn, stage, trouble, .. } => {
                let says = format!("{stage:?} failed").to_lowercase();
                self.down(*conn, seq, at, Reason::ConnectFailed, &says, policy::is_permanent(trouble));
            }
            Signaling::Refused { kind: RefusalKind::NoSuchCall, .. } if self.path.call_stands() => {
                self.lose_call(at, Reason::CallLost, seq);
            }
            Signaling::Refused { kind: RefusalKind::NoSuchCall, .. } => {}
            // Refused before it was ready: this attempt has failed, whether or not the far end hangs up on us.
            Signaling::Refused { conn, kind, .. } if !self.socket.is_up() => {
                if *kind == RefusalKind::Auth {
                    self.socket.refused_login();
                }
                let permanent = matches!(kind, RefusalKind::BadRequest | RefusalKind::TooLarge);
                self.down(*conn, seq, at, Reason::ConnectFailed, "the far end refused", permanent);
            }
            // Only to make way for another.
            Signaling::Closed { end: End::LetGo, .. } => self.socket.gone(),
            Signaling::Closed { conn, .. } => {
                self.down(*conn, seq, at, Reason::SocketEnded, "the socket ended again before it was ready", false);
            }
            // The hold is over, and whatever ends now ends because of it.
            Signaling::CallEnded { by: CallEndedBy::Us, .. } => self.over = true,
            Signaling::CallEnded { by: CallEndedBy::FarEnd | CallEndedBy::Service, .. } => {
                self.lose_call(at, Reason::CallLost, seq);
            }
            _ => {}
        }
    }

    /// A sign of life over signaling.
    fn alive(&mut self, at: Stamp) {
        if let Some(probe) = self.path.signaling_alive(at) {
            self.settle(probe, at, Outcome::Worked);
        }
    }

    fn media(&mut self, seq: Seq, at: Stamp, fact: &Media) {
        match fact {
            Media::Flowing { .. } => {
                self.established = true;
                self.flows(at);
            }
            Media::Back { .. } => self.flows(at),
            Media::Gap { last } => self.silent(*last, at, seq),
            Media::Sample(sample) if sample.stun_in > 0 => self.path.checks_answered(at),
            _ => {}
        }
    }

    /// A call without media by choice is judged by its checks alone.
    fn ice(&mut self, seq: Seq, at: Stamp, fact: &Ice) {
        match fact {
            Ice::State { state: IceState::Failed } => self.path.failed(seq),
            Ice::LocalCandidate { kind: CandidateKind::Relay, .. } => self.path.relay_found(),
            Ice::TurnRefused { request: TurnRequest::Allocate, .. } => self.path.relay_refused(),
            // Asked again, it would be refused again. Only with a session of its own come new credentials.
            Ice::GatheringDone { .. } if self.relay_only && self.path.restart_has_no_way() => {
                self.lose_call(at, Reason::PathSilent, seq);
            }
            Ice::StackDied { .. } => self.lose_call(at, Reason::StackDied, seq),
            // The far end's goodbye in DTLS; where signaling has the same news, the first to come counts.
            Ice::Dtls { state } if state.as_str() == "closed" && self.path.call_stands() => {
                self.lose_call(at, Reason::CallLost, seq);
            }
            Ice::Dtls { state } if self.by_checks && state.as_str() == "connected" => {
                self.established = true;
                self.flows(at);
            }
            Ice::ConsentLate { last_ok } if self.by_checks => self.silent(*last_ok, at, seq),
            Ice::ConsentBack { .. } if self.by_checks => self.flows(at),
            _ => {}
        }
    }

    fn silent(&mut self, last: Stamp, at: Stamp, seq: Seq) {
        self.path.silent(last, seq);
        if self.socket.is_up() && self.policy.acts && self.path.call_stands() {
            let id = self.begin(Move::ProbeSignaling, Reason::PathSilent, Some(seq));
            self.path.probing(Underway { id, began: at });
        }
    }

    /// RTP again: every move for the path has its outcome.
    fn flows(&mut self, at: Stamp) {
        let settled = self.path.flows();
        if let Some(probe) = settled.probe {
            self.settle(probe, at, Outcome::NotNeeded);
        }
        if let Some((restart, answered)) = settled.restart {
            self.settle(restart, at, if answered { Outcome::Worked } else { Outcome::NotNeeded });
        }
        if let Some(call) = settled.new_call {
            self.settle(call, at, Outcome::Worked);
        }
    }

    /// The signaling socket is gone, or an attempt at one failed; `says` is what became of the attempt.
    fn down(&mut self, conn: u32, seq: Seq, at: Stamp, reason: Reason, says: &str, permanent: bool) {
        if !self.socket.lost(conn, at) {
            return;
        }
        self.settle_reconnect(at, Outcome::Failed { says: says.into() });
        if self.over || !self.policy.acts && self.established {
            return;
        }
        if !self.established {
            let since = self.started.map_or(Duration::ZERO, |started| at.since(started));
            if permanent || self.socket.login_refused() || since >= policy::TRY_TO_START_FOR || !self.policy.acts {
                return self.end(EndedBy::NotEstablished);
            }
        }
        let attempt = self.socket.next_attempt();
        if self.policy.attempts.is_some_and(|most| attempt > most) {
            let says = format!("{} attempts to reconnect failed, which is all this policy makes", attempt - 1);
            return self.give_up(&says);
        }
        if self.socket.logins_refused_in_a_row() >= policy::MOST_REFUSED_LOGINS {
            return self
                .give_up("the far end refused our login again and again; asking further would not change its mind");
        }
        let mut wait = self.policy.wait(attempt, self.dice.roll());
        if !self.established {
            wait = wait.min(policy::START_CAP);
        }
        let step = Move::Reconnect { attempt, wait_ms: millis(wait) };
        let id = self.begin(step, reason, Some(seq));
        self.socket.reconnecting(Underway { id, began: at });
    }

    /// The call itself is over; only a new one can follow.
    fn lose_call(&mut self, at: Stamp, reason: Reason, because: Seq) {
        if self.over || !self.policy.acts || self.path.new_call_pending() {
            return;
        }
        if !self.established {
            return self.end(EndedBy::NotEstablished);
        }
        for ended in self.path.call_lost() {
            self.settle(ended, at, Outcome::Failed { says: "the call itself is lost".into() });
        }
        if !self.policy.calls_again {
            return self.give_up("the call is lost, and this policy does not place another");
        }
        let wait = self.policy.wait(self.path.calls_lost_in_a_row(), self.dice.roll());
        self.path.call_again(at.awake + wait, reason, because);
    }

    /// What time alone brings: restarts that are due, and those that took too long.
    fn consider(&mut self, now: Stamp) {
        if let Some(failed) = self.path.restart_overdue(now, &self.policy) {
            self.settle(failed, now, Outcome::Failed { says: "no RTP came over the new path".into() });
        }
        if let Some(probe) = self.path.probe_overdue(now) {
            self.settle(probe, now, Outcome::Failed { says: "signaling did not answer either".into() });
        }
        if !self.established || !self.policy.acts {
            return;
        }
        if let Some(because) = self.path.is_to_be_followed(now, self.socket.is_up()) {
            return self.reconnect_at_once(now, because);
        }
        if !self.socket.is_up() {
            return;
        }
        if self.path.new_call_overdue(now) {
            self.lose_call(now, Reason::CallLost, self.latest);
        }
        if let Some((reason, because)) = self.path.call_due(now) {
            let id = self.begin(Move::NewCall, reason, Some(because));
            return self.path.calling_anew(Underway { id, began: now });
        }
        if let Some(because) = self.path.restarts_exhausted(&self.policy) {
            return self.lose_call(now, Reason::PathSilent, because);
        }
        if let Some((reason, because)) = self.path.restart_due(now, &self.policy) {
            let id = self.begin(Move::RestartIce, reason, because);
            self.path.restarting(Underway { id, began: now });
        }
    }

    /// Over the way that there is now. What waits for its turn, or for an answer on the old one, is overtaken.
    fn reconnect_at_once(&mut self, now: Stamp, because: Seq) {
        self.settle_reconnect(now, Outcome::Failed { says: "the network changed meanwhile".into() });
        let step = Move::Reconnect { attempt: self.socket.next_attempt(), wait_ms: 0.0 };
        let id = self.begin(step, Reason::NetworkMoved, Some(because));
        self.socket.reconnecting(Underway { id, began: now });
    }

    /// A call stands that a new socket should take up.
    pub fn call_stands(&self) -> bool {
        self.path.call_stands()
    }

    pub fn purpose(&self) -> SocketPurpose {
        match (self.established, self.path.call_stands()) {
            (_, true) => SocketPurpose::Resume,
            (true, false) => SocketPurpose::NewCall,
            (false, false) => SocketPurpose::First,
        }
    }

    /// The session tells that the far end answered the restart's offer; without it, RTP came back by itself.
    pub fn restart_answered(&mut self) {
        self.path.restart_answered();
    }

    fn begin(&mut self, step: Move, reason: Reason, because: Option<Seq>) -> u32 {
        self.moves += 1;
        let id = self.moves;
        self.orders.push_back(Order::Note(Action::Began { id, step, reason, because }));
        self.orders.push_back(Order::Begin { id, step });
        id
    }

    fn settle(&mut self, done: Underway, at: Stamp, outcome: Outcome) {
        let took_ms = millis(at.since(done.began));
        self.orders.push_back(Order::Note(Action::Ended { id: done.id, outcome, took_ms }));
    }

    fn settle_reconnect(&mut self, at: Stamp, outcome: Outcome) {
        if let Some(reconnect) = self.socket.take_reconnect() {
            self.settle(reconnect, at, outcome);
        }
    }

    fn give_up(&mut self, says: &str) {
        self.orders.push_back(Order::Note(Action::GaveUp { says: says.into() }));
        self.end(EndedBy::GaveUp);
    }

    fn end(&mut self, by: EndedBy) {
        self.over = true;
        self.orders.push_back(Order::End(by));
    }
}

/// A small generator (xorshift64*): jitter needs spread, not secrecy.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// Between −1 and 1.
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        bits as f64 / (1u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests;
