//! Which seconds lost so many packets that what needs answers may not have got them.

use super::{At, Timeline};
use record::{Stamp, fact::MediaSample};

/// One packet of five. TCP doubles its wait with each packet that is lost again: where one exchange of three fails, it is
/// silent for seconds; at one of ten, it is not.
const HEAVY: f64 = 0.2;
/// Under this many packets a second their loss is chance.
const ENOUGH: u32 = 10;
/// In samples, which are a second apart.
const LOOKED_BACK: usize = 10;
const REPORTED_WITHIN: usize = 30;
/// A report that speaks of so many seconds comes after others that were lost: every second or two there is one.
const LATE: usize = 5;

/// What one second lost, either way.
#[derive(Clone, Copy, Default)]
pub struct Lost {
    /// The share of what was to come; nothing where too few came to tell.
    inwards: Option<f64>,
    reported: Reported,
}

impl Lost {
    /// Nothing where too few came and too few were sent to tell.
    pub fn heavily(&self) -> Option<bool> {
        let outwards = share_of_enough(self.reported.lost, self.reported.sent);
        [self.inwards, outwards].into_iter().flatten().map(|share| share >= HEAVY).max()
    }

    /// Of so many that were sent.
    pub fn of(&self, sent: u32) -> u64 {
        self.reported.share(sent)
    }
}

/// Nothing where they are too few to tell.
fn share_of_enough(lost: u32, all: u32) -> Option<f64> {
    (all >= ENOUGH).then(|| f64::from(lost.min(all)) / f64::from(all))
}

/// Of each second, the share that was lost of what was to come. One that brought a few where many came before has lost the
/// rest, though their numbers are not known yet: those that would tell were lost too. That is said only of seconds in which
/// we sent as always: a program that stands still brings few as well.
fn inwards(samples: &[(At, &MediaSample)], usual: u32) -> Vec<Option<f64>> {
    let share = |sample: &MediaSample| {
        let all = sample.lost_in.saturating_add(sample.rtp_in);
        let as_always = usual >= 2 * ENOUGH && sample.rtp_out.saturating_mul(5) >= usual.saturating_mul(4);
        let thin = (sample.rtp_in > 0 && as_always).then(|| 1.0 - f64::from(all) / f64::from(usual));
        share_of_enough(sample.lost_in, all).or(thin)
    };
    samples.iter().map(|(_, sample)| share(sample)).collect()
}

/// Lost of those sent, as the far end reported of the seconds since it had reported before.
#[derive(Clone, Copy, Default)]
struct Reported {
    lost: u32,
    sent: u32,
}

impl Reported {
    fn share(self, sent: u32) -> u64 {
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

impl Timeline<'_> {
    /// How many seconds between these two brought some of the media and lost much of it.
    pub fn trickling_seconds(&self, from: Stamp, to: Stamp) -> usize {
        let near = self.samples_between(from, to);
        let shares = inwards(near, self.usual(from));
        let trickled = near
            .iter()
            .zip(shares)
            .filter(|((_, sample), share)| sample.rtp_in > 0 && share.is_some_and(|share| share >= HEAVY));
        trickled.count()
    }

    /// How many seconds between these two lost heavily, either way.
    pub fn lossy_seconds(&self, from: Stamp, to: Stamp) -> usize {
        self.seconds(from, to).filter(|(.., lost)| lost.heavily() == Some(true)).count()
    }

    /// The seconds between these two, and what was lost in each.
    pub fn seconds(&self, from: Stamp, to: Stamp) -> impl Iterator<Item = (At, &MediaSample, Lost)> {
        let near = self.samples_between(from, to);
        // The report on the last of them comes after them.
        let first = self.samples.partition_point(|(at, _)| at.stamp < from);
        let told = reported(&self.samples[first..(first + near.len() + REPORTED_WITHIN).min(self.samples.len())]);
        let lost =
            inwards(near, self.usual(from)).into_iter().zip(told).map(|(inwards, reported)| Lost { inwards, reported });
        near.iter().zip(lost).map(|((at, sample), lost)| (*at, *sample, lost))
    }

    /// How many packets came in a second before.
    fn usual(&self, before: Stamp) -> u32 {
        let until = self.samples.partition_point(|(at, _)| at.stamp < before);
        let near = &self.samples[until.saturating_sub(LOOKED_BACK)..until];
        near.iter().map(|(_, sample)| sample.rtp_in).max().unwrap_or(0)
    }

    fn samples_between(&self, from: Stamp, to: Stamp) -> &[(At, &MediaSample)] {
        let first = self.samples.partition_point(|(at, _)| at.stamp < from);
        let until = self.samples.partition_point(|(at, _)| at.stamp <= to).max(first);
        &self.samples[first..until]
    }
}
