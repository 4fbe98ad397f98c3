//! What counts as activity: which of the rungs that were stirred in their silence outlived the limit.

use super::{outcome::Host, outcome::Outcome, tolerance};
use record::fact::Stirred;
use std::time::Duration;

/// Each `true` when it kept a connection beyond the limit, `false` when it did not, and nothing where it was not tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Activity {
    pub by_both: Option<bool>,
    pub by_us: Option<bool>,
    pub by_them: Option<bool>,
    pub by_keepalive: Option<bool>,
}

impl Activity {
    pub(super) fn of(host: &Host, limit: Duration) -> Self {
        let beyond = limit + tolerance(limit);
        let stirred = |is: fn(&Stirred) -> bool| {
            // Stirred less often than the limit, it was quiet for too long between two words.
            let those =
                host.stirred.iter().filter(|(stirred, _)| is(stirred) && every(stirred) + tolerance(limit) < limit);
            one_word(those.filter_map(|(_, outcome)| kept(outcome, limit, beyond)))
        };
        let lived_on = host.talking.iter().filter_map(|lane| {
            let stands = lane.stands?.at.stamp;
            let last = lane.answers.last()?.stamp;
            // Busy enough to be no test of itself.
            (lane.talks()? * 2 < limit && last.since(stands) > beyond).then_some(true)
        });
        Self {
            by_both: one_word(lived_on),
            by_us: stirred(|s| matches!(s, Stirred::ByUs { .. })),
            by_them: stirred(|s| matches!(s, Stirred::ByThem { .. })),
            by_keepalive: stirred(|s| matches!(s, Stirred::ByKeepalive { .. })),
        }
    }

    /// "bytes of ours count, TCP keepalive does not"; nothing where nothing was tried.
    pub fn words(&self) -> Option<String> {
        let tried = [
            (self.by_us, "bytes that only we send"),
            (self.by_them, "bytes that only the far end sends"),
            (self.by_keepalive, "TCP keepalive"),
        ];
        let list = |word: bool| -> Vec<&str> {
            tried.iter().filter(|(counts, _)| *counts == Some(word)).map(|(_, what)| *what).collect()
        };
        let part = |list: Vec<&str>, tail: &str| (!list.is_empty()).then(|| format!("{} {tail}", list.join(" and ")));
        let parts: Vec<String> = [part(list(true), "kept such a connection"), part(list(false), "did not keep it")]
            .into_iter()
            .flatten()
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

fn every(stirred: &Stirred) -> Duration {
    match stirred {
        Stirred::Not => Duration::MAX / 2,
        Stirred::ByUs { every_ms } | Stirred::ByThem { every_ms } | Stirred::ByKeepalive { every_ms } => {
            crate::words::millis(*every_ms)
        }
    }
}

fn kept(outcome: &Outcome, limit: Duration, beyond: Duration) -> Option<bool> {
    if outcome.died() {
        // Dead long after the limit, it was kept at first; what ended it is another matter.
        let at_the_limit = outcome.silence <= beyond && outcome.silence + tolerance(limit) >= limit;
        let found_late = !outcome.seen();
        return (at_the_limit || found_late).then_some(false);
    }
    (outcome.silence > beyond).then_some(true)
}

/// Two rungs that say the opposite say nothing.
fn one_word(mut words: impl Iterator<Item = bool>) -> Option<bool> {
    let first = words.next()?;
    words.all(|word| word == first).then_some(first)
}
