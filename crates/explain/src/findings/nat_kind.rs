//! `nat_kind`: a NAT that uses another public port for each destination. Only that kind is told: it needs a relay.

use super::Finding;
use crate::{Timeline, rule::Measured};
use std::collections::BTreeMap;
use std::time::Duration;

/// Two servers asked over one socket further apart than this may have seen a mapping that was renewed in between.
const NEAR: Duration = Duration::from_secs(60);

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    let mut first = BTreeMap::new();
    for seen in timeline.between.public.iter().filter(|seen| seen.before.is_none()) {
        let other = *first.entry(seen.local).or_insert(seen);
        let elsewhere = other.server != seen.server && other.public.ip() == seen.public.ip();
        if elsewhere && other.public.port() != seen.public.port() && seen.at.stamp.since(other.at.stamp) <= NEAR {
            return vec![Finding {
                id: "nat_kind",
                measured: Measured::default()
                    .word("mapping", "address_dependent")
                    .number("ports_seen", 2.0)
                    .word("local", seen.local.to_string()),
                says: format!(
                    "The NAT here gives one socket another public port for each destination (port {} for {}, {} for {}), so two such networks cannot reach each other directly: give calls a TURN relay, or set the NAT to endpoint-independent mapping.",
                    other.public.port(),
                    other.server,
                    seen.public.port(),
                    seen.server
                ),
            }];
        }
    }
    Vec::new()
}
