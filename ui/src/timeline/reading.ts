/// What a lane says at one moment, in the lane's own row.
import type { PauseView, Rung } from "../generated/story";
import type { Lane } from "../story/story.svelte";
import { ends } from "./glyphs";
import { first, nearest } from "./merge";

export interface Reading {
  text: string;
  lost: boolean;
  /// Nothing stood, or nothing to tell.
  pale: boolean;
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
