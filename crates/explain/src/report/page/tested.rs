//! What was put to the test, beside what was not: the call, what was held beside it, and whom we asked.

use crate::{Timeline, timeline::HeldLane, verdict, words};
use record::{
    fact::{ControlKind, Manner},
    profile::Silence,
};
use std::time::Duration;

pub(super) fn list(timeline: &Timeline) -> Vec<String> {
    let mut list = Vec::new();
    if timeline.stood().is_some() {
        list.push(call(timeline));
    }
    list.extend(talking(timeline));
    list.extend(ladder(timeline, "TCP", |manner| matches!(manner, Manner::Quiet(_))));
    list.extend(ladder(timeline, "UDP", |manner| matches!(manner, Manner::QuietUdp(_))));
    list.extend(controls(timeline));
    list
}

fn call(timeline: &Timeline) -> String {
    let carried = match timeline.plan.map(|plan| plan.silence) {
        Some(Silence::Frames) => ", 50 packets of silence a second each way",
        Some(Silence::Dtx) => ", with comfort noise only",
        Some(Silence::None) => ", without audio",
        None => "",
    };
    format!("A call for {}{carried}.", words::length(verdict::held(timeline)))
}

/// Held beside the call with something to say, or without a word.
fn talking(timeline: &Timeline) -> Option<String> {
    let stood = |is: fn(&Manner) -> bool| timeline.lanes.iter().any(|lane| lane.stands.is_some() && is(&lane.manner));
    let kinds: [(bool, &str); 5] = [
        (stood(|m| matches!(m, Manner::BeatingWebsocket { .. })), "a WebSocket that talks"),
        (stood(|m| matches!(m, Manner::Tcp { .. })), "TCP"),
        (stood(|m| matches!(m, Manner::Tls { .. })), "TLS"),
        (stood(|m| matches!(m, Manner::Turn { .. })), "TURN"),
        (stood(|m| matches!(m, Manner::BareWebsocket)), "a WebSocket without a word"),
    ];
    let held: Vec<&str> = kinds.iter().filter(|(stood, _)| *stood).map(|(_, name)| *name).collect();
    Some(format!("Held beside it: {}.", all(&held)?))
}

fn ladder(timeline: &Timeline, on: &str, is: fn(&Manner) -> bool) -> Option<String> {
    let quiet = |lane: &&HeldLane| is(&lane.manner) && lane.stands.is_some() && lane.is_quiet();
    let lanes = || timeline.lanes.iter().filter(quiet);
    let lived: Vec<Duration> = lanes().filter_map(|lane| lane.proved).map(|proof| proof.quiet).collect();
    let ended = lanes().filter(|lane| lane.proved.is_none() && lane.ended.is_some()).count();
    let longest = lived.iter().max().map(|longest| format!(", up to {}", words::length(*longest)));
    let tried = lanes().count();
    (tried > 0).then(|| {
        format!(
            "{} kept quiet on {on}: {} lived{}, {ended} ended.",
            words::count(tried, "connection"),
            lived.len(),
            longest.unwrap_or_default()
        )
    })
}

fn controls(timeline: &Timeline) -> Option<String> {
    let kinds = [
        (ControlKind::Gateway, "the gateway"),
        (ControlKind::Dns, "the name servers"),
        (ControlKind::FarTcp, "the far end over new TCP connections"),
        (ControlKind::FarUdp, "the far end over UDP"),
        (ControlKind::Https, "a web server elsewhere"),
        (ControlKind::Stun, "a STUN server"),
        (ControlKind::Portal, "a plain web page"),
    ];
    let asked = kinds.iter().filter(|(kind, _)| timeline.controls_of(*kind).next().is_some());
    let asked: Vec<&str> = asked.map(|(_, name)| *name).collect();
    Some(format!("Asked beside it: {}.", all(&asked)?))
}

/// "a, b and c"
fn all(list: &[&str]) -> Option<String> {
    Some(match list {
        [] => return None,
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    })
}
