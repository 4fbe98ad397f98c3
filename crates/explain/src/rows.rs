//! Rows: one finished English sentence for each event worth showing. Every fact has its sentence, here and nowhere else,
//! and no arm is a wildcard: a new fact does not compile until it can be said.

use crate::{timeline::Timeline, words};
use record::{
    Event, Fact, Seq, Wall,
    fact::{
        Action, CallEndedBy, CandidateKind, EndedBy, Far, Ice, IceState, Mark, Media, Move, Outcome, Reason, Sight,
        Signaling, SocketPurpose, System, TurnRequest,
    },
};
use serde::Serialize;

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    pub seq: Seq,
    /// Seconds since the start on the clock that runs through sleep: the axis of the timeline.
    pub at: f64,
    pub wall: Wall,
    pub lane: Lane,
    pub tone: Tone,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    Run,
    Signaling,
    Ice,
    Media,
    Recovery,
    Far,
    Computer,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
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

pub(crate) fn rows(timeline: &Timeline) -> Vec<Row> {
    let began = timeline.began.uptime;
    timeline
        .log
        .events
        .iter()
        .filter(|event| worth_showing(&event.fact))
        .map(|event| row(event, (event.at.uptime - began).as_secs_f64()))
        .collect()
}

fn row(event: &Event, at: f64) -> Row {
    Row {
        seq: event.seq,
        at,
        wall: event.at.wall,
        lane: lane(&event.fact),
        tone: tone(&event.fact),
        text: sentence(&event.fact),
    }
}

/// What comes every second is drawn as a curve and not listed.
pub(crate) fn worth_showing(fact: &Fact) -> bool {
    !matches!(
        fact,
        Fact::Media(Media::Sample(_))
            | Fact::Signaling(Signaling::Tcp { .. } | Signaling::HeartbeatAnswered { .. })
            | Fact::System(System::Load { .. })
            | Fact::Far(Far::Clock { .. })
    )
}

pub fn lane(fact: &Fact) -> Lane {
    match fact {
        Fact::Mark(_) => Lane::Run,
        Fact::Signaling(_) => Lane::Signaling,
        Fact::Ice(_) => Lane::Ice,
        Fact::Media(_) => Lane::Media,
        Fact::System(_) | Fact::Blind { .. } => Lane::Computer,
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
            Media::Back { .. } | Media::SendWorks { .. } => Tone::Back,
            Media::Flowing { .. } | Media::Sample(_) => Tone::Plain,
        },
        Fact::System(System::TicksMissed { .. } | System::RecordFailing { .. }) | Fact::Blind { .. } => Tone::Note,
        Fact::System(System::Load { .. }) => Tone::Plain,
        Fact::Far(Far::Saw {
            sight: Sight::MediaStopped { .. } | Sight::StoodStill { .. } | Sight::ShuttingDown,
            ..
        }) => Tone::Note,
        Fact::Far(_) => Tone::Plain,
        Fact::Action(fact) => match fact {
            Action::Ended { outcome: Outcome::Worked, .. } => Tone::Back,
            Action::GaveUp { .. } => Tone::Lost,
            Action::Began { .. } | Action::Ended { .. } => Tone::Plain,
        },
    }
}

/// What happened, in one sentence.
pub fn sentence(fact: &Fact) -> String {
    match fact {
        Fact::Mark(fact) => mark(fact),
        Fact::Signaling(fact) => signaling(fact),
        Fact::Ice(fact) => ice(fact),
        Fact::Media(fact) => media(fact),
        Fact::System(fact) => match fact {
            System::TicksMissed { since } => {
                format!("Our own ten ticks a second did not come since {}.", words::utc_exact(*since))
            }
            System::Load { own_cpu, own_mb, machine_cpu } => format!(
                "This program used {own_cpu:.1} % of one core and {own_mb:.0} MB, the machine {machine_cpu:.0} %."
            ),
            System::RecordFailing { says } => format!("The record could not be written{}.", words::quoted(says)),
        },
        Fact::Far(fact) => far(fact),
        Fact::Action(fact) => action(fact),
        Fact::Blind { watcher, why } => format!("{watcher} could not see: {why}."),
    }
}

