//! `nat_rebound`: the public address or port of a live flow changed under it. Whoever sends to the old one reaches nobody.

use super::{around, look};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    timeline::{At, HeldLane},
    words,
};
use record::{Ip, IpPort, Seq, Stamp};
use std::time::Duration;

/// A server is asked once in several seconds, so the change is noticed that much later than it happened.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);
const BEFORE: Duration = Duration::from_secs(2);
/// What changes after the loss was over for so long had no part in it.
const AFTER: Duration = Duration::from_secs(5);
/// One connection alone shows nothing of the others.
const SEVERAL: usize = 2;

struct Rebound {
    seq: Seq,
    at: Stamp,
    before: IpPort,
    after: IpPort,
    /// By a server, or by the far end.
    by: String,
    local: Option<IpPort>,
}

fn rebound(timeline: &Timeline, drop: &Drop) -> Option<Rebound> {
    // What never stood was not lost by it, and a goodbye came over a flow that stood.
    around::onset_before_goodbye(timeline, drop)?;
    let to = drop.declared.plus(NOTICED_WITHIN).min(drop.over(timeline).plus(AFTER));
    let inside = |at: Stamp| drop.last_good.minus(BEFORE) <= at && at <= to;
    let public = &timeline.between.public;
    let by_server = public.iter().enumerate().find_map(|(n, seen)| {
        let before = seen.before.filter(|before| *before != seen.public && inside(seen.at.stamp))?;
        // Where we left from another address ourselves, nobody else changed it.
        let earlier = public[..n].iter().rev().find(|earlier| earlier.server == seen.server);
        if earlier.is_some_and(|earlier| earlier.local.ip() != seen.local.ip()) {
            return None;
        }
        let (by, local) = (seen.server.to_string(), Some(seen.local));
        Some(Rebound { seq: seen.at.seq, at: seen.at.stamp, before, after: seen.public, by, local })
    });
    by_server.or_else(|| by_far_end(timeline, inside))
}

/// Each connection has a port of its own; only the address is the same for all of them. Where several share the load, each
/// connection may have another one: only when all before had the one and all after have the other did it change.
fn by_far_end(timeline: &Timeline, inside: impl Fn(Stamp) -> bool) -> Option<Rebound> {
    let lanes = timeline.lanes.iter().filter(|lane| lane.carrier().is_some());
    let own = |lane: &HeldLane| lane.stands.map(|stands| stands.local.ip());
    let mut seen: Vec<(At, IpPort, Option<Ip>)> =
        lanes.flat_map(|lane| lane.seen_from.iter().map(move |(at, address)| (*at, *address, own(lane)))).collect();
    seen.sort_by_key(|(at, ..)| at.seq);
    let (_, first, _) = *seen.first()?;
    let changed = seen.iter().position(|(_, address, _)| address.ip() != first.ip())?;
    let (before, after) = seen.split_at(changed);
    let (at, address, from) = *after.first()?;
    // Where we left from another address ourselves, nobody else changed it.
    if before.last().is_some_and(|(.., earlier)| *earlier != from) {
        return None;
    }
    let for_all = before.len() >= SEVERAL && after.iter().all(|(_, later, _)| later.ip() != first.ip());
    let changed = for_all && first.is_ipv4() == address.is_ipv4() && inside(at.stamp);
    let by = "the far end".to_owned();
    changed.then_some(Rebound { seq: at.seq, at: at.stamp, before: first, after: address, by, local: None })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let found = rebound(timeline, drop)?;
    let what = if found.before.ip() == found.after.ip() { "port" } else { "address" };
    // The system's own address is what a NAT translates: while it stays, the change was made outside this computer.
    let same_local =
        timeline.pair_at(drop.declared).zip(found.local).map(|(pair, local)| pair.local.ip() == local.ip());
    // Media finds its way back from another address by the next check; TCP cannot.
    let tcp_lived = drop.plane == Plane::Media && around::other_plane_went_on(timeline, drop).is_some();
    let shown = found.before.ip() != found.after.ip() && same_local != Some(false) && !tcp_lived;
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
        measured: Measured::seconds(drop.over(timeline).since(drop.last_good))
            .word("changed", what)
            .word("before", found.before.to_string())
            .word("after", found.after.to_string()),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "The network administrator, with the internet provider".into(),
        what: format!(
            "Look for a line that was dialled anew, a second uplink that took over, or a NAT table that was emptied: {}. Keep one call's flows on one uplink.",
            look::search_outside(timeline, drop)
        ),
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!(
            "the router's log shows the same public address and no cleared sessions at {}.",
            words::utc(drop.first_bad)
        ),
    }
}

/// Where a server saw the same address before it and after it; while it lasted, nobody may have been able to see.
fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let seen = timeline.between.public.iter().filter(|seen| seen.at.stamp <= drop.last_good);
    let by = seen
        .map(|seen| seen.server)
        .rev()
        .find(|by| timeline.control_answered_after(by.as_str(), drop.over(timeline)))?;
    (rebound(timeline, drop).is_none() && same_since(timeline, drop))
        .then(|| format!("The public address was the same after it as before, as {by} saw it."))
}

/// An answer that shows another address is told as such, however late it comes.
fn same_since(timeline: &Timeline, drop: &Drop) -> bool {
    let over = drop.over(timeline).plus(AFTER);
    let during = |at: Stamp| drop.last_good <= at && at <= over;
    !timeline.between.public.iter().any(|seen| during(seen.at.stamp) && seen.before.is_some_and(|b| b != seen.public))
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
