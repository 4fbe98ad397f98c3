//! Facts of the machine and of our own process.

use crate::{Said, Stamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// Our own ten ticks a second did not come between `since` and this event's stamp. The stamps tell sleep from stall.
    TicksMissed { since: Stamp },
    /// Every ten seconds: our own share, and the machine's load, in percent of one core and megabytes.
    Load { own_cpu: f64, own_mb: f64, machine_cpu: f64 },
    /// Every ten seconds where the system tells: memory that could be had at once, and the share of time in which
    /// everything waited for memory (PSI `full`, ten-second average).
    Memory { available_mb: f64, total_mb: f64, stalled_percent: Option<f64> },
    /// Our own diagnostics or log could not be written.
    RecordFailing { says: Said },
}
