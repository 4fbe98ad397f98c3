import { describe, expect, it } from "vitest";
import type { PauseView, Point } from "../generated/story";
import type { Lane } from "../story/story.svelte";
import { Bins, top } from "./bins";
import { layout } from "./layout";
import { clusters, first, nearest, widest, within } from "./merge";
import { reading } from "./reading";
import { around, at, inside, pan, whole, x, zoom } from "./scale";
import { elapsed, step, ticks } from "./ticks";

const timed = (...list: number[]) => list.map((at) => ({ at }));

describe("the scale", () => {
  const scale = { from: 10, to: 20, left: 100, width: 1000 };
  it("goes there and back", () => {
    expect(x(scale, 15)).toBe(600);
    expect(at(scale, x(scale, 12.345))).toBeCloseTo(12.345);
  });
  it("zooms around the pointer", () => {
    const view = zoom({ from: 0, to: 100 }, 0.5, 20, 100);
    expect(view).toEqual({ from: 10, to: 60 });
  });
  it("never leaves the axis, and never shows more than it", () => {
    expect(zoom({ from: 0, to: 10 }, 1000, 5, 100)).toEqual({ from: 0, to: 100 });
    expect(pan({ from: 0, to: 10 }, -5, 100)).toEqual({ from: 0, to: 10 });
    expect(pan({ from: 80, to: 90 }, 50, 100)).toEqual({ from: 90, to: 100 });
    expect(inside({ from: -5, to: 400 }, 100)).toEqual({ from: 0, to: 100 });
  });
  it("never shows nothing", () => {
    const view = zoom({ from: 0, to: 1 }, 1e-9, 0.5, 100);
    expect(view.to - view.from).toBeCloseTo(0.05);
    expect(whole(0).to).toBeGreaterThan(0);
  });
  it("fills with a drop and leaves room on both sides", () => {
    const view = around(50, 60, 100);
    expect(view.from).toBeLessThan(50);
    expect(view.to).toBeGreaterThan(60);
  });
});

describe("the ruler", () => {
  it("takes the shortest step that leaves room", () => {
    expect(step(900, 900, 60)).toBe(60);
    expect(step(28_800, 772, 64)).toBe(3600);
  });
  it("stands on full hours of the day", () => {
    expect(ticks(0, 7200, 3600, 34_200)).toEqual([1800, 5400]);
  });
  it("reads as a clock does", () => {
    expect([elapsed(281.66, 2), elapsed(59.999, 2), elapsed(3725), elapsed(0)]).toEqual([
      "4:41.66",
      "1:00.00",
      "1:02:05",
      "0:00",
    ]);
  });
});

describe("what would touch", () => {
  it("is one", () => {
    const groups = clusters(timed(1, 1.1, 1.2, 5, 9), 0, 6, 1);
    expect(groups.map((group) => [group.at, group.to, group.count])).toEqual([
      [1, 1.2, 3],
      [5, 5, 1],
    ]);
  });
  it("costs what its pixels cost", () => {
    let asked = 0;
    const many = Array.from({ length: 300_000 }, (_, n) => n / 10);
    const counting = new Proxy(many, {
      get: (list, key) => {
        asked += 1;
        return Reflect.get(list, key) as unknown;
      },
    });
    first(counting, 12_345, (at) => at);
    expect(asked).toBeLessThan(60);
  });
  it("is found when it is near, and not when it is far", () => {
    expect(nearest(timed(1, 4, 9), 5, 2)?.at).toBe(4);
    expect(nearest(timed(1, 4, 9), 6.4, 2)).toBeUndefined();
    expect(nearest([], 1, 9)).toBeUndefined();
  });
  it("spans that reach into the view are in it", () => {
    const spans = [0, 10, 20].map((from) => ({ from, to: from + 10 }));
    expect(within(spans, 12, 13)).toEqual([{ from: 10, to: 20 }]);
    expect(within(spans, 0, 30)).toBe(spans);
  });
  it("leaves a widest part free", () => {
    const taken = [
      { from: 60, to: 90 },
      { from: 8, to: 8 },
      { from: 30, to: 70 },
      { from: 400, to: 500 },
    ];
    expect(widest({ from: 0, to: 100 }, taken)).toEqual({ from: 8, to: 30 });
    expect(widest({ from: 20, to: 100 }, taken)).toEqual({ from: 20, to: 30 });
    expect(widest({ from: 65, to: 200 }, taken)).toEqual({ from: 90, to: 200 });
    const all = widest({ from: 40, to: 50 }, taken);
    expect(all.to - all.from).toBe(0);
  });
});

