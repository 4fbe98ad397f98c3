//! `slept`: this computer was asleep, by its own two clocks, and what stood before did not go on at once after.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    recovery::{self, By},
    rows::surroundings,
    rule::{Evidence, Finding, Measured},
    timeline::{Pause, PauseKind, controls::shortest},
    words,
};
use record::{Seq, fact::ControlKind};
use std::time::Duration;

/// What sleep broke is found soon after waking: the slowest heartbeat in use is 30 s and waits 10 s for its answer, and
/// a far end that gave us up meanwhile says so at our first word. A minute holds all of it; later losses have causes of
/// their own.
const FOUND_WITHIN: Duration = Duration::from_secs(60);

/// Going to sleep is announced seconds before, so that programs can save their work; waking a moment after.
const SAID_NEAR: Duration = Duration::from_secs(10);

fn sleep<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<&'t Pause> {
    if drop.loss == Loss::NeverStood {
        return None;
    }
    timeline
        .pauses_in(PauseKind::Slept, drop.last_good.minus(Duration::from_secs(1)), drop.declared)
        .filter(|sleep| drop.declared.awake_since(sleep.to) <= FOUND_WITHIN)
        .max_by_key(|sleep| sleep.length())
}

/// What became of it after waking, exactly: only what was mended was built anew.
fn then(timeline: &Timeline, drop: &Drop, sleep: &Pause) -> String {
    let what = match drop.plane {
        Plane::Signaling => "the signaling connection",
        Plane::Media => "media",
    };
    let after = drop.restored.map(|restored| words::length(restored.awake_since(sleep.to)));
    match (recovery::of(timeline, drop).by, after) {
        (Some(By::Itself), Some(after)) => format!("{what} went on by itself, but only {after} after waking"),
        (Some(_), _) => format!("after waking {what} had to be built anew"),
        (None, _) => format!("{what} did not come back after waking"),
    }
}

/// Somebody was reached all the while since it woke.
fn reached(timeline: &Timeline, drop: &Drop, sleep: &Pause) -> Option<(Seq, &'static str)> {
    let kinds = [ControlKind::FarTcp, ControlKind::FarUdp, ControlKind::Https, ControlKind::Stun, ControlKind::Gateway];
    kinds.into_iter().find_map(|kind| {
        let to = drop.over(timeline).max(sleep.to.plus(shortest(kind)));
        Some((timeline.control_alive(kind, sleep.to, to)?, surroundings::asked(kind)))
    })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let sleep = sleep(timeline, drop)?;
    let asleep = words::length(sleep.length());
    let reached = reached(timeline, drop, sleep);
    let mut said = timeline
        .said_of_power(sleep.from.minus(SAID_NEAR), sleep.to.plus(SAID_NEAR))
        .map(|(at, power)| (at.seq, format!("{} It was {}.", surroundings::power(power), words::utc_exact(at.stamp))));
    Some(Finding {
        owner: None,
        confidence: Confidence::Shown,
        says: format!(
            "The computer was asleep for {asleep}, from {} to {}; {}{}.",
            words::utc(sleep.from),
            words::utc(sleep.to),
            then(timeline, drop, sleep),
            reached.map(|(_, who)| format!(", while {who} answered")).unwrap_or_default(),
        ),
        because: Evidence::of(
            sleep.seq,
            format!("Between the last event before it and this one the clock that runs through sleep went on by {asleep} more than the one that does not."),
        )
        .and_maybe(said.next())
        .and_maybe(said.next())
        .and_maybe(reached.map(|(seq, who)| (seq, format!("{} answered from waking on: the network was there.", words::capital(who)))))
        .and(drop.seq, format!("The loss was found {} after waking.", words::length(drop.declared.awake_since(sleep.to)))),
        measured: Measured::seconds(sleep.length())
            .number("found_after_waking_s", drop.declared.awake_since(sleep.to).as_secs_f64()),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let second = sleep(timeline, drop).map_or_else(|| words::utc(drop.first_bad), |sleep| words::utc(sleep.from));
    Advice {
        who: "Whoever uses this computer".into(),
        what: "Set sleep on mains power to Never for working hours, or keep the lid open during calls.".into(),
        retest: look::retest(
            timeline,
            "Change the setting, leave the computer untouched for longer than the old limit",
        ),
        wrong_if: format!("the system's own power log shows no sleep at {second}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let slept_later = || timeline.pauses_in(PauseKind::Slept, drop.declared, drop.over(timeline)).next().is_some();
    let awake =
        || if slept_later() { "The computer was awake when it was lost." } else { "The computer did not sleep." };
    look::ran_throughout(timeline, drop, PauseKind::Slept).then(|| awake().into())
}

pub const RULE: Rule = Rule {
    id: Cause::Slept,
    owner: Owner::ThisComputer,
    title: "it slept",
    advice,
    // Whatever was found after waking is what sleep left behind.
    outranks: &[
        Cause::AppStalled,
        Cause::IdleTimeout,
        Cause::LifetimeCap,
        Cause::NatExpired,
        Cause::NatRebound,
        Cause::LinkDown,
        Cause::VpnChanged,
        Cause::NetworkSwitched,
        Cause::AddressChanged,
        Cause::CaptivePortal,
        Cause::GatewayLost,
        Cause::PeerLeft,
        Cause::ServiceOverloaded,
        Cause::AuthRejected,
        Cause::ServiceRestarted,
        Cause::ServiceClosed,
        Cause::TurnFailed,
        Cause::ServiceUnreachable,
        Cause::DnsFailed,
        Cause::UdpBlocked,
        Cause::PacketLoss,
        Cause::PathLost,
        Cause::OneWayLoss,
        Cause::HalfOpen,
        Cause::ConnectionReset,
        Cause::NotProven,
    ],
    settle: Duration::ZERO,
    find,
    rules_out: Some(rules_out),
};
