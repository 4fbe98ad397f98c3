//! What a call needs to survive a loss, and what of it this log shows for each: that the call was active, that its
//! PeerConnection lived, that it was back while the far end still held it, and that the network was the same afterwards.

use super::{By, Recovery};
use crate::{
    Drop, Plane, Timeline,
    drops::Loss,
    rules::{around::NEAR, look, way},
    words,
};
use record::{
    Seq,
    fact::{CallEndedBy, IceState},
};
use serde::Serialize;
use ts_rs::TS;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Answer {
    /// "yes", "no" or "not seen"
    pub word: &'static str,
    pub says: String,
    /// The event that shows it.
    pub seq: Option<Seq>,
}

/// In the order of the answers.
pub const QUESTIONS: [&str; 4] = ["Call active", "PeerConnection alive", "Back in time", "Network the same"];

pub(crate) fn answers(timeline: &Timeline, drop: &Drop, recovery: &Recovery) -> [Answer; 4] {
    [
        active(timeline, drop),
        peer_connection(timeline, drop, recovery),
        in_time(timeline, drop, recovery),
        network(timeline, drop),
    ]
}

fn yes(seq: Seq, says: impl Into<String>) -> Answer {
    Answer { word: "yes", says: says.into(), seq: Some(seq) }
}

fn no(seq: impl Into<Option<Seq>>, says: impl Into<String>) -> Answer {
    Answer { word: "no", says: says.into(), seq: seq.into() }
}

fn not_seen(says: impl Into<String>) -> Answer {
    Answer { word: "not seen", says: says.into(), seq: None }
}

fn active(timeline: &Timeline, drop: &Drop) -> Answer {
    let flowed = timeline.flowing.partition_point(|(at, _)| at.stamp <= drop.first_bad);
    let stood = timeline.flowing[..flowed].last().map(|(at, _)| *at).or(timeline.established);
    let Some(stood) = stood.filter(|at| at.stamp <= drop.first_bad) else {
        return not_seen("No media had come before the loss.");
    };
    let ends = &timeline.call_ends;
    let from = ends.partition_point(|end| end.at.stamp < stood.stamp);
    let ended = ends[from..].iter().find(|end| end.by != CallEndedBy::Us);
    match ended.filter(|end| end.at.stamp <= drop.first_bad.max(drop.declared)) {
        Some(end) => no(end.at.seq, "The far end had ended the call."),
        None => yes(stood.seq, "The call stood, and nobody had ended it."),
    }
}

fn peer_connection(timeline: &Timeline, drop: &Drop, recovery: &Recovery) -> Answer {
    let over = drop.over(timeline);
    if let Some(died) = timeline.stack_death(drop.last_good, over) {
        return no(died.seq, "The media stack ended.");
    }
    if drop.plane == Plane::Signaling {
        if let Some(seq) = timeline.media_alive(drop.first_bad, drop.first_bad) {
            return yes(seq, "Media went on over it.");
        }
        let twin = look::twin(timeline, drop).map(|media| (media, super::of(timeline, media)));
        return twin.map_or_else(
            || not_seen("No media came in that second, and none was missed."),
            |(media, recovery)| of_media(timeline, media, &recovery),
        );
    }
    of_media(timeline, drop, recovery)
}

fn of_media(timeline: &Timeline, media: &Drop, recovery: &Recovery) -> Answer {
    let first = timeline.ice_states.partition_point(|(at, _)| at.stamp < media.last_good);
    let over = media.over(timeline);
    let mut states = timeline.ice_states[first..].iter().take_while(|(at, _)| at.stamp <= over);
    let failed = states.find(|(_, state)| *state == IceState::Failed);
    match (recovery.by, back(timeline, media), failed) {
        (Some(By::NewCall), at, _) => no(at, "Media came back over another one, of a new call."),
        (Some(_), Some(seq), _) => yes(seq, "Media came back over it."),
        (_, _, Some((at, _))) => no(at.seq, "Its ICE gave the path up, and nothing came back."),
        _ => not_seen("Nothing came back over it, and nothing said that it had ended."),
    }
}

