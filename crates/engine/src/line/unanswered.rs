//! Whether what we wrote is answered: the kernel's repeats are the first evidence, a ping without pong the second. Pure.
//!
//! Saying so never ends a line. What does is the heartbeat's patience, with a ping that has no pong, or with bytes of which the
//! kernel itself says that nothing was acknowledged since.

use record::{Stamp, fact::TcpSample};
use std::time::Duration;

/// Two repeats of one segment: a path with 5 % loss does this to a healthy connection once in 8,000 writes, and then says
/// so and takes it back. With ordinary round trips the second comes after 0.8 seconds.
const REPEATS: u32 = 2;
/// A path of a few milliseconds repeats quickly; so much silence is asked for besides.
const AT_LEAST: Duration = Duration::from_millis(800);
/// Without the kernel's help: two seconds cover a repeat or two on an ordinary path, and four round trips a slow one.
const PONG_AT_LEAST: Duration = Duration::from_secs(2);
const PONG_ROUND_TRIPS: u32 = 4;

#[derive(Default)]
pub struct Unanswered {
    /// When the oldest byte that is not acknowledged was written.
    waiting: Option<Stamp>,
    /// What was last heard before it.
    last_good: Option<Stamp>,
    said: Option<Said>,
    /// When the kernel was last told of acknowledgements after a silence: a pong of before is then on its way.
    again: Option<Stamp>,
    /// By the kernel's last word bytes are being repeated, and nothing at all was acknowledged since then.
    unacknowledged: Option<Stamp>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Said {
    since: Stamp,
    by: Evidence,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Evidence {
    Repeats,
    Pong,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Word {
    Unanswered { since: Stamp, last_good: Stamp },
    AnsweredAgain { since: Stamp },
}

pub fn pong_patience(smoothed: Option<Duration>) -> Duration {
    smoothed.map_or(PONG_AT_LEAST, |smoothed| (smoothed * PONG_ROUND_TRIPS).max(PONG_AT_LEAST))
}

impl Unanswered {
    /// Bytes were handed to the kernel; `last_in` is when anything last came.
    pub fn wrote(&mut self, at: Stamp, last_in: Stamp) {
        if self.waiting.is_none() {
            self.waiting = Some(at);
            self.last_good = Some(last_in.min(at));
        }
    }

    /// Something is written that the kernel has not yet reported as acknowledged.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    pub fn is_said(&self) -> bool {
        self.said.is_some()
    }

    /// By the kernel's last word. A far end that is slow to answer acknowledges all the same.
    pub fn unacknowledged_since(&self) -> Option<Stamp> {
        self.unacknowledged
    }

    pub fn sampled(&mut self, now: Stamp, sample: &TcpSample) -> Option<Word> {
        let last_ack = now.minus(Duration::from_secs_f64(sample.last_ack_recv_ms.max(0.0) / 1e3));
        if sample.unacked == 0 {
            self.waiting = None;
        }
        let repeated = sample.retransmits >= REPEATS;
        self.unacknowledged = self.waiting.filter(|_| repeated).map(|since| since.max(last_ack));
        if sample.retransmits == 0 {
            return match self.said {
                Some(Said { since, by: Evidence::Repeats }) => {
                    self.again = Some(now);
                    self.answered(since)
                }
                _ => None,
            };
        }
        let since = self.waiting?;
        if self.said.is_some() || !repeated || now.awake_since(since) < AT_LEAST {
            return None;
        }
        Some(self.say(since, Evidence::Repeats, last_ack))
    }

    /// A ping of then has no pong for longer than `patience`.
    pub fn pong_missing(&mut self, now: Stamp, sent: Stamp, last_in: Stamp, patience: Duration) -> Option<Word> {
        let under_way = self.again.is_some_and(|again| again > sent && now.awake_since(again) < patience);
        if self.said.is_some() || under_way {
            return None;
        }
        Some(self.say(sent, Evidence::Pong, last_in))
    }

    /// A pong came.
    pub fn pong(&mut self) -> Option<Word> {
        let said = self.said?;
        self.answered(said.since)
    }

    fn say(&mut self, since: Stamp, by: Evidence, last_sign: Stamp) -> Word {
        self.said = Some(Said { since, by });
        let before = if by == Evidence::Repeats { self.last_good } else { None };
        let last_good = match before {
            // What still comes after the write tells of their way and not of ours.
            Some(good) if last_sign > since => good,
            Some(good) => good.max(last_sign),
            None => last_sign.min(since),
        };
        Word::Unanswered { since, last_good }
    }

    fn answered(&mut self, since: Stamp) -> Option<Word> {
        self.said = None;
        Some(Word::AnsweredAgain { since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Stamp {
        Stamp::new(ms as i64 * 1000, ms * 1000, ms * 1000)
    }
    fn sample(unacked: u32, retransmits: u32, last_ack_recv_ms: f64) -> TcpSample {
        TcpSample { unacked, retransmits, last_ack_recv_ms, ..TcpSample::default() }
    }

    #[test]
    fn repeats_over_most_of_a_second_are_said_once_and_taken_back_once() {
        let mut watch = Unanswered::default();
        watch.wrote(at(10_000), at(9_000));
        watch.wrote(at(10_500), at(9_000));
        assert_eq!(watch.sampled(at(10_700), &sample(2, 2, 1_700.0)), None, "too soon");
        assert_eq!(watch.sampled(at(11_100), &sample(2, 1, 2_100.0)), None, "one repeat is an ordinary loss");
        let said = Word::Unanswered { since: at(10_000), last_good: at(9_500) };
        assert_eq!(watch.sampled(at(11_700), &sample(2, 3, 2_200.0)), Some(said));
        assert_eq!(watch.sampled(at(12_700), &sample(2, 4, 3_200.0)), None);
        assert_eq!(watch.sampled(at(14_000), &sample(0, 0, 1.0)), Some(Word::AnsweredAgain { since: at(10_000) }));
        assert_eq!(watch.sampled(at(14_100), &sample(0, 0, 1.0)), None);
        assert!(!watch.is_waiting());
    }

    #[test]
    fn bytes_that_still_come_do_not_move_the_last_good() {
        let mut watch = Unanswered::default();
        watch.wrote(at(10_000), at(9_990));
        let Some(Word::Unanswered { since, last_good }) = watch.sampled(at(12_000), &sample(1, 4, 5.0)) else {
            panic!("unsaid")
        };
        assert_eq!((since, last_good), (at(10_000), at(9_990)));
    }

    #[test]
    fn a_missing_pong_is_evidence_of_its_own_and_ends_with_a_pong() {
        let mut watch = Unanswered::default();
        watch.wrote(at(1_000), at(900));
        assert_eq!(watch.sampled(at(3_000), &sample(0, 0, 10.0)), None);
        let said = Word::Unanswered { since: at(1_000), last_good: at(900) };
        assert_eq!(watch.pong_missing(at(3_000), at(1_000), at(900), PONG_AT_LEAST), Some(said));
        assert_eq!(watch.pong_missing(at(3_000), at(1_000), at(900), PONG_AT_LEAST), None);
        assert_eq!(watch.sampled(at(3_100), &sample(0, 0, 10.0)), None, "acknowledged is not answered");
        assert_eq!(watch.pong(), Some(Word::AnsweredAgain { since: at(1_000) }));
        assert_eq!(watch.pong(), None);
    }

    #[test]
    fn a_pong_on_its_way_after_the_kernels_repeats_is_no_second_silence() {
        let mut watch = Unanswered::default();
        watch.wrote(at(1_200), at(700));
        assert!(watch.sampled(at(2_200), &sample(1, 2, 1_500.0)).is_some());
        assert!(watch.sampled(at(5_990), &sample(0, 0, 1.0)).is_some(), "answered again");
        assert_eq!(watch.pong_missing(at(5_990), at(1_200), at(5_989), PONG_AT_LEAST), None);
        assert!(watch.pong_missing(at(8_000), at(1_200), at(5_989), PONG_AT_LEAST).is_some(), "two seconds later");
    }

    #[test]
    fn only_repeats_of_which_nothing_was_acknowledged_are_unacknowledged() {
        let mut watch = Unanswered::default();
        watch.wrote(at(10_000), at(9_000));
        watch.sampled(at(10_400), &sample(1, 1, 1_400.0));
        assert_eq!(watch.unacknowledged_since(), None, "one repeat is an ordinary loss");
        watch.sampled(at(12_000), &sample(1, 3, 3_000.0));
        assert_eq!(watch.unacknowledged_since(), Some(at(10_000)));
        watch.sampled(at(13_000), &sample(1, 4, 200.0));
        assert_eq!(watch.unacknowledged_since(), Some(at(12_800)), "something was acknowledged in between");
        watch.sampled(at(14_000), &sample(0, 0, 10.0));
        assert_eq!(watch.unacknowledged_since(), None);
        watch.wrote(at(15_000), at(14_900));
        watch.sampled(at(25_000), &sample(0, 0, 9_990.0));
        assert_eq!(watch.unacknowledged_since(), None, "acknowledged, though never answered");
    }

    #[test]
    fn a_slow_path_is_given_four_round_trips() {
        assert_eq!(pong_patience(None), Duration::from_secs(2));
        assert_eq!(pong_patience(Some(Duration::from_millis(80))), Duration::from_secs(2));
        assert_eq!(pong_patience(Some(Duration::from_millis(900))), Duration::from_millis(3_600));
    }
}
