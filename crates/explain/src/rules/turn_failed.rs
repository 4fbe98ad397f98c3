//! `turn_failed`: the relay that carried the media refused to go on, was lost, or died. Once the call stood, only what took
//! something away from the path in use counts: a server that refused us an address that another gave, or a way
//! to a candidate that was not taken, did not end anything.

use super::{around, look};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{At, HeldLane, Pair, TurnTrouble, Undelivered},
    words,
};
use record::{
    Heard, Ip, IpPort, Said,
    fact::{CandidateKind, ControlKind, End, TurnRequest},
    profile::IcePolicy,
};
use std::time::Duration;

/// An allocation lives ten minutes from its last refresh: a refused refresh may take that long to be felt.
const LIFETIME: Duration = Duration::from_secs(600);
/// What is lost so soon after a refusal was lost by it; later, something else may have come between.
const PROMPT: Duration = Duration::from_secs(15);
/// How often a relay beside the call is asked, and for how long it is waited for.
const ASKED_EVERY: Duration = Duration::from_secs(8);
/// A lost connection to the relay stops the media in the same moment; the news of it may come later.
const LOST_NEAR: Duration = Duration::from_secs(2);

/// The pair in use when the media was last well, if it went over a relay of ours.
fn relayed<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<&'t Pair> {
    timeline.pair_at(drop.last_good).filter(|pair| pair.local_kind == CandidateKind::Relay)
}

/// It took away what the pair in use needs.
fn takes_away(trouble: &TurnTrouble, pair: &Pair) -> bool {
    match trouble.refused {
        Some((TurnRequest::Refresh, _)) => true,
        // Before the pair was taken they were for candidates of which it is not known that any was needed.
        Some((TurnRequest::ChannelBind | TurnRequest::CreatePermission, _)) => trouble.at.stamp >= pair.at.stamp,
        Some((TurnRequest::Allocate | TurnRequest::Other, _)) | None => false,
    }
}

/// How a relay shows that it failed.
enum Sign<'t, 'a> {
    /// It refused what the call asked for.
    Refused(&'t TurnTrouble<'a>),
    /// The connection to it was lost as the media stopped.
    Lost(&'t TurnTrouble<'a>),
    /// Its own computer answered that nobody listens there any more.
    NobodyListens(&'t Heard, &'t Undelivered),
    /// What was asked of it while the media was lost stayed unanswered.
    Unanswered(&'t TurnTrouble<'a>),
    /// Another relay of ours, held at the same server beside the call, was ended or silent too.
    Beside(&'t HeldLane<'a>, At, Option<&'a Said>),
}

fn sign<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<Sign<'t, 'a>> {
    if drop.loss == Loss::NeverStood {
        let for_want_of_it = relay_only(timeline) && timeline.failed_in_media() && timeline.relays.is_empty();
        let trouble = timeline.turn.iter().find(|_| for_want_of_it)?;
        return Some(if trouble.refused.is_some() { Sign::Refused(trouble) } else { Sign::Lost(trouble) });
    }
    // With signaling lost as well it is not the relay that went, but the way to everything.
    if drop.plane != Plane::Media || look::twin(timeline, drop).is_some() {
        return None;
    }
    let pair = relayed(timeline, drop)?;
    let server = timeline.relay_of(pair)?;
    let troubles = || timeline.turn.iter().filter(|trouble| server == trouble.server);
    let refused = troubles().rev().find(|trouble| {
        takes_away(trouble, pair)
            && trouble.at.stamp <= drop.declared
            && drop.last_good.awake_since(trouble.at.stamp) <= LIFETIME
    });
    let lost = || {
        troubles().find(|trouble| {
            trouble.refused.is_none()
                && trouble.at.stamp.plus(LOST_NEAR) >= drop.last_good
                && trouble.at.stamp <= drop.declared.plus(LOST_NEAR)
        })
    };
    refused
        .map(Sign::Refused)
        .or_else(|| lost().map(Sign::Lost))
        .or_else(|| nobody_listens(timeline, drop, server).map(|told| Sign::NobodyListens(server, told)))
        .or_else(|| beside(timeline, drop, server))
        .or_else(|| unanswered(timeline, drop, server).map(Sign::Unanswered))
        .or_else(|| refused_another(timeline, drop).map(Sign::Refused))
}

/// Asked for another relay while the media was lost, it did not answer.
fn unanswered<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop, server: &Heard) -> Option<&'t TurnTrouble<'a>> {
    let over = drop.over(timeline);
    timeline.turn.iter().find(|trouble| {
        server == trouble.server
            && trouble.refused.is_none()
            && drop.last_good < trouble.at.stamp
            && trouble.at.stamp <= over
    })
}

