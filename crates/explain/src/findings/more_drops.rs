//! `more_drops`: not all of them are told.

use super::Finding;
use crate::{Timeline, drops, rule::Measured};

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    if timeline.drops.len() < drops::MOST {
        return Vec::new();
    }
    vec![Finding {
        id: "more_drops",
        measured: Measured::default().number("told", drops::MOST as f64),
        says: format!("Only the first {} drops are told; later ones may be missing here.", drops::MOST),
    }]
}
