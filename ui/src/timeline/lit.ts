/// The evidence of one sentence in the picture: which rungs and which stretches of lanes the marker pen goes over.
import type { Sentence } from "../story/selection.svelte";
import type { Lane, Story } from "../story/story.svelte";

/// Between the witnesses of a drop, where an event has no mark of its own.
export interface LitLane {
  lane: string;
  from: number;
  to: number;
}

export function litLanes(story: Story, sentence: Sentence | undefined): LitLane[] {
  if (!sentence) return [];
  const drop = story.drops.find((drop) => drop.id === sentence.drop.id);
  return story.evidence.flatMap((row) => {
    if (row.on === null || !sentence.seqs.includes(row.seq)) return [];
    if (story.lanes.some((lane) => hasRung(lane, (seq) => seq === row.seq))) return [];
    const [from, to] = drop ? [Math.min(drop.last_good, row.at), drop.first_bad] : [row.at, row.at];
    return [{ lane: row.on, from, to }];
  });
}

/// The lanes whose readings are marked.
export function litNames(story: Story, lanes: readonly LitLane[], lit: ReadonlySet<number>): ReadonlySet<string> {
  const ladders = story.lanes.filter((lane) => hasRung(lane, (seq) => lit.has(seq)));
  return new Set([...lanes.map((lit) => lit.lane), ...ladders.map((lane) => lane.id)]);
}

function hasRung(lane: Lane, is: (seq: number) => boolean): boolean {
  return lane.rungs.some((rung) => rung.seq !== null && is(rung.seq));
}
