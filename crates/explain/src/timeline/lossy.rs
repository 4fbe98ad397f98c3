//! Which seconds lost so many packets that what needs answers may not have got them.

use super::{At, Timeline};
use record::{Stamp, fact::MediaSample};

/// One packet of five. TCP doubles its wait with each packet that is lost again: where one exchange of three fails, it is
/// silent for seconds; at one of ten, it is not.
const HEAVY: f64 = 0.2;
/// Under this many packets a second their loss is chance.
const ENOUGH: u32 = 10;
/// In samples, which are a second apart.
const REPORTED_WITHIN: usize = 30;
/// A report that speaks of so many seconds comes after others that were lost: every second or two there is one.
const LATE: usize = 5;

/// Nothing where they are too few to tell.
fn share_of_enough(lost: u32, all: u32) -> Option<f64> {
    (all >= ENOUGH).then(|| f64::from(lost.min(all)) / f64::from(all))
}

pub fn share_in(sample: &MediaSample) -> Option<f64> {
    share_of_enough(sample.lost_in, sample.lost_in.saturating_add(sample.rtp_in))
}

/// Lost of those sent, as the far end reported of the seconds since it had reported before.
#[derive(Clone, Copy, Default)]
pub struct Reported {
    lost: u32,
    sent: u32,
}

impl Reported {
    /// Of so many of them.
    pub fn share(self, sent: u32) -> u64 {
        u64::from(self.lost) * u64::from(sent.min(self.sent)) / u64::from(self.sent.max(1))
    }
}

/// Of each second, what the report that covers it says. Reports are lost with the other packets, so one may speak of many
/// seconds; where in some of them nothing came at all, or there are few, it may speak of one gap and does not say which
/// second that was in.
fn reported(samples: &[(At, &MediaSample)]) -> Vec<Reported> {
    let mut all = vec![Reported::default(); samples.len()];
    let mut from = 0;
    for (to, (_, sample)) in samples.iter().enumerate() {
        let Some(lost) = sample.far_lost else { continue };
        let late = to + 1 - from >= LATE && samples[from..=to].iter().all(|(_, sample)| sample.rtp_in > 0);
        let covered = if late { from } else { to };
        let sent = samples[covered..=to].iter().fold(0u32, |sent, (_, sample)| sent.saturating_add(sample.rtp_out));
        all[covered..=to].fill(Reported { lost: lost.min(sent), sent });
        from = to + 1;
    }
    all
}

/// Nothing where too few were sent to tell.
pub fn heavy(sample: &MediaSample, reported: Reported) -> Option<bool> {
    let inwards = share_in(sample);
    let outwards = share_of_enough(reported.lost, reported.sent);
    [inwards, outwards].into_iter().flatten().map(|share| share >= HEAVY).max()
}

impl Timeline<'_> {
    /// How many seconds between these two brought some of the media and lost much of it.
    pub fn trickling_seconds(&self, from: Stamp, to: Stamp) -> usize {
        let first = self.samples.partition_point(|(at, _)| at.stamp < from);
        let until = self.samples.partition_point(|(at, _)| at.stamp <= to).max(first);
        let trickles = |sample: &MediaSample| sample.rtp_in > 0 && share_in(sample).is_some_and(|share| share >= HEAVY);
        self.samples[first..until].iter().filter(|(_, sample)| trickles(sample)).count()
    }

    /// How many seconds between these two lost heavily, either way.
    pub fn lossy_seconds(&self, from: Stamp, to: Stamp) -> usize {
        let first = self.samples.partition_point(|(at, _)| at.stamp < from);
        let until = self.samples.partition_point(|(at, _)| at.stamp <= to).max(first);
        let near = self.samples[first..until].iter().zip(self.reported(first, until));
        near.filter(|((_, sample), reported)| heavy(sample, *reported) == Some(true)).count()
    }

    /// Of these samples each. The report on the last of them comes after them.
    pub fn reported(&self, first: usize, until: usize) -> Vec<Reported> {
        reported(&self.samples[first..(until + REPORTED_WITHIN).min(self.samples.len())])
    }
}
