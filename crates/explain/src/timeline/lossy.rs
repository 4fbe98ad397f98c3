//! Which seconds lost so many packets that what needs answers may not have got them.

use super::Timeline;
use record::{Stamp, fact::MediaSample};

/// One packet of five. TCP doubles its wait with each packet that is lost again: where one exchange of three fails, it is
/// silent for seconds; at one of ten, it is not.
pub const HEAVY: f64 = 0.2;
/// Under this many packets a second their loss is chance.
const ENOUGH: u32 = 10;

/// Nothing where they are too few to tell.
pub fn share_of_enough(lost: u32, all: u32) -> Option<f64> {
    (all >= ENOUGH).then(|| f64::from(lost.min(all)) / f64::from(all))
}

pub fn share_in(sample: &MediaSample) -> Option<f64> {
    share_of_enough(sample.lost_in, sample.lost_in.saturating_add(sample.rtp_in))
}

impl Timeline<'_> {
    /// How many seconds between these two lost heavily on the way to us.
    pub fn lossy_seconds(&self, from: Stamp, to: Stamp) -> usize {
        let first = self.samples.partition_point(|(at, _)| at.stamp < from);
        let until = self.samples.partition_point(|(at, _)| at.stamp <= to).max(first);
        let heavy = |sample: &MediaSample| share_in(sample).is_some_and(|share| share >= HEAVY);
        self.samples[first..until].iter().filter(|(_, sample)| heavy(sample)).count()
    }
}
