//! Facts of sleep and power, as the system tells them. The stamps are the second witness, and suffice alone.

use crate::Said;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// The system said that it is about to sleep.
    AboutToSleep,
    /// The system said that it has woken.
    Woke,
    Supply {
        on_battery: bool,
        percent: Option<f64>,
        found: bool,
    },
    Lid {
        closed: bool,
        found: bool,
    },
    /// We asked the system to stay awake while the hold lasts, because the profile says so.
    KeepingAwake,
    /// It would not.
    NotKeptAwake {
        says: Said,
    },
}
