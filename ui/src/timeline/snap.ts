/// The cursor holds to what happened: the witnesses of a drop before any other event.
import type { Story } from "../story/story.svelte";
import { first, nearest } from "./merge";

export function snap(story: Story, at: number, reach: number): number {
  const witnesses = story.drops.flatMap((drop) => [{ at: drop.last_good }, { at: drop.first_bad }]);
  witnesses.sort((a, b) => a.at - b.at);
  const event = nearest(witnesses, at, reach) ?? nearest(story.rows, at, reach);
  return event?.at ?? Math.max(0, Math.min(story.axis.length_s, at));
}

/// The event after this moment, or the one before; the ends of the record where there is none.
export function step(story: Story, at: number, forward: boolean): number {
  // What was logged in one millisecond is one stop.
  const grain = 1e-3;
  const time = (row: { at: number }) => row.at;
  const index = forward ? first(story.rows, at + grain, time) : first(story.rows, at - grain, time) - 1;
  return story.rows[index]?.at ?? (forward ? story.axis.length_s : 0);
}
