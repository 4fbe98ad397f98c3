/// What is looked at: one sentence of the verdict, with the events it rests on.
import type { Because, DropVerdict } from "../generated/story";
import type { Story } from "./story.svelte";

export interface Sentence {
  key: string;
  drop: DropVerdict;
  /// Its place in its drop, from 1, and of how many.
  place: number;
  of: number;
  says: string;
  seqs: number[];
}

export function sentences(drops: readonly DropVerdict[]): Sentence[] {
  return drops.flatMap((drop) =>
    drop.because.map((because, index) => ({
      key: `${drop.id}.${index}`,
      drop,
      place: index + 1,
      of: drop.because.length,
      says: because.says,
      seqs: seqs(because),
    })),
  );
}

export function seqs(because: Because): number[] {
  return [because.seq, ...(because.more ?? [])];
}

export class Selection {
  #story: Story;
  /// Under the pointer or focused; gone when it leaves.
  hovered = $state<string>();
  /// Stepped to; stays.
  chosen = $state<string>();
  all: Sentence[] = $derived.by(() => sentences(this.#story.head?.drops ?? []));
  current: Sentence | undefined = $derived.by(() => this.#find(this.hovered) ?? this.#find(this.chosen) ?? this.all[0]);
  lit: ReadonlySet<number> = $derived.by(() => new Set(this.current?.seqs));

  constructor(story: Story) {
    this.#story = story;
  }

  #find(key: string | undefined): Sentence | undefined {
    return key === undefined ? undefined : this.all.find((sentence) => sentence.key === key);
  }

  /// To the next or the one before; stays at the ends.
  step(by: 1 | -1): Sentence | undefined {
    const at = this.all.findIndex((sentence) => sentence.key === this.current?.key);
    const next = this.all[Math.max(0, Math.min(this.all.length - 1, at + by))];
    this.hovered = undefined;
    this.chosen = next?.key;
    return next;
  }
}
