//! `udp_blocked`: UDP died at once, or was never answered, to the far end and to another server alike, while TCP lived. UDP
//! to the far end alone is no proof of a rule against UDP, and where the rule stands is not known from it.

use super::{around, look, one_way_loss, way};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::controls::{Asked, Unheard},
    words,
};
use record::{
    Seq,
    fact::{CandidateKind, ControlKind},
};
use std::time::Duration;

struct Blocked {
    silent: Seq,
    tcp: (Seq, String),
    from_the_start: bool,
    /// Whom UDP did not reach any more.
    whom: Whom,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whom {
    /// The far end, and another server.
    Both,
    /// That one alone; the far end's own UDP was not asked.
    Other,
    /// The far end alone; no other server was asked.
    FarEnd,
}

fn blocked(timeline: &Timeline, drop: &Drop) -> Option<Blocked> {
    if drop.plane != Plane::Media || look::twin(timeline, drop).is_some() {
        return None;
    }
    if drop.loss == Loss::NeverStood { from_the_start(timeline) } else { at_once(timeline, drop) }
}

fn from_the_start(timeline: &Timeline) -> Option<Blocked> {
    let asked = |kind| timeline.controls_of(kind).next().is_some();
    let never = |kind| timeline.control_never_answered(kind, timeline.hold_end()).map(|at| at.seq);
    let (stun, far) = (never(ControlKind::Stun), never(ControlKind::FarUdp));
    // One that did answer shows that UDP passes.
    if (stun.is_none() && asked(ControlKind::Stun)) || (far.is_none() && asked(ControlKind::FarUdp)) {
        return None;
    }
    let whom = match (stun, far) {
        (Some(_), Some(_)) => Whom::Both,
        (Some(_), None) => Whom::Other,
        (None, _) => Whom::FarEnd,
    };
    let ready = timeline.sockets.iter().rev().find_map(|socket| socket.ready)?;
    Some(Blocked {
        silent: stun.or(far)?,
        tcp: (ready.at.seq, "The signaling connection stood, over TCP.".into()),
        from_the_start: true,
        whom,
    })
}

fn at_once(timeline: &Timeline, drop: &Drop) -> Option<Blocked> {
    // Refused by this computer itself: it never reached the network.
    if timeline.send_trouble(drop.last_good, drop.declared).is_some() {
        return None;
    }
    let far = around::said(timeline, drop, ControlKind::FarUdp);
    if far.alive().is_some() {
        return None;
    }
    let alive = |kind| around::said(timeline, drop, kind).alive();
    // Answered by the far end's program, and not by its kernel alone.
    let in_the_middle = || {
        let went_on = around::other_plane_went_on(timeline, drop)?;
        Some((went_on, "The signaling connection, over TCP, was answered in the middle of it.".to_owned()))
    };
    if let Some(stun) = around::said(timeline, drop, ControlKind::Stun).silent() {
        let tcp = None
            .or_else(|| Some((alive(ControlKind::FarTcp)?, around::answered_anew(timeline, drop))))
            .or_else(|| Some((alive(ControlKind::Https)?, around::other_answered(timeline, drop))))
            .or_else(in_the_middle);
        // Media alone, with TCP not seen to live, may be any loss of everything.
        return Some(Blocked { silent: stun, tcp: tcp?, from_the_start: false, whom: Whom::Both });
    }
    // A relay may be reached over TCP, and what one direction explains needs no rule.
    let asked = timeline.controls_of(ControlKind::Stun).next().is_some();
    let relayed = timeline.pair_at(drop.last_good).is_some_and(|pair| pair.local_kind == CandidateKind::Relay);
    if asked || relayed || one_way_loss::found(timeline, drop) {
        return None;
    }
    Some(Blocked { silent: far.silent()?, tcp: in_the_middle()?, from_the_start: false, whom: Whom::FarEnd })
}

/// Every other flow over UDP that was not answered, as a firewall's log has it.
fn unanswered(timeline: &Timeline, drop: &Drop, from_the_start: bool) -> Vec<(Seq, String)> {
    const MOST: usize = 4;
    let flow = |asked: &Asked, silence: &Unheard| {
        let name = asked.target(silence.since).map(ToString::to_string).unwrap_or_default();
        let from = timeline.asked_from(&name, silence.at.stamp).map(|from| format!("{from} ")).unwrap_or_default();
        let flow = format!("UDP {from}to {}", name.trim_start_matches("stun:"));
        let says = match from_the_start {
            true => format!("{flow}, asked once a second, was never answered."),
            false => {
                let since = words::utc_exact(silence.since);
                format!("{flow}, asked once a second: the first question without an answer went out at {since}.")
            }
        };
        (silence.at.seq, says)
    };
    let onset = around::onset(timeline, drop);
    let of_kind = |kind: ControlKind| -> Vec<(Seq, String)> {
        match onset {
            Some(onset) if !from_the_start => timeline
                .controls_silent(kind, onset.good, onset.bad)
                .map(|(asked, silence)| flow(asked, silence))
                .collect(),
            _ => timeline.controls_of(kind).filter_map(|asked| Some(flow(asked, asked.silences.first()?))).collect(),
        }
    };
    [ControlKind::Stun, ControlKind::FarUdp].into_iter().flat_map(of_kind).take(MOST).collect()
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Blocked { silent, tcp, from_the_start, whom } = blocked(timeline, drop)?;
    let other = match whom {
        Whom::FarEnd => around::target(timeline, ControlKind::FarUdp, drop.first_bad),
        Whom::Both | Whom::Other => around::target(timeline, ControlKind::Stun, drop.first_bad),
    };
    let by = match whom {
        Whom::FarEnd => "by the far end".to_owned(),
        Whom::Both | Whom::Other => format!("neither by the far end nor by {other}"),
    };
    let not_known = match whom {
        Whom::FarEnd => {
            "; no other server was asked over UDP, so whether here, on the way or at the far end is not known"
        }
        Whom::Both | Whom::Other => "",
    };
    let never = if whom == Whom::FarEnd { "never answered by the far end" } else { "never answered, " };
    let says = match from_the_start {
        true => format!(
            "UDP was {never}{}, while TCP was; the call could not be placed{not_known}.",
            if whom == Whom::FarEnd { "" } else { &by }
        ),
        false => format!(
            "From {} on UDP was not answered any more{} {by}, while TCP was{not_known}; {}.",
            words::utc_exact(drop.last_good),
            if whom == Whom::FarEnd { "" } else { "," },
            look::came_back(drop)
        ),
    };
    let mut flows = unanswered(timeline, drop, from_the_start);
    let first = flows.iter().position(|(seq, _)| *seq == silent).map(|first| flows.remove(first).1);
    let first = first.unwrap_or_else(|| format!("{other} was asked over UDP and did not answer."));
    let mut because = Evidence::of(silent, first);
    for (seq, says) in flows {
        because = because.and(seq, says);
    }
    Some(Finding {
        owner: None,
        // A server that was never heard of may be the wrong one; two of them are hardly both.
        confidence: if whom == Whom::Both { Confidence::Shown } else { Confidence::Likely },
        says,
        because: because
            .and(
                drop.seq,
                if from_the_start { "The call did not stand.".into() } else { around::last_sign(timeline, drop) },
            )
            .and(tcp.0, tcp.1),
        measured: Measured::seconds(around::lasted(timeline, drop)).word("control", other),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let flow = match timeline.pair_at(drop.declared) {
        Some(pair) => words::media_flow(timeline, pair),
        None => format!("UDP from this computer to {}", way::far_hosts(timeline)),
    };
    let after = match drop.loss {
        Loss::NeverStood => String::new(),
        _ => format!(" after {}", words::utc_exact(drop.first_bad)),
    };
    Advice {
        who: "The network administrator".into(),
        what: format!(
            "Look up in the firewall's log which rule dropped {flow} at {}, and allow UDP to the media addresses of this service. If UDP may not be allowed: ask the maker of the calling app for a TURN server on TCP 443; then put the same one into the retest's profile.",
            words::utc(drop.first_bad)
        ),
        retest: look::retest(timeline, "After the change"),
        // Other UDP may have passed: names and the web are often let out where calls are not.
        wrong_if: format!(
            "a log or a capture at the edge shows these packets leaving to the internet{after}: then it is further out."
        ),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let stun = around::throughout(timeline, drop, ControlKind::Stun);
    let other = || around::target(timeline, ControlKind::Stun, drop.first_bad);
    if stun {
        return Some(format!("UDP to another server ({}) was answered throughout.", other()));
    }
    around::throughout(timeline, drop, ControlKind::FarUdp).then(|| "The far end answered over UDP throughout.".into())
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
