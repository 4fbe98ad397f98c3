//! `network_switched`: the way to the far end left its interface for another one, or was taken away, while the link stood.

use super::{address_changed, around, look};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    rows::surroundings,
    rule::{Evidence, Finding, Measured},
    timeline::networks::Moved,
    words,
};
use record::fact::{Hop, LinkKind};
use std::time::Duration;

/// What was sent again and again without a way gets through so soon after it is back.
const GOES_ON_WITHIN: Duration = Duration::from_secs(5);

/// The move that can have done it. `vpn_changed` tells of those that lead into a tunnel or out of one.
pub(super) fn moved<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Moved<'a>> {
    let onset = around::onset_near_by(timeline, drop)?;
    let moved = timeline.way_moved(around::is_ipv6(timeline, drop), onset.blamed())?;
    // What went over another interface all the while is not touched by it.
    let ours =
        around::carrying(timeline, drop).is_none_or(|carrying| carrying.interface == moved.before.interface.as_str());
    ours.then_some(moved)
}

pub(super) fn of_tunnel(moved: &Moved) -> bool {
    moved.before.kind == LinkKind::Tunnel || moved.after.is_some_and(|(_, hop)| hop.kind == LinkKind::Tunnel)
}

fn elsewhere<'a>(moved: &Moved<'a>) -> Option<(record::Seq, &'a Hop)> {
    let (at, hop) = moved.after?;
    (hop.interface != moved.before.interface).then_some((at.seq, hop))
}

/// It led over the same interface again, and the loss lasted on.
fn put_back_long_before(timeline: &Timeline, drop: &Drop, moved: &Moved) -> bool {
    elsewhere(moved).is_none()
        && moved.after.is_some_and(|(back, _)| around::over(timeline, drop).since(back.stamp) > GOES_ON_WITHIN)
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let moved = moved(timeline, drop).filter(|moved| !of_tunnel(moved))?;
    // A way goes with the address it stands on, and comes back with the next: then it is the address that changed.
    if elsewhere(&moved).is_none() && address_changed::taken(timeline, drop).is_some() {
        return None;
    }
    let at = words::utc_exact(moved.at.stamp);
    let before = surroundings::hop(moved.before);
    let back = look::came_back(drop);
    let measured = Measured::seconds(around::lasted(timeline, drop)).word("from", moved.before.interface.as_str());
    let of_drop = around::last_sign(drop);
    let confidence = match put_back_long_before(timeline, drop, &moved) {
        true => Confidence::Likely,
        false => around::confidence(timeline, drop),
    };
    let finding = |says: String, because: Evidence, measured: Measured| Finding {
        owner: None,
        confidence,
        says,
        because: because.and(drop.seq, of_drop),
        measured,
    };
    Some(match elsewhere(&moved) {
        Some((seq, hop)) => finding(
            format!(
                "The way to the far end moved at {at}: it went {before} and since then {}; {back}.",
                surroundings::hop(hop)
            ),
            Evidence::of(moved.at.seq, format!("The way to the far end left {} at {at}.", moved.before.interface))
                .and_maybe((seq != moved.at.seq).then(|| (seq, format!("It then led over {}.", hop.interface)))),
            measured.word("to", hop.interface.as_str()),
        ),
        None => finding(
            format!("This computer had no way to the far end from {at} on: the one {before} was taken away; {back}."),
            Evidence::of(moved.at.seq, format!("The way {before} was taken away at {at}.")).and_maybe(
                moved
                    .after
                    .map(|(back, _)| (back.seq, format!("It was put back at {}.", words::utc_exact(back.stamp)))),
            ),
            measured,
        ),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let moved = moved(timeline, drop);
    let at = words::utc(moved.map_or(drop.first_bad, |moved| moved.at.stamp));
    let what = match moved.as_ref().and_then(elsewhere) {
        Some((_, hop)) => format!(
            "Find what moved the way out to {} at {at} (a cable plugged in or out, a dock, a better Wi-Fi), and switch the interface off that calls shall not use.",
            hop.interface
        ),
        None => format!("Find what removed the route at {at}: a DHCP lease that ended, a network manager, a script."),
    };
    Advice {
        who: "Whoever looks after this computer".into(),
        what,
        retest: look::retest(timeline, "With one interface only"),
        wrong_if: format!("the system's own log shows no change of routes at {at}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let onset = around::onset(timeline, drop)?;
    let ipv6 = around::is_ipv6(timeline, drop);
    let (_, hop) = timeline.way_at(ipv6, onset.earliest())?;
    let stayed = timeline.way_moved(ipv6, onset.unchanged()).is_none();
    stayed.then(|| format!("The way to the far end stayed {}.", surroundings::hop(hop)))
}

pub const RULE: Rule = Rule {
    id: Cause::NetworkSwitched,
    owner: Owner::ThisComputer,
    title: "its way to the network changed",
    advice,
    outranks: around::further_than(Cause::NetworkSwitched),
    settle: Duration::from_secs(3),
    find,
    rules_out: Some(rules_out),
};
