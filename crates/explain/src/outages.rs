//! Outages beside the call: who was asked and did not answer while the call itself went on. No drop, for nothing was lost;
//! but a call placed in that time would have met it.

use crate::{Timeline, rows::surroundings, timeline::controls::Asked, words};
use record::{Stamp, fact::ControlKind};
use std::time::Duration;

/// Shorter ones are a lost packet and its repeat, and nobody would wait in vain.
const COUNTS_FROM: Duration = Duration::from_secs(5);
/// What began with a loss, or ended with it, belongs to the loss.
const NEAR: Duration = Duration::from_secs(3);
/// A list that nobody reads to its end helps nobody.
const MOST: usize = 8;
const KINDS: [ControlKind; 6] = [
    ControlKind::Dns,
    ControlKind::FarTcp,
    ControlKind::FarUdp,
    ControlKind::Gateway,
    ControlKind::Https,
    ControlKind::Stun,
];

/// Each a finished sentence.
pub fn find(timeline: &Timeline) -> Vec<String> {
    if timeline.stood().is_none() {
        return Vec::new();
    }
    let all = KINDS.iter().flat_map(|kind| of(timeline, *kind)).take(MOST);
    all.map(|outage| outage.says()).collect()
}

struct Outage {
    kind: ControlKind,
    from: Stamp,
    /// Absent where it lasted to the end of the hold.
    back: Option<Stamp>,
    length: Duration,
}

/// When everything of a kind was silent at once: that of the first, as far as the others share it.
fn of(timeline: &Timeline, kind: ControlKind) -> Vec<Outage> {
    let mut all = timeline.controls_of(kind);
    let Some(first) = all.next() else { return Vec::new() };
    let others: Vec<&Asked> = all.collect();
    let silences = first.silences.iter().filter(|silence| silence.last_ok.is_some()).take(MOST * MOST);
    let outages = silences.filter_map(|silence| {
        let (mut from, mut to) = (silence.since, silence.back.map(|back| back.stamp));
        for other in &others {
            let shared = other.silent_at(from.plus(COUNTS_FROM))?;
            from = from.max(shared.since);
            to = match (to, shared.back) {
                (Some(to), Some(back)) => Some(to.min(back.stamp)),
                (to, back) => to.or(back.map(|back| back.stamp)),
            };
        }
        let until = to.unwrap_or(timeline.hold_end());
        let length = until.awake_since(from);
        (length >= COUNTS_FROM && !with_a_drop(timeline, from, until)).then_some(Outage {
            kind,
            from,
            back: to,
            length,
        })
    });
    outages.take(MOST).collect()
}

fn with_a_drop(timeline: &Timeline, from: Stamp, until: Stamp) -> bool {
    let near = |drop: &crate::Drop| drop.last_good.minus(NEAR) <= until && from <= drop.over(timeline).plus(NEAR);
    timeline.drops.iter().any(near)
}

impl Outage {
    fn says(&self) -> String {
        let what = match self.kind {
            ControlKind::Dns => "Names did not resolve".to_owned(),
            ControlKind::FarTcp => "The far end took no new connections".to_owned(),
            kind => format!("{} did not answer", words::capital(surroundings::asked(kind))),
        };
        let long = match self.back {
            Some(_) => format!("for {}, from {} on", words::length(self.length), words::utc(self.from)),
            None => format!("from {} to the end", words::utc(self.from)),
        };
        let so = match self.kind {
            ControlKind::Dns | ControlKind::FarTcp => "; the call went on, and a new one would have failed",
            _ => "; the call went on",
        };
        format!("{what} {long}{so}.")
    }
}
