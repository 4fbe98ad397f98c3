//! Findings: what is worth knowing and is no drop. One file each; nobody is told what they cannot act on.

use crate::{rule::Measured, timeline::Timeline};
use serde::Serialize;
use ts_rs::TS;

mod clock_stepped;
mod expires;
mod heartbeat_advice;
mod idle_limit;
mod lifetime_limit;
mod more_drops;
mod nat_kind;
mod proxy_in_use;
mod quality_low;
mod tls_inspected;
mod udp_idle_limit;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Finding {
    pub id: &'static str,
    pub measured: Measured,
    pub says: String,
}

type Find = fn(&Timeline) -> Vec<Finding>;

/// In the order in which they are read: limits first, because they are what can be changed.
const FINDINGS: &[Find] = &[
    idle_limit::find,
    udp_idle_limit::find,
    lifetime_limit::find,
    heartbeat_advice::find,
    expires::find,
    tls_inspected::find,
    proxy_in_use::find,
    nat_kind::find,
    quality_low::find,
    clock_stepped::find,
    more_drops::find,
];

pub(crate) fn find(timeline: &Timeline) -> Vec<Finding> {
    FINDINGS.iter().flat_map(|find| find(timeline)).collect()
}
