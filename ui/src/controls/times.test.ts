import { expect, test } from "vitest";
import { clock, length, ruler, size, when } from "./times";

test("a clock shows hours only when there are some", () => {
  expect([0, 72, 900, 3725, 14_400].map(clock)).toEqual(["00:00", "01:12", "15:00", "1:02:05", "4:00:00"]);
  expect(clock(59.99)).toBe("00:59");
  expect(clock(-1)).toBe("00:00");
});

test("a length is said in the unit it has", () => {
  expect([1, 45, 60, 900, 90, 3600, 14_400, 5400].map(length)).toEqual([
    "1 second",
    "45 seconds",
    "1 minute",
    "15 minutes",
    "1 min 30 s",
    "1 hour",
    "4 hours",
    "1 h 30 min",
  ]);
});

test("hours never carry sixty minutes", () => {
  expect(length(7199)).toBe("2 hours");
});

test("what is of today says so", () => {
  const now = new Date(2026, 10, 21, 12, 0);
  expect(when(new Date(2026, 10, 21, 11, 20), now, "Today")).toBe("Today, 11:20");
  expect(when(new Date(2026, 10, 20, 11, 20), now, "Today")).not.toContain("Today");
});

test("a size has two figures or more", () => {
  expect([812, 1204, 9_960, 388_214, 1_500_000].map(size)).toEqual(["812 B", "1.2 kB", "10 kB", "388 kB", "1.5 MB"]);
});

test("a ruler of any length has few marks, from the start to the end", () => {
  for (const seconds of [20, 120, 900, 14_400, 86_400, 604_800]) {
    const marks = ruler(seconds);
    expect(marks[0]).toEqual({ at: 0, long: true });
    expect(marks.at(-1)?.at).toBeLessThanOrEqual(seconds);
    expect(marks.length).toBeGreaterThan(2);
    expect(marks.length).toBeLessThanOrEqual(31);
  }
});
