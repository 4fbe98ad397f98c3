//! What the lanes beside the call did, in sentences, and what was foretold from them.

use super::Tone;
use crate::{names::Names, words};
use record::fact::{Lane, LaneSight, Manner, Opened, Prediction, RungCarrier, Side, Stirred, TurnTransport};

pub fn lane(fact: &Lane, names: &Names) -> String {
    let it = |lane: &u32| format!("Beside the call, {}", names.lane(*lane));
    let long = |ms: &f64| words::length(words::millis(*ms));
    match fact {
        Lane::Opening { manner: m, to, .. } => format!("Beside the call: opening {} to {to}.", manner(m)),
        Lane::Stands { lane, local, remote, took_ms } => {
            format!("{}: it stands from {local} to {remote}, after {}.", it(lane), long(took_ms))
        }
        Lane::Failed { lane, stage, trouble, took_ms } => format!(
            "{}: {} failed after {}: {}.",
            it(lane),
            words::stage(*stage),
            long(took_ms),
            words::trouble(trouble)
        ),
        Lane::SeenFrom { lane, public } => format!("{}: the far end sees it come from {public}.", it(lane)),
        Lane::Sample { lane, asked, answered, .. } => {
            format!("{}: {answered} of {asked} messages were answered.", it(lane))
        }
        Lane::Silent { lane, asked, last_ok } => format!(
            "{}: what was sent at {} stays unanswered; the last answer came at {}.",
            it(lane),
            words::utc_exact(*asked),
            words::utc_exact(*last_ok)
        ),
        Lane::Back { lane, silent_since } => {
            format!("{}: answered again, after silence since {}.", it(lane), words::utc_exact(*silent_since))
        }
        Lane::Proved { lane, by, quiet_ms, .. } => {
            let who = match by {
                Side::Us => "our",
                Side::Them => "the far end's",
            };
            format!("{}: after {} of silence {who} first word crossed and was answered.", it(lane), long(quiet_ms))
        }
        Lane::Ended { lane, end, quiet_ms, age_ms, at_proof, .. } => {
            let quiet = match at_proof {
                true => format!("found dead after {} of silence", long(quiet_ms)),
                false => format!("ended {} after {} of silence", words::ended(end), long(quiet_ms)),
            };
            format!("{}: {quiet}, {} old.", it(lane), long(age_ms))
        }
        Lane::Done { lane } => format!("{}: done, and closed in order.", it(lane)),
    }
}

pub fn lane_tone(fact: &Lane) -> Tone {
    match fact {
        Lane::Failed { .. } => Tone::Note,
        Lane::Silent { .. } | Lane::Ended { .. } => Tone::Lost,
        Lane::Back { .. } => Tone::Back,
        _ => Tone::Plain,
    }
}

/// "the WebSocket quiet for 31 s"
pub(crate) fn the(of: &Manner) -> String {
    let manner = manner(of);
    manner.strip_prefix("a ").map_or_else(|| manner.clone(), |rest| format!("the {rest}"))
}

pub(crate) fn manner(manner: &Manner) -> String {
    let long = |ms: &f64| words::planned(words::millis(*ms));
    match manner {
        Manner::BareWebsocket => "a bare WebSocket".into(),
        Manner::BeatingWebsocket { every_ms } => format!("a WebSocket that speaks every {}", long(every_ms)),
        Manner::Tcp { every_ms } => format!("a TCP connection that speaks every {}", long(every_ms)),
        Manner::Tls { every_ms } => format!("a TLS connection that speaks every {}", long(every_ms)),
        Manner::Turn { transport, .. } => {
            let transport = match transport {
                TurnTransport::Udp => "UDP",
                TurnTransport::Tcp => "TCP",
                TurnTransport::Tls => "TLS",
            };
            format!("a TURN relay over {transport}")
        }
        Manner::Quiet(rung) => {
            let what = match rung.carrier {
                RungCarrier::Websocket => "WebSocket",
                RungCarrier::Tcp => "TCP connection",
            };
            let stirred = match rung.stirred {
                Stirred::Not => String::new(),
                Stirred::ByUs { every_ms } => format!(", where only we speak every {}", long(&every_ms)),
                Stirred::ByThem { every_ms } => format!(", where only the far end speaks every {}", long(&every_ms)),
                Stirred::ByKeepalive { every_ms } => format!(", with TCP keepalive every {}", long(&every_ms)),
            };
            format!("a {what} quiet for {}{stirred}", long(&rung.quiet_ms))
        }
        Manner::QuietUdp(rung) => {
            let opened = match rung.opened_by {
                Opened::OnePacket => "after one packet",
                Opened::Stream => "after a talk both ways",
            };
            format!("a UDP flow quiet for {} {opened}", long(&rung.quiet_ms))
        }
    }
}

/// After "the far end says: ".
pub fn sight(lane: &str, sight: &LaneSight) -> String {
    let long = |ms: &f64| words::length(words::millis(*ms));
    match sight {
        LaneSight::Stood { from } => format!("{lane} beside the call stands, from {from}"),
        LaneSight::Spoke { quiet_ms } => {
            format!("it spoke first on {lane} beside the call, after {} of silence", long(quiet_ms))
        }
        LaneSight::Heard { quiet_ms } => {
            format!("our word on {lane} beside the call arrived, after {} of silence", long(quiet_ms))
        }
        LaneSight::Ended { end, quiet_ms, .. } => {
            format!("{lane} beside the call ended {}, after {} of silence", super::far::from_there(end), long(quiet_ms))
        }
    }
}

pub fn prediction(fact: &Prediction, names: &Names) -> String {
    let what = |id: &u32| names.foretold(*id).map(|says| format!(": {says}")).unwrap_or_default();
    match fact {
        Prediction::Made { says, .. } => format!("Foretold: {says}."),
        Prediction::CameTrue { id } => format!("It came as foretold{}.", what(id)),
        Prediction::Missed { id } => format!("It did not come as foretold{}.", what(id)),
    }
}
