/// Twenty-four reports of one morning.

import type { Desk, DeskGroup, DeskRow, GroupBy } from "../generated/desk";

type Case = { cause: string; owner: string; confidence: string; interval: number | null; says: string };
const idle: Case = {
  cause: "quiet connections are ended",
  owner: "Internet path",
  confidence: "Shown",
  interval: 60.1,
  says: "60.1 s, spread 0.3 s; all on AS64500, sites Leeds and Hull",
};
const restart: Case = {
  cause: "the service restarted",
  owner: "Voice service",
  confidence: "Shown",
  interval: null,
  says: "within 0.21 s; 4 networks; controls held",
};
const vpn: Case = {
  cause: "a VPN came or went",
  owner: "This computer",
  confidence: "Likely",
  interval: null,
  says: "all with the VPN client on",
};
const unproven: Case = {
  cause: "not proven",
  owner: "Not proven",
  confidence: "Not proven",
  interval: null,
  says: "11 causes ruled out, listed in the report",
};
const held: Case = { cause: "nothing lost", owner: "Held", confidence: "", interval: null, says: "quiet up to 245 s" };

const restartAt = minute(15, 32);
const cases: [Case, number, string, string, number, number, number[]][] = [
  [idle, 3, "Leeds", "AS64500", 2, 15, [minute(9, 12)]],
  [idle, 4, "Leeds", "AS64500", 2, 15, [minute(5, 24), minute(14, 0)]],
  [idle, 7, "Leeds", "AS64500", 3, 15, [minute(12, 6)]],
  [idle, 8, "Leeds", "AS64500", 6, 15, [minute(11, 12)]],
  [idle, 11, "Hull", "AS64500", 8, 30, [minute(14, 0), minute(22, 0), minute(33, 0)]],
  [idle, 12, "Hull", "AS64500", 21, 15, [minute(29, 36)]],
  [idle, 15, "Hull", "AS64500", 24, 15, [minute(27, 18)]],
  [idle, 18, "Leeds", "AS64500", 30, 15, [minute(41, 36)]],
  [idle, 19, "Leeds", "AS64500", 34, 15, [minute(38, 48), minute(45, 30)]],
  [idle, 22, "Hull", "AS64500", 40, 15, [minute(52, 6)]],
  [restart, 1, "Leeds", "AS64500", 5, 15, [restartAt]],
  [restart, 5, "York", "AS64501", 4, 30, [restartAt]],
  [restart, 9, "York", "AS64501", 9, 15, [restartAt]],
  [restart, 10, "home", "AS64502", 12, 15, [restartAt]],
  [restart, 14, "home", "AS64503", 10, 15, [restartAt]],
  [restart, 16, "Hull", "AS64500", 14, 15, [restartAt]],
  [vpn, 2, "home", "AS64502", 3, 15, [minute(12, 48)]],
  [vpn, 13, "home", "AS64504", 18, 30, [minute(26, 0), minute(40, 12)]],
  [vpn, 20, "home", "AS64503", 38, 15, [minute(44, 24)]],
  [unproven, 17, "York", "AS64501", 27, 15, [minute(36, 18)]],
  [held, 6, "York", "AS64501", 3, 15, []],
  [held, 21, "York", "AS64501", 26, 15, []],
  [held, 23, "home", "AS64505", 41, 15, []],
  [held, 24, "York", "AS64501", 43, 15, []],
];

const rows: DeskRow[] = cases.map(([of, n, site, network, from, minutes, lost]) => ({
  id: `b${n}`,
  path: `/home/sam/reports/PC-${n}.witness`,
  name: `PC-${String(n).padStart(2, "0")}`,
  started: at(minute(from, 0)),
  first_lost: lost[0] === undefined ? null : at(lost[0]),
  outcome: lost.length > 0 ? "Dropped" : "Held",
  owner: of.owner,
  cause: of.cause,
  confidence: of.confidence,
  drops: lost.length,
  interval_s: of.interval,
  site,
  network,
  headline: lost.length > 0 ? `${of.owner}: ${of.cause} (${of.confidence}).` : "Held for 15 minutes; nothing dropped.",
  line: {
    planned_s: minutes * 60,
    held_s: minutes * 60,
    lost: lost.map((s) => [s - from * 60, s - from * 60 + 8]),
    asleep: [],
  },
}));

export const desk: Desk = {
  title: "24 reports",
  spans: "Fri 20 Nov 2026, 09:02 to 09:58 UTC",
  rows,
  groups: [
    ...grouped(
      "cause",
      (row) => (row.confidence === "Not proven" || row.owner === "Held" ? row.owner : `${row.owner}: ${row.cause}`),
      (row) => cases[rows.indexOf(row)]?.[0].says ?? "",
    ),
    ...grouped(
      "owner",
      (row) => row.owner,
      (row) => (row.owner === "Held" ? "nothing lost" : row.cause),
    ),
    ...grouped(
      "interval",
      (row) => (row.interval_s === null ? "No interval" : "60.1 s"),
      () => "",
    ),
    ...grouped(
      "site",
      (row) => row.site ?? "",
      () => "",
    ),
    ...grouped(
      "network",
      (row) => row.network ?? "",
      () => "",
    ),
  ],
  same_second: [
    {
      second: at(restartAt),
      says: "6 reports from 4 networks lost it in one second, at 09:15:32 UTC, each with close code 1012.",
      rows: rows.filter((row) => row.owner === "Voice service").map((row) => row.id),
    },
  ],
  problems: ["PC-25.witness: this file is cut off after 12 kB; ask for it once more."],
};

function grouped(by: GroupBy, title: (row: DeskRow) => string, says: (row: DeskRow) => string): DeskGroup[] {
  const groups = new Map<string, DeskGroup>();
  for (const row of rows) {
    const group = groups.get(title(row)) ?? { by, title: title(row), says: says(row), rows: [] };
    group.rows.push(row.id);
    groups.set(group.title, group);
  }
  return [...groups.values()];
}

function minute(minutes: number, seconds: number): number {
  return minutes * 60 + seconds;
}

/** Seconds after nine. */
function at(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 20, 9, 0, seconds)).toISOString();
}
