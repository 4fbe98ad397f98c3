//! `Now`: where a running hold stands, for whoever looks on. Fed one event at a time; its size does not grow.
//!
//! It speaks of the call. What is held and asked beside it fails by design, that is how limits are found: of that it only
//! keeps a count.

use crate::{
    names::Names,
    rows::{self, Lane, Tone},
    unconfirmed, words,
};
use beside::Beside;
use record::{
    Event, Fact, Stamp,
    fact::{Action, CallEndedBy, End, Far, Ice, Mark, Media, Move, Outcome, Side, Sight, Signaling, System},
    profile::Silence,
};
use std::time::Duration;

mod beside;

#[derive(Clone, Debug, Default)]
pub struct Now {
    pub started: Option<Stamp>,
    pub established: Option<Stamp>,
    pub planned: Duration,
    pub rtt_ms: Option<f64>,
    /// Packets missing since the start.
    pub lost_in: u64,
    names: Names,
    beside: Beside,
    latest: Option<Stamp>,
    ended: bool,
    /// We hung up: what ends now ends in order.
    hung_up: bool,
    /// No media is expected: the answers to our checks stand for it.
    no_media: bool,
    media_lost_since: Option<Stamp>,
    signaling_ended: bool,
    signaling_silent_since: Option<Stamp>,
    signaling_lived: Option<Stamp>,
    /// How long signaling may say nothing, unasked, until nobody knows whether it lives.
    patience: Duration,
    recovering: Option<Move>,
}

