/// What a lane says at one moment, in the lane's own row.
import type { PauseView, Rung } from "../generated/story";
import type { Lane } from "../story/story.svelte";
import { type Curves, value } from "./curves";
import { ends } from "./glyphs";
import type { Place } from "./layout";
import { first, nearest } from "./merge";
import { elapsed } from "./ticks";

export interface Reading {
  text: string;
  lost: boolean;
  /// Nothing stood, or nothing to tell.
  pale: boolean;
}

/// Of all rows, lanes and strips, under their ids.
export function readings(
  places: readonly Place[],
  curves: Curves,
  at: number,
  reach: number,
  pauses: readonly PauseView[],
): ReadonlyMap<string, Reading> {
  const read = ({ id, lane }: Place) =>
    lane ? reading(lane, at, reach, pauses) : { text: value(curves, id, at), lost: false, pale: false };
  return new Map(places.map((row) => [row.id, read(row)]));
}

/// For who hears the picture.
export function spoken(places: readonly Place[], read: ReadonlyMap<string, Reading>, at: number): string {
  const rows = places
    .map((row) => [row.label, read.get(row.id)?.text ?? ""] as const)
    .filter(([, text]) => text !== "");
  return [elapsed(at, 2), ...rows.map(([label, text]) => `${label}: ${text}`)].join(". ");
}

/// `reach` is how near a mark must be to be read, in seconds.
export function reading(lane: Lane, at: number, reach: number, pauses: readonly PauseView[]): Reading {
  if (lane.rungs.length > 0) return ladder(lane.rungs, at);
  const mark = nearest(lane.marks, at, reach);
  if (mark && (mark.kind !== "path" || lane.spans.length === 0)) {
    return { text: mark.text, lost: ends(mark.kind), pale: false };
  }
  if (pauses.some((pause) => pause.slept && pause.from <= at && at < pause.to)) {
    return { text: "asleep", lost: false, pale: true };
  }
  const span = lane.spans[first(lane.spans, at, (span) => span.to)];
  if (!span || span.from > at + 1e-6) return { text: lane.words.absent, lost: false, pale: true };
  const word = lane.words[span.state];
  const text = span.text && span.state === "alive" ? `${span.text}, ${word}` : word;
  return { text, lost: span.state === "lost", pale: span.state === "unknown" };
}

function ladder(rungs: readonly Rung[], at: number): Reading {
  const begun = rungs.filter((rung) => rung.from <= at);
  const over = begun.filter((rung) => rung.to <= at + 1e-6);
  const lived = over.filter((rung) => rung.lived).length;
  const ended = over.filter((rung) => rung.ended !== null).length;
  const quiet = begun.length - over.length;
  const parts = [
    lived > 0 ? `${lived} lived` : "",
    ended > 0 ? `${ended} ended` : "",
    quiet > 0 ? `${quiet} quiet now` : "",
  ].filter((part) => part !== "");
  return { text: parts.join(", ") || "not begun", lost: false, pale: begun.length === 0 };
}
