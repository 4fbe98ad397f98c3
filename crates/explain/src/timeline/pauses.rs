//! Sleep and stalls, by arithmetic over stamps alone.

use super::{At, Pause, PauseKind, Timeline, not_after};
use record::Stamp;
use std::time::Duration;

/// The two clocks are read one after the other and drift apart by microseconds an hour; a whole second between them is
/// sleep. No system suspends and resumes in less.
const SLEEP: Duration = Duration::from_secs(1);
/// Our ticks come ten times a second, and a busy machine delays one or two of them. Five in a row cannot be explained
/// that way; fewer cannot make a gap that counts.
const STALL: Duration = Duration::from_millis(500);

impl Timeline<'_> {
    /// Called for each pair of neighbouring events.
    pub(super) fn note_pause_between(&mut self, before: Stamp, at: At) {
        if at.stamp.slept_since(before) >= SLEEP {
            self.pauses.push(Pause { kind: PauseKind::Slept, seq: at.seq, from: before, to: at.stamp });
        }
    }

    pub(super) fn note_missed_ticks(&mut self, at: At, since: Stamp) {
        let since = not_after(since, at).max(self.began);
        if at.stamp.slept_since(since) >= SLEEP {
            // The last tick lies closer to the moment of falling asleep than the last event does.
            match self.pauses.iter_mut().rev().find(|pause| pause.kind == PauseKind::Slept) {
                Some(sleep) if sleep.to > since => sleep.from = sleep.from.max(since),
                _ => self.pauses.push(Pause { kind: PauseKind::Slept, seq: at.seq, from: since, to: at.stamp }),
            }
        } else if at.stamp.awake_since(since) >= STALL {
            // Pauses follow each other: what an earlier one accounts for is not told twice.
            let from = self.pauses.last().map_or(since, |before| before.to.max(since));
            self.pauses.push(Pause { kind: PauseKind::Stalled, seq: at.seq, from, to: at.stamp });
        }
    }
}
