//! What was held beside the call, in few lanes: those that talk, the bare WebSocket, and one for each ladder.

use super::{LaneView, Mark, MarkKind, Rung, Span, SpanState, on_axis, says, span};
use crate::{Timeline, timeline::HeldLane, words};
use record::fact::{End, Manner};

/// A bare WebSocket may end two thousand times; beyond this marks only lie on top of each other.
const MOST_MARKS: usize = 400;
/// More rungs than an adaptive ladder climbs in a night; a forged log may hold a million.
const MOST_RUNGS: usize = 400;

/// Its name to programs, its label, and which lanes are of it.
type Kind = (&'static str, &'static str, fn(&Manner) -> bool);

const HELD: [Kind; 5] = [
    ("beside_websocket", "WebSocket", |m| matches!(m, Manner::BeatingWebsocket { .. })),
    ("beside_tcp", "TCP", |m| matches!(m, Manner::Tcp { .. })),
    ("beside_tls", "TLS", |m| matches!(m, Manner::Tls { .. })),
    ("beside_turn", "TURN", |m| matches!(m, Manner::Turn { .. })),
    ("beside_bare", "Bare socket", |m| matches!(m, Manner::BareWebsocket)),
];
const LADDERS: [Kind; 2] = [
    ("beside_ladder", "Quiet ladder", |m| matches!(m, Manner::Quiet(_))),
    ("beside_udp_ladder", "UDP ladder", |m| matches!(m, Manner::QuietUdp(_))),
];

pub(super) fn lane_of(manner: &Manner) -> Option<&'static str> {
    HELD.iter().chain(&LADDERS).find(|(_, _, is)| is(manner)).map(|(id, ..)| *id)
}

pub(super) fn lanes(timeline: &Timeline) -> Vec<LaneView> {
    // A rung that is stirred is not quiet: its life says what counts as activity, and that stands in the findings.
    let of = |is: fn(&Manner) -> bool| -> Vec<&HeldLane> {
        let shown = |lane: &&HeldLane| lane.stands.is_some() && (lane.is_quiet() || lane.talks().is_some());
        timeline.lanes.iter().filter(|lane| is(&lane.manner)).filter(shown).collect()
    };
    let held = HELD.map(|(id, label, is)| view(timeline, id, label, &of(is), held_spans));
    let ladders = LADDERS.map(|(id, label, is)| view(timeline, id, label, &of(is), ladder_spans));
    held.into_iter().chain(ladders).flatten().collect()
}

type Spans = fn(&Timeline, &[&HeldLane]) -> Vec<Span>;

fn view(
    timeline: &Timeline,
    id: &'static str,
    label: &'static str,
    lanes: &[&HeldLane],
    spans: Spans,
) -> Option<LaneView> {
    if lanes.is_empty() {
        return None;
    }
    let mut marks: Vec<Mark> = lanes.iter().filter_map(|lane| mark(timeline, lane)).take(MOST_MARKS).collect();
    marks.sort_by(|a, b| a.at.total_cmp(&b.at));
    // Rungs that one hand ended in one second are one mark.
    marks.dedup_by(|later, first| later.kind == first.kind && (later.at - first.at).abs() < 1.0);
    let words = says("stands", "nobody can know", "no answer", "not held");
    Some(LaneView { id, label, spans: spans(timeline, lanes), marks, rungs: rungs(timeline, lanes), words })
}

fn rungs(timeline: &Timeline, lanes: &[&HeldLane]) -> Vec<Rung> {
    let rung = |lane: &&HeldLane| {
        let (Manner::Quiet(record::fact::Rung { quiet_ms, .. })
        | Manner::QuietUdp(record::fact::UdpRung { quiet_ms, .. })) = lane.manner
        else {
            return None;
        };
        let from = lane.stands?.at.stamp;
        let quiet = words::millis(quiet_ms);
        let mark = mark(timeline, lane);
        let to = lane.proved.map(|proof| proof.at.stamp).or(lane.over()).unwrap_or(timeline.until).max(from);
        Some(Rung {
            quiet_s: quiet.as_secs_f64(),
            label: words::planned(quiet),
            from: on_axis(timeline, from),
            to: on_axis(timeline, to),
            lived: lane.proved.is_some(),
            ended: mark.as_ref().filter(|_| lane.proved.is_none()).map(|mark| mark.kind),
            seq: mark.as_ref().map(|mark| mark.seq),
            text: mark.map_or_else(|| "not finished".to_owned(), |mark| mark.text),
        })
    };
    lanes.iter().filter_map(rung).take(MOST_RUNGS).collect()
}

