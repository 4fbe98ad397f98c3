//! `connection_reset`: the TCP connection was ended without a word from the service: an RST, or a FIN without close frame.

use super::{around, look, service_closed};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    timeline::Closed,
    words,
};
use record::{
    Seq,
    fact::{ControlKind, End},
};
use std::time::Duration;

/// What the far end says of the same socket's end, if it too saw it ended by the other side.
fn seen_there(timeline: &Timeline, closed: &Closed) -> Option<(Seq, String)> {
    let (sighting, end) = timeline.ended_there(closed.at.stamp)?;
    matches!(end, End::Fin | End::Reset | End::Silence { .. } | End::CloseNotify)
        .then(|| (sighting.at.seq, format!("The far end did not end it: there it ended {}.", words::ended(end))))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let (socket, closed) = look::closed(timeline, drop)?;
    if !matches!(closed.end, End::Reset | End::Fin | End::CloseNotify) {
        return None;
    }
    // The end of one TCP connection does not stop media: when both went, something larger happened.
    if drop.plane == Plane::Media || look::twin(timeline, drop).is_some() {
        return None;
    }
    let there = seen_there(timeline, closed);
    let flow = words::flow(socket);
    let quiet = closed.at.stamp.since(closed.last_in.max(closed.last_out));
    let mut because =
        Evidence::of(closed.at.seq, format!("{} ended {}.", service_closed::capital(&flow), words::ended(closed.end)));
    let media = timeline.media_alive(closed.at.stamp, closed.at.stamp);
    let anew = around::said(timeline, drop, ControlKind::FarTcp).alive();
    because = because
        .and_maybe(media.map(|seq| (seq, "Media went on, so only this connection was ended.".into())))
        .and_maybe(anew.map(|seq| (seq, around::answered_anew(timeline, drop))))
        .and_maybe(there.clone());
    let tail = match &there {
        Some(_) => "; the far end did not send it, so a device between did",
        None => "; whether the service or a device between sent it is not known",
    };
    Some(Finding {
        owner: None,
        confidence: if there.is_some() { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "The signaling connection ended {} at {}, {} after its last byte{tail}.",
            words::ended(closed.end),
            words::utc_exact(closed.at.stamp),
            words::length(quiet)
        ),
        because,
        measured: Measured::seconds(quiet).word("ended", words::end_id(closed.end)),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let how = look::closed(timeline, drop).map_or("end", |(_, closed)| match closed.end {
        End::Reset => "RST",
        _ => "FIN",
    });
    Advice {
        who: "The network administrator, with the service's support".into(),
        what: format!(
            "Search the firewall's, proxy's and service's logs for who sent the {how}: {}{}.",
            look::search(timeline, drop),
            service_closed::session(timeline, drop)
        ),
        retest: look::retest(timeline, "Exempt this destination from inspection and from session limits"),
        wrong_if: "a capture beside the service shows that it sent it itself.".into(),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let socket = look::socket(timeline, drop)?;
    match (&socket.closed, drop.loss) {
        (Some(closed), _) if matches!(closed.end, End::Reset | End::Fin | End::CloseNotify) => None,
        _ => Some("Neither an RST nor a FIN came on the signaling connection.".into()),
    }
}

pub const RULE: Rule = Rule {
    id: Cause::ConnectionReset,
    owner: Owner::InternetPath,
    title: "the connection was reset",
    advice,
    outranks: &[Cause::HalfOpen, Cause::NotProven],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
