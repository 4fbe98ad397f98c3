//! `Now`: where a running hold stands, for a live line. Fed one event at a time; its size does not grow.

use crate::{
    rows::{self, Tone},
    words,
};
use record::{
    Event, Fact, Stamp,
    fact::{Action, End, Ice, Mark, Media, Move, Side, Signaling, System},
    profile::Silence,
};
use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub struct Now {
    pub started: Option<Stamp>,
    pub established: Option<Stamp>,
    pub planned: Duration,
    pub rtt_ms: Option<f64>,
    /// Missing in the last second.
    pub lost_in: u32,
    /// Of the last event worth a sentence.
    pub last_fact: Option<String>,
    latest: Option<Stamp>,
    ended: bool,
    /// No media is expected: the answers to our checks stand for it.
    no_media: bool,
    media_lost_since: Option<Stamp>,
    signaling_ended: bool,
    signaling_silent_since: Option<Stamp>,
    recovering: Option<Move>,
}

impl Now {
    pub fn observe(&mut self, event: &Event) {
        self.latest = Some(event.at);
        match &event.fact {
            Fact::Mark(Mark::Started(plan)) => {
                self.started = Some(event.at);
                self.planned = words::millis(plan.planned_s * 1e3);
                self.no_media = plan.silence == Silence::None;
            }
            Fact::Mark(Mark::Established { .. }) => self.established = Some(event.at),
            Fact::Mark(Mark::Ended { .. }) => self.ended = true,
            Fact::Mark(Mark::Note { .. } | Mark::Calibrated(_)) => {}
            Fact::Media(fact) => self.observe_media(fact),
            Fact::Signaling(fact) => self.observe_signaling(fact),
            Fact::Action(Action::Began { step, .. }) => self.recovering = Some(*step),
            Fact::Action(Action::Ended { .. } | Action::GaveUp { .. }) => self.recovering = None,
            Fact::Ice(Ice::ConsentLate { last_ok }) if self.no_media => {
                self.media_lost_since = self.media_lost_since.or(Some(*last_ok));
            }
            Fact::Ice(Ice::ConsentBack { .. }) if self.no_media => self.media_lost_since = None,
            Fact::Ice(_)
            | Fact::Lane(_)
            | Fact::Control(_)
            | Fact::Net(_)
            | Fact::Power(_)
            | Fact::System(_)
            | Fact::Far(_)
            | Fact::Prediction(_)
            | Fact::Blind { .. } => {}
        }
        // Each step of a connection that went well is nothing to look at for hours.
        let plain = rows::tone(&event.fact) == Tone::Plain && !matches!(event.fact, Fact::Mark(_));
        if !plain && !matches!(event.fact, Fact::System(System::TicksMissed { .. })) {
            self.last_fact = Some(rows::sentence(&event.fact));
        }
    }

    fn observe_media(&mut self, fact: &Media) {
        match fact {
            Media::Flowing { .. } | Media::Back { .. } => self.media_lost_since = None,
            Media::Gap { last } => self.media_lost_since = self.media_lost_since.or(Some(*last)),
            Media::Sample(sample) => {
                // A new call answers checks of its own.
                if self.no_media && sample.stun_in > 0 {
                    self.media_lost_since = None;
                }
                self.rtt_ms = sample.rtt_ms.or(sample.stun_rtt_ms).or(self.rtt_ms);
                self.lost_in = sample.lost_in;
            }
            Media::SendFailing { .. } | Media::SendWorks { .. } => {}
        }
    }

    fn observe_signaling(&mut self, fact: &Signaling) {
        match fact {
            Signaling::Ready { .. } => {
                self.signaling_ended = false;
                self.signaling_silent_since = None;
            }
            Signaling::Unanswered { last_good, .. } => self.signaling_silent_since = Some(*last_good),
            Signaling::AnsweredAgain { .. } => self.signaling_silent_since = None,
            Signaling::Closed { end, .. } => {
                let ours = matches!(end, End::LetGo | End::CloseFrame { by: Side::Us, .. });
                self.signaling_ended |= !ours || self.signaling_silent_since.is_some();
                self.signaling_silent_since = None;
            }
            _ => {}
        }
    }

    /// The state in words a person reads from afar.
    pub fn state(&self) -> String {
        if self.ended {
            return "Ended".into();
        }
        if let Some(since) = self.media_lost_since {
            return match self.recovering {
                Some(Move::RestartIce) => format!("Media lost since {}, restarting ICE", words::utc(since)),
                Some(Move::NewCall) => format!("Media lost since {}, placing a new call", words::utc(since)),
                _ => format!("Media lost since {}", words::utc(since)),
            };
        }
        if self.signaling_ended || matches!(self.recovering, Some(Move::Reconnect { .. })) {
            return "Reconnecting".into();
        }
        if let Some(since) = self.signaling_silent_since {
            return format!("Signaling silent since {}", words::utc(since));
        }
        if self.established.is_some() { "Holding".into() } else { "Connecting".into() }
    }

    /// Time held so far; asleep nothing is counted.
    pub fn held(&self) -> Duration {
        match (self.established, self.latest) {
            (Some(from), Some(to)) => to.awake_since(from),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::run::Run;
    use record::fact::End;

    fn after(run: Run) -> Now {
        let mut now = Now::default();
        run.log().events.iter().for_each(|event| now.observe(event));
        now
    }

    #[test]
    fn the_state_follows_what_happens() {
        let held = Run::standing().at(20.0);
        assert_eq!(after(Run::begun().at(0.1)).state(), "Connecting");
        assert_eq!(after(held.clone()).state(), "Holding");
        let lost = held.clone().media_stops();
        assert_eq!(after(lost.clone()).state(), "Media lost since 10:00:20 UTC");
        assert_eq!(after(lost.at(21.0).media_back()).state(), "Holding");
        let silent = held.clone().unanswered(1, 1.0, 3.0);
        assert_eq!(after(silent.clone()).state(), "Signaling silent since 10:00:17 UTC");
        assert_eq!(after(silent.closes(1, End::LetGo)).state(), "Reconnecting");
        let reset = held.clone().closes(1, End::Reset);
        assert_eq!(after(reset.clone()).state(), "Reconnecting");
        assert_eq!(after(reset.at(21.0).reconnected(2, "a", true)).state(), "Holding");
        assert_eq!(after(held.time_up()).state(), "Ended");
    }

    #[test]
    fn without_rtp_the_answers_to_checks_say_whether_media_is_lost() {
        let lost = Run::standing_without_media().at(20.0).checks_stop();
        assert_eq!(after(lost.clone()).state(), "Media lost since 10:00:20 UTC");
        assert_eq!(after(lost.checks_back()).state(), "Holding");
        let late = record::fact::Ice::ConsentLate { last_ok: Run::standing().stamp() };
        assert_eq!(after(Run::standing().at(20.0).note(late)).state(), "Holding");
    }

    #[test]
    fn it_tells_round_trip_time_held_and_the_last_fact() {
        let now = after(Run::standing().at(20.3).media_stops());
        assert_eq!(now.rtt_ms, Some(20.0));
        assert_eq!(now.planned, Duration::from_secs(60));
        assert_eq!(now.held(), Duration::from_millis(20_300));
        assert_eq!(now.last_fact.as_deref(), Some("No media packet since 10:00:20.30 UTC."));
    }
}
