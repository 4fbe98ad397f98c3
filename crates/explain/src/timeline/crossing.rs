//! What crossed in the middle of a loss of media. A way on which packets pass in both directions, though no question is
//! answered, is there, and loses most of them.

use super::{Gap, Timeline};
use record::{Seq, Stamp, fact::Sight};
use std::time::Duration;

/// The next packet of the media was due by then, so it was lost already; what was on its way has arrived.
const DUE: Duration = Duration::from_millis(50);
/// The far end's word is placed on our clock by its answers, which are late on a busy machine.
const EDGE: Duration = Duration::from_millis(500);
/// What came in the last second may speak of the return.
const RETURN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub struct Crossed {
    /// In so many seconds something of the far end came, and the first event that tells of it.
    pub seconds: usize,
    pub here: Seq,
    /// For so long the far end went on receiving after our own last packet, and its word for it.
    pub longer: Duration,
    pub there: Seq,
}

impl Timeline<'_> {
    /// In a loss of media that overlaps these moments.
    pub fn crossed(&self, from: Stamp, to: Stamp) -> Option<Crossed> {
        self.gaps.iter().filter(|gap| gap.last < to && self.gap_over(gap) > from).find_map(|gap| self.crossed_in(gap))
    }

    fn crossed_in(&self, gap: &Gap) -> Option<Crossed> {
        let over = self.gap_over(gap);
        // Seconds that lie wholly inside it, from the one told before to the own.
        let first = self.samples.partition_point(|(at, _)| at.stamp < gap.last.plus(DUE));
        let seconds = self.samples[first..].windows(2).map(|told| told[1]);
        let inside = seconds.take_while(|(at, _)| at.stamp.plus(RETURN) <= over);
        let mut came = inside.filter(|(_, sample)| sample.rtcp_in + sample.stun_in + sample.checks_in > 0);
        let here = came.next()?.0.seq;
        let seconds = 1 + came.count();
        let went_on = |last: Stamp| last >= gap.last.plus(EDGE) && last.plus(EDGE) <= over;
        let (there, last) = self.sights.iter().find_map(|sighting| match sighting.sight {
            Sight::MediaStopped { .. } => {
                sighting.last.filter(|last| went_on(*last)).map(|last| (sighting.at.seq, last))
            }
            _ => None,
        })?;
        Some(Crossed { seconds, here, longer: last.since(gap.last), there })
    }

    fn gap_over(&self, gap: &Gap) -> Stamp {
        gap.back.map_or_else(|| self.hold_end(), |(_, first)| first)
    }
}
