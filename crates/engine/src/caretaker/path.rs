//! The caretaker's picture of the media path: does RTP flow, and what is being done about it.

use super::{Policy, Underway};
use record::{Micros, Seq, Stamp, fact::Reason};
use std::time::Duration;

/// A probe over a living signaling connection is answered within a round trip; two seconds cover a loaded mobile link.
const PROBE_WITHIN: Duration = Duration::from_secs(2);
/// When a dead path comes back, RTP and signaling come back together: RTP gets this long to show itself before the path is
/// thrown away for a new one.
const RTP_FIRST: Duration = Duration::from_millis(500);
/// What still crosses on a new way by itself has this long to do so: as long as a gap is, until it is told.
const MOVED_FIRST: Duration = Duration::from_millis(300);
/// Packets under way when the network moved arrive in the next moments.
const STILL_CAME: Duration = Duration::from_secs(1);
/// Longer than the slowest call set-up over a relay with lost packets; after it the attempt has failed.
const NEW_CALL_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub struct Path {
    stands: bool,
    silence: Option<Silence>,
    moved: Option<Moved>,
    probe: Option<Underway>,
    restart: Option<Restart>,
    new_call: Option<NewCall>,
    call_again: Option<(Micros, Reason, Seq)>,
    calls_lost: u32,
    restarts: u32,
}

#[derive(Debug)]
struct Silence {
    last: Stamp,
    because: Seq,
    /// Since when signaling gives signs of life in this silence.
    signaling_alive: Option<Stamp>,
    /// Our connectivity checks were answered after the last packet: the path lives and the media alone is missing.
    checks_answered: bool,
    ice_failed: bool,
}

/// The way to the far end is another one since.
#[derive(Clone, Copy, Debug)]
struct Moved {
    at: Stamp,
    because: Seq,
    /// Signaling was sent over it already.
    followed: bool,
}

#[derive(Debug)]
struct Restart {
    underway: Underway,
    answered: bool,
    relay: Relay,
}

/// What TURN servers answered to a restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relay {
    NotYet,
    Refused,
    Found,
}

#[derive(Clone, Copy, Debug)]
struct NewCall {
    underway: Underway,
    /// Since when signaling lets it be placed.
    placed: Stamp,
}

/// What RTP's return settles.
pub struct Settled {
    pub probe: Option<Underway>,
    pub restart: Option<(Underway, bool)>,
    pub new_call: Option<Underway>,
}

