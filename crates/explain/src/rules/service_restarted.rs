//! `service_restarted`: all lanes to the service ended together, and the service itself shows that it was started anew.

use super::{around, look, peer_left, service_closed};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::TOGETHER,
    rule::{Evidence, Finding, Measured},
    timeline::{Closed, Ready, Socket},
    words,
};
use record::{
    Seq,
    fact::{CallEndedBy, End, Side, Sight},
    profile::Silence,
};
use std::time::Duration;

struct Signs<'t, 'a> {
    socket: &'t Socket<'a>,
    closed: &'t Closed<'a>,
    media_stopped: bool,
    no_media: bool,
    /// It came back as another instance.
    renewed: Option<Ready<'a>>,
    /// It came back as the same.
    same: bool,
    back: bool,
    refused: Option<(Seq, usize)>,
    said: Option<u16>,
    announced: Option<Seq>,
}

fn signs<'t, 'a>(timeline: &'t Timeline<'a>, drop: &'t Drop) -> Option<Signs<'t, 'a>> {
    let (socket, closed) = look::closed(timeline, drop)?;
    let next = timeline.next_ready(closed.at.stamp, socket.conn).map(|(_, ready)| ready);
    let before = socket.ready.and_then(|ready| ready.instance);
    let renewed = next.filter(|next| matches!((before, next.instance), (Some(old), Some(new)) if old != new));
    let refused: Vec<_> =
        look::failed_attempts(timeline, drop).into_iter().filter(|attempt| look::refused_at_once(attempt)).collect();
    Some(Signs {
        socket,
        closed,
        media_stopped: look::media_ended_with(timeline, drop, closed).is_some() || replaced_at_once(timeline, closed),
        no_media: no_media(timeline, closed),
        renewed,
        same: before.is_some() && next.is_some_and(|next| next.instance == before),
        back: next.is_some(),
        refused: refused
            .first()
            .and_then(|first| Some((first.failed?.at.seq, refused.len())))
            .or_else(|| Some((around::refused_anew(timeline, drop)?.0, 1))),
        said: match closed.end {
            End::CloseFrame { by: Side::Them, code: Some(code @ (1001 | 1012)), .. } => Some(*code),
            _ => None,
        },
        announced: timeline
            .sights
            .iter()
            .find(|s| matches!(s.sight, Sight::ShuttingDown) && look::together(s.when, closed.at.stamp))
            .map(|s| s.at.seq),
    })
}

/// The media stopped with the socket, for less than a drop, and came again in a new call.
fn replaced_at_once(timeline: &Timeline, closed: &Closed) -> bool {
    let after = timeline.gaps.partition_point(|gap| gap.last.plus(TOGETHER) < closed.at.stamp);
    timeline.gaps.get(after).is_some_and(|gap| {
        look::together(gap.last, closed.at.stamp)
            && gap.back.is_some_and(|(back, _)| timeline.flowing.iter().any(|(at, _)| *at == back))
    })
}

