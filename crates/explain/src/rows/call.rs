//! The call's path and media, and what was done about their loss, in sentences.

use crate::{names::Names, words};
use record::{
    Ip, IpPort,
    fact::{Action, CandidateKind, Ice, IceState, Media, Move, Outcome, Reason, TurnRequest, Undeliverable},
};

fn kind(kind: CandidateKind) -> &'static str {
    match kind {
        CandidateKind::Host => "host",
        CandidateKind::ServerReflexive => "server-reflexive",
        CandidateKind::PeerReflexive => "peer-reflexive",
        CandidateKind::Relay => "relay",
    }
}

pub fn ice(fact: &Ice) -> String {
    match fact {
        Ice::SocketBound { local } => format!("A UDP socket stands at {local}."),
        Ice::LocalCandidate { kind: k, address, relay_by } => {
            let by = relay_by.as_ref().map(|server| format!(" by {server}")).unwrap_or_default();
            format!("We offer the {} address {address}{by}.", kind(*k))
        }
        Ice::RemoteCandidate { kind: k, address } => format!("The far end offers the {} address {address}.", kind(*k)),
        Ice::GatheringDone { took_ms } => {
            format!("All our addresses were found after {}.", words::length(words::millis(*took_ms)))
        }
        Ice::State { state } => format!("The ICE stack says: {}.", ice_state(*state)),
        Ice::Dtls { state } => format!("The DTLS stack says: {state}."),
        Ice::Pair { local, local_kind, remote, remote_kind } => {
            format!("Media now goes from {local} ({}) to {remote} ({}).", kind(*local_kind), kind(*remote_kind))
        }
        Ice::ConsentLate { last_ok } => {
            format!("Our checks go unanswered; the last answer came at {}.", words::utc_exact(*last_ok))
        }
        Ice::ConsentExpired { last_ok } => format!(
            "No check was answered for 30 s, since {}; a browser would stop sending here.",
            words::utc_exact(*last_ok)
        ),
        Ice::ConsentBack { .. } => "Our checks are answered again.".into(),
        Ice::TurnRefused { server, request, code, says } => {
            let request = match request {
                TurnRequest::Allocate => "Allocate",
                TurnRequest::Refresh => "Refresh",
                TurnRequest::CreatePermission => "CreatePermission",
                TurnRequest::ChannelBind => "ChannelBind",
                TurnRequest::Other => "a request",
            };
            format!("The TURN server {server} refused {request} with code {code}{}.", words::quoted(says))
        }
        Ice::TurnAllocated { server, relay, took_ms } => format!(
            "The TURN server {server} gave us the relay address {relay} after {}.",
            words::length(words::millis(*took_ms))
        ),
        Ice::TurnConnected { server, took_ms } => {
            format!(
                "The connection to the TURN server {server} stands, after {}.",
                words::length(words::millis(*took_ms))
            )
        }
        Ice::TurnLost { server, says } => {
            format!("The TURN server {server} could not be reached or was lost{}.", words::quoted(says))
        }
        Ice::StackDied { says } => format!("The media stack stopped working{}.", words::quoted(says)),
    }
}

fn ice_state(state: IceState) -> &'static str {
    match state {
        IceState::New => "new",
        IceState::Checking => "checking",
        IceState::Connected => "connected",
        IceState::Completed => "completed",
        IceState::Disconnected => "disconnected",
        IceState::Failed => "failed",
        IceState::Closed => "closed",
    }
}

pub fn media(fact: &Media) -> String {
    match fact {
        Media::Flowing { first } => format!("Media flows; the first packet came at {}.", words::utc_exact(*first)),
        Media::Gap { last } => format!("No media packet since {}.", words::utc_exact(*last)),
        Media::Back { last, first } => {
            format!("Media again, after {} without a packet.", words::length(first.since(*last)))
        }
        Media::Sample(sample) => format!(
            "{} came and {} went in this second; {} missing.",
            words::count(sample.rtp_in as usize, "packet"),
            sample.rtp_out,
            sample.lost_in
        ),
        Media::SendFailing { errno, says, .. } => {
            let errno = errno.map(|errno| format!(", with error {errno}")).unwrap_or_default();
            format!("This computer's own system refuses to send media{errno}{}.", words::quoted(says))
        }
        Media::SendWorks { refused, since } => format!(
            "Sending media works again; {} refused since {}.",
            words::count(*refused as usize, "packet"),
            words::utc_exact(*since)
        ),
        Media::Undelivered { to, why, by, .. } => format!("{}.", undelivered(*to, *why, *by)),
    }
}

/// Without its full stop.
pub fn undelivered(to: IpPort, why: Undeliverable, by: Option<Ip>) -> String {
    let who = match by {
        Some(by) if by == to.ip() => "The far end's computer itself".to_owned(),
        Some(by) => format!("{by}, a device on the way,"),
        None => "The network".to_owned(),
    };
    let why = match why {
        Undeliverable::NoListener => "nobody listens there",
        Undeliverable::NoHost => "no way leads to that computer",
        Undeliverable::NoNetwork => "no way leads to that network",
        Undeliverable::Forbidden => "it is not let pass",
    };
    format!("{who} answered to our media for {to} that {why}")
}

pub fn action(fact: &Action, names: &Names) -> String {
    match fact {
        Action::Began { step, reason, .. } => {
            let reason = match reason {
                Reason::PathSilent => "nothing comes from the far end",
                Reason::MediaSilent => "no media comes though the path answers",
                Reason::IceFailed => "the stack gave the path up",
                Reason::SocketEnded => "the signaling connection ended",
                Reason::ConnectFailed => "the last attempt failed",
                Reason::CallLost => "the call is lost",
                Reason::StackDied => "the media stack stopped working",
                Reason::NetworkMoved => "packets to the far end now go another way",
            };
            format!("{}, because {reason}.", words::capital(&doing(*step)))
        }
        Action::Ended { id, outcome, took_ms } => {
            let took = words::length(words::millis(*took_ms));
            let step = names.step(*id);
            let what = words::capital(&step.map_or_else(|| "a step of recovery".into(), doing));
            match (outcome, step) {
                (Outcome::Worked, Some(Move::ProbeSignaling)) => {
                    format!("The far end still answers on signaling, after {took}.")
                }
                (Outcome::Worked, _) => format!("{what}: it worked after {took}."),
                (Outcome::Failed { says }, _) => format!("{what}: it failed after {took}{}.", words::quoted(says)),
                (Outcome::NotNeeded, _) => format!("{what}: it was not needed, what was lost came back by itself."),
            }
        }
        Action::GaveUp { says } => format!("Recovery was given up{}.", words::quoted(says)),
    }
}

fn doing(step: Move) -> String {
    match step {
        Move::ProbeSignaling => "asking the far end on signaling for a sign of life".into(),
        Move::RestartIce => "looking for another path for the media (an ICE restart)".into(),
        Move::Reconnect { attempt, wait_ms } => format!(
            "connecting signaling again, attempt {attempt}, after waiting {}",
            words::length(words::millis(wait_ms))
        ),
        Move::NewCall => "placing a new call".into(),
    }
}
