//! `proxy_refused`: the HTTP proxy on the way did not open the connection: 403, 407, that it could not reach the service, or
//! that it took no connections at all.

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

/// What became of a connection at the proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Status(u16),
    /// Its computer answered that nobody listens there.
    NotThere,
    /// It ended the connection, or said nothing.
    None,
}

fn refused<'a>(socket: &Socket<'a>) -> Option<(Failed<'a>, Answer)> {
    let failed = socket.failed.filter(|failed| failed.stage == ConnectStage::Proxy)?;
    let answer = match failed.trouble {
        Trouble::Http { status: status @ (403 | 407 | 502 | 503 | 504), .. } => Answer::Status(*status),
        Trouble::Refused => Answer::NotThere,
        Trouble::Reset | Trouble::Closed | Trouble::NoAnswer { .. } => Answer::None,
        _ => return None,
    };
    Some((failed, answer))
}

fn first<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<(Failed<'a>, Answer, usize)> {
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
    let (failed, answer) = all.next()?;
    // A start that no proxy answered has said nothing of one: it is told by its stage.
    if drop.loss == Loss::NeverStood && !matches!(answer, Answer::Status(_)) {
        return None;
    }
    Some((failed, answer, 1 + all.count()))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let (failed, answer, times) = first(timeline, drop)?;
    let media = timeline.media_alive(failed.at.stamp, failed.at.stamp);
    let shown = match answer {
        // 502 and its like are the proxy's word that it could not reach the service: the fault may lie beyond it.
        // What ended a connection that stood was something else; such an answer keeps it from coming back.
        Answer::Status(status) => matches!(status, 403 | 407) && drop.loss == Loss::NeverStood,
        Answer::NotThere => true,
        // The way to it may be what is gone, unless media takes the same way out.
        Answer::None => media.is_some(),
    };
    let then = match drop.loss {
        Loss::NeverStood => "the call could not be placed".into(),
        _ => look::came_back(drop),
    };
    let (at, proxy) = (words::utc_exact(failed.at.stamp), name(timeline));
    let says = match answer {
        Answer::Status(status) => {
            let meaning = match status {
                403 => "forbidden",
                407 => "it wants a login",
                _ => "it could not reach the service",
            };
            let far = look::far(timeline);
            format!("{proxy} refused the connection to {far} with status {status} ({meaning}) at {at}; {then}.")
        }
        Answer::NotThere | Answer::None => {
            format!("{proxy} took no connection at {at}: {}; {then}.", words::trouble(failed.trouble))
        }
    };
    let measured = match answer {
        Answer::Status(status) => Measured::default().number("status", f64::from(status)),
        Answer::NotThere | Answer::None => Measured::default(),
    };
    let asked = match answer {
        Answer::Status(_) => "CONNECT was answered",
        Answer::NotThere | Answer::None => "A connection to the proxy failed",
    };
    Some(Finding {
        owner: None,
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says,
        because: Evidence::of(
            failed.at.seq,
            format!("{asked} {}: {}.", words::times(times), words::trouble(failed.trouble)),
        )
        .and(drop.seq, "From then on the call was without its connection.")
        .and_maybe(media.map(|seq| (seq, "Media, which takes no proxy, went on all the while.".into()))),
        measured: measured.number("times", times as f64),
    })
}

fn name(timeline: &Timeline) -> String {
    match timeline.between.proxies.last() {
        Some((_, proxy)) => format!("The HTTP proxy {proxy}"),
        None => "The HTTP proxy".into(),
    }
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let far = look::far(timeline);
    let first = first(timeline, drop);
    let at = words::utc(first.map_or(drop.first_bad, |(failed, ..)| failed.at.stamp));
    let (what, wrong_if) = match first.map(|(_, answer, _)| answer) {
        Some(Answer::NotThere | Answer::None) => (
            format!(
                "Look up in the proxy's log whether it stopped or was restarted at {at}; its own computer may be what was down."
            ),
            format!("the proxy took other connections at {at}."),
        ),
        answer => {
            let what = match answer {
                Some(Answer::Status(407)) => format!("Exempt {far} from the proxy's login, or from the proxy"),
                Some(Answer::Status(403)) => format!("Allow CONNECT to {far} on the proxy"),
                _ => format!("Look up in the proxy's log why it could not reach {far}"),
            };
            (
                format!("{what}; its log shows the request at {at}."),
                format!("the proxy's log shows CONNECT to {far} allowed at {at}."),
            )
        }
    };
    Advice {
        who: "The network administrator".into(),
        what,
        retest: look::retest(timeline, "After the change"),
        wrong_if,
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let socket = look::socket(timeline, drop)?;
    // Where no proxy is in sight there is nothing to rule out.
    let in_play = timeline.sockets.iter().any(|socket| socket.through_proxy);
    (in_play && !socket.through_proxy).then(|| "The signaling connection went through no proxy.".into())
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
