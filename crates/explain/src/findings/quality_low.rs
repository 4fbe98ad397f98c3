//! `quality_low`: the call stood and sounded bad. It is no drop, and what a drop took away is none of it.
//!
//! Loss over 3 %: concealment hides single packets, and above it words go missing. Jitter over 30 ms: a buffer of two
//! packets is too short. Round trip over 300 ms: ITU-T G.114 asks for 150 ms one way. Each for half a minute: shorter
//! stretches are over before anybody can look. One packet of five missing is heard at once, however soon it is over.

use super::Finding;
use crate::{Plane, Timeline, rule::Measured, timeline::At, words};
use record::fact::MediaSample;
use std::time::Duration;

const LOSS: f64 = 0.03;
const HEAVY_LOSS: f64 = 0.2;
const JITTER_MS: f64 = 30.0;
const ROUND_TRIP_MS: f64 = 300.0;
const LASTS: Duration = Duration::from_secs(30);
/// Less than one stretch of samples.
const BURST: Duration = Duration::from_secs(5);
/// A sample tells of the second before it, and the first after a gap counts all that was missing in it.
const SAMPLED_EVERY: Duration = Duration::from_secs(1);
/// Looked at in stretches of ten samples, so that one good second does not break a bad half minute.
const TOGETHER: usize = 10;

struct Kind {
    id: &'static str,
    /// The measure over one stretch; nothing where it was not measured.
    of: fn(&[(At, &MediaSample)]) -> Option<f64>,
    limit: f64,
    lasts: Duration,
    says: fn(f64) -> String,
}

const KINDS: [Kind; 3] = [
    Kind { id: "loss", of: loss, limit: LOSS, lasts: LASTS, says: missing },
    Kind {
        id: "jitter",
        of: jitter,
        limit: JITTER_MS,
        lasts: LASTS,
        says: |worst| format!("jitter reached {worst:.0} ms (over 30 ms can be heard)"),
    },
    Kind {
        id: "round_trip",
        of: round_trip,
        limit: ROUND_TRIP_MS,
        lasts: LASTS,
        says: |worst| format!("the round trip reached {worst:.0} ms (over 300 ms people talk into each other)"),
    },
];

/// Told where the loss did not last.
const BURST_OF_LOSS: Kind = Kind { id: "loss", of: loss, limit: HEAVY_LOSS, lasts: BURST, says: missing };

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    let burst = |kind: &Kind| if kind.id == BURST_OF_LOSS.id { of(timeline, &BURST_OF_LOSS) } else { None };
    KINDS.iter().filter_map(|kind| of(timeline, kind).or_else(|| burst(kind))).collect()
}

fn missing(worst: f64) -> String {
    format!("up to {:.1} % of the packets to us were missing (3 % can be heard)", worst * 100.0)
}

fn of(timeline: &Timeline, kind: &Kind) -> Option<Finding> {
    let mut bad: Option<(At, f64)> = None;
    let mut longest: Option<(At, Duration, f64)> = None;
    let mut total = Duration::ZERO;
    let mut close = |bad: &mut Option<(At, f64)>, until: At| {
        let Some((from, worst)) = bad.take() else { return };
        let lasted = until.stamp.awake_since(from.stamp);
        if lasted < kind.lasts {
            return;
        }
        total += lasted;
        if longest.is_none_or(|(_, longest, _)| lasted > longest) {
            longest = Some((from, lasted, worst));
        }
    };
    let standing = standing(timeline);
    for stretch in standing.chunks(TOGETHER) {
        let (Some((first, _)), Some((last, _))) = (stretch.first(), stretch.last()) else { continue };
        // Nothing is measured of what did not flow, and what spans a pause is no stretch.
        let whole = last.stamp.since(first.stamp) <= Duration::from_secs(2 * TOGETHER as u64);
        match (kind.of)(stretch).filter(|value| value.is_finite() && *value > kind.limit && whole) {
            Some(value) => {
                let (from, worst) = bad.unwrap_or((*first, value));
                bad = Some((from, worst.max(value)));
            }
            None => close(&mut bad, *first),
        }
    }
    if let Some((last, _)) = standing.last() {
        close(&mut bad, *last);
    }
    let (from, lasted, worst) = longest?;
    Some(Finding {
        id: "quality_low",
        measured: Measured::default()
            .word("what", kind.id)
            .number("worst", worst)
            .number("longest_s", lasted.as_secs_f64())
            .number("total_s", total.as_secs_f64()),
        says: format!(
            "For {} from {} on {}: look for a full line or a weak radio link at that time; it is no drop.",
            words::length(lasted),
            words::utc(from.stamp),
            (kind.says)(worst)
        ),
    })
}

/// The samples of which no drop of media has a part.
fn standing<'a>(timeline: &Timeline<'a>) -> Vec<(At, &'a MediaSample)> {
    let mut drops = timeline.drops.iter().filter(|drop| drop.plane == Plane::Media).peekable();
    let mut until = None;
    let stands = |(at, _): &(At, _)| {
        while let Some(drop) = drops.next_if(|drop| drop.last_good <= at.stamp) {
            until = until.max(Some(drop.over(timeline).plus(SAMPLED_EVERY)));
        }
        until < Some(at.stamp)
    };
    timeline.samples.iter().copied().filter(stands).collect()
}

fn loss(stretch: &[(At, &MediaSample)]) -> Option<f64> {
    let (lost, came) = stretch.iter().fold((0u64, 0u64), |(lost, came), (_, sample)| {
        (lost + u64::from(sample.lost_in), came + u64::from(sample.rtp_in))
    });
    // Without a packet it is a gap, and told as one.
    (came > 0).then(|| lost as f64 / (lost + came) as f64)
}

fn jitter(stretch: &[(At, &MediaSample)]) -> Option<f64> {
    mean(stretch.iter().filter_map(|(_, sample)| sample.jitter_in_ms))
}

fn round_trip(stretch: &[(At, &MediaSample)]) -> Option<f64> {
    mean(stretch.iter().filter_map(|(_, sample)| sample.rtt_ms.or(sample.stun_rtt_ms)))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.filter(|value| value.is_finite()).fold((0.0, 0u32), |(sum, n), v| (sum + v, n + 1));
    (count > 0).then(|| sum / f64::from(count))
}