describe("a curve", () => {
  const points: Point[] = Array.from({ length: 1000 }, (_, n) => [n, n % 97]);
  it("is summed up as if every point were looked at", () => {
    const bins = new Bins();
    bins.read(points);
    const scale = { from: 100, to: 900, left: 10, width: 40 };
    const columns = bins.columns(scale);
    for (let column = 0; column < 40; column++) {
      const [from, to] = [100 + column * 20, 120 + column * 20];
      const values = points.filter(([at]) => at >= from && at < to).map(([, value]) => value);
      expect([columns[2 * column], columns[2 * column + 1]]).toEqual([Math.min(...values), Math.max(...values)]);
    }
  });
  it("has holes where nothing was measured", () => {
    const bins = new Bins();
    bins.read([
      [1, 7],
      [9, 8],
    ]);
    const columns = bins.columns({ from: 0, to: 10, left: 0, width: 10 });
    expect([columns[3], columns[5], columns[19]]).toEqual([7, NaN, 8]);
  });
  it("grows at its end, and takes back what was told otherwise", () => {
    const list = points.slice(0, 5000);
    const bins = new Bins();
    bins.read(list);
    list.push([1000, 500], [1001, 3]);
    bins.read(list);
    expect([bins.most, bins.count]).toEqual([500, 1002]);
    list.length = 1000;
    list.push([1000, 4]);
    bins.read(list);
    expect([bins.most, bins.count]).toEqual([96, 1001]);
  });
  it("says nothing of a time long after its last point", () => {
    const bins = new Bins();
    bins.read([[10, 5]]);
    expect([bins.value(9, 2), bins.value(11, 2), bins.value(20, 2)]).toEqual([undefined, 5, undefined]);
  });
  it("has a scale that can be read", () => {
    expect([top(0), top(7.3), top(18), top(42), top(0.3)]).toEqual([1, 10, 20, 50, 0.5]);
  });
});

const words = { alive: "stands", unknown: "nobody can know", lost: "no answer", absent: "not held" };
const lane = (part: Partial<Lane>): Lane => ({
  id: "media",
  label: "Media",
  words,
  spans: [],
  marks: [],
  rungs: [],
  ...part,
});

describe("a reading", () => {
  const spans = [
    { from: 0, to: 10, state: "alive" as const, text: null },
    { from: 10, to: 12, state: "lost" as const, text: null },
    { from: 40, to: 50, state: "alive" as const, text: null },
  ];
  const asleep: PauseView[] = [{ slept: true, from: 20, to: 40 }];
  it("says what stood at that moment", () => {
    const says = (at: number) => reading(lane({ spans }), at, 0.1, asleep).text;
    expect([says(5), says(11), says(15), says(30), says(45)]).toEqual([
      "stands",
      "no answer",
      "not held",
      "asleep",
      "stands",
    ]);
  });
  it("says the end that is under the cursor", () => {
    const marks = [{ at: 10, kind: "fin" as const, seq: 7, text: "FIN" }];
    expect(reading(lane({ spans, marks }), 10.05, 0.1, [])).toMatchObject({ text: "FIN", lost: true });
  });
  it("counts the rungs of a ladder up to then", () => {
    const rung = { quiet_s: 5, label: "5 s", from: 0, seq: 1, text: "", ended: null };
    const rungs = [
      { ...rung, to: 5, lived: true },
      { ...rung, to: 9, lived: false, ended: "fin" as const },
    ];
    const says = (at: number) => reading(lane({ rungs }), at, 0.1, []).text;
    expect([says(1), says(6), says(20)]).toEqual(["2 quiet now", "1 lived, 1 quiet now", "1 lived, 1 ended"]);
  });
});

describe("the layout", () => {
  const lanes = ["signaling", "ice", "media", "beside_tcp", "control_dns", "control_gateway", "network"].map((id) =>
    lane({ id, spans: [{ from: 0, to: 1, state: "alive", text: null }] }),
  );
  it("lets no two lanes lie on each other", () => {
    const { places } = layout(lanes, [{ id: "rtt", label: "RTT", range: "" }], false);
    expect(places).toHaveLength(8);
    for (const [index, place] of places.slice(1).entries()) {
      const before = places[index]!;
      expect(place.top).toBeGreaterThanOrEqual(before.top + before.height);
    }
  });
  it("folded is low", () => {
    expect(layout(lanes, [], true).height).toBeLessThan(layout(lanes, [], false).height);
    expect(layout(lanes, [], true).height).toBeLessThan(170);
  });
  it("leaves out what holds nothing, but never the call", () => {
    const { places } = layout([lane({ id: "signaling" }), lane({ id: "recovery" })], [], false);
    expect(places.map((place) => place.id)).toEqual(["signaling"]);
  });
});
