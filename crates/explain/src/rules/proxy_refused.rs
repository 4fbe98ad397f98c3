//! `proxy_refused`: the HTTP proxy on the way did not open the connection: 403, 407, or that it could not reach the service.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{Failed, Socket},
    words,
};
use record::fact::{ConnectStage, Trouble};
use std::time::Duration;

fn refused<'a>(socket: &Socket<'a>) -> Option<(Failed<'a>, u16)> {
    let failed = socket.failed.filter(|failed| failed.stage == ConnectStage::Proxy)?;
    match failed.trouble {
        Trouble::Http { status: status @ (403 | 407 | 502 | 503 | 504), .. } => Some((failed, *status)),
        _ => None,
    }
}

fn first<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<(Failed<'a>, u16, usize)> {
    let over = drop.over(timeline);
    let from = if drop.loss == Loss::NeverStood { timeline.began } else { drop.last_good };
    // Media does not go through it.
    if drop.plane == crate::Plane::Media {
        return None;
    }
    // What a later attempt met instead is told by another rule.
    if drop.loss == Loss::NeverStood && timeline.failed_stage().0 != ConnectStage::Proxy {
        return None;
    }
    let mut all = timeline.attempts(from, over).filter_map(refused);
    let (failed, status) = all.next()?;
    Some((failed, status, 1 + all.count()))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let (failed, status, times) = first(timeline, drop)?;
    // 502 and its like are the proxy's word that it could not reach the service: the fault may lie beyond it.
    // What ended a connection that stood was something else; this keeps it from coming back.
    let own_word = matches!(status, 403 | 407) && drop.loss == Loss::NeverStood;
    let meaning = match status {
        403 => "forbidden",
        407 => "it wants a login",
        _ => "it could not reach the service",
    };
    let then = match drop.loss {
        Loss::NeverStood => "the call could not be placed".into(),
        _ => look::came_back(drop),
    };
    Some(Finding {
        owner: None,
        confidence: if own_word { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "The HTTP proxy refused the connection to {} with status {status} ({meaning}) at {}; {then}.",
            look::far(timeline),
            words::utc_exact(failed.at.stamp)
        ),
        because: Evidence::of(
            failed.at.seq,
            format!("CONNECT was answered {}: {}.", words::times(times), words::trouble(failed.trouble)),
        )
        .and(drop.seq, "From then on the call was without its connection."),
        measured: Measured::default().number("status", f64::from(status)).number("times", times as f64),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let far = look::far(timeline);
    let (at, status) =
        first(timeline, drop).map_or((drop.first_bad, 0), |(failed, status, _)| (failed.at.stamp, status));
    let what = match status {
        407 => format!("Exempt {far} from the proxy's login, or from the proxy"),
        403 => format!("Allow CONNECT to {far} on the proxy"),
        _ => format!("Look up in the proxy's log why it could not reach {far}"),
    };
    Advice {
        who: "The network administrator".into(),
        what: format!("{what}; its log shows the request at {}.", words::utc(at)),
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!("the proxy's log shows CONNECT to {far} allowed at {}.", words::utc(at)),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let socket = look::socket(timeline, drop)?;
    (!socket.through_proxy).then(|| "The signaling connection went through no proxy.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::ProxyRefused,
    owner: Owner::LocalNetwork,
    title: "the proxy refused the connection",
    advice,
    outranks: &[
        Cause::ServiceUnreachable,
        Cause::PathLost,
        Cause::HalfOpen,
        Cause::ConnectionReset,
        Cause::HandshakeFailed,
        Cause::NotProven,
    ],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
