//! What others put into words, wherever it stands in a fact: to be counted. What is missing here is only not counted.

use super::{
    Action, Control, End, EndedBy, Fact, Far, Ice, Lane, LaneSight, Mark, Media, Outcome, Sight, Signaling, Trouble,
};
use crate::Said;

impl Fact {
    /// In how many places of it something was left out.
    pub fn left_out(&self) -> usize {
        let said: [Option<&Said>; 2] = match self {
            Self::Signaling(fact) => of_signaling(fact),
            Self::Ice(Ice::TurnRefused { says, .. } | Ice::TurnLost { says, .. } | Ice::StackDied { says })
            | Self::Media(Media::SendFailing { says, .. })
            | Self::Control(Control::Silent { says, .. })
            | Self::Action(Action::GaveUp { says } | Action::Ended { outcome: Outcome::Failed { says }, .. })
            | Self::Mark(Mark::Note { text: says } | Mark::Ended { by: EndedBy::Fault { says } })
            | Self::Blind { why: says, .. } => [Some(says), None],
            Self::Control(Control::Issuer { issuer, expected, .. }) => [Some(issuer), expected.as_ref()],
            Self::Far(Far::Certificate { issuer }) => [Some(issuer), None],
            Self::Lane(Lane::Failed { trouble, .. }) => of_trouble(trouble),
            Self::Lane(Lane::Ended { end, .. })
            | Self::Far(Far::Saw {
                sight: Sight::SocketEnded { end } | Sight::Lane { sight: LaneSight::Ended { end, .. }, .. },
                ..
            }) => [of_end(end), None],
            _ => [None; 2],
        };
        said.into_iter().flatten().map(Said::left_out).sum()
    }
}

fn of_signaling(fact: &Signaling) -> [Option<&Said>; 2] {
    match fact {
        Signaling::TlsReady { issuer, .. } => [Some(issuer), None],
        Signaling::Upgraded { server, .. } => [server.as_ref(), None],
        Signaling::ConnectFailed { trouble, .. } => of_trouble(trouble),
        Signaling::Refused { code, says, .. } => [Some(code), Some(says)],
        Signaling::Closed { end, .. } => [of_end(end), None],
        Signaling::CallEnded { code, says, .. } => [code.as_ref(), Some(says)],
        _ => [None; 2],
    }
}

fn of_trouble(trouble: &Trouble) -> [Option<&Said>; 2] {
    match trouble {
        Trouble::Http { server, says, .. } => [server.as_ref(), Some(says)],
        Trouble::NoSuchName { says }
        | Trouble::NameFailed { says }
        | Trouble::Tls { says, .. }
        | Trouble::Stun { says, .. }
        | Trouble::NotUnderstood { says }
        | Trouble::Local { says, .. } => [Some(says), None],
        Trouble::Refused | Trouble::Reset | Trouble::Closed | Trouble::NoAnswer { .. } => [None; 2],
    }
}

fn of_end(end: &End) -> Option<&Said> {
    match end {
        End::CloseFrame { reason: says, .. } | End::Local { says, .. } | End::Broken { says } => Some(says),
        End::CloseNotify | End::Fin | End::Reset | End::Silence { .. } | End::LetGo => None,
    }
}
