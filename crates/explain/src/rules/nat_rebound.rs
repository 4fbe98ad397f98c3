//! `nat_rebound`: the public address or port of a live flow changed under it. Whoever sends to the old one reaches nobody.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    words,
};
use record::{Seq, Stamp};
use std::net::SocketAddr;
use std::time::Duration;

/// A server is asked once in several seconds, so the change is noticed that much later than it happened.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);
const BEFORE: Duration = Duration::from_secs(2);

struct Rebound {
    seq: Seq,
    at: Stamp,
    before: SocketAddr,
    after: SocketAddr,
    /// By a server, or by the far end.
    by: String,
    local: Option<SocketAddr>,
}

fn rebound(timeline: &Timeline, drop: &Drop) -> Option<Rebound> {
    let (from, to) = (drop.last_good.minus(BEFORE), drop.declared.plus(NOTICED_WITHIN));
    let inside = |at: Stamp| from <= at && at <= to;
    let by_server = timeline.between.public.iter().find_map(|seen| {
        let before = seen.before.filter(|before| *before != seen.public && inside(seen.at.stamp))?;
        let (by, local) = (seen.server.to_string(), Some(seen.local));
        Some(Rebound { seq: seen.at.seq, at: seen.at.stamp, before, after: seen.public, by, local })
    });
    let by_far_end = || {
        // Each connection has a port of its own; only the address is the same for all of them.
        let mut before: Option<SocketAddr> = None;
        for (at, after) in timeline.lanes.iter().filter(|l| l.carrier().is_some()).flat_map(|l| &l.seen_from) {
            let changed = before.replace(*after).filter(|b| b.ip() != after.ip() && b.is_ipv4() == after.is_ipv4());
            if let Some(before) = changed.filter(|_| inside(at.stamp)) {
                let (after, by) = (*after, "the far end".to_owned());
                return Some(Rebound { seq: at.seq, at: at.stamp, before, after, by, local: None });
            }
        }
        None
    };
    by_server.or_else(by_far_end)
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let found = rebound(timeline, drop)?;
    let what = if found.before.ip() == found.after.ip() { "port" } else { "address" };
    // The system's own address is what a NAT translates: while it stays, the change was made outside this computer.
    let same_local =
        timeline.pair_at(drop.declared).zip(found.local).map(|(pair, local)| pair.local.ip() == local.ip());
    let shown = found.before.ip() != found.after.ip() && same_local != Some(false);
    Some(Finding {
        owner: None,
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "The public {what} of a live flow changed from {} to {}, seen at {} by {}, as {} was lost: the router or the provider gave it another one; {}.",
            found.before,
            found.after,
            words::utc_exact(found.at),
            found.by,
            match drop.plane {
                Plane::Signaling => "signaling",
                Plane::Media => "media",
            },
            look::came_back(drop)
        ),
        because: Evidence::of(
            found.seq,
            format!("{} saw {} before and {} from here on.", found.by, found.before, found.after),
        )
        .and(drop.seq, format!("The last sign of life before the loss came at {}.", words::utc_exact(drop.last_good))),
        measured: Measured::seconds(drop.over(timeline).since(drop.last_good)).word("changed", what),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "The network administrator, with the internet provider".into(),
        what: format!(
            "Look for a line that was dialled anew, a second uplink that took over, or a NAT table that was emptied: {}. Keep one call's flows on one uplink.",
            look::search(timeline, drop)
        ),
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!(
            "the router's log shows the same public address and no cleared sessions at {}.",
            words::utc(drop.first_bad)
        ),
    }
}

/// Where a server went on seeing the same address through it.
fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let asked = timeline.between.public.iter().any(|seen| seen.at.stamp <= drop.last_good);
    (asked && rebound(timeline, drop).is_none())
        .then(|| "The public address stayed the same, as a STUN server saw it.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::NatRebound,
    owner: Owner::LocalNetwork,
    title: "the public address changed",
    advice,
    outranks: &[Cause::NatExpired, Cause::OneWayLoss, Cause::ConnectionReset, Cause::HalfOpen, Cause::NotProven],
    settle: NOTICED_WITHIN,
    find,
    rules_out: Some(rules_out),
};
