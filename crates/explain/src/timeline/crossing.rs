//! What crossed in the middle of a loss of media. A way on which packets pass in both directions, though no question is
//! answered, is there, and loses most of them.

use super::{At, Gap, Heartbeat, Silence, Timeline};
use crate::words;
use record::{
    Seq, Stamp,
    fact::{ControlKind, Sight, TcpSample},
};
use std::time::Duration;

/// The next packet of the media was due by then, so it was lost already; what was on its way has arrived.
const DUE: Duration = Duration::from_millis(50);
/// The far end's word is placed on our clock by its answers, which are late on a busy machine.
const EDGE: Duration = Duration::from_millis(500);
/// What came in the last second may speak of the return.
const RETURN: Duration = Duration::from_secs(1);
/// Our own kernel stamps what TCP brings, and the media's last packet is at most so much older than the cut.
const HEARD: Duration = Duration::from_millis(250);
/// New connections are asked for every two seconds, and each SYN again after one: a way that is back answers within it.
const STILL_LOST: Duration = Duration::from_secs(3);
/// New connections are asked for so far apart.
const ASKED_EVERY: Duration = Duration::from_secs(2);
/// The kernel tells of its last acknowledgement in steps of a few milliseconds: the same one, told again.
const SAME: Duration = Duration::from_millis(50);
/// A forged log may hold a million.
const MOST_SOCKETS: usize = 32;

#[derive(Clone, Copy, Debug)]
pub struct Crossed {
    /// In so many seconds something of the far end came, and the first event that tells of it.
    pub seconds: usize,
    pub here: Seq,
    /// So long after our own last packet the far end still received ours, and the event that shows it.
    pub later: Duration,
    pub there: Seq,
}

impl Timeline<'_> {
    /// The kernel's word for when TCP was last heard from. A proxy's own acknowledgements say nothing of the way beyond it.
    pub(super) fn hear_tcp(&mut self, at: At, sample: &TcpSample) {
        let ago = sample.last_ack_recv_ms;
        // A system that does not know says zero.
        if ago.is_finite() && ago > 0.0 {
            let heard = at.stamp.minus(words::millis(ago));
            if self.tcp_heard.last().is_none_or(|(_, last)| heard > last.plus(SAME)) {
                self.tcp_heard.push((at, heard));
            }
        }
    }

    /// In a loss of media that overlaps these moments.
    pub fn crossed(&self, from: Stamp, to: Stamp) -> Option<Crossed> {
        self.gaps_over(from, to).find_map(|gap| self.crossed_in(gap))
    }

    fn gaps_over(&self, from: Stamp, to: Stamp) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(move |gap| gap.last < to && self.gap_over(gap) > from)
    }

    fn crossed_in(&self, gap: &Gap) -> Option<Crossed> {
        let exchanged = self.exchanged_in(gap);
        let by_tcp = || exchanged.map(|(seq, _)| seq).or_else(|| self.heard_in(gap)).map(|seq| (1, seq));
        let (seconds, here) = self.came_in(gap).or_else(by_tcp)?;
        let (there, last) = self.received_in(gap).or(exchanged)?;
        Some(Crossed { seconds, here, later: last.since(gap.last), there })
    }

    /// In how many seconds that lie wholly inside it something came beside the media, from the one told before to the own.
    fn came_in(&self, gap: &Gap) -> Option<(usize, Seq)> {
        let over = self.gap_over(gap);
        let first = self.samples.partition_point(|(at, _)| at.stamp < gap.last.plus(DUE));
        let seconds = self.samples[first..].windows(2).map(|told| told[1]);
        let inside = seconds.take_while(|(at, _)| at.stamp.plus(RETURN) <= over);
        let mut came = inside.filter(|(_, sample)| sample.rtcp_in + sample.stun_in + sample.checks_in > 0);
        let here = came.next()?.0.seq;
        Some((1 + came.count(), here))
    }

    /// TCP was heard from after the media had stopped, and neither at the edge of a cut nor as the way came back.
    fn heard_in(&self, gap: &Gap) -> Option<Seq> {
        let first = self.tcp_heard.partition_point(|(_, heard)| *heard < gap.last.plus(HEARD));
        let mut inside = self.tcp_heard[first..].iter().take_while(|(_, heard)| *heard < self.gap_over(gap));
        inside.find(|(_, heard)| self.still_lost(gap, *heard)).map(|(at, _)| at.seq)
    }

    /// New connections fell silent with the media, and stayed so for long after this moment of it.
    fn still_lost(&self, gap: &Gap, moment: Stamp) -> bool {
        let mut silences = self.controls_of(ControlKind::FarTcp).flat_map(|asked| &asked.silences);
        silences.any(|silence| {
            let back = silence.back.map_or_else(|| self.hold_end(), |back| back.stamp);
            !silence.refused
                && silence.last_ok.is_some()
                && silence.since.plus(STILL_LOST) >= gap.last
                && silence.since <= moment.plus(ASKED_EVERY)
                && moment.plus(STILL_LOST) <= back
        })
    }

    /// The far end's word that it received our media well inside it.
    fn received_in(&self, gap: &Gap) -> Option<(Seq, Stamp)> {
        let (from, to) = (gap.last.plus(EDGE), self.gap_over(gap).minus(EDGE));
        let mut again = None;
        self.sights.iter().find_map(|sighting| match sighting.sight {
            Sight::MediaStarted { .. } | Sight::MediaResumed { .. } => {
                again = sighting.first;
                None
            }
            Sight::MediaStopped { .. } => {
                let (first, last) = (again.take(), sighting.last?);
                let last_inside = if last > to { first.filter(|first| *first < to).map(|_| to)? } else { last };
                (last_inside >= from).then_some((sighting.at.seq, last_inside))
            }
            _ => None,
        })
    }

    /// A heartbeat was put and answered inside it, or bytes that had been repeated in vain were acknowledged.
    fn exchanged_in(&self, gap: &Gap) -> Option<(Seq, Stamp)> {
        let over = self.gap_over(gap);
        let put = |beat: &Heartbeat| beat.at.stamp.minus(words::millis(beat.rtt_ms));
        let first = self.heartbeats.partition_point(|beat| beat.at.stamp < gap.last);
        let beats = self.heartbeats[first..].iter().take_while(|beat| beat.at.stamp < over);
        let mut answered = beats.filter(|beat| put(beat) >= gap.last.plus(HEARD)).map(|beat| beat.at);
        let began = self.sockets.partition_point(|socket| socket.began.stamp < over);
        let sockets = self.sockets[..began].iter().rev().take(MOST_SOCKETS).filter(|socket| !socket.through_proxy);
        let repeated = |silence: &&Silence| silence.retransmits.is_some_and(|times| times > 1);
        let again = sockets.flat_map(|socket| &socket.silences).filter(repeated).filter_map(|silence| silence.again);
        let mut acknowledged = again.filter(|at| at.stamp >= gap.last.plus(EDGE) && at.stamp < over);
        let still_lost = |at: &At| self.still_lost(gap, at.stamp);
        let at = answered.find(still_lost).or_else(|| acknowledged.find(still_lost))?;
        Some((at.seq, at.stamp))
    }

    fn gap_over(&self, gap: &Gap) -> Stamp {
        gap.back.map_or_else(|| self.hold_end(), |(_, first)| first)
    }
}
