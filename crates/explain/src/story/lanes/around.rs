//! Lanes of what is around the call: this computer's network, and whoever is asked beside it. Only those that have something.

use super::{LaneView, Mark, MarkKind, Span, SpanState, on_axis, says, span};
use crate::{
    Timeline,
    timeline::networks::{LinkWord, Toward, Way},
};
use record::{Stamp, fact::ControlKind};

/// More marks than this are a blot; a forged log may hold a million.
const MOST_MARKS: usize = 200;
const MOST_SPANS: usize = 4_000;

pub(super) fn lanes(timeline: &Timeline) -> Vec<LaneView> {
    let controls = KINDS.iter().filter_map(|(kind, id, label)| control(timeline, *kind, id, label));
    controls.chain(network(timeline)).collect()
}

const KINDS: [(ControlKind, &str, &str); 7] = [
    (ControlKind::FarTcp, "control_far_tcp", "Far end, TCP"),
    (ControlKind::FarUdp, "control_far_udp", "Far end, UDP"),
    (ControlKind::Https, "control_https", "Web server"),
    (ControlKind::Stun, "control_stun", "STUN server"),
    (ControlKind::Portal, "control_portal", "Web page"),
    (ControlKind::Dns, "control_dns", "Names"),
    (ControlKind::Gateway, "control_gateway", "Gateway"),
];

/// The lane of one that is asked.
pub(super) fn lane_of(kind: ControlKind) -> &'static str {
    KINDS.iter().find(|(of, ..)| *of == kind).map_or("control_https", |(_, id, _)| id)
}

/// Silent where one of the kind was; who was asked stands at its beginning.
fn control(timeline: &Timeline, kind: ControlKind, id: &'static str, label: &'static str) -> Option<LaneView> {
    let mut silences: Vec<(Stamp, Stamp)> = Vec::new();
    let mut began: Option<Stamp> = None;
    let end = timeline.until;
    for asked in timeline.controls_of(kind) {
        let (first, _) = asked.targets.first()?;
        began = Some(began.map_or(first.stamp, |began| began.min(first.stamp)));
        let silent = asked.silences.iter().map(|silence| (silence.since, silence.back.map_or(end, |back| back.stamp)));
        let portals = asked.portals.iter().map(|portal| (portal.at.stamp, portal.gone.map_or(end, |gone| gone.stamp)));
        silences.extend(silent.chain(portals));
    }
    let mut alive_from = began?;
    silences.sort();
    silences.truncate(MOST_SPANS);
    let mut spans = Vec::new();
    for (since, back) in silences {
        spans.extend(span(timeline, alive_from, since, SpanState::Alive));
        spans.extend(span(timeline, since.max(alive_from), back, SpanState::Lost));
        alive_from = alive_from.max(back);
    }
    spans.extend(span(timeline, alive_from, end, SpanState::Alive));
    let words = says("answers", "", "no answer", "not asked");
    Some(LaneView { id, label, spans, marks: Vec::new(), rungs: Vec::new(), words })
}

/// The interface that packets to the far end go over, its link, and each move to another.
fn network(timeline: &Timeline) -> Option<LaneView> {
    let ipv6 = timeline.sockets.iter().find_map(|socket| socket.tcp).is_some_and(|tcp| tcp.local.is_ipv6());
    let ways = timeline.ways(Toward { ipv6, far_end: true });
    let words = says("a way stands", "", "no way to the far end", "not seen");
    let (spans, marks, rungs) = (Vec::new(), Vec::new(), Vec::new());
    let mut lane = LaneView { id: "network", label: "Network", spans, marks, rungs, words };
    let mut named = None;
    for (index, way) in ways.iter().enumerate().take(MOST_SPANS) {
        let to = ways.get(index + 1).map_or(timeline.until, |next| next.at.stamp);
        match way.after {
            Some(hop) => stands(timeline, hop.interface.as_str(), way.at.stamp, to, &mut lane.spans),
            None => lane.spans.extend(span(timeline, way.at.stamp, to, SpanState::Lost)),
        }
        let name = way.after.map(|hop| hop.interface.as_str());
        if (index == 0 || name != named) && lane.marks.len() < MOST_MARKS {
            lane.marks.push(moved(timeline, way, named));
        }
        named = name;
    }
    (!ways.is_empty()).then_some(lane)
}

fn moved(timeline: &Timeline, way: &Way, before: Option<&str>) -> Mark {
    let name = way.after.map(|hop| hop.interface.as_str());
    let text = match (before, name) {
        (_, None) => "no way".to_owned(),
        (None, Some(name)) => name.to_owned(),
        (Some(before), Some(name)) => format!("{before} to {name}"),
    };
    Mark { at: on_axis(timeline, way.at.stamp), kind: MarkKind::Path, seq: way.at.seq, text }
}

/// While its link stood, between the two.
fn stands(timeline: &Timeline, interface: &str, from: Stamp, to: Stamp, spans: &mut Vec<Span>) {
    let states = timeline.link_states(interface);
    let first = states.partition_point(|state| state.at.stamp <= from);
    let mut since = from;
    let mut up = first.checked_sub(1).is_none_or(|before| states[before].word == LinkWord::Stands);
    let now = |up| if up { SpanState::Alive } else { SpanState::Lost };
    for state in states[first..].iter().take(MOST_SPANS).take_while(|state| state.at.stamp < to) {
        let stands = state.word == LinkWord::Stands;
        if stands != up {
            spans.extend(span(timeline, since, state.at.stamp, now(up)));
            (since, up) = (state.at.stamp, stands);
        }
    }
    spans.extend(span(timeline, since, to, now(up)));
}
