//! The idle limit of TCP to one host: between the longest silence that was survived and the shortest that was not.

use super::{
    Against, Close, Exact, IdleLimit, Only, Unclear, Who,
    activity::Activity,
    exact,
    outcome::{Host, Outcome},
    tolerance,
};
use crate::Timeline;
use record::{
    Seq,
    fact::{RungCarrier, Side},
};
use std::time::Duration;

/// As evidence, not as a list: a bare WebSocket may end two thousand times.
const MOST_NAMED: usize = 24;

/// `Err` where no single limit explains what happened; nothing where nothing died, or too little did.
pub(super) fn find(timeline: &Timeline, host: &Host) -> Vec<Result<IdleLimit, Unclear>> {
    let all: Vec<&Outcome> = host.quiet.iter().collect();
    let unclear = match of(timeline, host, &all) {
        None => return vec![],
        Some(Ok(limit)) => return vec![Ok(limit)],
        Some(Err(unclear)) => unclear,
    };
    // A NAT that lost a flow lets our own first word through and not the far end's, or the reverse.
    let of_side = |side: Side| of_those(timeline, host, |o| o.seen() || o.proved_by == Some(side));
    // What understands WebSockets ends them by a timer of its own.
    let of_carrier = |carrier: RungCarrier| of_those(timeline, host, |o| o.carrier == Some(carrier));
    let only = |only: Only, limit| Ok(IdleLimit { only: Some(only), ..limit });
    match (of_side(Side::Us), of_side(Side::Them)) {
        (None, Some(Ok(limit))) => return vec![only(Only::Said(Side::Them), limit)],
        (Some(Ok(limit)), None) => return vec![only(Only::Said(Side::Us), limit)],
        _ => {}
    }
    let (websocket, tcp) = (RungCarrier::Websocket, RungCarrier::Tcp);
    match (of_carrier(websocket), of_carrier(tcp)) {
        (None, Some(Ok(limit))) => vec![only(Only::On(tcp), limit)],
        (Some(Ok(limit)), None) => vec![only(Only::On(websocket), limit)],
        (Some(Ok(first)), Some(Ok(second))) => {
            vec![only(Only::Each(websocket), first), only(Only::Each(tcp), second)]
        }
        _ => vec![Err(unclear)],
    }
}

fn of_those(timeline: &Timeline, host: &Host, kept: impl Fn(&Outcome) -> bool) -> Option<Result<IdleLimit, Unclear>> {
    of(timeline, host, &host.quiet.iter().filter(|outcome| kept(outcome)).collect::<Vec<_>>())
}

fn of(timeline: &Timeline, host: &Host, outcomes: &[&Outcome]) -> Option<Result<IdleLimit, Unclear>> {
    let died = || outcomes.iter().copied().filter(|outcome| outcome.died());
    let lived = || outcomes.iter().copied().filter(|outcome| !outcome.died());
    let shortest = died().map(|outcome| outcome.silence).min()?;
    let seen: Vec<Duration> = died().filter(|outcome| outcome.seen()).map(|outcome| outcome.silence).collect();
    let exact: Option<Exact> = exact(seen.iter().copied());
    let unclear = |against| Unclear { host: host.name.clone(), died: shortest, against };
    let longest_lived = lived().map(|outcome| outcome.silence).max();
    if let Some(longest) = longest_lived
        && longest > shortest + tolerance(shortest)
    {
        return Some(Err(unclear(Against::Lived(longest))));
    }
    // Ends seen at different silences were not made by one timer.
    if !seen.is_empty() && exact.is_none() {
        let last = seen.iter().copied().max()?;
        return Some(Err(unclear(Against::Ended(last))));
    }
    // One end alone may be any accident, unless a shorter silence was survived: then it lies in a bracket.
    if died().count() < 2 && longest_lived.is_none() {
        return None;
    }
    // Where ends were seen, one that was only found later does not move the limit.
    let under = exact.map_or(shortest, |exact| exact.median.min(shortest + tolerance(shortest)));
    let over = longest_lived.into_iter().chain(talked(timeline, host)).filter(|lived| *lived < under).max();
    let seqs = |those: &mut dyn Iterator<Item = &Outcome>| -> Vec<Seq> {
        let mut seqs: Vec<Seq> = those.map(|outcome| outcome.seq).collect();
        seqs.sort_unstable();
        seqs.truncate(MOST_NAMED);
        seqs
    };
    Some(Ok(IdleLimit {
        host: host.name.clone(),
        over,
        under,
        exact: exact.filter(|exact| exact.count > 0),
        died: seqs(&mut died()),
        lived: seqs(&mut lived()),
        close: Close::common(died().filter_map(Outcome::close)),
        who: Who::common(died().map(Outcome::who)),
        activity: Activity::of(host, under),
        only: None,
    }))
}

/// The pauses of a lane that talks and goes on are silences that were survived, again and again.
fn talked<'h>(timeline: &'h Timeline, host: &'h Host) -> impl Iterator<Item = Duration> + 'h {
    host.talking.iter().filter_map(|lane| {
        let every = lane.talks()?;
        let stood = lane.over().unwrap_or(timeline.hold_end()).since(lane.stands?.at.stamp);
        (!lane.answers.is_empty() && stood > every * 3).then_some(every)
    })
}
