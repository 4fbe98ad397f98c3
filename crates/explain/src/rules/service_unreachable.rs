//! `service_unreachable`: the connection ended and new ones are refused or go unanswered, while the path is seen to live;
//! or the service's computer acknowledged all that was written, and its program did not answer.

use super::{
    around,
    look::{self, Acknowledged},
    service_closed,
};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{Sighting, Socket},
    words,
};
use record::{
    Seq, Stamp,
    fact::{ConnectStage, ControlKind, Sight, Trouble},
};
use std::time::Duration;

/// Whoever is called gives up a far end that is silent for so long.
const ENDS_CALLS_FROM: Duration = Duration::from_secs(5);

/// How an attempt shows that the service is not there. `gone`: its media was refused, and so its front's 503 tells of no
/// limit; haproxy says it of a service that is dead.
fn absent(socket: &Socket, gone: bool) -> bool {
    let Some(failed) = socket.failed else { return false };
    match failed.trouble {
        Trouble::Refused | Trouble::Reset | Trouble::Closed => {
            matches!(failed.stage, ConnectStage::Tcp | ConnectStage::Tls | ConnectStage::Upgrade)
        }
        Trouble::NoAnswer { .. } => failed.stage > ConnectStage::Dns,
        Trouble::Http { status, .. } => {
            failed.stage == ConnectStage::Upgrade && (matches!(status, 502 | 504) || gone && *status == 503)
        }
        _ => false,
    }
}

/// Something at the service's own address said no: the way to it was open. A firewall can say it in its name.
fn answered(socket: &&Socket) -> bool {
    socket.failed.is_some_and(|failed| matches!(failed.trouble, Trouble::Refused | Trouble::Http { .. }))
}

/// The service's own front answered in words, and it was no proxy of this side.
fn in_words(socket: &&Socket) -> bool {
    !socket.through_proxy && socket.failed.is_some_and(|failed| matches!(failed.trouble, Trouble::Http { .. }))
}

/// No word came back at all.
fn unanswered(socket: &Socket) -> bool {
    socket
        .failed
        .is_some_and(|failed| failed.stage <= ConnectStage::Tcp && matches!(failed.trouble, Trouble::NoAnswer { .. }))
}

/// What sets a service that is gone apart from a rule against its TCP port: its own word that it goes, its UDP port, of
/// the same number, dead with it, or the port of its media closed.
fn port_died(timeline: &Timeline, drop: &Drop) -> Option<(Seq, &'static str)> {
    let said = timeline.sights.iter().find(|sighting| {
        matches!(sighting.sight, Sight::ShuttingDown) && look::together(sighting.when, drop.first_bad)
    });
    let told = said.map(|sighting| (sighting.at.seq, "The far end had told us that it was shutting down."));
    let udp = || around::said(timeline, drop, ControlKind::FarUdp).silent();
    let media = || {
        let told = look::nobody_takes_media(timeline, drop)?;
        Some((told.at.seq, "Its computer answered that nobody took our media any more."))
    };
    told.or_else(|| Some((udp()?, "Its UDP port of the same number fell silent too."))).or_else(media)
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    if drop.loss == Loss::NeverStood {
        return None;
    }
    if let Some(found) = stood_still(timeline, drop).or_else(|| hanging(timeline, drop)) {
        return Some(found);
    }
    let ended = look::socket(timeline, drop)?;
    let gone = look::nobody_takes_media(timeline, drop).is_some();
    let failed = look::failed_attempts(timeline, drop);
    let attempts: Vec<&Socket> = failed.into_iter().filter(|attempt| absent(attempt, gone)).collect();
    let Some(first) = attempts.first().and_then(|attempt| attempt.failed) else {
        return refused_anew(timeline, drop);
    };
    let last = attempts.last()?.failed?;
    let began = attempts.first().map_or(first.at.stamp, |attempt| attempt.began.stamp);
    let media = timeline.media_alive(first.at.stamp, last.at.stamp);
    let others = around::said_by_any(timeline, drop, &around::OTHERS);
    let lives = media.is_some() || others.alive().is_some();
    let port = port_died(timeline, drop).filter(|_| attempts.iter().any(answered));
    // A computer that lives refuses what nobody takes. Where not even that comes, its packets were dropped on the way, or
    // all of it is gone.
    if attempts.iter().all(|attempt| unanswered(attempt)) || (media.is_none() && !attempts.iter().any(answered)) {
        return None;
    }
    let confidence = match lives && (attempts.iter().any(in_words) || port.is_some()) {
        true => Confidence::Shown,
        // A rule against its port, somewhere on the way, lets all else pass and refuses in its name.
        false => Confidence::Likely,
    };
    let tries = words::count(attempts.len(), "new connection");
    let mut because = Evidence::of(
        first.at.seq,
        format!("A new connection failed at {}: {}.", words::stage(first.stage), words::trouble(first.trouble)),
    );
    if let Some(closed) = &ended.closed {
        because = because.and(
            closed.at.seq,
            format!("{} ended {}.", service_closed::capital(&words::flow(ended)), words::ended(closed.end)),
        );
    }
    if let Some(seq) = others.alive() {
        because = because.and(seq, around::other_answered(timeline, drop));
    }
    if let Some(seq) = media {
        because = because.and(seq, "Media went on all the while: the control that did not fail.");
    }
    let because = because.and_maybe(port.map(|(seq, says)| (seq, says.to_owned())));
    let not_known = match confidence {
        Confidence::Shown => "",
        _ => "; whether the service itself or a device between is behind it is not known",
    };
    Some(Finding {
        owner: None,
        confidence,
        says: format!(
            "The voice service did not take {tries} from {} on: {}{not_known}; {}.",
            words::utc_exact(began),
            words::trouble(first.trouble),
            look::came_back(drop)
        ),
        because,
        measured: Measured::default()
            .number("attempts", attempts.len() as f64)
            .number("seconds", drop.over(timeline).since(drop.first_bad).as_secs_f64()),
    })
}

