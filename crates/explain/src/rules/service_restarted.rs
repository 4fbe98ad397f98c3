//! `service_restarted`: all lanes to the service ended together, and the service itself shows that it was started anew.

use super::{look, service_closed};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    timeline::{Closed, Ready, Socket},
    words,
};
use record::{
    Seq,
    fact::{End, Side, Sight},
};
use std::time::Duration;

struct Signs<'t, 'a> {
    socket: &'t Socket<'a>,
    closed: &'t Closed<'a>,
    media_stopped: bool,
    /// It came back as another instance.
    renewed: Option<Ready<'a>>,
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
        media_stopped: look::media_ended_with(timeline, drop, closed).is_some(),
        renewed,
        back: next.is_some(),
        refused: refused.first().and_then(|first| Some((first.failed?.at.seq, refused.len()))),
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

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let signs = signs(timeline, drop)?;
    // Another instance answering is proof by itself. Otherwise all lanes must have ended together and the service must
    // have come back; only the code that says nothing else than "restart" needs no return.
    let word = signs.said.is_some() || signs.announced.is_some();
    let together = signs.media_stopped && signs.back && (word || signs.refused.is_some());
    if signs.renewed.is_none() && !together && signs.said != Some(1012) {
        return None;
    }
    let at = words::utc_exact(signs.closed.at.stamp);
    let lanes = if signs.media_stopped { "signaling and media ended together" } else { "signaling ended" };
    let shown_by = if signs.renewed.is_some() {
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
    if let Some(seq) = signs.announced {
        because = because.and(seq, "The far end had told us that it was shutting down.");
    }
    if let Some(ready) = signs.renewed {
        because = because.and(ready.at.seq, "The service that answered next names itself another instance.");
    }
    Some(Finding {
        owner: None,
        confidence: Confidence::Shown,
        says: format!("The voice service was restarted: {lanes} at {at}, and {shown_by}."),
        because,
        measured: drop
            .took()
            .map_or_else(Measured::default, Measured::seconds)
            .word("ended", words::end_id(signs.closed.end)),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "Whoever runs the voice service".into(),
        what: format!(
            "Look up its restart or deployment at {}; move calls to another instance before stopping one.",
            words::utc(drop.first_bad)
        ),
        retest: look::retest(timeline, "Outside of a deployment"),
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
        Cause::ServiceClosed,
        Cause::ServiceUnreachable,
        Cause::OneWayLoss,
        Cause::HalfOpen,
        Cause::ConnectionReset,
        Cause::NotProven,
    ],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