/// What it was said of is where the media went: to the server, and to nobody beyond it.
fn nobody_listens<'t>(timeline: &'t Timeline, drop: &Drop, server: &Heard) -> Option<&'t Undelivered> {
    look::nobody_takes_media(timeline, drop).filter(|told| is_at(server.as_str(), told.to))
}

/// Of TURN, and of TURN over TLS.
const DEFAULT_PORTS: [u16; 2] = [3478, 5349];

/// `turn:192.0.2.1:3478?transport=udp` is at its address; of a name only the port can be compared.
fn is_at(server: &str, at: IpPort) -> bool {
    let rest = ["turns:", "turn:"].iter().find_map(|scheme| server.strip_prefix(scheme)).unwrap_or(server);
    let authority = rest.split('?').next().unwrap_or(rest);
    if let Ok(address) = authority.parse::<IpPort>() {
        return address == at;
    }
    if let Ok(address) = authority.trim_matches(['[', ']']).parse::<Ip>() {
        return address == at.ip() && DEFAULT_PORTS.contains(&at.port());
    }
    match authority.rsplit_once(':') {
        Some((_, port)) => port.parse() == Ok(at.port()),
        None => DEFAULT_PORTS.contains(&at.port()),
    }
}

fn relay_only(timeline: &Timeline) -> bool {
    timeline.plan.is_some_and(|plan| plan.ice_policy == IcePolicy::Relay)
}

/// A call that may use nothing but relays has no way back where another one is refused.
fn refused_another<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<&'t TurnTrouble<'a>> {
    let over = drop.over(timeline);
    timeline.turn.iter().filter(|_| relay_only(timeline)).find(|trouble| {
        matches!(trouble.refused, Some((TurnRequest::Allocate, _)))
            && drop.last_good < trouble.at.stamp
            && trouble.at.stamp <= over
    })
}

