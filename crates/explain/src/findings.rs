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

pub(crate) use heartbeat_advice::often;

type Find = fn(&Timeline) -> Vec<Finding>;

/// The closed list, in the order in which they are read: limits first, because they are what can be changed.
pub const FINDINGS: &[(&str, Find)] = &[
    ("idle_limit", idle_limit::find),
    ("idle_unclear", idle_limit::unclear),
    ("udp_idle_limit", udp_idle_limit::find),
    ("lifetime_limit", lifetime_limit::find),
    ("heartbeat_advice", heartbeat_advice::find),
    ("token_expires_before_hold", expires::token),
    ("turn_expires_before_hold", expires::turn),
    ("tls_inspected", tls_inspected::find),
    ("proxy_in_use", proxy_in_use::find),
    ("nat_kind", nat_kind::find),
    ("quality_low", quality_low::find),
    ("clock_stepped", clock_stepped::find),
    ("more_drops", more_drops::find),
];

pub(crate) fn find(timeline: &Timeline) -> Vec<Finding> {
    let of = |(id, find): &(&str, Find)| {
        let found = find(timeline);
        debug_assert!(found.iter().all(|one| one.id == *id), "{id} is told under another name");
        found
    };
    FINDINGS.iter().flat_map(of).collect()
}