fn mark(fact: &Mark) -> String {
    match fact {
        Mark::Started(plan) => {
            let length = words::length(words::millis(plan.planned_s * 1e3));
            format!("Started: hold a call to {} for {length}.", plan.to)
        }
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

fn signaling(fact: &Signaling) -> String {
    let took = |ms: &f64| words::length(words::millis(*ms));
    match fact {
        Signaling::Connecting { conn, to, purpose, proxy } => {
            let purpose = match purpose {
                SocketPurpose::First => "",
                SocketPurpose::Resume => " to take up the call",
                SocketPurpose::NewCall => " for a new call",
            };
            let proxy = proxy.as_ref().map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
            format!("Connection {conn}: connecting to {to}{proxy}{purpose}.")
        }
        Signaling::Resolved { conn, addresses, took_ms } => {
            let list: Vec<String> = addresses.iter().take(8).map(ToString::to_string).collect();
            format!("Connection {conn}: the name resolved to {} in {}.", list.join(", "), took(took_ms))
        }
        Signaling::TcpConnected { conn, local, remote, took_ms } => {
            format!("Connection {conn}: TCP stands from {local} to {remote}, after {}.", took(took_ms))
        }
        Signaling::ProxyOpened { conn, took_ms } => {
            format!("Connection {conn}: the proxy let it through after {}.", took(took_ms))
        }
        Signaling::TlsReady { conn, version, cipher, issuer, took_ms } => {
            format!(
                "Connection {conn}: {version} stands ({cipher}, certificate from {issuer}), after {}.",
                took(took_ms)
            )
        }
        Signaling::Upgraded { conn, server, took_ms } => {
            let server = server.as_ref().map(|server| format!(" at {server}")).unwrap_or_default();
            format!("Connection {conn}: the WebSocket stands{server}, after {}.", took(took_ms))
        }
        Signaling::ConnectFailed { conn, stage, trouble, took_ms } => format!(
            "Connection {conn}: {} failed after {}: {}.",
            words::stage(*stage),
            took(took_ms),
            words::trouble(trouble)
        ),
        Signaling::Ready { conn, session, instance, resumed } => {
            let what = if *resumed { "took the call up again" } else { "knows us" };
            let session = session.as_ref().map(|session| format!(", session {session}")).unwrap_or_default();
            let instance = instance.as_ref().map(|instance| format!(", instance {instance}")).unwrap_or_default();
            format!("Connection {conn}: the far end {what}{session}{instance}.")
        }
        Signaling::Answered { conn, restarted, took_ms } => {
            let what = match restarted {
                Some(true) => " with new ICE credentials",
                Some(false) => " with its old ICE credentials",
                None => "",
            };
            format!("Connection {conn}: the far end answered our offer{what} after {}.", took(took_ms))
        }
        Signaling::Refused { conn, kind, code, says } => format!(
            "Connection {conn}: the far end refused with code {code} because {}{}.",
            words::refusal(*kind),
            words::quoted(says)
        ),
        Signaling::HeartbeatAnswered { conn, rtt_ms } => {
            format!("Connection {conn}: a heartbeat was answered after {}.", words::ms(*rtt_ms))
        }
        Signaling::Tcp { conn, sample } => format!(
            "Connection {conn}: the kernel measures {} round trip, {} sent and not acknowledged, {} sent again.",
            words::ms(sample.rtt_ms),
            words::count(sample.unacked as usize, "segment"),
            words::times(sample.retransmits as usize)
        ),
        Signaling::Unanswered { conn, since, retransmits, .. } => {
            let again = match retransmits {
                Some(n) if *n > 0 => format!(", though the kernel sent it again {}", words::times(*n as usize)),
                _ => String::new(),
            };
            format!("Connection {conn}: what was written at {} stays unanswered{again}.", words::utc_exact(*since))
        }
        Signaling::AnsweredAgain { conn, since } => {
            format!("Connection {conn}: the far end answers again what was written at {}.", words::utc_exact(*since))
        }
        Signaling::Closed { conn, end, last_in, .. } => format!(
            "Connection {conn}: ended {}; the last byte had come at {}.",
            words::ended(end),
            words::utc_exact(*last_in)
        ),
        Signaling::CallEnded { by, code, says, .. } => {
            let code = code.as_ref().map(|code| format!(" with code {code}")).unwrap_or_default();
            let who = match by {
                CallEndedBy::Us => "We ended the call",
                CallEndedBy::FarEnd => "The far end hung up",
                CallEndedBy::Service => "The service ended the call",
            };
            format!("{who}{code}{}.", words::quoted(says))
        }
    }
}

fn kind(kind: CandidateKind) -> &'static str {
    match kind {
        CandidateKind::Host => "host",
        CandidateKind::ServerReflexive => "server-reflexive",
        CandidateKind::PeerReflexive => "peer-reflexive",
        CandidateKind::Relay => "relay",
    }
}

fn ice(fact: &Ice) -> String {
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

fn media(fact: &Media) -> String {
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
            let errno = errno.map(|errno| format!(" with error {errno}")).unwrap_or_default();
            format!("This system refuses to send media{errno}{}.", words::quoted(says))
        }
        Media::SendWorks { refused, since } => format!(
            "Sending media works again; {} refused since {}.",
            words::count(*refused as usize, "packet"),
            words::utc_exact(*since)
        ),
    }
}

