//! The far end's account, moved onto our clock by a comparison of the two that was made near the moment: either clock may
//! be set, and over hours they drift apart.

use super::{At, Sighting, Timeline};
use record::{
    Stamp, Wall,
    fact::{End, Far, Sight},
};
use std::time::Duration;

/// Two ordinary clocks drift apart by up to 100 µs a second: 6 ms in a minute, less than the round trip leaves open.
const NEAR: Duration = Duration::from_secs(60);
/// So many are told between an end and the far end's word of it: a sight of each lane. A forged log may hold a million.
const MOST_SIGHTS: usize = 1_024;
/// The far end may notice its side up to a heartbeat later.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);
/// Twice what a heartbeat every five seconds brings in that minute. A forged log may hold a million.
const MOST_NEAR: usize = 24;

/// One comparison of clocks: of those near a moment the one with the shortest round trip is the truest.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FarClock {
    pub at: At,
    pub offset_ms: f64,
    pub rtt_ms: f64,
}

impl<'a> Timeline<'a> {
    pub(super) fn take_far(&mut self, at: At, fact: &'a Far) {
        match fact {
            Far::Certificate { issuer } => self.far_certificate = Some((at, issuer)),
            Far::Clock { offset_ms, rtt_ms } => {
                let sound = offset_ms.is_finite() && rtt_ms.is_finite() && *rtt_ms >= 0.0;
                if sound {
                    self.far_clocks.push(FarClock { at, offset_ms: *offset_ms, rtt_ms: *rtt_ms });
                }
            }
            Far::Saw { sight, .. } => {
                self.sights.push(Sighting { at, when: at.stamp, last: None, first: None, sight });
            }
        }
    }

    /// After all events are read, because the best comparison may come after the sight.
    pub(super) fn place_sights(&mut self) {
        let mut sights = std::mem::take(&mut self.sights);
        for sighting in &mut sights {
            let told = sighting.at.stamp;
            let Some(clock) = self.far_clock_near(told) else { break };
            // What was seen was seen before it was told.
            let ours = |wall: Wall| self.on_our_clock(clock, wall).min(told);
            if let Some(wall) = self.saw_at(sighting.at) {
                sighting.when = ours(wall);
            }
            (sighting.last, sighting.first) = match sighting.sight {
                Sight::MediaStarted { first } => (None, Some(ours(*first))),
                Sight::MediaStopped { last } => (Some(ours(*last)), None),
                Sight::MediaResumed { last, first } => (Some(ours(*last)), Some(ours(*first))),
                Sight::StoodStill { from, to } => (Some(ours(*from)), Some(ours(*to))),
                Sight::Counted { .. }
                | Sight::SocketEnded { .. }
                | Sight::Reattached
                | Sight::Lane { .. }
                | Sight::ShuttingDown => (None, None),
            };
        }
        self.sights = sights;
    }

    /// How the far end saw a connection of signaling end that ended here at a moment. It does not say which, so it is the
    /// nearest.
    pub fn ended_there(&self, at: Stamp) -> Option<(&Sighting<'a>, &'a End)> {
        let apart = |sighting: &Sighting| sighting.when.since(at).max(at.since(sighting.when));
        // What was seen was seen before it was told.
        let told = self.sights.partition_point(|sighting| sighting.at.stamp.plus(NOTICED_WITHIN) < at);
        let ends = self.sights[told..].iter().take(MOST_SIGHTS).filter_map(|sighting| match sighting.sight {
            Sight::SocketEnded { end } => Some((sighting, end)),
            _ => None,
        });
        ends.filter(|(sighting, _)| apart(sighting) <= NOTICED_WITHIN).min_by_key(|(sighting, _)| apart(sighting))
    }

    /// The truest comparison within a minute of a moment, or the nearest there is.
    fn far_clock_near(&self, moment: Stamp) -> Option<FarClock> {
        let clocks = &self.far_clocks;
        let after = clocks.partition_point(|clock| clock.at.stamp <= moment);
        let around = &clocks[after.saturating_sub(MOST_NEAR)..(after + MOST_NEAR).min(clocks.len())];
        let distance = |clock: &&FarClock| clock.at.stamp.since(moment).max(moment.since(clock.at.stamp));
        let near = around.iter().filter(|clock| distance(clock) <= NEAR);
        near.min_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms)).or_else(|| around.iter().min_by_key(distance)).copied()
    }

    fn saw_at(&self, at: At) -> Option<Wall> {
        let index = self.log.events.binary_search_by_key(&at.seq, |event| event.seq).ok()?;
        match &self.log.events[index].fact {
            record::Fact::Far(Far::Saw { at, .. }) => Some(*at),
            _ => None,
        }
    }

    /// By the wall clock as it stood when the clocks were compared, so that a later step of it does no harm.
    fn on_our_clock(&self, clock: FarClock, theirs: Wall) -> Stamp {
        let offset_us = (clock.offset_ms * 1e3).clamp(-9e18, 9e18) as i64;
        let since_compared = theirs.micros().saturating_sub(offset_us).saturating_sub(clock.at.stamp.wall.micros());
        let uptime = (clock.at.stamp.uptime.0 as i64).saturating_add(since_compared).max(0) as u64;
        self.stamp_at(uptime)
    }

    /// The three clocks at a moment between events.
    pub(super) fn stamp_at(&self, uptime: u64) -> Stamp {
        let events = &self.log.events;
        let after = events.partition_point(|event| event.at.uptime.0 <= uptime);
        let Some(before) = after.checked_sub(1).and_then(|i| events.get(i)) else { return self.began };
        let passed = std::time::Duration::from_micros(uptime.saturating_sub(before.at.uptime.0));
        let mut stamp = before.at.plus(passed);
        if let Some(next) = events.get(after) {
            // Asleep in between: the awake clock cannot have run past its next reading.
            stamp.awake = stamp.awake.min(next.at.awake);
        }
        stamp
    }
}
