//! `link_down`: the interface that carried the call lost its carrier, was switched off, or vanished.

use super::{around, look, way};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    timeline::networks::{LinkLoss, LinkWord, Within},
    words,
};
use record::fact::{ControlKind, LinkKind};
use std::time::Duration;

/// A radio that hears nothing any more says so only after some seconds of trying.
const RADIO_TELLS_WITHIN: Duration = Duration::from_secs(5);

struct Down<'a> {
    link: LinkLoss<'a>,
    /// What ran over it, where that is a tunnel.
    under: Option<&'a str>,
    late: bool,
    /// Another one stood, that may have carried the tunnel.
    unclear: bool,
}

fn down<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Down<'a>> {
    let onset = around::onset_near_by(timeline, drop)?;
    let carrying = way::carrying(timeline, drop)?;
    if carrying.kind == LinkKind::Tunnel {
        let link = timeline.any_link_lost(onset.blamed())?;
        // What a tunnel runs over is not told; with one way only it is clear.
        let unclear = timeline.others_stand(link.interface, onset.earliest());
        return Some(Down { link, under: Some(carrying.interface), late: false, unclear });
    }
    let radio = carrying.kind == LinkKind::Wifi
        && around::said(timeline, drop, ControlKind::Gateway).silent().is_some()
        && onset.latest > onset.bad;
    let to = if radio { onset.bad.plus(RADIO_TELLS_WITHIN) } else { onset.latest };
    let link = timeline.link_lost(carrying.interface, Within { to, ..onset.blamed() })?;
    Some(Down { link, under: None, late: link.at.stamp > onset.latest, unclear: false })
}

/// It came back with the link, or over another one, or not at all.
fn agrees(timeline: &Timeline, drop: &Drop, link: &LinkLoss) -> bool {
    let Some(restored) = drop.restored else { return true };
    link.back.is_some_and(|back| back.stamp <= restored) || took_over(timeline, drop, link).is_some()
}

fn took_over<'a>(timeline: &Timeline<'a>, drop: &Drop, link: &LinkLoss) -> Option<(record::Seq, &'a str)> {
    let until = link.back.map_or(around::over(timeline, drop), |back| back.stamp);
    let within = Within::any(link.at.stamp.minus(around::NEAR), until);
    let moved = timeline.way_moved(way::toward(timeline, drop), within)?;
    let (at, hop) = moved.after?;
    (hop.interface.as_str() != link.interface).then_some((at.seq, hop.interface.as_str()))
}

fn happened(word: LinkWord) -> &'static str {
    match word {
        LinkWord::NoCarrier => "lost its carrier",
        LinkWord::SwitchedOff => "was switched off",
        LinkWord::Gone => "vanished",
        LinkWord::NoWifi => "left its Wi-Fi network",
        LinkWord::Stands => "changed",
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Down { link, under, late, unclear } = down(timeline, drop)?;
    let name = around::interface(link.kind, link.interface);
    let what = format!("{} at {}", happened(link.word), words::utc_exact(link.at.stamp));
    let carried = match under {
        Some(tunnel) if unclear => format!(", which may have carried the tunnel {tunnel} of the call,"),
        Some(tunnel) => format!(", under the tunnel {tunnel} that carried the call,"),
        None => ", which carried the call,".into(),
    };
    let elsewhere = took_over(timeline, drop, &link);
    let then = match (elsewhere, link.back) {
        (Some((_, other)), _) => format!(", and packets went over {other} from then on"),
        (None, Some(back)) => format!(" and was back at {}", words::utc_exact(back.stamp)),
        (None, None) => String::new(),
    };
    let gateway = around::said(timeline, drop, ControlKind::Gateway).silent();
    let mut measured = Measured::seconds(around::lasted(timeline, drop)).word("interface", link.interface);
    if let Some(back) = link.back {
        measured = measured.number("link_down_s", back.stamp.since(link.at.stamp).as_secs_f64());
    }
    let sure = !late && !unclear && agrees(timeline, drop, &link);
    Some(Finding {
        owner: None,
        confidence: if sure { Confidence::Shown } else { Confidence::Likely },
        says: format!("The {name}{carried} {what}{then}; {}.", look::came_back(drop)),
        because: Evidence::of(link.at.seq, format!("This computer's own system said: {} {what}.", link.interface))
            .and(drop.seq, around::last_sign(timeline, drop))
            .and_maybe(gateway.map(|seq| (seq, "The gateway stopped answering with it.".into())))
            .and_maybe(elsewhere.map(|(seq, other)| (seq, format!("The way to the far end then led over {other}."))))
            .and_maybe(
                link.back.map(|back| {
                    (back.seq, format!("{} was back at {}.", link.interface, words::utc_exact(back.stamp)))
                }),
            ),
        measured,
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let down = down(timeline, drop);
    let (name, at, kind) = match &down {
        Some(down) => (down.link.interface, down.link.at.stamp, down.link.kind),
        None => ("the interface", drop.first_bad, LinkKind::Other),
    };
    let at = words::utc(at);
    let by_hand = down.as_ref().is_some_and(|down| down.link.word == LinkWord::SwitchedOff);
    let look_for = match kind {
        _ if by_hand => "who or what switched it off; its cable and signal are not at fault",
        LinkKind::Wifi => {
            "the access point's log for this computer leaving, the signal where it stands, and the adapter's power saving"
        }
        LinkKind::Wired => "the cable, the dock, the switch port's log, and the adapter's power saving",
        LinkKind::Mobile => "the modem's signal and its data session",
        _ => "what switched it off, and the adapter's power saving",
    };
    Advice {
        who: "Whoever looks after this computer".into(),
        what: format!("Check why {name} went down at {at}: {look_for}."),
        retest: look::retest(timeline, "Use another cable, port or network"),
        wrong_if: format!("the system's own log shows no change of {name} at {at}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let onset = around::onset(timeline, drop)?;
    let carrying = way::carrying(timeline, drop)?;
    let name = carrying.interface;
    let within = Within { to: onset.bad.plus(RADIO_TELLS_WITHIN), ..onset.unchanged() };
    if !timeline.link_watched(name) || timeline.link_lost(name, within).is_some() {
        return None;
    }
    let address = way::our_address(timeline, drop)
        .filter(|address| timeline.holder(*address, onset.bad).is_some_and(|held| held.interface == name));
    match address {
        Some(_) => Some(format!("The interface {name} kept its carrier and its address.")),
        None => Some(format!("The interface {name} kept its carrier.")),
    }
}

pub const RULE: Rule = Rule {
    id: Cause::LinkDown,
    owner: Owner::ThisComputer,
    title: "its network link went down",
    advice,
    outranks: around::further_than(Cause::LinkDown),
    settle: RADIO_TELLS_WITHIN,
    find,
    rules_out: Some(rules_out),
};
