//! `lifetime_limit`: connections to a host end at the same age, however busy they are.

use super::Finding;
use crate::{
    Timeline,
    catalogue::{self, Known},
    limits::{LifetimeLimit, Who},
    rule::Measured,
    words,
};

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    timeline.limits.lifetime.iter().map(of).collect()
}

fn of(limit: &LifetimeLimit) -> Finding {
    let who = match limit.who {
        Who::FarEnd => format!("{} itself", limit.host),
        Who::Between => format!("Something between here and the service at {}", limit.host),
        Who::Unknown => format!("{} or a device before it", limit.host),
    };
    let how = limit.close.map_or_else(|| "in several ways".into(), |close| close.words());
    let known = catalogue::lifetime(limit);
    let named = known.as_ref().map(Known::sentence).unwrap_or_default();
    let clock = limit.every.map(|every| {
        format!(
            " They ended every {}, and what is done by the clock (a reload, a deployment) looks the same: compare with its log.",
            words::length(every)
        )
    });
    let clock = clock.unwrap_or_default();
    let mut measured = Measured::default()
        .number("seconds", limit.exact.median.as_secs_f64())
        .number("spread_s", limit.exact.spread.as_secs_f64())
        .number("ends", limit.exact.count as f64)
        .word("host", limit.host.clone());
    if let Some(close) = limit.close {
        measured = measured.word("ended", close.id());
    }
    Finding {
        id: "lifetime_limit",
        measured: measured.word_maybe("consistent_with", known.map(|known| known.names())),
        says: format!(
            "{who} ends TCP connections when they are {} old, however busy they are, {how} ({}, spread {}): no heartbeat helps; raise the limit on a connection's or request's duration beyond the longest call, or open the next connection before the old one ends.{named}{clock}",
            words::length(limit.exact.median),
            words::count(limit.exact.count, "end"),
            words::length(limit.exact.spread)
        ),
    }
}
