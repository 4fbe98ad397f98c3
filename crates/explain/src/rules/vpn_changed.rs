//! `vpn_changed`: a tunnel came or went and took the way to the far end along. A tunnel that did not is no cause.

use super::{
    around, look,
    moved::{self, elsewhere, moved, of_tunnel, stayed_behind},
    way,
};
use crate::{
    Advice, Cause, Drop, Owner, Rule, Timeline,
    rows::surroundings,
    rule::{Evidence, Finding, Measured},
    timeline::networks::{LinkWord, Moved},
    words,
};
use record::{Seq, fact::LinkKind};
use std::time::Duration;

/// A VPN brings its interface up, and then its routes.
const LONG_BEFORE: Duration = Duration::from_secs(10);

fn through_tunnel<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Moved<'a>> {
    moved(timeline, drop).filter(of_tunnel)
}

/// The tunnel's name, and whether packets went into it or out of it, or had no way for a time.
fn which<'a>(moved: &Moved<'a>) -> (&'a str, Option<&'static str>) {
    match elsewhere(moved) {
        Some((_, hop)) if hop.kind == LinkKind::Tunnel => (hop.interface.as_str(), Some("into")),
        Some(_) => (moved.before.interface.as_str(), Some("out of")),
        None => (moved.before.interface.as_str(), None),
    }
}

/// After its name: what became of the way, exactly.
fn happened(moved: &Moved) -> String {
    let (tunnel, way) = which(moved);
    let at = words::utc_exact(moved.at.stamp);
    match (way, moved.after) {
        (Some(way), Some((_, hop))) => format!(
            "moved {way} the tunnel {tunnel} at {at}: it went {} and since then {}",
            surroundings::hop(moved.before),
            surroundings::hop(hop)
        ),
        (_, Some((back, _))) => format!(
            "through the tunnel {tunnel} was taken away at {at} and put back at {}",
            words::utc_exact(back.stamp)
        ),
        (_, None) => format!("through the tunnel {tunnel} was taken away at {at}, and no other took its place"),
    }
}

/// What the system reported of the tunnel itself, shortly before.
fn turned(timeline: &Timeline, drop: &Drop, moved: &Moved) -> Option<(Seq, String)> {
    let (tunnel, way) = which(moved);
    let (from, to) = (moved.at.stamp.minus(LONG_BEFORE), moved.at.stamp.plus(around::NEAR));
    let state = timeline.link_turned(tunnel, way == Some("into"), from, to)?;
    let toward = way::toward(timeline, drop);
    let took = match way::far_address(timeline, drop) {
        Some(address) if toward.far_end => format!("the way to {address}"),
        _ if toward.far_end => "the way to the far end".into(),
        _ => "the default route".into(),
    };
    let at = words::utc_exact(state.at.stamp);
    let says = match state.word {
        LinkWord::Stands => format!("came up at {at} and took {took}"),
        LinkWord::Gone => format!("vanished at {at}"),
        _ => format!("went down at {at}"),
    };
    Some((state.at.seq, format!("The tunnel {tunnel} {says}; the system reported it.")))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let moved = through_tunnel(timeline, drop)?;
    let (tunnel, _) = which(&moved);
    let name = way::name(way::toward(timeline, drop));
    let at = words::utc_exact(moved.at.stamp);
    let public = timeline.public_changed(moved.at.stamp.minus(around::NEAR), drop.over(timeline));
    let behind = stayed_behind(timeline, drop, &moved);
    let stayed = behind.as_ref().map_or_else(String::new, |behind| {
        format!(", where the connection's own address {} does not belong, while media went on", behind.address)
    });
    let turned = turned(timeline, drop, &moved);
    let mut measured = Measured::seconds(around::lasted(timeline, drop)).word("interface", tunnel);
    if let Some(public) = public {
        measured = measured.word("public_before", public.before.ip().to_string());
        measured = measured.word("public_after", public.public.ip().to_string());
    }
    Some(Finding {
        owner: None,
        confidence: moved::confidence(timeline, drop, &moved),
        says: format!("{name} {}{stayed}; {}.", happened(&moved), moved::came_back(timeline, drop)),
        because: Evidence::of(moved.at.seq, format!("{name} left {} at {at}.", moved.before.interface))
            .and_maybe(turned)
            .and_maybe(moved::went_on_from(timeline, drop, &moved))
            .and_maybe(behind.map(|behind| (behind.media, "Media went on, which is bound to no one address.".into())))
            .and(drop.seq, around::last_sign(timeline, drop))
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
    let far = way::far_hosts(timeline);
    Advice {
        who: "Whoever looks after the VPN".into(),
        what: format!(
            "Look up in the VPN client's log why {tunnel} changed at {at}, and exclude {far} from the tunnel (split tunnel), signaling and media alike."
        ),
        retest: format!(
            "{} Mended if nothing is lost.",
            look::retest(
                timeline,
                "After the change, with the VPN disconnected at first, connected after 15 s and disconnected again after 40 s"
            )
        ),
        wrong_if: format!("the VPN client's log shows no change at {at}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let onset = around::onset(timeline, drop)?;
    let unchanged = onset.unchanged();
    let toward = way::toward(timeline, drop);
    let (_, hop) = timeline.way_at(toward, unchanged.from)?;
    if timeline.way_moved(toward, unchanged).is_some() {
        return None;
    }
    match timeline.tunnel_changed(unchanged.from, unchanged.to) {
        Some((tunnel, _)) if toward.far_end => {
            Some(format!("The tunnel {tunnel} changed, and the way to the far end stayed {}.", surroundings::hop(hop)))
        }
        // A tunnel may take a route of its own to where the media goes, and nobody watches that one.
        Some(_) => None,
        None => Some("No tunnel came or went.".into()),
    }
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