/// The event that says that media was back.
fn back(timeline: &Timeline, media: &Drop) -> Option<Seq> {
    let restored = media.restored?;
    let of_gap = match media.loss {
        Loss::MediaGap(gap) | Loss::CallEnded { gap: Some(gap), .. } => timeline.gaps.get(gap).and_then(|gap| gap.back),
        _ => None,
    };
    let of_consent = match media.loss {
        Loss::Consent(at) => timeline.consent.get(at).and_then(|consent| consent.back),
        _ => None,
    };
    let anew = || timeline.flowing.iter().find(|(_, first)| *first == restored).map(|(at, _)| *at);
    of_gap.map(|(at, _)| at).or(of_consent).or_else(anew).map(|at| at.seq)
}

/// In time is what the far end says it is: it took up the call, or knew it no more.
fn in_time(timeline: &Timeline, drop: &Drop, recovery: &Recovery) -> Answer {
    let over = drop.over(timeline);
    let came = timeline.next_ready(drop.first_bad, u32::MAX).filter(|(_, ready)| ready.at.stamp <= over);
    let after = drop.took().map(words::length).unwrap_or_default();
    match (recovery.by, drop.plane, came) {
        (None, ..) => no(timeline.ended.map(|(at, _)| at.seq), "It was not back when the recording ended."),
        (Some(By::NewCall), _, _) => no(None, "The call was over; a new one was placed."),
        (Some(_), Plane::Signaling, Some((_, ready))) if ready.resumed => {
            yes(ready.at.seq, format!("After {after} the far end took up the call."))
        }
        (Some(By::Reconnect), Plane::Signaling, Some((_, ready))) => {
            no(ready.at.seq, format!("After {after} the far end did not know the call any more."))
        }
        (Some(_), Plane::Signaling, _) => {
            let again = match drop.loss {
                Loss::Unanswered { socket, silence } => {
                    timeline.sockets.get(socket).and_then(|socket| socket.silences.get(silence)?.again)
                }
                _ => None,
            };
            match again {
                Some(at) => yes(at.seq, format!("After {after} the same connection was answered again.")),
                None => not_seen("Nothing says what the far end made of it."),
            }
        }
        (Some(_), Plane::Media, _) => match back(timeline, drop) {
            Some(seq) => yes(seq, format!("After {after} media of the same call came.")),
            None => not_seen("Nothing says what the far end made of it."),
        },
    }
}

fn network(timeline: &Timeline, drop: &Drop) -> Answer {
    if !timeline.network_watched() {
        return not_seen("This computer's networks were not watched.");
    }
    let (before, after) = (drop.last_good.minus(NEAR), drop.over(timeline));
    let toward = way::toward(timeline, drop);
    let Some((was, is)) = timeline.way_at(toward, before).zip(timeline.way_at(toward, after)) else {
        let gone = timeline.ways(toward).iter().rev().find(|way| way.at.stamp <= after && way.after.is_none());
        return match gone {
            Some(way) => no(way.at.seq, "There was no way to the far end any more."),
            None => not_seen("The way to the far end was not told."),
        };
    };
    let (was, (at, is)) = (was.1, is);
    if was.interface != is.interface || was.gateway != is.gateway {
        return no(at.seq, format!("The way led over {} before and over {} after.", was.interface, is.interface));
    }
    if let Some(address) = way::our_address(timeline, drop)
        && timeline.holder(address, before).is_some()
        && timeline.holder(address, after).is_none()
    {
        let gone = timeline.address_gone(address, crate::timeline::networks::Within::any(before, after));
        return no(gone.map(|gone| gone.at.seq), format!("{} had lost the address {address}.", is.interface));
    }
    yes(at.seq, format!("The way led over {} before and after.", is.interface))
}
