//! `auth_rejected`: the service did not accept the credentials: HTTP 401 or 403, close code 1008, or its own refusal; once,
//! or as the loop connect, refused, drop.

use super::{look, service_overloaded::REFUSED_BEFORE};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::Socket,
    words,
};
use record::{
    Seq, Stamp,
    fact::{End, RefusalKind, Side},
};
use std::time::Duration;

/// One sign that a socket's credentials were refused.
struct Sign {
    seq: Seq,
    at: Stamp,
    code: String,
    says: String,
}

fn sign(socket: &Socket) -> Option<Sign> {
    if let Some(refused) = socket.refused.iter().rev().find(|refused| refused.kind == RefusalKind::Auth) {
        // Long before the end it refused something else: a right, not the session.
        let near = socket.closed.is_none_or(|c| c.at.stamp.awake_since(refused.at.stamp) <= REFUSED_BEFORE);
        if near {
            return Some(Sign {
                seq: refused.at.seq,
                at: refused.at.stamp,
                code: refused.code.to_string(),
                says: format!(
                    "The service refused the credentials (code {}){}.",
                    refused.code,
                    words::quoted(refused.says)
                ),
            });
        }
    }
    if let Some(status @ (401 | 403)) = look::http_status(socket) {
        let at = socket.failed?.at;
        return Some(Sign {
            seq: at.seq,
            at: at.stamp,
            code: format!("HTTP {status}"),
            says: format!("The WebSocket upgrade was answered with HTTP {status}."),
        });
    }
    match socket.closed.as_ref()?.end {
        End::CloseFrame { by: Side::Them, code: Some(1008), reason } => Some(Sign {
            seq: socket.closed?.at.seq,
            at: socket.closed?.at.stamp,
            code: "1008".into(),
            says: format!(
                "The service closed the connection with code 1008 (policy violation){}.",
                words::quoted(reason)
            ),
        }),
        _ => None,
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let own = match drop.loss {
        Loss::NeverStood => None,
        _ => look::closed(timeline, drop).and_then(|(socket, _)| sign(socket)),
    };
    let over = drop.over(timeline);
    let later: Vec<Sign> = match drop.loss {
        // What a later attempt got past is not why the call never stood.
        Loss::NeverStood if timeline.last_told().is_none_or(|last| sign(last).is_none()) => vec![],
        Loss::NeverStood => timeline.sockets.iter().filter_map(sign).collect(),
        // Without a socket of its own that ended, a loss of media is not explained by a later login.
        _ => {
            look::closed(timeline, drop)?;
            timeline.attempts(drop.declared, over).filter_map(sign).collect()
        }
    };
    let times = later.len() + usize::from(own.is_some());
    let confidence = match (&own, drop.loss) {
        (Some(_), _) | (None, Loss::NeverStood) => Confidence::Shown,
        // The first end was something else; the refusal keeps it from coming back.
        _ => Confidence::Likely,
    };
    let mut signs = own.into_iter().chain(later);
    let first = signs.next()?;
    let again = if times > 1 { format!("; {times} connections in a row were refused this way") } else { String::new() };
    let mut because = Evidence::of(first.seq, first.says);
    for sign in signs.take(4) {
        because = because.and(sign.seq, sign.says);
    }
    Some(Finding {
        owner: None,
        confidence,
        says: format!(
            "The voice service did not accept the credentials ({}) at {}{again}.",
            first.code,
            words::utc_exact(first.at)
        ),
        because,
        measured: Measured::default().word("code", first.code).number("times", times as f64),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "Whoever issues the credentials".into(),
        what: "Check the token in the profile: that it is of this service, has not expired, and outlives the hold."
            .into(),
        retest: look::retest(timeline, "Put a fresh token into the profile"),
        wrong_if: format!(
            "the service's log shows a successful login of this client at {}.",
            words::utc(drop.first_bad)
        ),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let refused = timeline.attempts(drop.last_good, drop.over(timeline)).any(|socket| sign(socket).is_some());
    let back = look::socket(timeline, drop).and_then(|socket| timeline.next_ready(drop.first_bad, socket.conn));
    (!refused && back.is_some()).then(|| "The same credentials were accepted again on the next connection.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::AuthRejected,
    owner: Owner::VoiceService,
    title: "the credentials were not accepted",
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
