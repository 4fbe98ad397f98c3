//! When did the media stop, and when did the far end stop answering: decided from packets alone, fed with stamps.
//!
//! A timer may come late, because the process was stopped or the computer slept. So each packet is also asked whether it
//! ends a hole that no timer saw, and the hole is then reported with its true edges.

use record::Stamp;
use record::fact::{Ice, Media};
use record::profile::Silence;
use std::time::Duration;

/// Notices when RTP stops coming and when it comes again.
#[derive(Debug)]
pub struct GapDetector {
    limit: Option<Duration>,
    last: Option<Stamp>,
    silent: bool,
    /// The network says of what we sent since the last packet that it is not delivered.
    undelivered: bool,
}

/// Fifteen packets of 20 ms: longer than any jitter buffer bridges, so a person has heard it; shorter than any state of
/// ICE.
const FRAMES_LIMIT: Duration = Duration::from_millis(300);
/// Three comfort packets of 400 ms, and a quarter of one for jitter.
const DTX_LIMIT: Duration = Duration::from_millis(1_300);

impl GapDetector {
    pub fn new(silence: Silence) -> Self {
        let limit = match silence {
            Silence::Frames => Some(FRAMES_LIMIT),
            Silence::Dtx => Some(DTX_LIMIT),
            // Nothing is expected, so nothing can be missing; the consent clock judges such a call.
            Silence::None => None,
        };
        Self { limit, last: None, silent: false, undelivered: false }
    }

    pub fn packet(&mut self, at: Stamp) -> Vec<Media> {
        let Some(limit) = self.limit else { return vec![] };
        self.undelivered = false;
        let Some(last) = self.last.replace(at) else { return vec![Media::Flowing { first: at }] };
        let back = Media::Back { last, first: at };
        if std::mem::take(&mut self.silent) {
            vec![back]
        } else if at.since(last) > limit {
            vec![Media::Gap { last }, back]
        } else {
            vec![]
        }
    }

    /// Half the silence is enough then: seven packets of 20 ms. By itself it is no loss, because media that comes shows that
    /// it is not true.
    pub fn undelivered(&mut self) {
        self.undelivered = true;
    }

    /// Media has not come for longer than what was under way with its last packet can take to arrive.
    pub fn is_quiet(&self, now: Stamp) -> bool {
        self.limit.zip(self.last).is_some_and(|(limit, last)| now.since(last) > limit / 3)
    }

    /// The call is given up for another: its media ends here, however short the silence was.
    pub fn give_up(&mut self) -> Option<Media> {
        let last = self.last.filter(|_| !self.silent && self.limit.is_some())?;
        self.silent = true;
        Some(Media::Gap { last })
    }

    pub fn tick(&mut self, now: Stamp) -> Option<Media> {
        let (Some(limit), Some(last), false) = (self.limit, self.last, self.silent) else { return None };
        let enough = if self.undelivered { limit / 2 } else { limit };
        (now.since(last) > enough).then(|| {
            self.silent = true;
            Media::Gap { last }
        })
    }
}

/// The clock of RFC 7675: how long ago the far end last agreed to be sent to.
#[derive(Debug, Default)]
pub struct ConsentClock {
    last_ok: Option<Stamp>,
    said: Said,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Said {
    #[default]
    Nothing,
    Late,
    Expired,
}

/// One interval of RFC 7675 without an answer.
const LATE_AFTER: Duration = Duration::from_secs(5);
/// The RFC's limit, at which sending must stop.
const EXPIRED_AFTER: Duration = Duration::from_secs(30);

impl ConsentClock {
    pub fn answered(&mut self, at: Stamp) -> Vec<Ice> {
        let mut facts = self.tick(at);
        if self.said != Said::Nothing
            && let Some(last_ok) = self.last_ok
        {
            facts.push(Ice::ConsentBack { last_ok });
        }
        *self = Self { last_ok: Some(at), said: Said::Nothing };
        facts
    }

