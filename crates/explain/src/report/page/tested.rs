//! What was put to the test, beside what was not: the call, what was held beside it, and whom we asked.

use crate::{Timeline, timeline::HeldLane, verdict, words};
use record::{
    Stamp,
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
    list.extend(quiet_tcp(timeline));
    list.extend(quiet_udp(timeline));
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

fn quiet_tcp(timeline: &Timeline) -> Option<String> {
    let rungs = Kept::of(timeline, |manner| matches!(manner, Manner::Quiet(_)));
    if rungs.tried == 0 {
        return None;
    }
    let bare = Kept::of(timeline, |manner| matches!(manner, Manner::BareWebsocket));
    Some(match bare.tried {
        0 => format!("{} kept quiet on TCP: {}.", words::count(rungs.tried, "connection"), rungs.fate()),
        tried => format!(
            "{} kept quiet on TCP: {} of the ladder ({}) and {} ({}).",
            words::count(rungs.tried + tried, "connection"),
            rungs.tried,
            rungs.fate(),
            words::count(tried, "bare WebSocket"),
            bare.fate()
        ),
    })
}

/// What ended after a loss, and no limit explains, ended with it.
fn quiet_udp(timeline: &Timeline) -> Option<String> {
    let rungs = Kept::of(timeline, |manner| matches!(manner, Manner::QuietUdp(_)));
    let loss = timeline.drops.iter().map(|drop| drop.first_bad).min();
    let after_it = loss.filter(|loss| {
        rungs.ends.len() == rungs.tried && timeline.limits.udp.is_empty() && rungs.ends.iter().all(|end| end >= loss)
    });
    let kept = format!("{} kept quiet on UDP", words::count(rungs.tried, "flow"));
    match (rungs.tried, after_it) {
        (0, _) => None,
        (tried, Some(loss)) => {
            let all = if tried == 2 { "both" } else { "all" };
            let at = words::utc_exact(loss);
            Some(format!("{kept}: {all} ended, but after the loss at {at}, so they say nothing of a limit."))
        }
        (_, None) => Some(format!("{kept}: {}.", rungs.fate())),
    }
}

/// Quiet lanes of one kind, and what became of them.
struct Kept {
    tried: usize,
    lived: Vec<Duration>,
    ends: Vec<Stamp>,
}

impl Kept {
    fn of(timeline: &Timeline, is: fn(&Manner) -> bool) -> Self {
        let quiet = |lane: &&HeldLane| is(&lane.manner) && lane.stands.is_some() && lane.is_quiet();
        let lanes = || timeline.lanes.iter().filter(quiet);
        let over = timeline.hold_end();
        let ended = |lane: &HeldLane| {
            let end = lane.ended.filter(|_| lane.proved.is_none())?.at.stamp;
            (end <= over).then_some(end)
        };
        Self {
            tried: lanes().count(),
            lived: lanes().filter_map(|lane| lane.proved).map(|proof| proof.quiet).collect(),
            ends: lanes().filter_map(ended).collect(),
        }
    }

    /// "5 lived, up to 8.85 s, 4 ended"
    fn fate(&self) -> String {
        let (lived, ended) = (self.lived.len(), self.ends.len());
        let longest =
            self.lived.iter().max().map(|longest| format!("{lived} lived, up to {}", words::length(*longest)));
        let open = self.tried.saturating_sub(lived + ended);
        let ended = (ended > 0).then(|| format!("{ended} ended"));
        let open = (open > 0).then(|| format!("{open} not put to the proof"));
        [longest, ended, open].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
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
