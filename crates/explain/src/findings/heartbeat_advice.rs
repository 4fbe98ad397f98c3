//! `heartbeat_advice`: how often something must be said, with the arithmetic. Only where a limit was found, or where the
//! profile's own heartbeat follows a number that is often repeated and wrong.

use super::Finding;
use crate::{Timeline, catalogue, rule::Measured, words};
use std::{cmp::Ordering, time::Duration};

/// A first retransmission comes after one second where nothing is known of the path: RFC 6298.
const RETRANSMISSION: Duration = Duration::from_secs(1);
/// A round trip beyond this is a forged figure or a sleep.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(10);

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    band(timeline).into_iter().chain(wrong(timeline)).collect()
}

fn band(timeline: &Timeline) -> Option<Finding> {
    let limit = timeline.limits.shortest_idle()?;
    let shortest = limit.least();
    let half = shortest / 2;
    let worst = worst_round_trip(timeline);
    let floor = worst * 2 + RETRANSMISSION;
    let own = timeline.plan.and_then(|plan| plan.heartbeat).map(|heartbeat| words::millis(heartbeat.every_ms));
    let own_words = match own {
        Some(every) if every < half => format!(" The profile's {} lies below it.", words::length(every)),
        Some(every) => format!(" The profile's {} is too long.", words::length(every)),
        None => " The profile has no heartbeat.".into(),
    };
    let measured = Measured::default()
        .number("limit_s", shortest.as_secs_f64())
        .number("over_s", floor.as_secs_f64())
        .number("under_s", half.as_secs_f64());
    let arithmetic = format!(
        "under half of it: {}; over twice the longest round trip of {} and one retransmission after 1 s: {}",
        words::length(half),
        words::ms(record::millis(worst)),
        words::length(floor)
    );
    let says = match often(timeline, shortest) {
        Some(often) => format!(
            "The shortest idle limit is {}, so a heartbeat {often} keeps connections up ({arithmetic}); whoever waits for it should wait at least twice as long before giving up.{own_words}",
            words::length(shortest),
        ),
        None => format!(
            "The shortest idle limit is {}, and no whole number of seconds makes a safe heartbeat for it ({arithmetic}): raise the limit.",
            words::length(shortest)
        ),
    };
    // A direction that does not count cannot be kept busy in that direction.
    let one_way = match (limit.activity.by_us, limit.activity.by_them) {
        (Some(false), _) => " It must be answered: only bytes of the far end's count.",
        (_, Some(false)) => " It must come from this side: bytes of the far end's do not count.",
        _ => "",
    };
    Some(Finding { id: "heartbeat_advice", measured, says: format!("{says}{one_way}") })
}

/// "every 2 to 4 s": safe for a limit that is so short; nothing where no whole number of seconds is.
pub(crate) fn often(timeline: &Timeline, shortest: Duration) -> Option<String> {
    let (least, most) = (ceiling(worst_round_trip(timeline) * 2 + RETRANSMISSION), below(shortest / 2));
    match least.cmp(&most) {
        Ordering::Less => Some(format!("every {least} to {most} s")),
        Ordering::Equal => Some(format!("every {most} s")),
        Ordering::Greater => None,
    }
}

fn wrong(timeline: &Timeline) -> Option<Finding> {
    let every = words::millis(timeline.plan?.heartbeat?.every_ms);
    let wrong = catalogue::wrong(every)?;
    Some(Finding {
        id: "heartbeat_advice",
        measured: Measured::default().number("heartbeat_s", every.as_secs_f64()).number("limit_s", wrong.limit_s),
        says: format!(
            "The profile's heartbeat of {} fits a limit of {}, which is often given and not what its documentation says: {} ({}). Set it to 25 s if one stands on the way.",
            words::length(every),
            wrong.said,
            wrong.right,
            wrong.source
        ),
    })
}

fn worst_round_trip(timeline: &Timeline) -> Duration {
    let beats = timeline.heartbeats.iter().map(|beat| beat.rtt_ms);
    let media = timeline.samples.iter().filter_map(|(_, sample)| sample.rtt_ms.or(sample.stun_rtt_ms));
    beats.chain(media).map(words::millis).filter(|rtt| *rtt <= LONGEST_ROUND_TRIP).max().unwrap_or_default()
}

fn ceiling(d: Duration) -> u64 {
    d.as_millis().div_ceil(1_000).max(1) as u64
}

/// The last whole second strictly below.
fn below(d: Duration) -> u64 {
    ceiling(d).saturating_sub(1)
}

/// "at least every 7 s": never more than is safe.
pub(super) fn whole_seconds(d: Duration) -> String {
    match below(d) {
        0 => words::length(d),
        s => format!("{s} s"),
    }
}
