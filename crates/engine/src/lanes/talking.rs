//! Talking lanes: a small message and its echo, again and again. They end where quiet ones would have ended only if it was
//! not the quiet that ended them.

use super::again::Again;
use super::standing::Standing;
use super::street::Street;
use super::way::Way;
use record::{
    Micros, Stamp,
    fact::{Lane, Manner, Stirred},
    millis,
    stamp::to_the_microsecond,
    wire::lane::{FromLane, Plan, ToLane},
};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::watch;

/// Three losses of one packet and a slow path are bridged in this time.
const OVERDUE: Duration = Duration::from_secs(2);
/// A connection that answered nothing for so long is let go: a new one tells sooner whether the path is back than TCP,
/// which by then waits half a minute between its repeats.
const LET_GO: Duration = Duration::from_secs(60);
/// One line of the log a minute and lane; what matters in between has facts of its own.
const SAMPLE_EVERY: Duration = Duration::from_secs(60);

pub async fn run(street: Street, way: Way, manner: Manner, every: Duration, mut stop: watch::Receiver<bool>) {
    // The far end waits for the plan and two minutes more: a question may be late, and an outage is no reason to end it.
    let plan = Plan { quiet_ms: millis(LET_GO), first: None, stirred: Stirred::Not };
    let mut again = Again::default();
    loop {
        let standing = tokio::select! {
            standing = street.open(&way, manner, plan) => standing,
            () = super::told(&mut stop) => None,
        };
        let Some(standing) = standing else { return };
        let stood = standing.stood;
        let talk = Talk::new(stood, every);
        if !talk.hold(standing, &mut stop).await {
            return;
        }
        let stood_for = street.ground.recorder.now().since(stood);
        if !again.may(stood_for, &street, &mut stop).await {
            return;
        }
    }
}

/// What was asked, and when; pure.
pub struct Talk {
    every: Duration,
    next_ask: Micros,
    sample_at: Micros,
    number: u64,
    /// Not answered yet, the oldest first.
    waiting: VecDeque<(u64, Stamp)>,
    last_ok: Stamp,
    /// The first question of the silence that was said.
    silent: Option<Stamp>,
    asked: u32,
    answered: u32,
    rtt: Duration,
}

impl Talk {
    pub fn new(now: Stamp, every: Duration) -> Self {
        Self {
            every,
            next_ask: now.awake,
            sample_at: now.awake + SAMPLE_EVERY,
            number: 0,
            waiting: VecDeque::new(),
            last_ok: now,
            silent: None,
            asked: 0,
            answered: 0,
            rtt: Duration::ZERO,
        }
    }

    /// Whether it is to be opened again.
    async fn hold(mut self, mut standing: Standing, stop: &mut watch::Receiver<bool>) -> bool {
        loop {
            let now = standing.recorder.now();
            if now.awake >= self.next_ask {
                let number = self.ask(now);
                if let Err(end) = standing.channel.say(&FromLane::Ask { number }).await {
                    standing.ended(end);
                    return true;
                }
            }
            if let Some(fact) = self.look(standing.lane, now) {
                standing.recorder.note(fact);
            }
            if self.unanswered_for(now).is_some_and(|waited| waited >= LET_GO) {
                let end = standing.channel.unanswered(now.awake_since(self.last_ok));
                standing.ended(end);
                return true;
            }
            let heard = tokio::select! {
                heard = standing.channel.hear::<ToLane>() => heard,
                () = tokio::time::sleep(self.wake_at() - now.awake) => continue,
                () = super::told(stop) => {
                    // The last part of a minute too: what lived until now is a control for what did not.
                    if let Some(fact) = self.sample(standing.lane) {
                        standing.recorder.note(fact);
                    }
                    standing.done(true).await;
                    return false;
                }
            };
            match heard {
                Ok(ToLane::Echo { number }) => {
                    let now = standing.recorder.now();
                    if let Some(fact) = self.answered(standing.lane, number, now) {
                        standing.recorder.note(fact);
                    }
                }
                Ok(ToLane::Over) => {
                    standing.done(false).await;
                    return true;
                }
                Ok(_) => {}
                Err(end) => {
                    standing.ended(end);
                    return true;
                }
            }
        }
    }

    pub fn ask(&mut self, now: Stamp) -> u64 {
        self.number += 1;
        self.asked += 1;
        self.waiting.push_back((self.number, now));
        // After a sleep the missed questions are not made up for.
        self.next_ask = now.awake + self.every;
        self.number
    }

