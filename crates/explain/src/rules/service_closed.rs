//! `service_closed`: the service said goodbye itself: a WebSocket close frame, or a call ended by the service between.

use super::{look, peer_left};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    words,
};
use record::fact::{CallEndedBy, End, Side};
use std::time::Duration;

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    if let Some((socket, closed)) = look::closed(timeline, drop)
        && let End::CloseFrame { by: Side::Them, code, reason } = closed.end
        && !socket.taken_over(timeline)
    {
        let code_words = match code {
            Some(code) => format!("code {code} ({})", words::close_code(*code)),
            None => "no code".into(),
        };
        let measured = code.map_or_else(Measured::default, |code| Measured::default().number("code", f64::from(code)));
        return Some(Finding {
            owner: None,
            confidence: Confidence::Shown,
            says: format!(
                "The voice service closed the signaling connection with {code_words} at {}{}.",
                words::utc_exact(closed.at.stamp),
                words::quoted(reason)
            ),
            because: Evidence::of(
                closed.at.seq,
                format!("{} ended {}.", capital(&words::flow(socket)), words::ended(closed.end)),
            )
            .and_maybe(media_note(timeline, drop, closed.at.stamp)),
            measured: measured.word("ended", words::end_id(closed.end)),
        });
    }
    let end = peer_left::goodbye(timeline, drop, CallEndedBy::Service)?;
    let code = end.code.map(|code| format!(" with code {code}")).unwrap_or_default();
    Some(Finding {
        owner: None,
        confidence: Confidence::Shown,
        says: format!(
            "The voice service ended the call{code} at {}{}.",
            words::utc_exact(end.at.stamp),
            words::quoted(end.says)
        ),
        because: Evidence::of(
            end.at.seq,
            format!("The service ended the call by word{code}{}.", words::quoted(end.says)),
        ),
        measured: end.code.map_or_else(Measured::default, |code| Measured::default().word("code", code.as_str())),
    })
}

fn media_note(timeline: &Timeline, drop: &Drop, at: record::Stamp) -> Option<(record::Seq, String)> {
    match look::gap(timeline, drop) {
        Some((media, gap)) if look::together(media.last_good, at) => Some((
            gap.at.seq,
            format!("Media stopped with it: the last packet came at {}.", words::utc_exact(gap.last)),
        )),
        _ => timeline.media_alive(at, at).map(|seq| (seq, "Media went on, so the path to the service lived.".into())),
    }
}

pub(super) use crate::words::capital;

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "The voice service's support".into(),
        what: format!("Look up why it closed: {}{}.", look::search(timeline, drop), session(timeline, drop)),
        retest: look::retest(timeline, "Once the reason is mended"),
        wrong_if: "its log shows no close from its side in that second; then a proxy in front of it sent the frame."
            .into(),
    }
}

/// What a vendor searches its own log by.
pub(super) fn session(timeline: &Timeline, drop: &Drop) -> String {
    look::socket(timeline, drop)
        .and_then(|socket| socket.ready?.session)
        .map(|session| format!(", session {session}"))
        .unwrap_or_default()
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let socket = look::socket(timeline, drop)?;
    let closed = socket.closed.as_ref()?;
    match closed.end {
        End::CloseFrame { by: Side::Them, .. } => None,
        end => Some(format!("No close frame came from the service: the connection ended {}.", words::ended(end))),
    }
}

pub const RULE: Rule = Rule {
    id: Cause::ServiceClosed,
    owner: Owner::VoiceService,
    title: "the service closed the connection",
    advice,
    outranks: &[
        Cause::ServiceUnreachable,
        Cause::ConnectionReset,
        Cause::OneWayLoss,
        Cause::HalfOpen,
        Cause::NotProven,
    ],
    settle: Duration::from_secs(5),
    find,
    rules_out: Some(rules_out),
};
