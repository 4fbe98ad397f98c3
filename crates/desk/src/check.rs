//! What a profile will do, what it will record, and what it cannot test, in words.

use crate::hold::Prepared;
use explain::planned;
use record::{
    Profile,
    fact::{Beside, LeftOut},
    profile::{IcePolicy, RecoveryPolicy, Silence},
};
use std::time::Duration;

pub fn describe(Prepared { profile, plan }: &Prepared) -> String {
    let mut out = Vec::new();
    let name = if plan.name.is_empty() { "This profile".to_owned() } else { format!("\"{}\"", plan.name) };
    out.push(format!("{name} is valid.\n\nIt will"));
    out.push(format!("- call {} ({}) and hold the call for {};", plan.to, plan.kind, planned(profile.for_.get())));
    if profile.stay_awake {
        out.push("- ask the system not to sleep meanwhile;".into());
    }
    out.push(match plan.heartbeat {
        Some(beat) => format!(
            "- send a heartbeat every {} over signaling and wait {} for its answer;",
            seconds(beat.every_ms),
            seconds(beat.answer_within_ms)
        ),
        None => "- send no heartbeat over signaling, so that a connection that dies silently is found only by what else is sent;".into(),
    });
    out.push(match plan.silence {
        Silence::Frames => "- send silence as 50 audio packets a second, as a muted caller does;".into(),
        Silence::Dtx => "- send comfort noise about every 400 ms, as a caller that saves bandwidth does;".into(),
        Silence::None => "- send no audio at all;".into(),
    });
    let servers: usize = profile.ice.servers.iter().map(|server| server.urls.len()).sum();
    out.push(match (plan.ice_policy, servers) {
        (IcePolicy::Relay, _) => "- send all media through its TURN servers;".into(),
        (IcePolicy::All, 0) => "- send media straight to the far end, with no STUN or TURN server of its own;".into(),
        (IcePolicy::All, 1) => "- try 1 STUN or TURN address beside the straight way;".into(),
        (IcePolicy::All, n) => format!("- try {n} STUN or TURN addresses beside the straight way;"),
    });
    out.push(match plan.recovery {
        RecoveryPolicy::Patient => "- after a loss, reconnect and restart for as long as the hold lasts.".into(),
        RecoveryPolicy::None => "- after a loss, only watch.".into(),
        RecoveryPolicy::AsTwilio => "- after a loss, do as Twilio's SDK does, and end where it would.".into(),
        RecoveryPolicy::AsTelnyx => "- after a loss, do as Telnyx' SDK does, and end where it would.".into(),
    });
    out.extend(plan.beside.as_ref().map(|beside| said_beside(profile, beside)));
    out.push("\nIt will record times, addresses and ports of both ends, names of hosts and servers, how connections end, and counts of packets.\nIt will not record audio, tokens, passwords, or anything else this computer does.".into());
    out.push("\nIt cannot test".into());
    for says in explain::verdict::left_out(plan) {
        out.push(format!("- {says};"));
    }
    let beside = plan.beside.clone().unwrap_or_default();
    if plan.heartbeat.is_some() && !beside.bare_websocket && beside.quiet_ladder_s.is_empty() {
        out.push("- how long the path lets a quiet connection live: the call's own heartbeats keep it busy, and the profile holds no quiet one beside it;".into());
    }
    if beside.controls.is_empty() {
        out.push("- where a loss lies: without controls, this computer, its network and the path look alike;".into());
    }
    out.push("- what this computer's system does not let a program see; the report says where that was so.".into());
    out.join("\n")
}

/// What is held and asked beside the call.
fn said_beside(profile: &Profile, beside: &Beside) -> String {
    let mut out = vec!["\nBeside the call it will".to_owned()];
    let long = |s: &f64| seconds(s * 1e3);
    let ladder = |rungs: &[f64]| match rungs {
        [] => None,
        [only] => Some(long(only)),
        [first, .., last] => Some(format!("{} to {}", long(first), long(last))),
    };
    if beside.bare_websocket {
        out.push("- hold one WebSocket without any heartbeat;".into());
    }
    if beside.talking {
        out.extend(
            talking(profile, beside)
                .map(|over| format!("- hold connections that speak every few seconds, over {over};")),
        );
    }
    if let Some(rungs) = ladder(&beside.quiet_ladder_s) {
        let count = beside.quiet_ladder_s.len();
        out.push(format!("- keep {count} connections quiet for {rungs}, to find how long the path lets one live;"));
    }
    if let Some(rungs) = ladder(&beside.udp_ladder_s) {
        out.push(format!(
            "- keep UDP flows quiet for {rungs}, to find how long the network keeps their way back open;"
        ));
    }
    if !beside.controls.is_empty() {
        let names: Vec<&str> = beside.controls.iter().map(record::Heard::as_str).collect();
        out.push(format!("- ask once a second: {};", names.join(", ")));
    }
    for address in &profile.lanes.also {
        out.push(format!("- hold a WebSocket without heartbeat to {address};"));
    }
    if out.len() == 1 {
        return "\nBeside the call it will hold nothing.".into();
    }
    out.push("- watch this computer's interfaces, routes, name servers, Wi-Fi, sleep and power.".into());
    out.join("\n")
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
