//! The heartbeat: when to ping, which answer belongs to which ping, and when the silence has lasted too long. Pure.

use record::{Micros, Stamp, fact::Heartbeat};
use std::collections::VecDeque;
use std::time::Duration;

/// Pings without an answer that are kept. The far end answers each or the line ends; more means probes in a hurry.
const MOST_WAITING: usize = 32;
/// Where we wake this much later than planned, it was we who slept or were starved, and the far end is not to blame.
pub const LATE: Duration = Duration::from_millis(250);

pub struct Pulse {
    every: Option<Duration>,
    answer_within: Option<Duration>,
    next: Option<Micros>,
    count: u64,
    waiting: VecDeque<Ping>,
    /// Patience counts from here at the earliest: the last answer, for those behind it are on their way, or the moment
    /// when we ourselves came back.
    patient_from: Option<Micros>,
    smoothed: Option<Duration>,
}

#[derive(Clone, Copy)]
struct Ping {
    number: u64,
    sent: Stamp,
    /// On the awake clock.
    deadline: Option<Micros>,
}

impl Pulse {
    pub fn new(heartbeat: Option<Heartbeat>, now: Stamp) -> Self {
        let span = |ms: f64| Duration::from_secs_f64((ms / 1e3).clamp(0.001, 86_400.0));
        let every = heartbeat.map(|heartbeat| span(heartbeat.every_ms));
        Self {
            every,
            answer_within: heartbeat.map(|heartbeat| span(heartbeat.answer_within_ms)),
            next: every.map(|every| now.awake + every),
            count: 0,
            waiting: VecDeque::new(),
            patient_from: None,
            smoothed: None,
        }
    }

    pub fn wake_at(&self) -> Option<Micros> {
        [self.next, self.deadline()].into_iter().flatten().min()
    }

    pub fn is_due(&self, now: Stamp) -> bool {
        self.next.is_some_and(|next| next <= now.awake)
    }

    /// The payload of a ping to be sent now, whether its turn had come or somebody asked.
    pub fn ping(&mut self, now: Stamp) -> Vec<u8> {
        self.count += 1;
        self.next = self.every.map(|every| now.awake + every);
        if self.waiting.len() < MOST_WAITING {
            let deadline = self.answer_within.map(|within| now.awake + within);
            self.waiting.push_back(Ping { number: self.count, sent: now, deadline });
        }
        self.count.to_string().into_bytes()
    }

    /// The round trip, if this is an answer to one of our pings. It answers the earlier ones as well.
    pub fn pong(&mut self, payload: &[u8], now: Stamp) -> Option<Duration> {
        let number: u64 = std::str::from_utf8(payload).ok()?.parse().ok()?;
        let place = self.waiting.iter().position(|ping| ping.number == number)?;
        let ping = self.waiting.drain(..=place).next_back()?;
        let rtt = now.since(ping.sent);
        self.patient_from = Some(now.awake);
        // An eighth of the news, as TCP smooths.
        self.smoothed = Some(self.smoothed.map_or(rtt, |smoothed| (smoothed * 7 + rtt) / 8));
        Some(rtt)
    }

    /// When the oldest unanswered ping was sent.
    pub fn unanswered_since(&self) -> Option<Stamp> {
        self.waiting.front().map(|ping| ping.sent)
    }

    /// Since when nothing at all was answered, on the awake clock, while a ping waits.
    pub fn waiting_since(&self) -> Option<Micros> {
        let sent = self.waiting.front()?.sent.awake;
        Some(self.patient_from.map_or(sent, |from| from.max(sent)))
    }

    fn deadline(&self) -> Option<Micros> {
        let deadline = self.waiting.front()?.deadline?;
        let patient = self.patient_from.zip(self.answer_within).map(|(from, within)| from + within);
        Some(patient.map_or(deadline, |patient| patient.max(deadline)))
    }

