import { describe, expect, it } from "vitest";
import nginx from "../../fixtures/nginx_drops_a_quiet_call.json";
import held from "../../fixtures/minute_in_which_nothing_happens.json";
import type { Row, Update } from "../generated/story";
import { Selection } from "./selection.svelte";
import { Story, grow } from "./story.svelte";

const whole = nginx as unknown as Update;
const row = (seq: number): Row => ({ seq, at: seq, wall: "", lane: "run", on: null, tone: "plain", text: String(seq) });

describe("a tail", () => {
  it("keeps what stays at the beginning", () => {
    expect(grow([1, 2, 3], { keep: 2, then: [4, 5] })).toEqual([1, 2, 4, 5]);
  });
  it("may only shrink", () => {
    expect(grow([1, 2, 3], { keep: 1, then: [] })).toEqual([1]);
  });
  it("never keeps more than there is", () => {
    expect(grow([1], { keep: 5, then: [2] })).toEqual([1, 2]);
  });
  it("takes more than a call may have arguments", () => {
    const many = Array.from({ length: 300_000 }, (_, n) => n);
    expect(grow([], { keep: 0, then: many })).toHaveLength(300_000);
  });
});

describe("a story", () => {
  it("told in two parts is the story told at once", () => {
    const half = Math.floor(whole.rows.then.length / 2);
    const cut = <T>(list: T[]) => [list.slice(0, 1), list.slice(1)] as const;
    const story = new Story({
      ...whole,
      lanes: whole.lanes.map((lane) => ({ ...lane, spans: { keep: 0, then: [...cut(lane.spans.then)[0]] } })),
      rows: { keep: 0, then: whole.rows.then.slice(0, half) },
    });
    story.apply({
      ...whole,
      lanes: whole.lanes.map((lane) => ({
        ...lane,
        spans: { keep: Math.min(1, lane.spans.then.length), then: [...cut(lane.spans.then)[1]] },
        marks: { keep: lane.marks.then.length, then: [] },
        rungs: { keep: lane.rungs.then.length, then: [] },
      })),
      rows: { keep: half, then: whole.rows.then.slice(half) },
      rtt_ms: { keep: whole.rtt_ms.then.length, then: [] },
      jitter_ms: { keep: whole.jitter_ms.then.length, then: [] },
      lost: { keep: whole.lost.then.length, then: [] },
    });
    const once = new Story(whole);
    expect(story.rows).toEqual(once.rows);
    expect(story.lanes).toEqual(once.lanes);
    expect(story.rtt).toEqual(once.rtt);
  });

  it("takes back what turned out otherwise", () => {
    const story = new Story({ ...whole, rows: { keep: 0, then: [1, 2, 3].map(row) } });
    story.apply({ ...whole, rows: { keep: 1, then: [row(9)] } });
    expect(story.rows.map((row) => row.seq)).toEqual([1, 9]);
  });

  it("keeps the rows of each lane as it keeps all rows", () => {
    const story = new Story(whole);
    const of = (lane: string) => story.rows.filter((row) => row.on === lane);
    expect(story.on("signaling")).toEqual(of("signaling"));
    const half = Math.floor(whole.rows.then.length / 2);
    story.apply({ ...whole, rows: { keep: half, then: [{ ...row(1e6), on: "signaling" }] } });
    expect(story.on("signaling")).toEqual(of("signaling"));
    expect(story.on("beside_ladder")).toEqual(of("beside_ladder"));
  });

  it("lets a lane come and go, and forgets what it held", () => {
    const story = new Story(whole);
    const without = whole.lanes.filter((lane) => lane.id !== "beside_bare");
    const kept = without.map((lane) => ({
      ...lane,
      spans: { keep: lane.spans.then.length, then: [] },
      marks: { keep: lane.marks.then.length, then: [] },
      rungs: { keep: lane.rungs.then.length, then: [] },
    }));
    story.apply({ ...whole, lanes: kept });
    expect(story.lanes.map((lane) => lane.id)).not.toContain("beside_bare");
    expect(story.lanes[0]?.spans).toEqual(whole.lanes[0]?.spans.then);
    const again = { ...whole.lanes.find((lane) => lane.id === "beside_bare")!, spans: { keep: 7, then: [] } };
    story.apply({ ...whole, lanes: [again] });
    expect(story.lanes[0]?.spans).toEqual([]);
  });

  it("leaves the update as it was", () => {
    const before = JSON.stringify(whole);
    const story = new Story(whole);
    story.apply(whole);
    expect(JSON.stringify(whole)).toBe(before);
  });
});

describe("a selection", () => {
  it("begins with the first sentence and stops at the last", () => {
    const selection = new Selection(new Story(whole));
    const [first] = selection.all;
    expect(selection.current?.key).toBe(first?.key);
    expect(selection.step(-1)?.key).toBe(first?.key);
    for (let n = 0; n < 100; n++) selection.step(1);
    expect(selection.current?.key).toBe(selection.all.at(-1)?.key);
  });
  it("lights every event of a sentence, and each of them is known", () => {
    const story = new Story(whole);
    const known = new Set(story.evidence.map((row) => row.seq));
    const { all } = new Selection(story);
    expect(all.some((sentence) => sentence.seqs.length > 1)).toBe(true);
    for (const seq of all.flatMap((sentence) => sentence.seqs)) expect(known).toContain(seq);
  });
  it("is nothing where nothing was lost", () => {
    expect(new Selection(new Story(held as unknown as Update)).current).toBeUndefined();
  });
});
