//! `captive_portal`: somebody else answered a plain web question when the call was lost: a sign-in page stood between.

use super::{around, look};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::controls::Portal,
    words,
};
use record::{
    Heard, Seq, Stamp,
    fact::{ConnectStage, ControlKind, Trouble},
};
use std::time::Duration;

/// A page is asked for every ten seconds, and a portal may answer it late.
const FOUND_WITHIN: Duration = Duration::from_secs(13);
/// "Network Authentication Required": what a portal says to whoever understands it (RFC 6585).
const SIGN_IN: u16 = 511;

struct Stands<'a> {
    seq: Seq,
    at: Stamp,
    status: u16,
    leads_to: Option<&'a Heard>,
    /// Who was asked: a plain web page of ours, or the service itself.
    service: bool,
}

fn by_control<'a>(portal: &Portal<'a>) -> Stands<'a> {
    Stands { seq: portal.at.seq, at: portal.at.stamp, status: portal.status, leads_to: portal.leads_to, service: false }
}

fn stands<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Stands<'a>> {
    let found = match drop.loss {
        Loss::NeverStood => timeline.portal_at(timeline.hold_end()),
        _ => {
            let onset = around::onset_near_by(timeline, drop)?;
            // One that stood long before let the call through.
            timeline.portal_in(onset.earliest(), onset.bad.plus(FOUND_WITHIN).min(around::over(timeline, drop)))
        }
    };
    found.map(by_control).or_else(|| told(timeline, drop))
}

/// An attempt to connect was answered with the status made for it.
fn told<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Stands<'a>> {
    let from = if drop.loss == Loss::NeverStood { timeline.began } else { drop.last_good };
    timeline.attempts(from, drop.over(timeline)).find_map(|attempt| {
        let failed = attempt.failed.filter(|failed| failed.stage == ConnectStage::Upgrade)?;
        let is = matches!(failed.trouble, Trouble::Http { status: SIGN_IN, .. });
        is.then_some(Stands { seq: failed.at.seq, at: failed.at.stamp, status: SIGN_IN, leads_to: None, service: true })
    })
}

/// Something passed all the same: the service itself at the start, or UDP to anywhere. And through TLS it is the service's
/// own front that answers, or whoever opens TLS, and no page beside the way.
fn let_through(timeline: &Timeline, drop: &Drop, stands: &Stands) -> bool {
    if stands.service {
        return timeline.plan.is_none_or(|plan| plan.to.as_str().starts_with("wss:"));
    }
    match drop.loss {
        Loss::NeverStood => timeline.sockets.iter().any(|socket| socket.ready.is_some()),
        _ => around::said_by_any(timeline, drop, &[ControlKind::Stun, ControlKind::FarUdp]).alive().is_some(),
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let stands = stands(timeline, drop)?;
    let leads = stands.leads_to.map(|to| format!(" that leads to {to}")).unwrap_or_default();
    let then = match drop.loss {
        Loss::NeverStood => "the call could not be placed".into(),
        _ => look::came_back(drop),
    };
    let mut measured = Measured::seconds(around::lasted(timeline, drop)).number("status", f64::from(stands.status));
    if let Some(to) = stands.leads_to {
        measured = measured.word("leads_to", to.as_str());
    }
    let question = if stands.service { "the connection to the service" } else { "a plain web question" };
    Some(Finding {
        owner: None,
        confidence: if let_through(timeline, drop, &stands) { Confidence::Likely } else { Confidence::Shown },
        says: format!(
            "A sign-in page stood between this computer and the Internet at {}: {question} was answered with status {}{leads}; {then}.",
            words::utc_exact(stands.at),
            stands.status
        ),
        because: Evidence::of(
            stands.seq,
            match stands.service {
                true => {
                    format!("The WebSocket upgrade was answered with status {}, made for sign-in pages.", stands.status)
                }
                false => {
                    format!("The plain web question was answered by somebody else, with status {}.", stands.status)
                }
            },
        )
        .and(
            drop.seq,
            match drop.loss {
                Loss::NeverStood => "The call did not stand.".into(),
                _ => around::last_sign(timeline, drop),
            },
        ),
        measured,
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let at = words::utc(stands(timeline, drop).map_or(drop.first_bad, |stands| stands.at));
    Advice {
        who: "The network administrator, with whoever uses this computer".into(),
        what: format!(
            "Sign in on the network's page again; then raise the portal's session time beyond a working day, or exempt this computer: its log shows the session ending at {at}."
        ),
        retest: look::retest(timeline, "After signing in"),
        wrong_if: format!("the portal's log shows a session of this computer that went on at {at}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let asked = around::throughout(timeline, drop, ControlKind::Portal);
    (asked && stands(timeline, drop).is_none()).then(|| "The plain web page answered as it should throughout.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::CaptivePortal,
    owner: Owner::LocalNetwork,
    title: "a sign-in page stood in the way",
    advice,
    outranks: &[
        Cause::DnsFailed,
        Cause::GatewayLost,
        Cause::UdpBlocked,
        Cause::NatExpired,
        Cause::NatRebound,
        Cause::PathLost,
        Cause::ServiceUnreachable,
        Cause::OneWayLoss,
        Cause::HalfOpen,
        Cause::ConnectionReset,
        Cause::HandshakeFailed,
        Cause::NotProven,
    ],
    settle: FOUND_WITHIN,
    find,
    rules_out: Some(rules_out),
};