/// One after the other: a lane that is opened anew takes the place of the one before.
fn held_spans(timeline: &Timeline, lanes: &[&HeldLane]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut free = timeline.began;
    for lane in lanes {
        let Some(stands) = lane.stands else { continue };
        let end = lane.over().unwrap_or(timeline.hold_end()).max(stands.at.stamp);
        let mut alive_from = stands.at.stamp.max(free);
        let state = if seen_to_live(lane) { SpanState::Alive } else { SpanState::Unknown };
        for silence in &lane.silences {
            let back = silence.back.map_or(end, |back| back.stamp).min(end);
            spans.extend(span(timeline, alive_from, silence.last_ok, state));
            spans.extend(span(
                timeline,
                silence.last_ok.max(alive_from),
                silence.at.stamp.min(back),
                SpanState::Unknown,
            ));
            spans.extend(span(timeline, silence.at.stamp.max(alive_from), back, SpanState::Lost));
            alive_from = alive_from.max(back);
        }
        spans.extend(span(timeline, alive_from, end, state));
        free = free.max(end);
    }
    spans
}

/// A lane on which nobody speaks may have died without a word. That it stood is known from a proof, or from an end that
/// came over it.
fn seen_to_live(lane: &HeldLane) -> bool {
    let told = |end: &End| !matches!(end, End::Silence { .. } | End::Local { .. } | End::LetGo);
    !lane.is_quiet() || lane.proved.is_some() || lane.ended.is_some_and(|ended| told(ended.end))
}

/// Rungs run side by side: each stretch belongs to the one that was finished at its end.
fn ladder_spans(timeline: &Timeline, lanes: &[&HeldLane]) -> Vec<Span> {
    let mut finished: Vec<_> = lanes
        .iter()
        .filter_map(|lane| match (lane.proved, lane.ended) {
            (Some(proof), _) => Some((proof.at.stamp, true, lane)),
            (None, Some(ended)) => Some((ended.at.stamp, false, lane)),
            (None, None) => None,
        })
        .collect();
    finished.sort_by_key(|(at, lived, lane)| (*at, !*lived, lane.lane));
    let first = lanes.iter().filter_map(|lane| lane.stands).map(|stands| stands.at.stamp).min();
    let mut free = first.unwrap_or(timeline.began);
    let mut spans = Vec::new();
    // What another rung lived through, the ladder lived through.
    let lived_through = |from, to| {
        lanes.iter().any(|lane| {
            lane.stands.is_some_and(|stands| stands.at.stamp <= from)
                && lane.proved.is_some_and(|proof| proof.at.stamp >= to)
        })
    };
    for (at, lived, _) in finished {
        let state = if lived || lived_through(free, at) { SpanState::Alive } else { SpanState::Unknown };
        spans.extend(span(timeline, free, at, state));
        free = free.max(at);
    }
    spans
}

fn mark(timeline: &Timeline, lane: &HeldLane) -> Option<Mark> {
    let rung = matches!(lane.manner, Manner::Quiet(_) | Manner::QuietUdp(_));
    if let Some(proof) = lane.proved {
        let text = format!("{} lived", words::length(proof.quiet));
        return Some(Mark { at: on_axis(timeline, proof.at.stamp), kind: MarkKind::Path, seq: proof.at.seq, text });
    }
    let ended = lane.ended?;
    let kind = match ended.end {
        End::Reset => MarkKind::Reset,
        End::Silence { .. } | End::Local { .. } => MarkKind::Silence,
        _ => MarkKind::Fin,
    };
    let end = words::end_id(ended.end).to_uppercase().replace('_', " ");
    let text = match rung || lane.manner == Manner::BareWebsocket {
        true => format!("{end} after {}", words::length(ended.quiet)),
        false => end,
    };
    Some(Mark { at: on_axis(timeline, ended.at.stamp), kind, seq: ended.at.seq, text })
}