impl Now {
    /// Gives the sentence of an event that whoever holds the call should see.
    pub fn observe(&mut self, event: &Event) -> Option<String> {
        self.latest = Some(event.at);
        let sentence = self.notable(&event.fact).then(|| rows::sentence(&event.fact, &self.names));
        self.beside.observe(&event.fact, &self.names);
        self.names.learn(&event.fact);
        self.signaling_lived = self.signaling_lived.max(unconfirmed::life(event.at, &event.fact));
        match &event.fact {
            Fact::Mark(Mark::Started(plan)) => {
                self.started = Some(event.at);
                self.planned = words::millis(plan.planned_s * 1e3);
                self.no_media = plan.silence == Silence::None;
                self.patience = unconfirmed::patience(plan.heartbeat.as_ref());
            }
            Fact::Mark(Mark::Established { .. }) => self.established = Some(event.at),
            Fact::Mark(Mark::Ended { .. }) => self.ended = true,
            Fact::Mark(Mark::Note { .. } | Mark::Calibrated(_) | Mark::Imported(_)) => {}
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
        sentence
    }

    /// Of the call, of this computer or of its network, and not each step of a connection that went well.
    fn notable(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Mark(mark) => !matches!(mark, Mark::Started(_)),
            Fact::Blind { .. } | Fact::System(System::TicksMissed { .. }) => false,
            Fact::Far(Far::Saw { sight: Sight::ShuttingDown, .. }) => true,
            // What it saw of the call, we saw ourselves.
            Fact::Far(_) => false,
            Fact::Signaling(Signaling::Closed { .. }) if self.hung_up => false,
            // While the path is tried, its checks are what is known of it already.
            Fact::Ice(Ice::ConsentLate { .. } | Ice::ConsentBack { .. }) => self.no_media,
            // Each attempt to connect tells of itself.
            Fact::Action(Action::Ended { id, outcome: Outcome::Failed { .. }, .. }) => {
                matches!(self.names.step(*id), Some(Move::RestartIce | Move::NewCall))
            }
            fact => {
                let of_the_call = !matches!(rows::lane(fact), Lane::Beside | Lane::Controls);
                of_the_call && rows::tone(fact) != Tone::Plain
            }
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
                self.lost_in = self.lost_in.saturating_add(sample.lost_in.into());
            }
            Media::SendFailing { .. } | Media::SendWorks { .. } | Media::Undelivered { .. } => {}
        }
    }

    fn observe_signaling(&mut self, fact: &Signaling) {
        match fact {
            Signaling::Connecting { .. } => self.hung_up = false,
            Signaling::Ready { .. } => {
                self.signaling_ended = false;
                self.signaling_silent_since = None;
            }
            Signaling::CallEnded { by: CallEndedBy::Us, .. } => self.hung_up = true,
            Signaling::Unanswered { last_good, .. } => self.signaling_silent_since = Some(*last_good),
            Signaling::AnsweredAgain { .. } => self.signaling_silent_since = None,
            Signaling::Closed { end, .. } => {
                let ours = self.hung_up || matches!(end, End::LetGo | End::CloseFrame { by: Side::Us, .. });
                self.signaling_ended |= !ours || self.signaling_silent_since.is_some();
                self.signaling_silent_since = None;
            }
            _ => {}
        }
    }

    /// The state in words a person reads from afar, at a moment.
    pub fn state(&self, at: Stamp) -> String {
        if self.ended {
            return "Ended".into();
        }
        if self.hung_up {
            return "Hanging up".into();
        }
        if self.established.is_none() {
            return "Connecting".into();
        }
        let seconds = |since: Stamp| words::planned(Duration::from_secs(at.since(since).as_secs()));
        if let Some(since) = self.media_lost_since {
            let doing = match self.recovering {
                Some(Move::RestartIce) => ", looking for another path",
                Some(Move::NewCall) => ", placing a new call",
                _ => "",
            };
            return format!("Media lost for {}{doing}", seconds(since));
        }
        if self.signaling_ended || matches!(self.recovering, Some(Move::Reconnect { .. })) {
            return "Media flows, connecting signaling again".into();
        }
        if let Some(since) = self.signaling_silent_since {
            return format!("Media flows, signaling silent for {}", seconds(since));
        }
        match self.signaling_lived {
            Some(last) if at.awake_since(last) >= self.patience => {
                format!("Holding, signaling {}", unconfirmed::since(last.wall))
            }
            _ => "Holding".into(),
        }
    }

    /// Its figures are those of now.
    pub fn media_flows(&self) -> bool {
        self.established.is_some() && self.media_lost_since.is_none()
    }

    pub fn is_over(&self) -> bool {
        self.ended
    }

    /// "3 ended, no names", where anything was found beside the call.
    pub fn beside(&self) -> Option<String> {
        self.beside.says()
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
    use record::fact::{ConnectStage, Trouble};

    fn after(run: Run) -> Now {
        seen(run).0
    }

    fn seen(run: Run) -> (Now, Vec<String>) {
        let mut now = Now::default();
        let seen = run.log().events.iter().filter_map(|event| now.observe(event)).collect();
        (now, seen)
    }

    fn state(run: Run) -> String {
        let at = run.stamp();
        after(run).state(at)
    }

    #[test]
    fn the_state_follows_what_happens() {
        let held = Run::standing().at(20.0);
        assert_eq!(state(Run::begun().at(0.1)), "Connecting");
        assert_eq!(state(held.clone()), "Holding");
        let lost = held.clone().media_stops().at(22.5);
        assert_eq!(state(lost.clone()), "Media lost for 2 s");
        assert_eq!(state(lost.media_back()), "Holding");
        let silent = held.clone().unanswered(1, 1.0, 3.0);
        assert_eq!(state(silent.clone()), "Media flows, signaling silent for 3 s");
        let again = "Media flows, connecting signaling again";
        assert_eq!(state(silent.closes(1, End::LetGo)), again);
        let reset = held.clone().closes(1, End::Reset);
        assert_eq!(state(reset.clone()), again);
        assert_eq!(state(reset.at(21.0).reconnected(2, "a", true)), "Holding");
        assert_eq!(state(held.time_up()), "Ended");
    }

    #[test]
    fn signaling_that_nobody_asked_for_long_is_unconfirmed() {
        let mut quiet = Run::standing().plan(|plan| plan.heartbeat = None);
        quiet.beats = None;
        assert_eq!(state(quiet.clone().at(15.0)), "Holding");
        let unconfirmed = "Holding, signaling unconfirmed since 10:00:00 UTC";
        assert_eq!(state(quiet.clone().at(15.2)), unconfirmed);
        let asked = Signaling::HeartbeatAnswered { conn: 1, rtt_ms: 20.0 };
        assert_eq!(state(quiet.at(20.0).note(asked)), "Holding");
    }

    #[test]
    fn until_it_stands_the_call_is_connecting_however_often_it_is_tried() {
        let tried = Run::begun().at(0.1).fails_to_connect(1, ConnectStage::Tcp, Trouble::Refused).at(1.0);
        assert_eq!(state(tried), "Connecting");
    }

    #[test]
    fn without_rtp_the_answers_to_checks_say_whether_media_is_lost() {
        let lost = Run::standing_without_media().at(20.0).checks_stop();
        assert_eq!(state(lost.clone()), "Media lost for 5 s");
        assert_eq!(state(lost.checks_back()), "Holding");
        let late = Ice::ConsentLate { last_ok: Run::standing().stamp() };
        assert_eq!(state(Run::standing().at(20.0).note(late)), "Holding");
    }

    #[test]
    fn it_tells_round_trip_and_time_held() {
        let now = after(Run::standing().at(20.3).media_stops());
        assert_eq!(now.rtt_ms, Some(20.0));
        assert_eq!(now.planned, Duration::from_secs(60));
        assert_eq!(now.held(), Duration::from_millis(20_300));
    }

    #[test]
    fn packets_that_were_lost_stay_counted() {
        let mut run = Run::standing().at(20.3);
        run.feed.lost_in = 3;
        let mut run = run.at(22.3);
        run.feed.lost_in = 0;
        assert_eq!(after(run.at(30.3)).lost_in, 6);
    }

    #[test]
    fn what_is_found_beside_the_call_is_counted_and_does_not_scroll_by() {
        let run = Run::watched().asking_all().at(1.0).rung(1, 25.0).rung(2, 31.0);
        let run = run.at(32.0).dead_at_proof(1, 31.0).dead_at_proof(2, 31.0);
        let blind = Fact::Blind { watcher: record::Sense::Sleep, why: "no D-Bus".into() };
        let (now, seen) = seen(run.note(blind).at(40.0));
        assert_eq!(seen, ["The call stands, after 0.30 s."]);
        assert_eq!(now.beside().as_deref(), Some("2 ended"));
    }

    #[test]
    fn a_good_end_is_no_loss() {
        let goodbye = Signaling::CallEnded { conn: 1, by: CallEndedBy::Us, code: None, says: "".into() };
        let run = Run::standing().at(20.0).note(goodbye);
        assert_eq!(state(run.clone()), "Hanging up");
        let run = run.close_frame(1, 1000, "you hung up");
        assert_eq!(state(run.clone()), "Hanging up");
        let (_, seen) = seen(run.note(Mark::Ended { by: record::fact::EndedBy::TimeUp }));
        assert_eq!(seen, ["The call stands, after 0.30 s.", "Ended: the time is up."]);
    }

    #[test]
    fn a_step_of_recovery_says_of_what_it_is() {
        let probe = Action::Began {
            id: 7,
            step: Move::ProbeSignaling,
            reason: record::fact::Reason::PathSilent,
            because: None,
        };
        let worked = Action::Ended { id: 7, outcome: Outcome::Worked, took_ms: 2.0 };
        let (_, seen) = seen(Run::standing().at(20.0).media_stops().note(probe).note(worked).ice_restarted());
        assert_eq!(
            seen[2..],
            [
                "The far end still answers on signaling, after 0.00 s.",
                "Looking for another path for the media (an ICE restart), because nothing comes from the far end.",
                "Media again, after 0.30 s without a packet.",
                "Looking for another path for the media (an ICE restart): it worked after 0.40 s."
            ]
        );
    }
}
