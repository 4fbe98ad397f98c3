//! What the far end saw of the call, on our clock. After its last word nothing of it is known.

use super::{LaneView, Mark, MarkKind, SpanState, on_axis, says, span};
use crate::{Timeline, words};
use record::fact::Sight;

/// More marks than this are a blot; a forged log may hold a thousand.
const MOST_MARKS: usize = 200;

pub(super) fn lane(timeline: &Timeline) -> Option<LaneView> {
    let last = timeline.sights.iter().map(|sighting| sighting.at.stamp).max()?;
    let stood = timeline.sockets.iter().find_map(|socket| socket.ready)?;
    let marks = timeline.sights.iter().filter_map(|sighting| {
        let (at, text) = match sighting.sight {
            Sight::SocketEnded { end } => (sighting.when, format!("saw {}", end_word(end))),
            Sight::MediaStopped { .. } => (sighting.last?, "our packets stopped".to_owned()),
            Sight::MediaResumed { .. } => (sighting.first?, "our packets came again".to_owned()),
            Sight::StoodStill { .. } => (sighting.last?, "its program stood still".to_owned()),
            Sight::Reattached => (sighting.when, "took the call up".to_owned()),
            Sight::ShuttingDown => (sighting.when, "shutting down".to_owned()),
            Sight::MediaStarted { .. } | Sight::Counted { .. } | Sight::Lane { .. } => return None,
        };
        Some(Mark { at: on_axis(timeline, at), kind: MarkKind::Seen, seq: sighting.at.seq, text })
    });
    let mut marks: Vec<Mark> = marks.take(MOST_MARKS).collect();
    marks.sort_by(|a, b| a.at.total_cmp(&b.at));
    Some(LaneView {
        id: "far",
        label: "Far end",
        spans: span(timeline, stood.at.stamp, last, SpanState::Alive).into_iter().collect(),
        marks,
        rungs: Vec::new(),
        words: says("watching", "", "", "not seen"),
    })
}

fn end_word(end: &record::fact::End) -> String {
    words::end_id(end).to_uppercase().replace('_', " ")
}
