//! `gateway_lost`: link up, address kept, and the next device on the way out did not answer; nothing beyond it did either.

use super::{around, look, way};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    timeline::At,
    words,
};
use record::{Seq, fact::ControlKind};
use std::time::Duration;

/// A neighbour is asked again after five seconds, three times, before it is said to have failed.
const FAILED_WITHIN: Duration = Duration::from_secs(15);
/// EPERM: this computer's own firewall keeps packets in, and its gateway has no part in that.
const NOT_PERMITTED: i32 = 1;

struct Lost {
    silent: Option<Seq>,
    failed: Option<At>,
}

fn lost(timeline: &Timeline, drop: &Drop) -> Option<Lost> {
    let onset = around::onset_near_by(timeline, drop)?;
    let said = around::said(timeline, drop, ControlKind::Gateway);
    if said.alive().is_some() {
        return None;
    }
    // Many gateways answer no questions of their own and pass everything on.
    let beyond = [around::OTHERS, around::FAR];
    if beyond.iter().any(|kinds| around::said_by_any(timeline, drop, kinds).alive().is_some()) {
        return None;
    }
    let refused = timeline.send_trouble(drop.last_good, drop.declared).and_then(|trouble| trouble.errno);
    if refused == Some(NOT_PERMITTED) {
        return None;
    }
    let carrying = way::carrying(timeline, drop);
    let failed = carrying.and_then(|carrying| carrying.gateway).and_then(|gateway| {
        let until = onset.bad.plus(FAILED_WITHIN).min(around::over(timeline, drop));
        timeline.neighbour_failed(gateway, onset.good, until)
    });
    let silent = said.silent();
    // One plane alone may have died of its own; the gateway's table of silence must then be told by the gateway itself.
    let whole = look::twin(timeline, drop).is_some() || silent.is_some();
    (whole && (silent.is_some() || failed.is_some())).then_some(Lost { silent, failed })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Lost { silent, failed } = lost(timeline, drop)?;
    let first = silent.or(failed.map(|at| at.seq))?;
    let gateway = around::gateway(timeline, drop);
    let carrying = way::carrying(timeline, drop);
    let kept = carrying.and_then(|carrying| {
        let what = way::kept(timeline, drop, carrying.interface)?;
        Some(format!(", while the interface {} kept {what}", carrying.interface))
    });
    let beyond = around::said_by_any(timeline, drop, &[around::OTHERS, around::FAR].concat()).silent();
    let at = words::utc_exact(drop.last_good);
    let mut measured = Measured::seconds(around::lasted(timeline, drop));
    if let Some(carrying) = carrying {
        measured = measured.word("interface", carrying.interface);
        if let Some(gateway) = carrying.gateway {
            measured = measured.word("gateway", gateway.to_string());
        }
    }
    Some(Finding {
        owner: None,
        confidence: if silent.is_some() && kept.is_some() { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "After {at} {gateway} did not answer any more and {} did{}; {}.",
            // Of what was not asked nothing is known.
            match beyond.is_some() || look::twin(timeline, drop).is_some() {
                true => "nothing beyond it",
                false => "no media",
            },
            kept.unwrap_or_default(),
            look::came_back(drop)
        ),
        because: Evidence::of(
            first,
            match silent {
                Some(_) => "The gateway was asked once a second and fell silent with the loss.".to_owned(),
                None => "By this computer's table of neighbours the gateway did not answer.".to_owned(),
            },
        )
        .and(drop.seq, around::last_sign(timeline, drop))
        .and_maybe(
            failed
                .filter(|at| at.seq != first)
                .map(|at| (at.seq, "By this computer's table of neighbours the gateway did not answer.".to_owned())),
        )
        .and_maybe(beyond.map(|seq| (seq, "What was asked beyond the gateway fell silent too.".into()))),
        measured,
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let gateway = around::gateway(timeline, drop);
    let at = words::utc(drop.last_good);
    Advice {
        who: "The network administrator".into(),
        what: format!(
            "Look up in the logs of {gateway} and of the switch or access point before it what happened at {at}: restart, power, a loop, a radio channel change, client isolation."
        ),
        retest: look::retest(timeline, "Bypass the switch or access point"),
        wrong_if: format!("another computer of the same network reached {gateway} at {at}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    around::throughout(timeline, drop, ControlKind::Gateway)
        .then(|| format!("{} answered throughout.", words::capital(&around::gateway(timeline, drop))))
}

pub const RULE: Rule = Rule {
    id: Cause::GatewayLost,
    owner: Owner::LocalNetwork,
    title: "the gateway did not answer",
    advice,
    outranks: around::further_than(Cause::GatewayLost),
    settle: FAILED_WITHIN,
    find,
    rules_out: Some(rules_out),
};
