//! `network_switched`: the way left its interface for another one, or was taken away, while the link stood.
//!
//! A route that is taken away is named here too. Link and address stay, so it is no `link_down`: whoever looks at the cable
//! finds nothing. The gateway is not asked by a computer that has no way to it, so nothing is known of a `gateway_lost`,
//! and the local network is not to be blamed. That this computer has no way is its own system's word.

use super::{
    address_changed, around, look,
    moved::{self, LeftBehind, elsewhere, moved, of_tunnel, stayed_behind},
    way,
};
use crate::{
    Advice, Cause, Drop, Owner, Rule, Timeline,
    rows::surroundings,
    rule::{Evidence, Finding, Measured},
    timeline::networks::{Moved, Toward},
    words,
};
use std::time::Duration;

/// `vpn_changed` tells of moves that lead into a tunnel or out of one.
fn switched<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Moved<'a>> {
    moved(timeline, drop).filter(|moved| !of_tunnel(moved))
}

/// "default route", where it was that one and not a route to the far end alone.
fn route(timeline: &Timeline, drop: &Drop, moved: &Moved) -> &'static str {
    let anywhere = Toward { far_end: false, ..way::toward(timeline, drop) };
    let within = around::onset(timeline, drop).map(|onset| onset.blamed());
    let default = within.and_then(|within| timeline.way_moved(anywhere, within));
    match default.is_some_and(|default| default.before.interface == moved.before.interface) {
        true => "default route",
        false => "route to the far end",
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let moved = switched(timeline, drop)?;
    let measured = Measured::seconds(around::lasted(timeline, drop)).word("from", moved.before.interface.as_str());
    let confidence = moved::confidence(timeline, drop, &moved);
    let (says, because, measured) = match elsewhere(&moved) {
        Some((_, hop)) => (
            says_moved(timeline, drop, &moved),
            moved_because(timeline, drop, &moved),
            measured.word("to", hop.interface.as_str()),
        ),
        // A way goes with the address it stands on, and comes back with the next: then it is the address that changed.
        None if address_changed::taken(timeline, drop).is_some() => return None,
        None => (says_taken(timeline, drop, &moved), taken_because(timeline, drop, &moved), measured),
    };
    Some(Finding {
        owner: None,
        confidence,
        says,
        because: because.and(drop.seq, around::last_sign(timeline, drop)),
        measured,
    })
}

fn says_moved(timeline: &Timeline, drop: &Drop, moved: &Moved) -> String {
    let after = elsewhere(moved).map(|(_, hop)| surroundings::hop(hop)).unwrap_or_default();
    let behind = match stayed_behind(timeline, drop, moved) {
        Some(LeftBehind { address, .. }) => {
            format!(", where the connection's own address {address} does not belong, while media went on")
        }
        None => String::new(),
    };
    format!(
        "{} moved at {}: it went {} and since then {after}{behind}; {}.",
        way::name(way::toward(timeline, drop)),
        words::utc_exact(moved.at.stamp),
        surroundings::hop(moved.before),
        moved::came_back(timeline, drop)
    )
}

fn moved_because(timeline: &Timeline, drop: &Drop, moved: &Moved) -> Evidence {
    let way = way::name(way::toward(timeline, drop));
    let at = words::utc_exact(moved.at.stamp);
    let then = elsewhere(moved).filter(|(seq, _)| *seq != moved.at.seq);
    let behind = stayed_behind(timeline, drop, moved);
    let beside = behind.as_ref().and_then(|behind| behind.beside);
    Evidence::of(moved.at.seq, format!("{way} left {} at {at}.", moved.before.interface))
        .and_maybe(then.map(|(seq, hop)| (seq, format!("It then led over {}.", hop.interface))))
        .and_maybe(moved::went_on_from(timeline, drop, moved))
        .and_maybe(behind.map(|behind| (behind.media, "Media went on, which is bound to no one address.".into())))
        .and_maybe(beside.map(|seq| (seq, "Another connection from the same address fell silent with it.".into())))
}

fn says_taken(timeline: &Timeline, drop: &Drop, moved: &Moved) -> String {
    let interface = moved.before.interface.as_str();
    let kept = way::kept(timeline, drop, interface);
    format!(
        "The {} was taken away at {}{}: it went {}, and this computer had no way{}; {}.",
        route(timeline, drop, moved),
        words::utc_exact(moved.at.stamp),
        kept.map(|kept| format!(", while {interface} kept {kept}")).unwrap_or_default(),
        surroundings::hop(moved.before),
        match moved.after {
            Some((back, _)) => format!(" until {}", words::utc_exact(back.stamp)),
            None => " from then on".into(),
        },
        moved::came_back(timeline, drop)
    )
}

fn taken_because(timeline: &Timeline, drop: &Drop, moved: &Moved) -> Evidence {
    let (route, at) = (route(timeline, drop, moved), words::utc_exact(moved.at.stamp));
    let back = moved.after.map(|(back, _)| (back.seq, format!("It was put back at {}.", words::utc_exact(back.stamp))));
    let before = surroundings::hop(moved.before);
    Evidence::of(moved.at.seq, format!("This computer's own system said: the {route} {before} is gone, at {at}."))
        .and_maybe(back)
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let moved = switched(timeline, drop);
    let at = words::utc(moved.map_or(drop.first_bad, |moved| moved.at.stamp));
    let what = match moved.as_ref().and_then(elsewhere) {
        Some((_, hop)) => format!(
            "Find what moved the way out to {} at {at} (a cable plugged in or out, a dock, a better Wi-Fi), and switch the interface off that calls shall not use.",
            hop.interface
        ),
        None => format!(
            "Find what took the route away at {at}: a DHCP lease or a router's announcement that ran out, a network manager, a script."
        ),
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
    let toward = way::toward(timeline, drop);
    let (_, hop) = timeline.way_at(toward, onset.earliest())?;
    let stayed = timeline.way_moved(toward, onset.unchanged()).is_none();
    stayed.then(|| format!("{} stayed {}.", way::name(toward), surroundings::hop(hop)))
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
