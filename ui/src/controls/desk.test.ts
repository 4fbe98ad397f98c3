import { expect, test } from "vitest";
import { asText, grouped, oneClock, sorted } from "./desk";
import { desk } from "../mock/desk";
import type { DeskRow } from "../generated/desk";

const row = (id: string, rest: Partial<DeskRow>): DeskRow => ({
  id,
  path: id,
  name: id,
  started: "2026-11-20T09:00:00Z",
  first_lost: null,
  outcome: "",
  owner: "",
  cause: "",
  confidence: "",
  drops: 0,
  interval_s: null,
  site: null,
  network: null,
  headline: "",
  line: { planned_s: 900, held_s: 900, lost: [], asleep: [] },
  ...rest,
});
const ids = (rows: DeskRow[]) => rows.map(({ id }) => id);

test("numbers within names count as numbers", () => {
  const rows = [row("PC-10", {}), row("PC-9", {})];
  expect(ids(sorted(rows, { column: "name", down: false }))).toEqual(["PC-9", "PC-10"]);
});

test("what has no value stands last, whichever way", () => {
  const rows = [row("none", {}), row("long", { interval_s: 60 }), row("short", { interval_s: 30 })];
  expect(ids(sorted(rows, { column: "interval", down: false }))).toEqual(["short", "long", "none"]);
  expect(ids(sorted(rows, { column: "interval", down: true }))).toEqual(["long", "short", "none"]);
});

test("each report is in one group of each kind, sorted within it", () => {
  for (const by of ["cause", "owner", "interval", "site", "network"] as const) {
    const shown = grouped(desk.rows, desk.groups, by, { column: "first", down: false });
    expect(shown.flatMap(({ rows }) => ids(rows)).toSorted()).toEqual(ids(desk.rows).toSorted());
    for (const { rows } of shown) expect(rows).toEqual(sorted(rows, { column: "first", down: false }));
  }
});

test("a group that names a report nobody has is no trouble", () => {
  const group = { by: "cause", title: "x", says: "", rows: ["gone"] } as const;
  expect(grouped([], [{ ...group, rows: ["gone"] }], "cause", { column: "name", down: false })[0]?.rows).toEqual([]);
});

test("one clock holds every run, and its marks lie on it", () => {
  const clock = oneClock(desk.rows);
  expect(clock.ticks[0]?.label).toBe("09:00");
  expect(clock.ticks.at(-1)?.label).toBe("10:00");
  for (const { at_s } of clock.ticks) expect(at_s).toBeLessThanOrEqual(clock.length_s);
});

test("a clock of none, of one moment, of a forged time", () => {
  expect(oneClock([]).length_s).toBe(1);
  expect(oneClock([row("now", { line: { planned_s: 0, held_s: 0, lost: [], asleep: [] } })]).length_s).toBeGreaterThan(
    0,
  );
  expect(oneClock([row("forged", { started: "never" })]).ticks).toEqual([]);
});

test("years apart are drawn with few marks", () => {
  const clock = oneClock([
    row("a", { started: "1970-01-01T00:00:00Z" }),
    row("b", { started: "2970-01-01T00:00:00Z" }),
  ]);
  expect(clock.ticks.length).toBeLessThanOrEqual(9);
});

test("as text, no cell breaks its line", () => {
  const text = asText(["a"], [row("x", { headline: "one\ttwo\nthree" })]);
  expect(text.split("\n")).toHaveLength(2);
  expect(text).toContain("one two three");
});