    pub fn tick(&mut self, now: Stamp) -> Vec<Ice> {
        let Some(last_ok) = self.last_ok else { return vec![] };
        let quiet = now.since(last_ok);
        let mut facts = vec![];
        if self.said < Said::Late && quiet > LATE_AFTER {
            self.said = Said::Late;
            facts.push(Ice::ConsentLate { last_ok });
        }
        if self.said < Said::Expired && quiet > EXPIRED_AFTER {
            self.said = Said::Expired;
            facts.push(Ice::ConsentExpired { last_ok });
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    fn clock() -> Clock {
        Clock::scripted(Stamp::new(1_800_000_000_000_000, 100_000_000, 100_000_000))
    }
    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_gap_is_declared_after_300_ms_and_dated_to_the_last_packet() {
        let (clock, mut detector) = (clock(), GapDetector::new(Silence::Frames));
        let first = clock.now();
        assert_eq!(detector.packet(first), [Media::Flowing { first }]);
        for _ in 0..50 {
            clock.advance(20 * MS);
            assert_eq!(detector.packet(clock.now()), []);
            assert_eq!(detector.tick(clock.now()), None);
        }
        let last = clock.now();
        clock.advance(300 * MS);
        assert_eq!(detector.tick(clock.now()), None);
        clock.advance(MS);
        assert_eq!(detector.tick(clock.now()), Some(Media::Gap { last }));
        assert_eq!(detector.tick(clock.now()), None, "said once");
        clock.advance(700 * MS);
        let first = clock.now();
        assert_eq!(detector.packet(first), [Media::Back { last, first }]);
        clock.advance(20 * MS);
        assert_eq!(detector.packet(clock.now()), []);
    }

    #[test]
    fn half_the_silence_is_enough_where_nothing_is_delivered() {
        let (clock, mut detector) = (clock(), GapDetector::new(Silence::Frames));
        detector.packet(clock.now());
        detector.undelivered();
        clock.advance(20 * MS);
        assert_eq!(detector.packet(clock.now()), [], "media that comes is delivered");
        clock.advance(200 * MS);
        assert_eq!(detector.tick(clock.now()), None, "what was said before the last packet counts no more");
        let last = clock.now();
        detector.packet(last);
        detector.undelivered();
        clock.advance(150 * MS);
        assert_eq!(detector.tick(clock.now()), None);
        clock.advance(MS);
        assert_eq!(detector.tick(clock.now()), Some(Media::Gap { last }));
    }

    #[test]
    fn a_hole_that_no_timer_saw_is_told_whole_by_the_packet_that_ends_it() {
        let (clock, mut detector) = (clock(), GapDetector::new(Silence::Frames));
        let last = clock.now();
        detector.packet(last);
        clock.sleep(Duration::from_secs(3600));
        let first = clock.now();
        assert_eq!(detector.packet(first), [Media::Gap { last }, Media::Back { last, first }]);
        assert_eq!(detector.tick(clock.now()), None);
    }

    #[test]
    fn comfort_noise_may_miss_two_packets_and_not_three() {
        let (clock, mut detector) = (clock(), GapDetector::new(Silence::Dtx));
        detector.packet(clock.now());
        clock.advance(1_200 * MS);
        assert_eq!(detector.tick(clock.now()), None);
        assert_eq!(detector.packet(clock.now()), []);
        let last = clock.now();
        clock.advance(1_301 * MS);
        assert_eq!(detector.tick(clock.now()), Some(Media::Gap { last }));
    }

    #[test]
    fn a_call_without_media_gets_no_verdict_from_rtp() {
        let (clock, mut detector) = (clock(), GapDetector::new(Silence::None));
        assert_eq!(detector.packet(clock.now()), []);
        clock.advance(Duration::from_secs(60));
        assert_eq!(detector.tick(clock.now()), None);
        assert_eq!(detector.packet(clock.now()), []);
    }

    #[test]
    fn consent_is_late_after_five_seconds_gone_after_thirty_and_may_come_back() {
        let (clock, mut consent) = (clock(), ConsentClock::default());
        clock.advance(Duration::from_secs(60));
        assert_eq!(consent.tick(clock.now()), [], "before the first answer there is nothing to lose");
        let last_ok = clock.now();
        assert_eq!(consent.answered(last_ok), []);
        clock.advance(Duration::from_secs(5));
        assert_eq!(consent.tick(clock.now()), []);
        clock.advance(MS);
        assert_eq!(consent.tick(clock.now()), [Ice::ConsentLate { last_ok }]);
        assert_eq!(consent.tick(clock.now()), []);
        clock.advance(Duration::from_secs(25));
        assert_eq!(consent.tick(clock.now()), [Ice::ConsentExpired { last_ok }]);
        assert_eq!(consent.answered(clock.now()), [Ice::ConsentBack { last_ok }]);
        clock.advance(Duration::from_secs(1));
        assert_eq!(consent.answered(clock.now()), []);
    }

    #[test]
    fn consent_lost_in_sleep_is_told_whole_by_the_first_answer_after_it() {
        let (clock, mut consent) = (clock(), ConsentClock::default());
        let last_ok = clock.now();
        consent.answered(last_ok);
        clock.sleep(Duration::from_secs(3600));
        assert_eq!(
            consent.answered(clock.now()),
            [Ice::ConsentLate { last_ok }, Ice::ConsentExpired { last_ok }, Ice::ConsentBack { last_ok }]
        );
    }
}
