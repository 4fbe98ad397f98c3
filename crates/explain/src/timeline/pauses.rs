//! Sleep, stalls and steps of the wall clock, by arithmetic over stamps alone.

use super::{At, ClockStep, Pause, PauseKind, Timeline, not_after};
use record::Stamp;
use std::time::Duration;

/// The two clocks are read one after the other and drift apart by microseconds an hour; a whole second between them is
/// sleep. No system suspends and resumes in less.
const SLEEP: Duration = Duration::from_secs(1);
/// Our ticks come ten times a second, and a busy machine delays one or two of them. Five in a row cannot be explained
/// that way; fewer cannot make a gap that counts.
const STALL: Duration = Duration::from_millis(500);
/// A time service corrects small errors by slewing, which moves no more than 0.5 ms a second. A whole second at once was
/// set by somebody.
const STEP_US: i64 = 1_000_000;

impl Timeline<'_> {
    /// Called for each pair of neighbouring events.
    pub(super) fn note_pause_between(&mut self, before: Stamp, at: At) {
        if at.stamp.slept_since(before) >= SLEEP {
            self.pauses.push(Pause { kind: PauseKind::Slept, seq: at.seq, from: before, to: at.stamp });
        }
        let by_us = at.stamp.stepped_since(before);
        if by_us.abs() >= STEP_US {
            self.clock_steps.push(ClockStep { at, by_us });
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
