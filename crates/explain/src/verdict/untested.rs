//! What a verdict does not clear. A call that held says nothing of what was not put to the test.

use crate::{Timeline, imported, limits::coverage, words};
use record::{
    fact::{ControlKind, Ladder, LeftOut, Manner, Plan, WhyNot},
    profile::Silence,
};
use std::time::Duration;

/// Janus forgets a session after 60 s without a word, so its adapter speaks this often, heartbeat or not.
const JANUS_KEEPALIVE: Duration = Duration::from_secs(25);

pub(super) fn list(timeline: &Timeline) -> Vec<String> {
    let mut list = Vec::new();
    list.extend(timeline.imported.map(imported::untested));
    if let Some(plan) = timeline.plan {
        if plan.self_test {
            list.push("No network was tested: the far end ran on this computer, over loopback.".to_owned());
        }
        if timeline.stood().is_none() {
            list.push("Nothing beyond the first steps was tested: the call never stood.".to_owned());
        } else {
            list.extend(coverage::tcp(timeline).unwrap_or_else(|| quiet(timeline, plan)));
            list.extend(coverage::udp(timeline).unwrap_or_else(|| Some(quiet_udp(plan))));
        }
    }
    list.extend(controls(timeline));
    list
}

/// Whom nobody asked.
fn controls(timeline: &Timeline) -> Option<String> {
    use ControlKind::{Dns, FarTcp, FarUdp, Gateway, Https, Stun};
    let kinds: [(&[ControlKind], &str); 4] = [
        (&[Gateway], "the gateway"),
        (&[Dns], "name service"),
        (&[FarTcp, FarUdp], "the far end over new connections"),
        (&[Https, Stun], "other destinations"),
    ];
    let asked = |kinds: &[ControlKind]| kinds.iter().any(|kind| timeline.controls_of(*kind).next().is_some());
    let missing: Vec<&str> = kinds.iter().filter(|(kinds, _)| !asked(kinds)).map(|(_, name)| *name).collect();
    let list = match missing.as_slice() {
        [] => return None,
        [one @ "other destinations"] => format!("{one} were"),
        [one] => format!("{one} was"),
        [all @ .., last] => format!("{} and {last} were", all.join(", ")),
    };
    Some(match missing.len() == kinds.len() {
        true => format!("No control ran beside the call: {list} not asked."),
        false => format!("{} not asked beside the call.", words::capital(&list)),
    })
}

/// The false all-clear of a silent call: what keeps itself from being quiet meets no idle timer.
fn quiet(timeline: &Timeline, plan: &Plan) -> Option<String> {
    // The bare WebSocket met a limit: a finding, and no gap.
    if !timeline.limits.idle.is_empty() {
        return None;
    }
    let heartbeat = plan.heartbeat.map(|heartbeat| (words::millis(heartbeat.every_ms), "the heartbeat"));
    let own = (plan.kind.as_str() == "janus").then_some((JANUS_KEEPALIVE, "the keepalive of Janus's own protocol"));
    // What it survived is not known: nothing is ever said on it.
    let beside = match timeline.lanes.iter().any(|lane| lane.manner == Manner::BareWebsocket) {
        true => "no silence of the bare WebSocket beside it was proved to be survived",
        false => "no quiet connection ran beside it",
    };
    let why = coverage::why_none(plan, Ladder::Tcp).map(|why| format!("; {why}")).unwrap_or_default();
    Some(match heartbeat.into_iter().chain(own).min() {
        Some((every, talker)) => format!(
            "Idle periods over {} on signaling were not tested: {talker} kept the connection from being quiet, and {beside}{why}.",
            words::length(every)
        ),
        None => format!(
            "Idle limits of TCP on other destinations were not tested: one quiet connection ran, to the far end alone{why}."
        ),
    })
}

fn quiet_udp(plan: &Plan) -> String {
    let busy = match plan.silence {
        Silence::None => "no media was sent, but the checks of the path kept it busy",
        Silence::Frames | Silence::Dtx => "the call's own packets kept the path busy",
    };
    let why = coverage::why_none(plan, Ladder::Udp).map(|why| format!("; {why}")).unwrap_or_default();
    format!("Quiet UDP flows were not tested: {busy}{why}.")
}

/// What a hold is known to leave out before it begins.
pub fn left_out(plan: &Plan) -> Vec<String> {
    let mut list = Vec::new();
    for (ladder, what) in [(Ladder::Tcp, "quiet periods"), (Ladder::Udp, "quiet periods over UDP")] {
        list.extend(coverage::left_out(plan, ladder).map(|(from, why)| {
            let from = words::planned(from);
            match why {
                WhyNot::HoldTooShort => format!("{what} of {from} and longer: the hold is too short"),
                WhyNot::OnlyReflector => format!("{what}: only a Linewitness reflector keeps connections quiet"),
                WhyNot::ReflectorWaits { at_most_s } => format!(
                    "{what} of {from} and longer: a reflector waits {} at most",
                    words::planned(words::millis(at_most_s * 1e3))
                ),
            }
        }));
    }
    if plan.beside.iter().any(|beside| beside.left_out.contains(&LeftOut::Talking)) {
        list.push("connections that talk: only a Linewitness reflector answers them".into());
    }
    list
}