impl Path {
    pub fn call_stands(&self) -> bool {
        self.stands
    }
    pub fn flows(&mut self) -> Settled {
        self.stands = true;
        self.silence = None;
        self.restarts = 0;
        self.calls_lost = 0;
        self.call_again = None;
        Settled {
            probe: self.probe.take(),
            restart: self.restart.take().map(|r| (r.underway, r.answered)),
            new_call: self.new_call.take().map(|call| call.underway),
        }
    }
    pub fn silent(&mut self, last: Stamp, because: Seq) {
        // The last gap of a call that was given up already calls for nothing.
        if !self.stands {
            return;
        }
        self.silence =
            Some(Silence { last, because, signaling_alive: None, checks_answered: false, ice_failed: false });
    }
    pub fn moved(&mut self, at: Stamp, because: Seq) {
        self.moved = Some(Moved { at, because, followed: false });
        // It lived on the old way.
        self.signaling_silent();
    }
    /// Once for each move: signaling gives no sign of life over the new way, nor does media.
    pub fn is_to_be_followed(&mut self, now: Stamp, signaling_is_up: bool) -> Option<Seq> {
        let mute = self.silence.as_ref().is_some_and(|silence| silence.signaling_alive.is_none());
        let moved = self.moved.as_mut().filter(|moved| !moved.followed && now.awake_since(moved.at) >= MOVED_FIRST)?;
        (mute || !signaling_is_up).then(|| {
            moved.followed = true;
            moved.because
        })
    }
    pub fn failed(&mut self, because: Seq) {
        if let Some(silence) = &mut self.silence {
            silence.ice_failed = true;
            silence.because = because;
        }
    }
    pub fn checks_answered(&mut self, at: Stamp) {
        if let Some(silence) = &mut self.silence
            // The sample's second must lie behind the silence's beginning, or it counts checks from before.
            && at.awake_since(silence.last) >= Duration::from_secs(1)
        {
            silence.checks_answered = true;
        }
    }
    /// Gives back the probe this answers.
    pub fn signaling_alive(&mut self, at: Stamp) -> Option<Underway> {
        let silence = self.silence.as_mut()?;
        silence.signaling_alive.get_or_insert(at);
        self.probe.take()
    }
    pub fn signaling_silent(&mut self) {
        if let Some(silence) = &mut self.silence {
            silence.signaling_alive = None;
        }
    }
    pub fn probing(&mut self, underway: Underway) {
        self.probe = Some(underway);
    }
    pub fn restarting(&mut self, underway: Underway) {
        self.restarts += 1;
        self.restart = Some(Restart { underway, answered: false, relay: Relay::NotYet });
    }
    pub fn restart_answered(&mut self) {
        if let Some(restart) = &mut self.restart {
            restart.answered = true;
        }
    }
    pub fn relay_found(&mut self) {
        if let Some(restart) = &mut self.restart {
            restart.relay = Relay::Found;
        }
    }
    pub fn relay_refused(&mut self) {
        if let Some(restart) = &mut self.restart
            && restart.relay == Relay::NotYet
        {
            restart.relay = Relay::Refused;
        }
    }
    pub fn restart_has_no_way(&self) -> bool {
        self.restart.as_ref().is_some_and(|restart| restart.relay == Relay::Refused)
    }
    /// The call is gone; what was under way for it comes back to be settled.
    pub fn call_lost(&mut self) -> Vec<Underway> {
        self.stands = false;
        self.silence = None;
        self.restarts = 0;
        self.calls_lost += 1;
        let restart = self.restart.take().map(|restart| restart.underway);
        let new_call = self.new_call.take().map(|call| call.underway);
        [self.probe.take(), restart, new_call].into_iter().flatten().collect()
    }
    /// Since RTP last flowed.
    pub fn calls_lost_in_a_row(&self) -> u32 {
        self.calls_lost
    }
    pub fn call_again(&mut self, due: Micros, reason: Reason, because: Seq) {
        self.call_again = Some((due, reason, because));
    }
    pub fn new_call_pending(&self) -> bool {
        self.call_again.is_some()
    }
    pub fn call_due(&self, now: Stamp) -> Option<(Reason, Seq)> {
        self.call_again.filter(|(due, ..)| now.awake >= *due).map(|(_, reason, because)| (reason, because))
    }
    pub fn calling_anew(&mut self, underway: Underway) {
        self.call_again = None;
        self.silence = None;
        self.new_call = Some(NewCall { underway, placed: underway.began });
    }
    pub fn probe_overdue(&mut self, now: Stamp) -> Option<Underway> {
        let overdue = self.probe.is_some_and(|probe| now.awake_since(probe.began) >= PROBE_WITHIN);
        overdue.then(|| self.probe.take()).flatten()
    }
    pub fn restart_overdue(&mut self, now: Stamp, policy: &Policy) -> Option<Underway> {
        let overdue = self.restart.as_ref().is_some_and(|r| now.awake_since(r.underway.began) >= policy.restart_within);
        overdue.then(|| self.restart.take()).flatten().map(|r| r.underway)
    }
    /// Gives back the event that began the silence.
    pub fn restarts_exhausted(&self, policy: &Policy) -> Option<Seq> {
        let silence = self.silence.as_ref()?;
        (self.restart.is_none() && self.restarts >= policy.restarts).then_some(silence.because)
    }
    /// Signaling is ready only now: the new call could not be placed before.
    pub fn new_call_begins(&mut self, at: Stamp) {
        if let Some(call) = &mut self.new_call {
            call.placed = at;
        }
    }
    /// A new call that brought no RTP in time is lost as the one before.
    pub fn new_call_overdue(&self, now: Stamp) -> bool {
        self.new_call.is_some_and(|call| now.awake_since(call.placed) >= NEW_CALL_WITHIN)
    }
    pub fn restart_due(&self, now: Stamp, policy: &Policy) -> Option<(Reason, Option<Seq>)> {
        let silence = self.silence.as_ref()?;
        let alive = silence.signaling_alive?;
        if self.restart.is_some() {
            return None;
        }
        let silent_for = now.awake_since(silence.last);
        let moved = self.moved.filter(|moved| silence.last.since(moved.at) <= STILL_CAME);
        let moved_from = moved.filter(|moved| now.awake_since(moved.at) >= MOVED_FIRST);
        let reason = match silence {
            Silence { ice_failed: true, .. } => Reason::IceFailed,
            _ if moved_from.is_some() => Reason::NetworkMoved,
            Silence { checks_answered: true, .. } => Reason::MediaSilent,
            _ => Reason::PathSilent,
        };
        let patience_over = silent_for >= policy.restart_after && now.awake_since(alive) >= RTP_FIRST;
        let because = moved_from.map_or(silence.because, |moved| moved.because);
        (patience_over || silence.ice_failed || moved_from.is_some()).then_some((reason, Some(because)))
    }
}