/// The far end told that its own program did not run when the loss began.
fn standstill<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<(&'t Sighting<'a>, Stamp, Stamp)> {
    timeline.sights.iter().filter(|sighting| matches!(sighting.sight, Sight::StoodStill { .. })).find_map(|sighting| {
        let (from, to) = (sighting.last?, sighting.first?);
        let at_onset = from <= drop.first_bad && to >= drop.first_bad;
        // A short one at the start of a long loss is not what the loss is made of, unless the call had to be mended after it.
        let stood_still = to.since(from);
        let lost_for = drop.over(timeline).since(drop.last_good);
        (at_onset && (stood_still * 2 >= lost_for || stood_still >= ENDS_CALLS_FROM)).then_some((sighting, from, to))
    })
}

/// No attempt of the call's own was refused yet, and the control that connects anew was.
fn refused_anew(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let (seq, since) = around::refused_anew(timeline, drop)?;
    let others = around::said_by_any(timeline, drop, &around::OTHERS).alive();
    let port = port_died(timeline, drop);
    let (confidence, who) = match others.is_some() && port.is_some() {
        true => (Confidence::Shown, "nobody listened there"),
        false => (Confidence::Likely, "nobody listened there, or a device between refused in its name"),
    };
    Some(Finding {
        owner: None,
        confidence,
        says: format!(
            "The voice service's address refused new connections from {} on: {who}; {}.",
            words::utc_exact(since),
            look::came_back(drop)
        ),
        because: Evidence::of(seq, "A connection made anew beside the call was refused.")
            .and(drop.seq, around::last_sign(timeline, drop))
            .and_maybe(port.map(|(seq, says)| (seq, says.to_owned())))
            .and_maybe(others.map(|seq| (seq, around::other_answered(timeline, drop)))),
        measured: Measured::seconds(around::lasted(timeline, drop)),
    })
}

fn stood_still(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let (sighting, from, to) = standstill(timeline, drop)?;
    Some(Finding {
        owner: None,
        confidence: Confidence::Shown,
        says: format!(
            "The far end's program did not run from {} to {}, by its own account; {}.",
            words::utc_exact(from),
            words::utc_exact(to),
            look::came_back(drop)
        ),
        because: Evidence::of(
            sighting.at.seq,
            format!("The far end says that it stood still for {}.", words::length(to.since(from))),
        ),
        measured: Measured::seconds(to.since(from)),
    })
}

/// Its computer answers and its program does not.
fn hanging(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Acknowledged { socket, since, seen } = look::acknowledged(timeline, drop)?;
    // Behind a proxy it is the proxy's computer that acknowledges, and what lies beyond it is not seen.
    let (whose, confidence) = match socket.through_proxy {
        true => ("The proxy's computer", Confidence::Likely),
        false => ("The voice service's computer", Confidence::Shown),
    };
    let media = timeline.media_alive(since, drop.declared);
    let lanes = if look::twin(timeline, drop).is_some() { "; media stopped as well" } else { "" };
    let waited = drop.over(timeline).since(since);
    Some(Finding {
        owner: None,
        confidence,
        says: format!(
            "{whose} acknowledged what was written on signaling from {} on, and the service's program did not answer it{lanes}; {}.",
            words::utc_exact(since),
            look::came_back(drop)
        ),
        because: Evidence::of(
            drop.seq,
            format!("What was written at {} on {} stayed unanswered.", words::utc_exact(since), words::flow(socket)),
        )
        .and(
            seen.seq,
            "This computer's kernel had all of it acknowledged and nothing to send again: the connection lived.",
        )
        .and_maybe(media.map(|seq| (seq, "Media to the same service went on.".into()))),
        measured: Measured::seconds(waited).word("ended", "silence"),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let since = standstill(timeline, drop).map(|(_, from, _)| from);
    if let Some(since) = since.or_else(|| Some(look::acknowledged(timeline, drop)?.since)) {
        let at = words::utc(since);
        return Advice {
            who: "Whoever runs the voice service".into(),
            what: format!(
                "Look at the service's process at {at}: hung, stopped, out of processor time, or waiting for something of its own: {}.",
                look::search(timeline, drop)
            ),
            retest: look::retest(timeline, "Once its process runs freely"),
            wrong_if: format!("its log shows that it answered this connection right after {at}."),
        };
    }
    Advice {
        who: "Whoever runs the voice service".into(),
        what: format!(
            "Check that something listened at {} at {}, and what its front reported; if it did, the network administrator: find which firewall refused {}.",
            look::far(timeline),
            words::utc(drop.first_bad),
            look::search(timeline, drop)
        ),
        retest: look::retest(timeline, "Once it answers"),
        wrong_if: format!(
            "the service accepted other clients' connections between {} and {}.",
            words::utc(drop.first_bad),
            words::utc(drop.over(timeline))
        ),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let socket = look::socket(timeline, drop)?;
    let failed = look::failed_attempts(timeline, drop);
    let (_, ready) = timeline.next_ready(drop.first_bad, socket.conn)?;
    failed.is_empty().then(|| {
        format!(
            "The service answered at the first new connection, {} after the loss.",
            words::length(ready.at.stamp.since(drop.first_bad))
        )
    })
}

pub const RULE: Rule = Rule {
    id: Cause::ServiceUnreachable,
    owner: Owner::VoiceService,
    title: "the service does not answer",
    advice,
    outranks: &[Cause::PathLost, Cause::HalfOpen, Cause::ConnectionReset, Cause::OneWayLoss, Cause::NotProven],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