fn beside<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop, server: &Heard) -> Option<Sign<'t, 'a>> {
    let until = drop.over(timeline).plus(ASKED_EVERY);
    let near = |at: At| drop.last_good < at.stamp && at.stamp <= until;
    timeline.lanes.iter().filter(|lane| lane.to == server.as_str()).find_map(|lane| {
        lane.stands.filter(|stands| stands.at.stamp <= drop.last_good)?;
        let ended = lane.ended.filter(|ended| near(ended.at)).and_then(|ended| match ended.end {
            End::Broken { says } => Some((ended.at, Some(says))),
            End::Reset | End::Fin | End::CloseNotify => Some((ended.at, None)),
            _ => None,
        });
        let silent = || lane.silences.iter().find(|silence| near(silence.at) && silence.last_ok <= drop.first_bad);
        let (at, says) = ended.or_else(|| silent().map(|silence| (silence.at, None)))?;
        Some(Sign::Beside(lane, at, says))
    })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let sign = sign(timeline, drop)?;
    if let Sign::Refused(trouble @ TurnTrouble { refused: Some((request, code)), .. }) = sign {
        let (server, at) = (trouble.server, words::utc_exact(trouble.at.stamp));
        let before = drop.last_good.awake_since(trouble.at.stamp);
        let late = before > PROMPT && drop.loss != Loss::NeverStood;
        let later = if late { format!(", {} before the media was lost", words::length(before)) } else { String::new() };
        return Some(Finding {
            owner: None,
            confidence: if late { Confidence::Likely } else { Confidence::Shown },
            says: format!(
                "The TURN server {server} refused to {} with code {code} ({}) at {at}{}{later}.",
                asked(*request),
                meaning(*code),
                words::quoted(trouble.says)
            ),
            because: Evidence::of(trouble.at.seq, format!("TURN error {code} from {server}.")),
            measured: Measured::default().number("code", f64::from(*code)),
        });
    }
    // With signaling lost as well it is not the relay that went, but the way to everything.
    if look::twin(timeline, drop).is_some() {
        return None;
    }
    let signaling = timeline.signaling_alive(drop.last_good, drop.over(timeline));
    let beside = around::said(timeline, drop, ControlKind::FarUdp);
    // Over UDP the far end was not reached either, and no relay is needed for that: what failed is the way of both.
    if beside.silent().is_some() && !matches!(sign, Sign::Lost(_)) {
        return None;
    }
    let udp = beside.alive();
    let (says, because, shown) = match sign {
        Sign::NobodyListens(server, told) => {
            let (last, answered) = (words::utc_exact(drop.last_good), answered_that_nobody_listens(told));
            let also = unanswered(timeline, drop, server);
            let also = also.map(|trouble| {
                let says = words::quoted(trouble.says);
                (trouble.at.seq, format!("Asked for another relay, it did not answer either{says}."))
            });
            let held = match self::beside(timeline, drop, server) {
                Some(Sign::Beside(_, at, says)) => Some((at, says)),
                _ => None,
            };
            let ended = |(at, says): (At, Option<&Said>)| {
                let says = says.map(words::quoted).unwrap_or_default();
                (at.seq, format!("A relay beside the call at the same server did not live through it either{says}."))
            };
            (
                format!("The TURN server {server} carried no media after {last}: {answered}"),
                Evidence::of(
                    told.at.seq,
                    format!("What was sent to {} was answered with ICMP port unreachable.", told.to),
                )
                .and(drop.seq, around::last_sign(timeline, drop))
                .and_maybe(held.map(ended))
                .and_maybe(also),
                held.is_some_and(|(_, says)| says.is_some()) || signaling.is_some() && udp.is_some(),
            )
        }
        Sign::Refused(trouble) | Sign::Lost(trouble) => {
            let (server, at) = (trouble.server, words::utc_exact(trouble.at.stamp));
            let quoted = words::quoted(trouble.says);
            (
                format!(
                    "The connection to the TURN server {server}, which carried the media, was lost at {at}{quoted}"
                ),
                Evidence::of(trouble.at.seq, format!("The connection to {server} was lost.")),
                signaling.is_some(),
            )
        }
        Sign::Beside(lane, at, says) => {
            let (server, last) = (lane.to, words::utc_exact(drop.last_good));
            let how = match says {
                Some(says) => format!("the relay held there beside the call was ended too{}", words::quoted(says)),
                None => "the relay held there beside the call fell silent too".to_owned(),
            };
            (
                format!("The TURN server {server} carried no media after {last}, and {how}"),
                Evidence::of(at.seq, format!("A relay beside the call at {server} did not live through it either."))
                    .and(drop.seq, around::last_sign(timeline, drop)),
                // Its own word, or that everything else was reached.
                says.is_some() || signaling.is_some() && udp.is_some(),
            )
        }
        Sign::Unanswered(trouble) => {
            let (server, last) = (trouble.server, words::utc_exact(drop.last_good));
            (
                format!(
                    "The TURN server {server} carried no media after {last} and did not answer when it was asked for another relay{}",
                    words::quoted(trouble.says)
                ),
                Evidence::of(trouble.at.seq, format!("What was asked of {server} stayed unanswered."))
                    .and(drop.seq, around::last_sign(timeline, drop)),
                signaling.is_some() && udp.is_some(),
            )
        }
    };
    let again = refused_another(timeline, drop).and_then(|trouble| Some((trouble, trouble.refused?.1)));
    let refused = again.map_or_else(String::new, |(_, code)| {
        format!("; another relay was refused with code {code} ({})", meaning(code))
    });
    Some(Finding {
        owner: None,
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says: format!("{says}{refused}."),
        because: because
            .and_maybe(
                again.map(|(trouble, code)| (trouble.at.seq, format!("TURN error {code} from {}.", trouble.server))),
            )
            .and_maybe(signaling.map(|seq| (seq, "The signaling connection lived through it.".into())))
            .and_maybe(udp.map(|seq| (seq, "The far end answered over UDP throughout, by no relay.".into()))),
        measured: again.map_or_else(Measured::default, |(_, code)| Measured::default().number("code", f64::from(code))),
    })
}

