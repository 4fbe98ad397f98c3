//! What a profile will do, what it will record, and what it cannot test, in words.

use crate::hold::Prepared;
use explain::planned;
use record::{
    Profile,
    fact::{Beside, LeftOut},
    profile::{Addresses, IcePolicy, RecoveryPolicy, Silence},
};
use std::time::Duration;

/// A line each, to be read after "It will", "Beside the call it will" and "It cannot test".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outlook {
    pub will: Vec<String>,
    /// Nothing where it was left out of the plan on purpose.
    pub beside: Option<Vec<String>>,
    pub cannot: Vec<String>,
}

impl Outlook {
    pub fn of(Prepared { profile, plan }: &Prepared) -> Self {
        let mut will =
            vec![format!("call {} ({}) and hold the call for {}", plan.to, plan.kind, planned(profile.for_.get()))];
        if profile.stays_awake() {
            will.push("ask the system not to sleep meanwhile".into());
        }
        will.push(match plan.heartbeat {
            Some(beat) => format!(
                "send a heartbeat every {} over signaling and wait {} for its answer",
                seconds(beat.every_ms),
                seconds(beat.answer_within_ms)
            ),
            None => "send no heartbeat over signaling, so that a connection that dies silently is found only by what else is sent".into(),
        });
        will.push(match plan.silence {
            Silence::Frames => "send silence as 50 audio packets a second, as a muted caller does".into(),
            Silence::Dtx => "send comfort noise about every 400 ms, as a caller that saves bandwidth does".into(),
            Silence::None => "send no audio at all".into(),
        });
        let servers: usize = profile.ice.servers.iter().map(|server| server.urls.len()).sum();
        will.push(match (plan.ice_policy, servers) {
            (IcePolicy::Relay, _) => "send all media through its TURN servers".into(),
            (IcePolicy::All, 0) => "send media straight to the far end, with no STUN or TURN server of its own".into(),
            (IcePolicy::All, 1) => "try 1 STUN or TURN address beside the straight way".into(),
            (IcePolicy::All, n) => format!("try {n} STUN or TURN addresses beside the straight way"),
        });
        will.push(
            match plan.recovery {
                RecoveryPolicy::Patient => "after a loss, reconnect and restart for as long as the hold lasts",
                RecoveryPolicy::None => "after a loss, only watch",
                RecoveryPolicy::AsTwilio => "after a loss, do as Twilio's SDK does, and end where it would",
                RecoveryPolicy::AsTelnyx => "after a loss, do as Telnyx' SDK does, and end where it would",
            }
            .into(),
        );
        if let Some(recipient) = &profile.share.recipient {
            will.push(format!(
                "encrypt its report to {}, and keep a plain one on this computer for you to read",
                recipient.as_str()
            ));
        }
        will.push(
            match profile.share.addresses.unwrap_or_default() {
                Addresses::Pseudonyms => "call addresses, hosts, networks and sessions in its report by names; what they stand for stays on this computer",
                Addresses::Plain => "say in its report what addresses, hosts and sessions there were",
            }
            .into(),
        );
        let mut cannot = explain::verdict::left_out(plan);
        let beside = plan.beside.clone().unwrap_or_default();
        if plan.heartbeat.is_some() && !beside.bare_websocket && beside.quiet_ladder_s.is_empty() {
            cannot.push("how long the path lets a quiet connection live: the call's own heartbeats keep it busy, and the profile holds no quiet one beside it".into());
        }
        if beside.controls.is_empty() {
            cannot
                .push("where a loss lies: without controls, this computer, its network and the path look alike".into());
        }
        cannot.push("what this computer's system does not let a program see; the report says where that was so".into());
        Self { will, beside: plan.beside.as_ref().map(|beside| said_beside(profile, beside)), cannot }
    }
}

pub fn describe(prepared: &Prepared) -> String {
    let name = &prepared.plan.name;
    let name = if name.is_empty() { "This profile".to_owned() } else { format!("\"{name}\"") };
    let Outlook { will, beside, cannot } = Outlook::of(prepared);
    let beside = match beside.as_deref() {
        None => String::new(),
        Some([]) => "\n\nBeside the call it will hold nothing.".into(),
        Some(lines) => format!("\n\nBeside the call it will\n{}", list(lines)),
    };
    format!(
        "{name} is valid.\n\nIt will\n{}{beside}\n\n\
         It will record times, addresses and ports of both ends, names of hosts and servers, how connections end, and counts of packets.\n\
         It will not record audio, tokens, passwords, or anything else this computer does.\n\n\
         It cannot test\n{}",
        list(&will),
        list(&cannot)
    )
}

fn list(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("- {line}")).collect();
    format!("{}.", lines.join(";\n"))
}

/// What is held and asked beside the call.
fn said_beside(profile: &Profile, beside: &Beside) -> Vec<String> {
    let mut out = Vec::new();
    let long = |s: &f64| seconds(s * 1e3);
    let ladder = |rungs: &[f64]| match rungs {
        [] => None,
        [only] => Some(long(only)),
        [first, .., last] => Some(format!("{} to {}", long(first), long(last))),
    };
    if beside.bare_websocket {
        out.push("hold one WebSocket without any heartbeat".into());
    }
    if beside.talking {
        out.extend(
            talking(profile, beside).map(|over| format!("hold connections that speak every few seconds, over {over}")),
        );
    }
    if let Some(rungs) = ladder(&beside.quiet_ladder_s) {
        let count = beside.quiet_ladder_s.len();
        out.push(format!("keep {count} connections quiet for {rungs}, to find how long the path lets one live"));
    }
    if let Some(rungs) = ladder(&beside.udp_ladder_s) {
        out.push(format!("keep UDP flows quiet for {rungs}, to find how long the network keeps their way back open"));
    }
    if !beside.controls.is_empty() {
        let names: Vec<&str> = beside.controls.iter().map(record::Heard::as_str).collect();
        out.push(format!("ask once a second: {}", names.join(", ")));
    }
    for address in &profile.lanes.also {
        out.push(format!("hold a WebSocket without heartbeat to {address}"));
    }
    if !out.is_empty() {
        out.push("watch this computer's interfaces, routes, name servers, Wi-Fi, sleep and power".into());
    }
    out
}

/// "WebSocket, TLS and its TURN server"; nothing where nobody would answer.
fn talking(profile: &Profile, beside: &Beside) -> Option<String> {
    let turn = profile.ice.servers.iter().flat_map(|server| &server.urls).filter(|url| url.starts_with("turn")).count();
    let mut over = Vec::new();
    if !beside.left_out.contains(&LeftOut::Talking) {
        over.extend(["WebSocket", if profile.signaling.url.is_tls() { "TLS" } else { "TCP" }]);
    }
    over.extend(match turn {
        0 => None,
        1 => Some("its TURN server"),
        _ => Some("each of its TURN servers"),
    });
    match over.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        [all @ .., last] => Some(format!("{} and {last}", all.join(", "))),
    }
}

fn seconds(ms: f64) -> String {
    // A profile holds no other lengths than those that fit.
    Duration::try_from_secs_f64(ms / 1e3).map_or_else(|_| format!("{ms} ms"), planned)
}
