//! `service_unreachable`: the connection ended and new ones are refused or go unanswered, while the path is seen to live.

use super::{look, service_closed};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::Socket,
    words,
};
use record::fact::{ConnectStage, Trouble};
use std::time::Duration;

/// How an attempt shows that the service is not there.
fn absent(socket: &&Socket) -> bool {
    let Some(failed) = socket.failed else { return false };
    match failed.trouble {
        Trouble::Refused | Trouble::Reset | Trouble::Closed => {
            matches!(failed.stage, ConnectStage::Tcp | ConnectStage::Tls | ConnectStage::Upgrade)
        }
        Trouble::NoAnswer { .. } => failed.stage > ConnectStage::Dns,
        Trouble::Http { status, .. } => failed.stage == ConnectStage::Upgrade && matches!(status, 502 | 504),
        _ => false,
    }
}

/// Something at the service's own address said no: the path to it lived.
fn answered(socket: &&Socket) -> bool {
    socket.failed.is_some_and(|failed| matches!(failed.trouble, Trouble::Refused | Trouble::Http { .. }))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let ended = look::socket(timeline, drop)?;
    if matches!(drop.loss, Loss::NeverStood) {
        return None;
    }
    let attempts: Vec<&Socket> = look::failed_attempts(timeline, drop).into_iter().filter(absent).collect();
    let first = attempts.first()?.failed?;
    let last = attempts.last()?.failed?;
    let media = timeline.media_alive(first.at.stamp, last.at.stamp);
    let confidence = match (media, attempts.iter().any(answered)) {
        (Some(_), _) => Confidence::Shown,
        (None, true) => Confidence::Likely,
        // Nothing at all answered, by no way: the path may be what is gone.
        (None, false) => return None,
    };
    let tries = words::count(attempts.len(), "new connection");
    let mut because = Evidence::of(
        first.at.seq,
        format!("A new connection failed at {}: {}.", words::stage(first.stage), words::trouble(first.trouble)),
    );
    if let Some(closed) = &ended.closed {
        because = because.and(
            closed.at.seq,
            format!("{} ended {}.", service_closed::capital(&words::flow(ended)), words::ended(closed.end)),
        );
    }
    if let Some(seq) = media {
        because = because.and(seq, "Media went on all the while, so the path to the service's network lived.");
    }
    Some(Finding {
        owner: None,
        confidence,
        says: format!(
            "The voice service did not take {tries} from {} on: {}; {}.",
            words::utc_exact(first.at.stamp),
            words::trouble(first.trouble),
            look::came_back(drop)
        ),
        because,
        measured: Measured::default()
            .number("attempts", attempts.len() as f64)
            .number("seconds", drop.over(timeline).since(drop.first_bad).as_secs_f64()),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "Whoever runs the voice service".into(),
        what: format!(
            "Check that something listens at {} and what its front reported at {}.",
            look::far(timeline),
            words::utc(drop.first_bad)
        ),
        retest: look::retest(timeline, "Once it answers"),
        wrong_if: format!(
            "the service accepted other clients' connections between {} and {}.",
            words::utc(drop.first_bad),
            words::utc(drop.over(timeline))
        ),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let socket = look::socket(timeline, drop)?;
    let failed = look::failed_attempts(timeline, drop);
    let (_, ready) = timeline.next_ready(drop.first_bad, socket.conn)?;
    failed.is_empty().then(|| {
        format!(
            "The service answered at the first new connection, {} after the loss.",
            words::length(ready.at.stamp.since(drop.first_bad))
        )
    })
}

pub const RULE: Rule = Rule {
    id: Cause::ServiceUnreachable,
    owner: Owner::VoiceService,
    title: "the service does not answer",
    advice,
    outranks: &[Cause::HalfOpen, Cause::ConnectionReset, Cause::OneWayLoss, Cause::NotProven],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
