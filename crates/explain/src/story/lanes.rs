//! Lanes: what stood when. A lane's spans follow each other; where there is none, nothing stood.

use crate::{
    Timeline,
    timeline::{PauseKind, Socket},
    unconfirmed, words,
};
use record::{
    Seq, Stamp,
    fact::{CandidateKind, Move, Outcome},
};
use serde::Serialize;
use ts_rs::TS;

mod around;
mod beside;
mod far;
mod whose;

pub(crate) use whose::lane_of;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct LaneView {
    pub id: &'static str,
    pub label: &'static str,
    pub spans: Vec<Span>,
    pub marks: Vec<Mark>,
    /// Of a ladder: each rung by itself.
    pub rungs: Vec<Rung>,
    pub words: StateWords,
}

/// What a reading at one moment says of this lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct StateWords {
    pub alive: &'static str,
    pub unknown: &'static str,
    pub lost: &'static str,
    /// Where nothing stood.
    pub absent: &'static str,
}

/// A connection that was to stay quiet for so long, and what became of it.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Rung {
    /// How long it was to be quiet.
    pub quiet_s: f64,
    /// "31 s"
    pub label: String,
    pub from: f64,
    /// When it spoke and was answered, ended, or the hold was over.
    pub to: f64,
    /// How it ended, if it did before it was answered.
    pub ended: Option<MarkKind>,
    /// It was answered after its silence.
    pub lived: bool,
    /// The event that says what became of it.
    pub seq: Option<Seq>,
    pub text: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Span {
    pub from: f64,
    pub to: f64,
    pub state: SpanState,
    /// Short enough to stand in the lane.
    pub text: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum SpanState {
    Alive,
    /// Nobody can know: after the last proof of life, before the first sign of death.
    Unknown,
    Lost,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Mark {
    pub at: f64,
    pub kind: MarkKind,
    pub seq: Seq,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// How a connection ended: drawn as a bar, a cross or dots.
    Fin,
    Reset,
    Silence,
    /// An attempt that failed before the call stood.
    Failed,
    /// A move of recovery.
    Move,
    /// Something of the machine.
    System,
    /// A path was taken.
    Path,
    /// The far end saw it.
    Seen,
}

pub(super) fn lanes(timeline: &Timeline) -> Vec<LaneView> {
    let mut lanes = vec![signaling(timeline), ice(timeline), media(timeline)];
    lanes.extend(beside::lanes(timeline));
    lanes.extend(around::lanes(timeline));
    lanes.extend([recovery(timeline), computer(timeline)]);
    lanes.extend(far::lane(timeline));
    for lane in &mut lanes {
        name_spans(lane);
    }
    lanes
}

/// A path that was taken is what the lane goes over until the next.
fn name_spans(lane: &mut LaneView) {
    if !matches!(lane.id, "ice" | "network") {
        return;
    }
    for span in &mut lane.spans {
        let taken = lane.marks.iter().rev().find(|mark| mark.kind == MarkKind::Path && mark.at <= span.from);
        span.text = taken.filter(|_| span.state == SpanState::Alive).map(|mark| mark.text.clone());
    }
}

const fn says(alive: &'static str, unknown: &'static str, lost: &'static str, absent: &'static str) -> StateWords {
    StateWords { alive, unknown, lost, absent }
}

fn on_axis(timeline: &Timeline, at: Stamp) -> f64 {
    at.since(timeline.began).as_secs_f64()
}

fn span(timeline: &Timeline, from: Stamp, to: Stamp, state: SpanState) -> Option<Span> {
    (from < to).then(|| Span { from: on_axis(timeline, from), to: on_axis(timeline, to), state, text: None })
}

fn signaling(timeline: &Timeline) -> LaneView {
    let unconfirmed = unconfirmed::since_when(timeline);
    let mut spans = Vec::new();
    let mut marks = Vec::new();
    for socket in timeline.sockets.iter().filter(|socket| socket.upgraded.or(socket.ready.map(|r| r.at)).is_some()) {
        stood(timeline, socket, unconfirmed, &mut spans);
        if let Some(closed) = &socket.closed
            && socket.ready.is_some()
            && socket.ends_badly(timeline)
        {
            marks.push(Mark {
                at: on_axis(timeline, closed.at.stamp),
                kind: match closed.end {
                    record::fact::End::Reset => MarkKind::Reset,
                    record::fact::End::Silence { .. } | record::fact::End::Local { .. } => MarkKind::Silence,
                    _ => MarkKind::Fin,
                },
                seq: closed.at.seq,
                text: match closed.end {
                    record::fact::End::CloseFrame { code: Some(code), .. } => format!("close {code}"),
                    end => words::end_id(end).to_uppercase().replace('_', " "),
                },
            });
        }
    }
    if timeline.stood().is_none() {
        marks.extend(timeline.sockets.iter().filter_map(|socket| socket.failed).map(|failed| Mark {
            at: on_axis(timeline, failed.at.stamp),
            kind: MarkKind::Failed,
            seq: failed.at.seq,
            text: format!("{} failed", words::stage(failed.stage)),
        }));
    }
    let words = says("connected", "nobody can know", "no answer", "not connected");
    LaneView { id: "signaling", label: "Signaling", spans, marks, rungs: Vec::new(), words }
}

/// `unconfirmed`: since when nobody knows whether signaling lives.
fn stood(timeline: &Timeline, socket: &Socket, unconfirmed: Option<Stamp>, spans: &mut Vec<Span>) {
    let Some(from) = socket.upgraded.or(socket.ready.map(|ready| ready.at)) else { return };
    let end = socket.closed.map_or(timeline.hold_end().max(from.stamp), |closed| closed.at.stamp);
    let mut alive_from = from.stamp;
    for silence in &socket.silences {
        let again = silence.again.map_or(end, |again| again.stamp);
        spans.extend(span(timeline, alive_from, silence.last_good, SpanState::Alive));
        spans.extend(span(timeline, silence.last_good.max(alive_from), silence.at.stamp, SpanState::Unknown));
        spans.extend(span(timeline, silence.at.stamp, again, SpanState::Lost));
        alive_from = alive_from.max(again);
    }
    let died = socket.closed.filter(|_| socket.ends_badly(timeline)).map(|closed| closed.last_in);
    match died {
        Some(last_in) if alive_from < end => {
            spans.extend(span(timeline, alive_from, last_in, SpanState::Alive));
            spans.extend(span(timeline, last_in.max(alive_from), end, SpanState::Unknown));
        }
        _ => {
            let known = unconfirmed.filter(|since| (alive_from..end).contains(since)).unwrap_or(end);
            spans.extend(span(timeline, alive_from, known, SpanState::Alive));
            spans.extend(span(timeline, known, end, SpanState::Unknown));
        }
    }
}

fn media(timeline: &Timeline) -> LaneView {
    let mut spans = Vec::new();
    if let Some((_, first)) = timeline.flowing.first() {
        let end = timeline.hold_end();
        let mut alive_from = *first;
        for gap in &timeline.gaps {
            let back = gap.back.map_or(end, |(_, first)| first);
            let sure = gap.at.stamp.min(back);
            spans.extend(span(timeline, alive_from, gap.last, SpanState::Alive));
            spans.extend(span(timeline, gap.last.max(alive_from), sure, SpanState::Unknown));
            spans.extend(span(timeline, sure.max(alive_from), back, SpanState::Lost));
            alive_from = alive_from.max(back);
        }
        spans.extend(span(timeline, alive_from, end, SpanState::Alive));
    }
    let words = says("packets arrive", "nobody can know", "no packets", "no media");
    LaneView { id: "media", label: "Media in", spans, marks: Vec::new(), rungs: Vec::new(), words }
}

fn ice(timeline: &Timeline) -> LaneView {
    let mut spans = Vec::new();
    let mut marks = Vec::new();
    let end = timeline.hold_end();
    if let Some(first) = timeline.pairs.first() {
        let mut alive_from = first.at.stamp;
        for (last_ok, sure, back) in silences(timeline) {
            spans.extend(span(timeline, alive_from, last_ok, SpanState::Alive));
            spans.extend(span(timeline, last_ok.max(alive_from), sure, SpanState::Unknown));
            spans.extend(span(timeline, sure.max(alive_from), back, SpanState::Lost));
            alive_from = alive_from.max(back);
        }
        spans.extend(span(timeline, alive_from, end, SpanState::Alive));
    }
    for pair in &timeline.pairs {
        let text = match (pair.local_kind, pair.remote_kind) {
            (CandidateKind::Relay, _) => "through our relay",
            (_, CandidateKind::Relay) => "through their relay",
            _ => "direct",
        };
        marks.push(Mark {
            at: on_axis(timeline, pair.at.stamp),
            kind: MarkKind::Path,
            seq: pair.at.seq,
            text: text.into(),
        });
    }
    let words = says("the path answers", "nobody can know", "no answer on the path", "no path");
    LaneView { id: "ice", label: "ICE", spans, marks, rungs: Vec::new(), words }
}

/// When the path did not answer: last answer, the moment that was sure, the return. Consent is late only after five
/// seconds; in a shorter gap without any packet at all, nobody can know.
fn silences(timeline: &Timeline) -> Vec<(Stamp, Stamp, Stamp)> {
    let end = timeline.hold_end();
    let late = timeline.consent.iter().map(|late| {
        let back = late.back.map_or(end, |back| back.stamp);
        (late.last_ok, late.at.stamp.min(back), back)
    });
    let mut silences: Vec<_> = late.collect();
    let counted = silences.len();
    for gap in &timeline.gaps {
        let back = gap.back.map_or(end, |(_, first)| first);
        let inside = timeline.arrived(gap.last, back);
        // Consent comes back before it is late again, so these stand in the order of their ends.
        let at = silences[..counted].partition_point(|(_, _, to)| *to < gap.last);
        let told = silences[..counted].get(at).is_some_and(|(from, ..)| *from <= back);
        if !told && inside.seconds > 0 && inside.rtcp + inside.stun == 0 {
            silences.push((gap.last, back, back));
        }
    }
    silences.sort();
    silences
}

fn recovery(timeline: &Timeline) -> LaneView {
    let marks = timeline
        .steps
        .iter()
        .map(|step| {
            let what = match step.step {
                Move::ProbeSignaling => "probe",
                Move::RestartIce => "ICE restart",
                Move::Reconnect { .. } => "reconnect",
                Move::NewCall => "new call",
            };
            let took = step.ended.map(|(at, outcome)| (at.stamp.since(step.at.stamp), outcome));
            let text = match took {
                Some((took, Outcome::Worked)) => format!("{what} {}", words::length(took)),
                Some((_, Outcome::Failed { .. })) => format!("{what} failed"),
                Some((_, Outcome::NotNeeded)) => format!("{what}, not needed"),
                None => what.to_owned(),
            };
            Mark { at: on_axis(timeline, step.at.stamp), kind: MarkKind::Move, seq: step.at.seq, text }
        })
        .collect();
    let words = says("under way", "", "", "nothing to recover");
    LaneView { id: "recovery", label: "Recovery", spans: Vec::new(), marks, rungs: Vec::new(), words }
}

fn computer(timeline: &Timeline) -> LaneView {
    let mut spans = Vec::new();
    let mut marks = Vec::new();
    let mut alive_from = timeline.began;
    for pause in &timeline.pauses {
        spans.extend(span(timeline, alive_from, pause.from, SpanState::Alive));
        if pause.kind == PauseKind::Stalled {
            spans.extend(span(timeline, pause.from.max(alive_from), pause.to, SpanState::Lost));
            let text = format!("did not run for {}", words::length(pause.length()));
            marks.push(Mark { at: on_axis(timeline, pause.from), kind: MarkKind::System, seq: pause.seq, text });
        }
        alive_from = alive_from.max(pause.to);
    }
    spans.extend(span(timeline, alive_from, timeline.until, SpanState::Alive));
    if timeline.imported.is_some() {
        // Nobody watched it.
        spans.clear();
    }
    for step in &timeline.clock_steps {
        let text = format!("clock set by {:+.0} s", step.by_us as f64 / 1e6);
        marks.push(Mark { at: on_axis(timeline, step.at.stamp), kind: MarkKind::System, seq: step.at.seq, text });
    }
    let words = says("awake and running", "", "this program did not run", "asleep");
    LaneView { id: "computer", label: "This computer", spans, marks, rungs: Vec::new(), words }
}
