//! `service_overloaded`: the service said that it is at its limit: close code 1013, HTTP 429 or 503, or its own refusal.

use super::{look, service_closed};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{Closed, Socket},
    words,
};
use record::{
    Seq,
    fact::{End, RefusalKind, Side, Trouble},
};
use std::time::Duration;

/// A service that closes a connection right after refusing something on it closes it for that.
pub(super) const REFUSED_BEFORE: Duration = Duration::from_secs(5);

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    if let Some((socket, closed)) = look::closed(timeline, drop)
        && let Some(found) = closed_as_full(socket, closed).or_else(|| refusal(socket, Some(closed.at.stamp)))
    {
        return Some(found);
    }
    let mut attempts: Vec<&Socket> = look::failed_attempts(timeline, drop);
    if drop.loss == Loss::NeverStood {
        // What a later attempt got past is not why the call never stood.
        let last = timeline.last_told()?;
        // Time may have been up between the word that said why and the end that followed it.
        let closed = || last.closed.as_ref().and_then(|closed| closed_as_full(last, closed));
        if let Some(found) = refusal(last, None).or_else(closed) {
            return Some(found);
        }
        attempts.retain(|_| busy(&[last]).is_some());
    }
    if let Some((seq, status, times)) = busy(&attempts) {
        // A service at its limit keeps the calls that it has. Where nobody takes their media either, it is gone.
        if status == 503 && look::nobody_takes_media(timeline, drop).is_some() {
            return None;
        }
        return Some(Finding {
            owner: None,
            // For a call that never stood the answer itself is the reason; otherwise it is what kept it from returning.
            confidence: if drop.loss == Loss::NeverStood { Confidence::Shown } else { Confidence::Likely },
            says: format!(
                "The voice service answered new connections with HTTP {status}{}.",
                if times > 1 { format!(", {times} times") } else { String::new() }
            ),
            because: Evidence::of(seq, format!("A connection was answered with HTTP {status}.")),
            measured: Measured::default().number("status", f64::from(status)).number("times", times as f64),
        });
    }
    None
}

fn closed_as_full(socket: &Socket, closed: &Closed) -> Option<Finding> {
    let End::CloseFrame { by: Side::Them, code: Some(1013), reason } = closed.end else { return None };
    let says = format!(
        "The voice service closed the signaling connection with code 1013 (try again later) at {}{}.",
        words::utc_exact(closed.at.stamp),
        words::quoted(reason)
    );
    let because = Evidence::of(
        closed.at.seq,
        format!("{} ended {}.", service_closed::capital(&words::flow(socket)), words::ended(closed.end)),
    );
    let measured = Measured::default().number("code", 1013.0).word("ended", "close_frame");
    Some(Finding { owner: None, confidence: Confidence::Shown, says, because, measured })
}

fn busy(attempts: &[&Socket]) -> Option<(Seq, u16, usize)> {
    let busy: Vec<(Seq, u16)> = attempts
        .iter()
        .filter_map(|socket| Some((socket.failed?.at.seq, look::http_status(socket)?)))
        .filter(|(_, status)| matches!(status, 429 | 503))
        .collect();
    busy.first().map(|(seq, status)| (*seq, *status, busy.len()))
}

fn refusal(socket: &Socket, before: Option<record::Stamp>) -> Option<Finding> {
    let refused = socket.refused.iter().rev().find(|refused| {
        refused.kind == RefusalKind::Overloaded
            && before.is_none_or(|before| before.awake_since(refused.at.stamp) <= REFUSED_BEFORE)
    })?;
    Some(Finding {
        owner: None,
        confidence: Confidence::Shown,
        says: format!(
            "The voice service refused because it is at its limit (code {}) at {}{}.",
            refused.code,
            words::utc_exact(refused.at.stamp),
            words::quoted(refused.says)
        ),
        because: Evidence::of(refused.at.seq, format!("The service refused with code {}.", refused.code)),
        measured: Measured::default().word("code", refused.code.as_str()),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let wait = timeline.sockets.iter().find_map(|socket| match socket.failed?.trouble {
        Trouble::Http { retry_after_s, .. } => *retry_after_s,
        _ => None,
    });
    Advice {
        who: "Whoever runs the voice service".into(),
        what: format!(
            "Raise the limit that was reached at {} (connections or calls), or add an instance.",
            words::utc(drop.first_bad)
        ),
        retest: match wait.filter(|wait| wait.is_finite()) {
            Some(wait) => look::retest(timeline, &format!("Wait the {wait:.0} s that the service asks for")),
            None => look::retest(timeline, "Raise the limit or wait for a quiet hour"),
        },
        wrong_if: format!("its own counters show free capacity at {}.", words::utc(drop.first_bad)),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let (_, closed) = look::closed(timeline, drop)?;
    let said = matches!(closed.end, End::CloseFrame { by: Side::Them, .. });
    said.then(|| "The service gave another code than 1013, which would mean that it is at its limit.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::ServiceOverloaded,
    owner: Owner::VoiceService,
    title: "the service is at its limit",
    advice,
    outranks: &[
        Cause::ServiceClosed,
        Cause::ServiceUnreachable,
        Cause::ConnectionReset,
        Cause::HandshakeFailed,
        Cause::NotProven,
    ],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
