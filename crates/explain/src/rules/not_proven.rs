//! `not_proven`: none of the causes fits with evidence. It says what is known all the same.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::PauseKind,
    words,
};
use std::time::Duration;

pub(super) fn finding(timeline: &Timeline, drop: &Drop) -> Finding {
    let ran = look::ran_throughout(timeline, drop, PauseKind::Slept)
        && look::ran_throughout(timeline, drop, PauseKind::Stalled);
    let running = if ran { "; this computer was awake and running" } else { "" };
    let back = look::came_back(drop);
    let at = words::utc_exact(drop.last_good);
    let (says, because) = match (look::twin(timeline, drop), drop.plane) {
        (Some(twin), _) => {
            let (tcp, udp) = if drop.plane == Plane::Signaling { (drop, twin) } else { (twin, drop) };
            let ended = look::socket(timeline, drop).and_then(|socket| socket.closed.as_ref());
            let how = match (tcp.loss, ended) {
                (Loss::SocketEnded(_), Some(closed)) => format!(", and signaling ended {}", words::ended(closed.end)),
                _ => String::new(),
            };
            let udp_good = words::utc_exact(udp.last_good);
            (
                format!(
                    "Everything to the far end stopped at once, TCP and UDP alike, after {udp_good}{how}{running}; {back}."
                ),
                Evidence::of(udp.seq, format!("The last media packet came at {udp_good}.")).and(
                    tcp.seq,
                    format!("The last sign of life on signaling came at {}.", words::utc_exact(tcp.last_good)),
                ),
            )
        }
        (None, Plane::Media) => {
            let alive = timeline.signaling_alive(drop.last_good, drop.over(timeline));
            let control = alive.map_or("", |_| " while signaling went on");
            (
                format!("Media stopped arriving after {at}{control}{running}; {back}."),
                Evidence::of(drop.seq, format!("The last media packet came at {at}."))
                    .and_maybe(alive.map(|seq| (seq, "The signaling connection answered through it.".into()))),
            )
        }
        (None, Plane::Signaling) => {
            let media = timeline.media_alive(drop.first_bad, drop.first_bad);
            let control = media.map_or("", |_| " while media went on");
            let how = match look::socket(timeline, drop).and_then(|socket| socket.closed.as_ref()) {
                Some(closed) => format!("ended {}", words::ended(closed.end)),
                None => "stopped answering".into(),
            };
            (
                format!("The signaling connection {how} after {at}{control}{running}; {back}."),
                Evidence::of(drop.seq, format!("The last sign of life on signaling came at {at}."))
                    .and_maybe(media.map(|seq| (seq, "Media packets arrived after it.".into()))),
            )
        }
    };
    Finding {
        owner: None,
        confidence: Confidence::NotProven,
        says,
        because,
        measured: Measured::seconds(drop.over(timeline).since(drop.last_good)),
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    Some(finding(timeline, drop))
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "The support desk".into(),
        what: format!(
            "Compare with the local network's own log (router, access point, VPN) and the service's at the same second: {}.",
            look::search(timeline, drop)
        ),
        retest: look::retest(timeline, "Go to another network, such as a telephone's"),
        wrong_if: format!(
            "a capture on this computer shows {} of the far end arriving between {} and {}.",
            match drop.plane {
                Plane::Signaling => "bytes",
                Plane::Media => "media packets",
            },
            words::utc_exact(drop.last_good),
            words::utc_exact(drop.over(timeline))
        ),
    }
}

pub const RULE: Rule = Rule {
    id: Cause::NotProven,
    owner: Owner::NotProven,
    title: "the connection was lost, and nothing recorded shows why",
    advice,
    outranks: &[],
    settle: Duration::ZERO,
    find,
    rules_out: None,
};