    /// The deadline of the oldest ping has passed.
    pub fn given_up(&self, now: Stamp) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now.awake)
    }

    /// Bytes of then had as long as an answer is given, with the same patience for our own lateness.
    pub fn outlasted(&self, since: Stamp, now: Stamp) -> bool {
        let from = self.patient_from.map_or(since.awake, |from| from.max(since.awake));
        self.answer_within.is_some_and(|within| from + within <= now.awake)
    }

    /// It was we who were late: answers may lie unread, and every ping is given its whole time from now.
    pub fn forgive(&mut self, now: Stamp) {
        self.patient_from = Some(now.awake);
    }

    pub fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Stamp {
        Stamp::new(0, ms * 1000, ms * 1000)
    }
    fn pulse() -> Pulse {
        Pulse::new(Some(Heartbeat { every_ms: 5_000.0, answer_within_ms: 2_000.0 }), at(0))
    }

    #[test]
    fn pings_come_in_turn_and_answers_give_the_round_trip() {
        let mut pulse = pulse();
        assert!(!pulse.is_due(at(4_999)) && pulse.is_due(at(5_000)));
        assert_eq!(pulse.ping(at(5_000)), b"1");
        assert_eq!(pulse.wake_at(), Some(at(7_000).awake));
        assert_eq!(pulse.pong(b"1", at(5_040)), Some(Duration::from_millis(40)));
        assert_eq!(pulse.wake_at(), Some(at(10_000).awake));
        assert!(!pulse.given_up(at(60_000)));
    }

    #[test]
    fn an_answer_nobody_asked_for_answers_nothing() {
        let mut pulse = pulse();
        pulse.ping(at(5_000));
        for wrong in [&b"2"[..], b"", b"x", b"\xff", b"99999999999999999999999"] {
            assert_eq!(pulse.pong(wrong, at(5_001)), None);
        }
        assert!(pulse.given_up(at(7_000)) && !pulse.given_up(at(6_999)));
    }

    #[test]
    fn a_later_answer_answers_the_earlier_pings_too() {
        let mut pulse = pulse();
        pulse.ping(at(1_000));
        pulse.ping(at(2_000));
        assert_eq!(pulse.unanswered_since(), Some(at(1_000)));
        assert_eq!(pulse.pong(b"2", at(2_010)), Some(Duration::from_millis(10)));
        assert_eq!(pulse.unanswered_since(), None);
    }

    #[test]
    fn late_answers_that_come_one_after_the_other_are_no_new_silence() {
        let mut pulse = pulse();
        pulse.ping(at(1_000));
        pulse.ping(at(2_000));
        assert_eq!(pulse.waiting_since(), Some(at(1_000).awake));
        pulse.pong(b"1", at(6_000));
        assert_eq!(pulse.waiting_since(), Some(at(6_000).awake));
        assert!(!pulse.given_up(at(7_999)) && pulse.given_up(at(8_000)));
    }

    #[test]
    fn our_own_lateness_is_not_the_far_ends_silence() {
        let mut pulse = pulse();
        pulse.ping(at(0));
        pulse.forgive(at(20_000));
        assert_eq!(pulse.waiting_since(), Some(at(20_000).awake));
        assert!(!pulse.given_up(at(21_999)) && pulse.given_up(at(22_000)));
    }

    #[test]
    fn bytes_are_given_as_long_as_a_ping_from_when_we_were_back_ourselves() {
        let mut pulse = pulse();
        assert!(!pulse.outlasted(at(1_000), at(2_999)) && pulse.outlasted(at(1_000), at(3_000)));
        pulse.forgive(at(20_000));
        assert!(!pulse.outlasted(at(1_000), at(21_999)) && pulse.outlasted(at(1_000), at(22_000)));
        assert!(!Pulse::new(None, at(0)).outlasted(at(0), at(1_000_000)), "without a heartbeat nothing is given up");
    }

    #[test]
    fn without_a_heartbeat_only_probes_ping_and_nothing_is_given_up() {
        let mut pulse = Pulse::new(None, at(0));
        assert!(pulse.wake_at().is_none() && !pulse.is_due(at(1_000_000)));
        pulse.ping(at(0));
        assert!(!pulse.given_up(at(1_000_000)) && pulse.unanswered_since() == Some(at(0)));
    }
}
