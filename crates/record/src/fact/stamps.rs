//! The stamps that stand within a fact: all of them on our own clocks, and none later than its event.

use super::{Control, Fact, Ice, Lane, Media, Signaling, System};
use crate::Stamp;

impl Fact {
    pub fn stamps_mut(&mut self) -> Vec<&mut Stamp> {
        match self {
            Self::Signaling(fact) => of_signaling(fact),
            Self::Ice(
                Ice::ConsentLate { last_ok } | Ice::ConsentExpired { last_ok } | Ice::ConsentBack { last_ok },
            ) => vec![last_ok],
            Self::Media(fact) => of_media(fact),
            Self::Lane(fact) => of_lane(fact),
            Self::Control(fact) => of_control(fact),
            Self::System(System::TicksMissed { since }) => vec![since],
            Self::Mark(_)
            | Self::Ice(_)
            | Self::Net(_)
            | Self::Power(_)
            | Self::System(_)
            | Self::Far(_)
            | Self::Action(_)
            | Self::Prediction(_)
            | Self::Blind { .. } => vec![],
        }
    }
}

fn of_signaling(fact: &mut Signaling) -> Vec<&mut Stamp> {
    match fact {
        Signaling::Unanswered { since, last_good, .. } => vec![since, last_good],
        Signaling::AnsweredAgain { since, .. } => vec![since],
        Signaling::Closed { last_in, last_out, .. } => vec![last_in, last_out],
        _ => vec![],
    }
}

fn of_media(fact: &mut Media) -> Vec<&mut Stamp> {
    match fact {
        Media::Flowing { first } | Media::SendFailing { first, .. } | Media::Undelivered { first, .. } => vec![first],
        Media::Gap { last } => vec![last],
        Media::Back { last, first } => vec![last, first],
        Media::SendWorks { since, .. } => vec![since],
        Media::Sample(_) => vec![],
    }
}

fn of_lane(fact: &mut Lane) -> Vec<&mut Stamp> {
    match fact {
        Lane::Silent { asked, last_ok, .. } => vec![asked, last_ok],
        Lane::Back { silent_since, .. } => vec![silent_since],
        Lane::Ended { last_in, last_out, .. } => vec![last_in, last_out],
        _ => vec![],
    }
}

fn of_control(fact: &mut Control) -> Vec<&mut Stamp> {
    match fact {
        Control::Sample { last_ok, .. } => last_ok.iter_mut().collect(),
        Control::Silent { asked, last_ok, .. } => std::iter::once(asked).chain(last_ok).collect(),
        Control::Back { silent_since, .. } => vec![silent_since],
        _ => vec![],
    }
}
