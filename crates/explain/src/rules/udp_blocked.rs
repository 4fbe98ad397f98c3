//! `udp_blocked`: UDP died at once, or was never answered, to the far end and to another server alike, while TCP lived. UDP
//! to the far end alone is no proof of a rule against UDP.

use super::{around, look, way};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    words,
};
use record::{Seq, fact::ControlKind};
use std::time::Duration;

struct Blocked {
    stun: Seq,
    tcp: Option<(Seq, &'static str)>,
    from_the_start: bool,
    shown: bool,
}

fn blocked(timeline: &Timeline, drop: &Drop) -> Option<Blocked> {
    if drop.plane != Plane::Media || look::twin(timeline, drop).is_some() {
        return None;
    }
    if drop.loss == Loss::NeverStood {
        let stun = timeline.control_never_answered(ControlKind::Stun, timeline.hold_end())?;
        let far = timeline.control_never_answered(ControlKind::FarUdp, timeline.hold_end());
        if far.is_none() && timeline.controls_of(ControlKind::FarUdp).next().is_some() {
            return None;
        }
        let ready = timeline.sockets.iter().rev().find_map(|socket| socket.ready)?;
        return Some(Blocked {
            stun: stun.seq,
            tcp: Some((ready.at.seq, "The signaling connection stood, over TCP.")),
            from_the_start: true,
            // A server that was never heard of may be the wrong one; two of them are hardly both.
            shown: far.is_some(),
        });
    }
    // Refused by this computer itself: it never reached the network.
    if timeline.send_trouble(drop.last_good, drop.declared).is_some() {
        return None;
    }
    let stun = around::said(timeline, drop, ControlKind::Stun).silent()?;
    if around::said(timeline, drop, ControlKind::FarUdp).alive().is_some() {
        return None;
    }
    let alive = |kind| around::said(timeline, drop, kind).alive();
    let tcp = None
        .or_else(|| Some((alive(ControlKind::FarTcp)?, "The far end answered new TCP connections throughout.")))
        .or_else(|| Some((alive(ControlKind::Https)?, "Another server answered over TCP throughout.")))
        .or_else(|| {
            let went_on = around::other_plane_went_on(timeline, drop)?;
            Some((went_on, "The signaling connection, over TCP, was answered in the middle of it."))
        });
    // Media alone, with TCP not seen to live, may be any loss of everything.
    tcp.is_some().then_some(Blocked { stun, tcp, from_the_start: false, shown: true })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Blocked { stun, tcp, from_the_start, shown } = blocked(timeline, drop)?;
    let other = around::target(timeline, ControlKind::Stun, drop.first_bad);
    let says = match from_the_start {
        true => format!(
            "UDP was never answered, neither by the far end nor by {other}, while TCP was; the call could not be placed."
        ),
        false => format!(
            "From {} on UDP was not answered any more, neither by the far end nor by {other}, while TCP was; {}.",
            words::utc_exact(drop.last_good),
            look::came_back(drop)
        ),
    };
    let what = match from_the_start {
        true => format!("{other} was asked over UDP once a second and never answered."),
        false => format!("{other}, asked over UDP once a second, fell silent with the media."),
    };
    Some(Finding {
        owner: None,
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says,
        because: Evidence::of(stun, what)
            .and(drop.seq, if from_the_start { "The call did not stand.".into() } else { around::last_sign(drop) })
            .and_maybe(tcp.map(|(seq, says)| (seq, says.to_owned()))),
        measured: Measured::seconds(around::lasted(timeline, drop)).word("control", other),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let flow = match timeline.pair_at(drop.declared) {
        Some(pair) => words::media_flow(timeline, pair),
        None => format!("UDP from this computer to {}", way::far_hosts(timeline)),
    };
    Advice {
        who: "The network administrator".into(),
        what: format!(
            "Look up in the firewall's log which rule dropped {flow} at {}, and allow UDP to the media addresses of this service; or give the profile a TURN server on TCP 443.",
            words::utc(drop.first_bad)
        ),
        retest: look::retest(timeline, "After the change"),
        wrong_if: "another program of this computer exchanged UDP with a server outside in that minute.".into(),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let stun = around::said(timeline, drop, ControlKind::Stun).alive();
    let other = || around::target(timeline, ControlKind::Stun, drop.first_bad);
    if stun.is_some() {
        return Some(format!("UDP to another server ({}) was answered throughout.", other()));
    }
    around::said(timeline, drop, ControlKind::FarUdp).alive()?;
    Some("The far end answered over UDP throughout.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::UdpBlocked,
    owner: Owner::LocalNetwork,
    title: "UDP was blocked",
    advice,
    outranks: &[Cause::PathLost, Cause::OneWayLoss, Cause::HandshakeFailed, Cause::NotProven],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