    pub fn next_ask(&self) -> Micros {
        self.next_ask
    }

    pub fn unanswered_for(&self, now: Stamp) -> Option<Duration> {
        self.waiting.front().map(|(_, asked)| now.awake_since(*asked))
    }

    pub fn wake_at(&self) -> Micros {
        let overdue = self.waiting.front().filter(|_| self.silent.is_none()).map(|(_, asked)| asked.awake + OVERDUE);
        [Some(self.next_ask), Some(self.sample_at), overdue].into_iter().flatten().min().unwrap_or(self.next_ask)
    }

    /// What is due to be said.
    pub fn look(&mut self, lane: u32, now: Stamp) -> Option<Lane> {
        if let Some((_, asked)) = self.waiting.front()
            && self.silent.is_none()
            && now.awake_since(*asked) >= OVERDUE
        {
            self.silent = Some(*asked);
            return Some(Lane::Silent { lane, asked: *asked, last_ok: self.last_ok });
        }
        if now.awake < self.sample_at {
            return None;
        }
        self.sample_at = now.awake + SAMPLE_EVERY;
        self.sample(lane)
    }

    /// What was asked and answered since the last one.
    pub fn sample(&mut self, lane: u32) -> Option<Lane> {
        if self.asked == 0 && self.answered == 0 {
            return None;
        }
        let (asked, answered) = (std::mem::take(&mut self.asked), std::mem::take(&mut self.answered));
        let rtt = std::mem::take(&mut self.rtt);
        let rtt_ms = (answered > 0).then(|| to_the_microsecond(millis(rtt) / f64::from(answered)));
        Some(Lane::Sample { lane, asked, answered, rtt_ms })
    }

    pub fn answered(&mut self, lane: u32, number: u64, now: Stamp) -> Option<Lane> {
        let asked = self.waiting.iter().find(|(waiting, _)| *waiting == number)?.1;
        // The carrier keeps the order: with this answer all earlier ones are either here or will never be.
        self.waiting.retain(|(waiting, _)| *waiting > number);
        self.answered += 1;
        self.rtt += now.since(asked);
        self.last_ok = now;
        self.silent.take().map(|silent_since| Lane::Back { lane, silent_since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_is_said_once_with_its_evidence_and_taken_back() {
        let start = Stamp::new(1_000_000_000, 50_000_000, 50_000_000);
        let at = |ms| start.plus(Duration::from_millis(ms));
        let mut talk = Talk::new(start, Duration::from_secs(5));
        assert_eq!(talk.ask(at(0)), 1);
        assert_eq!(talk.answered(9, 1, at(30)), None);
        assert_eq!(talk.ask(at(5_000)), 2);
        assert_eq!(talk.look(9, at(6_900)), None);
        assert_eq!(talk.look(9, at(7_000)), Some(Lane::Silent { lane: 9, asked: at(5_000), last_ok: at(30) }));
        assert_eq!(talk.ask(at(10_000)), 3);
        assert_eq!(talk.look(9, at(12_500)), None, "said once");
        assert_eq!(talk.answered(9, 7, at(12_600)), None, "an answer to nothing");
        assert_eq!(talk.answered(9, 2, at(13_000)), Some(Lane::Back { lane: 9, silent_since: at(5_000) }));
        assert_eq!(talk.answered(9, 3, at(13_100)), None);
        let rtt_ms = Some(to_the_microsecond((30.0 + 8_000.0 + 3_100.0) / 3.0));
        assert_eq!(talk.look(9, at(60_000)), Some(Lane::Sample { lane: 9, asked: 3, answered: 3, rtt_ms }));
        assert_eq!(talk.unanswered_for(at(60_000)), None);
        assert_eq!(talk.sample(9), None, "nothing was asked since");
        talk.ask(at(61_000));
        assert_eq!(talk.sample(9), Some(Lane::Sample { lane: 9, asked: 1, answered: 0, rtt_ms: None }));
    }

    #[test]
    fn a_sleep_is_no_silence() {
        let start = Stamp::new(1_000_000_000, 50_000_000, 50_000_000);
        let mut talk = Talk::new(start, Duration::from_secs(5));
        talk.ask(start);
        let woken = Stamp { awake: start.awake + Duration::from_secs(1), ..start.plus(Duration::from_secs(3600)) };
        assert_eq!(talk.look(9, woken), None);
    }
}
