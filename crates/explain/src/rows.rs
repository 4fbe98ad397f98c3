//! Rows: one finished English sentence for each event worth showing. Every fact has its sentence, here and nowhere else,
//! and no arm is a wildcard: a new fact does not compile until it can be said.

use crate::{names::Names, timeline::Timeline, words};
use record::{
    Event, Fact, Seq, Wall,
    fact::{
        Action, CallEndedBy, Control, EndedBy, Far, Ice, Lane as LaneFact, LaneSight, Mark, Media, Move, Outcome,
        Prediction, Sight, Signaling, System,
    },
};
use serde::Serialize;
use std::collections::BTreeSet;
use ts_rs::TS;

pub(crate) mod blind;
mod call;
mod far;
pub(crate) mod lanes;
mod signaling;
pub(crate) mod surroundings;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Row {
    pub seq: Seq,
    /// Seconds since the start on the clock that runs through sleep: the axis of the timeline.
    pub at: f64,
    #[ts(type = "string")]
    pub wall: Wall,
    pub lane: Lane,
    /// The lane of the picture that it stands in.
    pub on: Option<&'static str>,
    pub tone: Tone,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    Run,
    Signaling,
    Ice,
    Media,
    Recovery,
    Far,
    /// Connections held beside the call.
    Beside,
    /// What is asked beside the call.
    Controls,
    Network,
    Computer,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// As it should be.
    Plain,
    /// Worth a look, and no loss.
    Note,
    /// Something was lost or ended.
    Lost,
    /// Something came back.
    Back,
}

/// Those worth showing, and those that were named, be they worth showing or not.
pub(crate) fn rows(timeline: &Timeline, named: &BTreeSet<Seq>) -> (Vec<Row>, Vec<Row>) {
    let began = timeline.began.uptime;
    let mut names = Names::default();
    let (mut rows, mut evidence) = (Vec::new(), Vec::new());
    for event in &timeline.log.events {
        let (shown, is_evidence) = (worth_showing(&event.fact), named.contains(&event.seq));
        if shown || is_evidence {
            let row = row(event, (event.at.uptime - began).as_secs_f64(), &names);
            if is_evidence {
                evidence.push(row.clone());
            }
            rows.extend(shown.then_some(row));
        }
        names.learn(&event.fact);
    }
    (rows, evidence)
}

fn row(event: &Event, at: f64, names: &Names) -> Row {
    Row {
        seq: event.seq,
        at,
        wall: event.at.wall,
        lane: lane(&event.fact),
        on: crate::story::lane_of(&event.fact, names),
        tone: match tone(&event.fact) {
            Tone::Lost if surroundings::came_down(&event.fact, names) => Tone::Note,
            tone => tone,
        },
        text: sentence(&event.fact, names),
    }
}

/// What comes every second is drawn as a curve and not listed.
pub fn worth_showing(fact: &Fact) -> bool {
    !matches!(
        fact,
        Fact::Media(Media::Sample(_))
            | Fact::Signaling(Signaling::Tcp { .. } | Signaling::HeartbeatAnswered { .. })
            | Fact::System(System::Load { .. } | System::Memory { .. })
            | Fact::Control(Control::Sample { .. })
            | Fact::Lane(LaneFact::Sample { .. })
            | Fact::Far(Far::Clock { .. })
    )
}

pub fn lane(fact: &Fact) -> Lane {
    match fact {
        Fact::Mark(_) => Lane::Run,
        Fact::Signaling(_) => Lane::Signaling,
        Fact::Ice(_) => Lane::Ice,
        Fact::Media(_) => Lane::Media,
        Fact::Lane(_) | Fact::Prediction(_) => Lane::Beside,
        Fact::Control(_) => Lane::Controls,
        Fact::Net(_) => Lane::Network,
        Fact::Power(_) | Fact::System(_) | Fact::Blind { .. } => Lane::Computer,
        Fact::Far(_) => Lane::Far,
        Fact::Action(_) => Lane::Recovery,
    }
}