/// There was none that could have lived on: none had begun, or what there was had stopped long before.
fn no_media(timeline: &Timeline, closed: &Closed) -> bool {
    let at = closed.at.stamp;
    if timeline.plan.is_some_and(|plan| plan.silence == Silence::None) {
        return timeline.consent.iter().any(|late| late.at.stamp <= at && late.back.is_none_or(|b| b.stamp > at));
    }
    let began = timeline.flowing.first().is_some_and(|(_, first)| *first <= at);
    let open = timeline.gaps.partition_point(|gap| gap.back.is_some_and(|(_, first)| first <= at));
    !began || timeline.gaps.get(open).is_some_and(|gap| gap.at.stamp < at)
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let signs = signs(timeline, drop)?;
    // Another instance must answer where media did not live on: with living media there are two of them, and the old one
    // did not go. Otherwise all lanes must have ended together and the service must have come back; only the code that
    // says nothing else than "restart" needs no return.
    let word = signs.said.is_some() || signs.announced.is_some();
    // With other servers gone in the same second the way out was lost, and a balancer may hand us another instance after.
    if !word && around::everywhere_dead(timeline, drop).is_some() {
        return None;
    }
    let said_so = word || signs.refused.is_some();
    let together = signs.media_stopped && signs.back && said_so;
    // It came back as the same process: whatever ended the connections, no restart of it did.
    if signs.same {
        return None;
    }
    let renewed = signs.renewed.filter(|_| signs.media_stopped || signs.no_media);
    if renewed.is_none() && !together && signs.said != Some(1012) {
        return None;
    }
    let at = words::utc_exact(signs.closed.at.stamp);
    let lanes = if signs.media_stopped { "signaling and media ended together" } else { "signaling ended" };
    let shown_by = if renewed.is_some() {
        "the service that answered afterwards is another instance".to_owned()
    } else if let Some(code) = signs.said {
        format!("the service said so with close code {code} ({})", words::close_code(code))
    } else if signs.announced.is_some() {
        "the far end had said that it was shutting down".to_owned()
    } else {
        "its address answered that nobody listened there".to_owned()
    };
    let mut because = Evidence::of(
        signs.closed.at.seq,
        format!("{} ended {}.", service_closed::capital(&words::flow(signs.socket)), words::ended(signs.closed.end)),
    );
    if signs.media_stopped
        && let Some((media, gap)) = look::gap(timeline, drop)
    {
        let apart = media.last_good.since(signs.closed.at.stamp).max(signs.closed.at.stamp.since(media.last_good));
        because = because.and(gap.at.seq, format!("The last media packet came within {} of it.", words::length(apart)));
    }
    if let Some((seq, times)) = signs.refused {
        let times = words::times(times);
        because =
            because.and(seq, format!("New connections were refused {times}: the address lived and nobody listened."));
    }
    if let Some(end) = peer_left::goodbye(timeline, drop, CallEndedBy::Service) {
        because = because.and(end.at.seq, format!("The service ended the call by word{}.", words::quoted(end.says)));
    }
    if let Some(seq) = signs.announced {
        because = because.and(seq, "The far end had told us that it was shutting down.");
    }
    if let Some(seq) = around::said_by_any(timeline, drop, &around::OTHERS).alive() {
        because = because.and(seq, around::other_answered(timeline, drop));
    }
    if let Some(ready) = renewed {
        because = because.and(ready.at.seq, "The service that answered next names itself another instance.");
    }
    Some(Finding {
        owner: None,
        // Another instance alone is what a balancer gives to whoever a firewall has thrown out.
        confidence: if said_so { Confidence::Shown } else { Confidence::Likely },
        says: match said_so {
            true => format!("The voice service was restarted: {lanes} at {at}, and {shown_by}."),
            false => format!("{} at {at}, and {shown_by}: as after a restart.", words::capital(lanes)),
        },
        because,
        measured: drop
            .took()
            .map_or_else(Measured::default, Measured::seconds)
            .word("ended", words::end_id(signs.closed.end)),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let at = words::utc(drop.first_bad);
    let signs = signs(timeline, drop);
    let by_word = signs.as_ref().is_some_and(|signs| signs.said.is_some() || signs.announced.is_some())
        || peer_left::goodbye(timeline, drop, CallEndedBy::Service).is_some();
    let stopped = match signs.is_some_and(|signs| signs.refused.is_some()) {
        true => format!("why it stopped at {at}"),
        false => format!("whether it stopped at {at}, and why"),
    };
    let retest = look::retest(
        timeline,
        "After the change, with the service restarted once by its operator meanwhile (a run without a restart proves nothing)",
    );
    Advice {
        who: "Whoever runs the voice service".into(),
        what: match by_word {
            true => format!(
                "Look up its restart or deployment at {at}; let it move its calls to another instance before it stops."
            ),
            // A crash and a kill look no different.
            false => format!(
                "Find out {stopped}: a crash, killed for memory, or a deployment. If it was stopped on purpose: drain calls first. If it crashed, mend the crash: no setting helps against that."
            ),
        },
        retest: format!("{retest} Mended if nothing is lost."),
        wrong_if: format!(
            "its log shows the same process running before and after {}{}.",
            words::utc(drop.first_bad),
            service_closed::session(timeline, drop)
        ),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let socket = look::socket(timeline, drop)?;
    let before = socket.ready?.instance?;
    let (_, next) = timeline.next_ready(drop.first_bad, socket.conn)?;
    (next.instance? == before).then(|| "The same instance of the service answered afterwards.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::ServiceRestarted,
    owner: Owner::VoiceService,
    title: "the service was restarted",
    advice,
    outranks: &[
        Cause::IdleTimeout,
        Cause::LifetimeCap,
        Cause::ServiceClosed,
        Cause::ServiceUnreachable,
        Cause::PathLost,
        Cause::OneWayLoss,
        Cause::HalfOpen,
        Cause::ConnectionReset,
        Cause::NotProven,
    ],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
