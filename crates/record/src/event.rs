//! `Event`: one fact, numbered and stamped.

use crate::{Fact, Stamp};
use serde::{Deserialize, Serialize};

/// The place of an event in its log, counted from 1; evidence names events by it.
pub type Seq = u64;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    pub seq: Seq,
    pub at: Stamp,
    pub fact: Fact,
}
