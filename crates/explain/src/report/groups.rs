//! Drops of one cause, told together: how often, and at what interval.

use crate::{Cause, Confidence, Outcome, Owner, Plane, Verdict, rules, verdict::DropVerdict, words};
use record::Wall;
use std::time::Duration;

pub struct Group<'s> {
    pub cause: Cause,
    pub owner: Owner,
    pub title: &'static str,
    pub confidence: Confidence,
    /// Nothing was lost: the call never was.
    pub never_stood: bool,
    pub drops: Vec<&'s DropVerdict>,
}

/// The one the headline speaks of first, as in the verdict: most drops, then best proven; sleep last.
pub fn groups(head: &Verdict) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for drop in &head.drops {
        match groups.iter_mut().find(|group| group.cause == drop.cause && group.owner == drop.owner) {
            Some(group) => {
                group.confidence = group.confidence.max(drop.confidence);
                group.drops.push(drop);
            }
            None => groups.push(Group {
                cause: drop.cause,
                owner: drop.owner,
                title: rules::rule(drop.cause).title,
                confidence: drop.confidence,
                never_stood: head.outcome == Outcome::NotEstablished,
                drops: vec![drop],
            }),
        }
    }
    groups.sort_by_key(|g| (g.cause == Cause::Slept, std::cmp::Reverse(g.drops.len()), g.confidence));
    groups
}

impl Group<'_> {
    /// "Internet path: the connection died silently"
    pub fn head(&self) -> String {
        format!("{}: {}", self.owner, self.title)
    }

    /// "Signaling lost 3 times, every 60.2 s (spread 0.4 s)"
    pub fn how_often(&self) -> String {
        let of = |plane| self.drops.iter().filter(|drop| drop.plane == plane).count();
        let (signaling, media) = (of(Plane::Signaling), of(Plane::Media));
        if self.never_stood {
            return "The call was never established".into();
        }
        let says = match (signaling, media) {
            (s, m) if s == m => format!("Signaling and media lost {}", words::times(s)),
            (0, m) => format!("Media lost {}", words::times(m)),
            (s, 0) => format!("Signaling lost {}", words::times(s)),
            (s, m) => format!("Signaling lost {} and media {}", words::times(s), words::times(m)),
        };
        match self.interval() {
            Some((mean, spread)) => {
                format!("{says}, every {} (spread {})", words::length(mean), words::length(spread))
            }
            None => says,
        }
    }

    /// Before the time of day of the first: one loss of both planes is one moment.
    pub fn at(&self) -> &'static str {
        let of = |plane| self.drops.iter().filter(|drop| drop.plane == plane).count();
        if of(Plane::Signaling).max(of(Plane::Media)) > 1 { "first at" } else { "at" }
    }

    /// Of whom nothing is proven, the owner's place says so already.
    pub fn how_sure(&self) -> Option<Confidence> {
        Some(self.confidence).filter(|confidence| *confidence != Confidence::NotProven)
    }

    /// The last media packet is close to the truth; signaling may have been quiet long before it ended.
    pub fn onset(&self) -> Option<Wall> {
        self.drops.first().map(|first| if first.plane == Plane::Media { first.last_good } else { first.first_bad })
    }

    /// Between the onsets of one plane's drops; two make one interval, which says nothing of regularity.
    fn interval(&self) -> Option<(Duration, Duration)> {
        let plane = self.drops.first()?.plane;
        let onsets: Vec<i64> =
            self.drops.iter().filter(|drop| drop.plane == plane).map(|drop| drop.first_bad.micros()).collect();
        let lengths: Vec<i64> = onsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if lengths.len() < 2 {
            return None;
        }
        let (least, most) = (*lengths.iter().min()?, *lengths.iter().max()?);
        let mean = lengths.iter().sum::<i64>() / lengths.len() as i64;
        // An irregular series has no interval worth a number.
        (mean > 0 && most - least <= mean / 10)
            .then(|| (Duration::from_micros(mean as u64), Duration::from_micros((most - least) as u64)))
    }
}
