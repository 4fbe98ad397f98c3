//! `vpn_changed`: a tunnel came or went and took the way to the far end along. A tunnel that did not is no cause.

use super::{
    around, look,
    network_switched::{moved, of_tunnel},
};
use crate::{
    Advice, Cause, Drop, Owner, Rule, Timeline,
    rows::surroundings,
    rule::{Evidence, Finding, Measured},
    timeline::networks::{LinkWord, Moved},
    words,
};
use record::fact::LinkKind;
use std::time::Duration;

fn through_tunnel<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Moved<'a>> {
    moved(timeline, drop).filter(of_tunnel)
}

/// The tunnel's name, and whether packets went into it or out of it.
fn which<'a>(moved: &Moved<'a>) -> (&'a str, &'static str) {
    match moved.after {
        Some((_, hop)) if hop.kind == LinkKind::Tunnel => (hop.interface.as_str(), "into"),
        _ => (moved.before.interface.as_str(), "out of"),
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let moved = through_tunnel(timeline, drop)?;
    let (tunnel, way) = which(&moved);
    let at = words::utc_exact(moved.at.stamp);
    let public = timeline.public_changed(moved.at.stamp.minus(around::NEAR), drop.over(timeline));
    let since = match moved.after {
        Some((_, hop)) => {
            format!("it went {} and since then {}", surroundings::hop(moved.before), surroundings::hop(hop))
        }
        None => format!("it went {} and then nowhere", surroundings::hop(moved.before)),
    };
    let came = timeline
        .tunnel_changed(moved.at.stamp.minus(Duration::from_secs(10)), moved.at.stamp.plus(around::NEAR))
        .filter(|(name, _)| *name == tunnel)
        .map(|(name, state)| {
            let word = match state.word {
                LinkWord::Stands => "came up",
                LinkWord::Gone => "vanished",
                _ => "went down",
            };
            (state.at.seq, format!("The tunnel {name} {word} at {}.", words::utc_exact(state.at.stamp)))
        });
    let mut measured = Measured::seconds(around::lasted(timeline, drop)).word("interface", tunnel);
    if let Some(public) = public {
        measured = measured.word("public_before", public.before.ip().to_string());
        measured = measured.word("public_after", public.public.ip().to_string());
    }
    Some(Finding {
        owner: None,
        confidence: around::confidence(timeline, drop),
        says: format!(
            "The way to the far end moved {way} the tunnel {tunnel} at {at}: {since}; {}.",
            look::came_back(drop)
        ),
        because: Evidence::of(moved.at.seq, format!("The way to the far end left {} at {at}.", moved.before.interface))
            .and_maybe(came)
            .and(drop.seq, around::last_sign(drop))
            .and_maybe(public.map(|seen| {
                (
                    seen.at.seq,
                    format!(
                        "{} then saw this computer as {}, and no longer as {}.",
                        seen.server, seen.public, seen.before
                    ),
                )
            })),
        measured,
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let moved = through_tunnel(timeline, drop);
    let tunnel = moved.as_ref().map_or("the tunnel", |moved| which(moved).0);
    let at = words::utc(moved.map_or(drop.first_bad, |moved| moved.at.stamp));
    let far = around::far_hosts(timeline);
    Advice {
        who: "Whoever looks after the VPN".into(),
        what: format!(
            "Look up in the VPN client's log why {tunnel} changed at {at}, and exclude {far} from the tunnel (split tunnel), signaling and media alike."
        ),
        retest: look::retest(timeline, "Connect and disconnect the VPN during the hold"),
        wrong_if: format!("the VPN client's log shows no change at {at}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let onset = around::onset(timeline, drop)?;
    let unchanged = onset.unchanged();
    let ipv6 = around::is_ipv6(timeline, drop);
    let (_, hop) = timeline.way_at(ipv6, unchanged.from)?;
    if timeline.way_moved(ipv6, unchanged).is_some() {
        return None;
    }
    Some(match timeline.tunnel_changed(unchanged.from, unchanged.to) {
        Some((tunnel, _)) => {
            format!("The tunnel {tunnel} changed, and the way to the far end stayed {}.", surroundings::hop(hop))
        }
        None => "No tunnel came or went.".into(),
    })
}

pub const RULE: Rule = Rule {
    id: Cause::VpnChanged,
    owner: Owner::ThisComputer,
    title: "a VPN came or went",
    advice,
    outranks: around::further_than(Cause::VpnChanged),
    settle: Duration::from_secs(3),
    find,
    rules_out: Some(rules_out),
};