/// "from 10:00:30.12 UTC 192.0.2.1 answered that nothing listens on UDP 3478 (ICMP port unreachable)"
fn answered_that_nobody_listens(told: &Undelivered) -> String {
    format!(
        "from {} {} answered that nothing listens on UDP {} (ICMP port unreachable)",
        words::utc_exact(told.first),
        told.to.ip(),
        told.to.port()
    )
}

fn asked(request: TurnRequest) -> &'static str {
    match request {
        TurnRequest::Allocate => "allocate a relay address",
        TurnRequest::Refresh => "keep the relay address",
        TurnRequest::CreatePermission => "let the far end's packets through",
        TurnRequest::ChannelBind => "bind a channel",
        TurnRequest::Other => "serve a request",
    }
}

fn meaning(code: u16) -> &'static str {
    match code {
        401 => "credentials missing or wrong",
        403 => "forbidden",
        437 => "it does not know the allocation",
        438 => "stale nonce",
        441 => "credentials other than those of the allocation",
        442 => "transport not supported",
        486 => "allocation quota reached",
        508 => "out of relay addresses",
        _ => "a code of its own",
    }
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let sign = sign(timeline, drop);
    let retest = look::retest(timeline, "After the change");
    let (server, at) = match &sign {
        Some(Sign::NobodyListens(server, told)) => {
            return Advice {
                who: "Whoever runs the TURN server".into(),
                what: format!(
                    "{}. Check whether the TURN process stopped then and is running now: {server}.",
                    words::capital(&answered_that_nobody_listens(told))
                ),
                retest,
                wrong_if: format!("its log shows it receiving our packets after {}.", words::utc_exact(told.first)),
            };
        }
        Some(Sign::Refused(trouble) | Sign::Lost(trouble)) => (trouble.server.to_string(), trouble.at.stamp),
        Some(Sign::Unanswered(trouble)) => (trouble.server.to_string(), drop.last_good),
        Some(Sign::Beside(lane, ..)) => (lane.to.to_owned(), drop.last_good),
        None => ("the TURN server".into(), drop.first_bad),
    };
    let refused = match &sign {
        Some(Sign::Refused(trouble)) => trouble.refused,
        _ => refused_another(timeline, drop).and_then(|trouble| trouble.refused),
    };
    let what = match refused {
        Some((_, 401 | 403 | 441)) => "Check the TURN credentials: that they are right and outlive the call",
        Some((_, 486 | 508)) => "Raise the TURN server's quota (coturn: user-quota, total-quota, port range)",
        Some(_) => "Look up the refused request in the TURN server's log",
        None => match &sign {
            Some(Sign::Beside(_, _, None) | Sign::Unanswered(_)) => {
                "Look up in the TURN server's log why it fell silent: whether its process stopped or was restarted"
            }
            _ => "Look up in the TURN server's log why the connection ended: whether its process was restarted",
        },
    };
    Advice {
        who: "Whoever runs the TURN server".into(),
        what: format!("{what}: {server} at {}.", words::utc(at)),
        retest,
        wrong_if: format!("its log shows the allocation alive at {}.", words::utc(drop.first_bad)),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let pair = timeline.pair_at(drop.last_good)?;
    // Where no relay is in sight there is nothing to rule out.
    let in_play = !timeline.relays.is_empty() || !timeline.turn.is_empty();
    (in_play && drop.plane == Plane::Media && pair.local_kind != CandidateKind::Relay)
        .then(|| "The media did not go over a TURN server of ours.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::TurnFailed,
    owner: Owner::VoiceService,
    title: "the TURN server failed",
    advice,
    outranks: &[Cause::OneWayLoss, Cause::HandshakeFailed, Cause::NotProven],
    settle: Duration::from_secs(3),
    find,
    rules_out: Some(rules_out),
};