pub fn tone(fact: &Fact) -> Tone {
    match fact {
        Fact::Mark(Mark::Ended { by: EndedBy::TimeUp | EndedBy::User }) => Tone::Plain,
        Fact::Mark(Mark::Ended { .. }) => Tone::Lost,
        Fact::Mark(_) => Tone::Plain,
        Fact::Signaling(fact) => match fact {
            Signaling::ConnectFailed { .. } | Signaling::Unanswered { .. } => Tone::Lost,
            Signaling::Closed { end, .. } => match end {
                record::fact::End::LetGo => Tone::Plain,
                record::fact::End::CloseFrame { by: record::fact::Side::Us, .. } => Tone::Plain,
                // The code for an end that both sides want; where it was not wanted, it stands as a drop.
                record::fact::End::CloseFrame { code: Some(1000), .. } => Tone::Note,
                _ => Tone::Lost,
            },
            Signaling::CallEnded { by: CallEndedBy::FarEnd | CallEndedBy::Service, .. } => Tone::Lost,
            Signaling::Refused { .. } => Tone::Note,
            Signaling::AnsweredAgain { .. } | Signaling::Ready { resumed: true, .. } => Tone::Back,
            _ => Tone::Plain,
        },
        Fact::Ice(fact) => match fact {
            Ice::ConsentLate { .. } | Ice::TurnRefused { .. } | Ice::TurnLost { .. } => Tone::Note,
            Ice::ConsentExpired { .. } | Ice::StackDied { .. } => Tone::Lost,
            Ice::ConsentBack { .. } => Tone::Back,
            _ => Tone::Plain,
        },
        Fact::Media(fact) => match fact {
            Media::Gap { .. } | Media::SendFailing { .. } => Tone::Lost,
            Media::Undelivered { .. } => Tone::Note,
            Media::Back { .. } | Media::SendWorks { .. } => Tone::Back,
            Media::Flowing { .. } | Media::Sample(_) => Tone::Plain,
        },
        Fact::System(System::TicksMissed { .. } | System::RecordFailing { .. }) | Fact::Blind { .. } => Tone::Note,
        Fact::System(System::Load { .. } | System::Memory { .. }) => Tone::Plain,
        Fact::Lane(fact) => lanes::lane_tone(fact),
        Fact::Control(fact) => surroundings::control_tone(fact),
        Fact::Net(fact) => surroundings::net_tone(fact),
        Fact::Power(fact) => surroundings::power_tone(fact),
        Fact::Prediction(Prediction::CameTrue { .. }) => Tone::Note,
        Fact::Prediction(_) => Tone::Plain,
        Fact::Far(Far::Saw {
            sight:
                Sight::MediaStopped { .. }
                | Sight::StoodStill { .. }
                | Sight::ShuttingDown
                | Sight::Lane { sight: LaneSight::Ended { .. }, .. },
            ..
        }) => Tone::Note,
        Fact::Far(_) => Tone::Plain,
        Fact::Action(fact) => match fact {
            Action::Ended { outcome: Outcome::Worked, .. } => Tone::Back,
            Action::GaveUp { .. } => Tone::Lost,
            Action::Began { step: Move::RestartIce | Move::NewCall, .. } => Tone::Note,
            Action::Began { .. } | Action::Ended { .. } => Tone::Plain,
        },
    }
}

/// What happened, in one sentence. `names` has learnt the facts before it.
pub fn sentence(fact: &Fact, names: &Names) -> String {
    match fact {
        Fact::Mark(fact) => mark(fact),
        Fact::Signaling(fact) => signaling::signaling(fact),
        Fact::Ice(fact) => call::ice(fact),
        Fact::Media(fact) => call::media(fact),
        Fact::Lane(fact) => lanes::lane(fact, names),
        Fact::Control(fact) => surroundings::control(fact, names),
        Fact::Net(fact) => surroundings::net(fact, names),
        Fact::Power(fact) => surroundings::power(fact),
        Fact::System(fact) => surroundings::system(fact),
        Fact::Far(fact) => far::far(fact, names),
        Fact::Action(fact) => call::action(fact, names),
        Fact::Prediction(fact) => lanes::prediction(fact, names),
        Fact::Blind { watcher, why } => {
            format!("{} could not be seen: {}.", blind::what(*watcher), why.as_str().trim_end_matches('.'))
        }
    }
}

fn mark(fact: &Mark) -> String {
    match fact {
        Mark::Started(plan) => {
            let length = words::planned(words::millis(plan.planned_s * 1e3));
            format!("Started: hold a call to {} for {length}.", plan.to)
        }
        Mark::Imported(imported) => crate::imported::row(imported),
        Mark::Calibrated(calibrated) => crate::calibrated::row(calibrated),
        Mark::Established { took_ms } => format!("The call stands, after {}.", words::length(words::millis(*took_ms))),
        Mark::Note { text } => format!("Note: {text}"),
        Mark::Ended { by } => match by {
            EndedBy::TimeUp => "Ended: the time is up.".into(),
            EndedBy::User => "Ended by the user.".into(),
            EndedBy::NotEstablished => "Ended: the call was never established.".into(),
            EndedBy::FarEnd => "Ended: the far end hung up.".into(),
            EndedBy::GaveUp => "Ended: recovery was given up.".into(),
            EndedBy::Fault { says } => format!("Ended by a fault of Linewitness itself{}.", words::quoted(says)),
        },
    }
}
