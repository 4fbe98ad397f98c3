/// A finished run as it stood earlier, so that a fixture can be held once more.

import type { LaneUpdate, Region, Rung, Tail, Update } from "../generated/story";

export function cut(whole: Update, at: number): Update {
  const before = (point: [number, number]) => point[0] <= at;
  const rows = whole.rows.then.filter((row) => row.at <= at);
  return {
    ...whole,
    head: { ...whole.head, outcome: "held", complete: false, drops: [], findings: [], held_s: at },
    axis: { ...whole.axis, length_s: Math.min(at, whole.axis.length_s) },
    lanes: whole.lanes.map((lane) => cutLane(lane, at)),
    drops: whole.drops.filter((drop) => drop.first_bad <= at).map((drop) => cutDrop(drop, at)),
    pauses: whole.pauses.filter((pause) => pause.to <= at),
    rows: all(rows),
    rtt_ms: all(whole.rtt_ms.then.filter(before)),
    jitter_ms: all(whole.jitter_ms.then.filter(before)),
    lost: all(whole.lost.then.filter(before)),
  };
}

function cutLane(lane: LaneUpdate, at: number): LaneUpdate {
  const spans = lane.spans.then
    .filter((span) => span.from < at)
    .map((span) => ({ ...span, to: Math.min(span.to, at) }));
  const rungs = lane.rungs.then.filter((rung) => rung.from < at).map((rung) => cutRung(rung, at));
  return { ...lane, rungs: all(rungs), spans: all(spans), marks: all(lane.marks.then.filter((mark) => mark.at <= at)) };
}

function cutRung(rung: Rung, at: number): Rung {
  return rung.to <= at ? rung : { ...rung, to: at, ended: null, lived: false };
}

function cutDrop(drop: Region, at: number): Region {
  return { ...drop, restored: drop.restored !== null && drop.restored <= at ? drop.restored : null };
}

const all = <T>(then: T[]): Tail<T> => ({ keep: 0, then });