fn far(fact: &Far) -> String {
    match fact {
        Far::Clock { offset_ms, rtt_ms } => format!(
            "The far end's clock is {} {} ours, measured over a round trip of {}.",
            words::ms(offset_ms.abs()),
            if *offset_ms < 0.0 { "behind" } else { "ahead of" },
            words::ms(*rtt_ms)
        ),
        Far::Saw { at, sight } => {
            let clock = |wall: &Wall| wall.timestamp().strftime("%H:%M:%S").to_string();
            let what = match sight {
                Sight::MediaStarted { first } => format!("our media began to arrive at {}", clock(first)),
                Sight::MediaStopped { last } => {
                    format!("our media stopped arriving; the last packet came at {}", clock(last))
                }
                Sight::MediaResumed { last, first } => {
                    format!("our media arrived again at {}, after the packet of {}", clock(first), clock(last))
                }
                Sight::Counted { received, lost, echoed } => {
                    format!("{received} of our packets arrived, {lost} were missing, {echoed} were sent back")
                }
                Sight::SocketEnded { end } => format!("the signaling socket ended {}", from_there(end)),
                Sight::Reattached => "a new socket took up the call".into(),
                Sight::StoodStill { from, to } => {
                    format!("its program did not run from {} to {}", clock(from), clock(to))
                }
                Sight::ShuttingDown => "it is shutting down".into(),
            };
            format!("The far end says, at {} on its own clock: {what}.", clock(at))
        }
    }
}

/// "Our" and "the far end's" change places when the far end speaks.
fn from_there(end: &record::fact::End) -> String {
    use record::fact::{End, Side};
    match end {
        End::CloseFrame { by: Side::Us, code, reason } => {
            words::ended(&End::CloseFrame { by: Side::Them, code: *code, reason: reason.clone() })
        }
        End::CloseFrame { by: Side::Them, code, reason } => {
            words::ended(&End::CloseFrame { by: Side::Us, code: *code, reason: reason.clone() })
        }
        End::LetGo => "because it let go of it".into(),
        other => words::ended(other),
    }
}

fn action(fact: &Action) -> String {
    match fact {
        Action::Began { id, step, reason, .. } => {
            let reason = match reason {
                Reason::PathSilent => "nothing comes from the far end",
                Reason::MediaSilent => "no media comes though the path answers",
                Reason::IceFailed => "the stack gave the path up",
                Reason::SocketEnded => "the signaling connection ended",
                Reason::ConnectFailed => "the last attempt failed",
                Reason::CallLost => "the call is lost",
                Reason::StackDied => "the media stack stopped working",
            };
            let step = match step {
                Move::ProbeSignaling => "asking the far end for a sign of life".to_owned(),
                Move::RestartIce => "restarting ICE".to_owned(),
                Move::Reconnect { attempt, wait_ms } => {
                    format!(
                        "connecting signaling again, attempt {attempt}, after waiting {}",
                        words::length(words::millis(*wait_ms))
                    )
                }
                Move::NewCall => "placing a new call".to_owned(),
            };
            format!("Recovery {id}: {step}, because {reason}.")
        }
        Action::Ended { id, outcome, took_ms } => {
            let took = words::length(words::millis(*took_ms));
            match outcome {
                Outcome::Worked => format!("Recovery {id}: worked after {took}."),
                Outcome::Failed { says } => format!("Recovery {id}: failed after {took}{}.", words::quoted(says)),
                Outcome::NotNeeded => format!("Recovery {id}: not needed, it came back by itself."),
            }
        }
        Action::GaveUp { says } => format!("Recovery was given up{}.", words::quoted(says)),
    }
}
