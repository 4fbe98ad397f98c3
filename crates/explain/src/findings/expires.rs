//! `turn_expires_before_hold`, `token_expires_before_hold`: credentials that end before the planned hold does.

use super::Finding;
use crate::{Timeline, rule::Measured, words};
use record::Wall;
use std::time::Duration;

/// More servers than this no profile has; a forged log may.
const MOST: usize = 16;

pub(super) fn token(timeline: &Timeline) -> Vec<Finding> {
    let found = timeline.plan.and_then(|plan| {
        let ends = plan.token_ends?;
        let (planned, early) = early(timeline, ends)?;
        Some(Finding {
            id: "token_expires_before_hold",
            measured: Measured::default().number("before_end_s", early.as_secs_f64()),
            says: format!(
                "The signaling token ends at {}, {} before the planned end of the hold: whatever is refused after that is not the network's; use one that lasts beyond {}.",
                clock(ends),
                words::length(early),
                clock(planned)
            ),
        })
    });
    found.into_iter().collect()
}

pub(super) fn turn(timeline: &Timeline) -> Vec<Finding> {
    let credentials = timeline.plan.iter().flat_map(|plan| plan.credentials_end.iter().take(MOST));
    let found = credentials.filter_map(|(server, ends)| {
        let (planned, early) = early(timeline, *ends)?;
        Some(Finding {
            id: "turn_expires_before_hold",
            measured: Measured::default()
                .number("before_end_s", early.as_secs_f64())
                .word("server", server.to_string()),
            says: format!(
                "The credentials for {server} end at {}, {} before the planned end of the hold: some servers check them at each refresh and end the relay then, others only at the first use; use ones that last beyond {}.",
                clock(*ends),
                words::length(early),
                clock(planned)
            ),
        })
    });
    found.collect()
}

/// The planned end of the hold, and how long before it this is.
fn early(timeline: &Timeline, ends: Wall) -> Option<(Wall, Duration)> {
    let planned = timeline.began.wall.plus_micros(words::millis(timeline.plan?.planned_s * 1e3).as_micros() as i64);
    let us = planned.micros().saturating_sub(ends.micros());
    (us > 0).then(|| (planned, Duration::from_micros(us as u64)))
}

fn clock(wall: Wall) -> String {
    wall.timestamp().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
