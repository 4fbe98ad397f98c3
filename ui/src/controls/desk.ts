/// Many reports on one table: their order, their groups, the one clock they are drawn on. Pure.

import { minute } from "../kit/time";
import type { DeskGroup, DeskRow, GroupBy } from "../generated/desk";

export type Column = "name" | "site" | "network" | "drops" | "interval" | "first";

export interface Order {
  column: Column;
  down: boolean;
}

const value: Record<Column, (row: DeskRow) => string | number | null> = {
  name: (row) => row.name,
  site: (row) => row.site,
  network: (row) => row.network,
  drops: (row) => row.drops,
  interval: (row) => row.interval_s,
  first: (row) => row.first_lost,
};

/** What has no value stands last, whichever way. */
export function sorted(rows: readonly DeskRow[], { column, down }: Order): DeskRow[] {
  return rows.toSorted((left, right) => {
    const [a, b] = [value[column](left), value[column](right)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const order =
      typeof a === "number" && typeof b === "number"
        ? a - b
        : String(a).localeCompare(String(b), undefined, { numeric: true });
    return down ? -order : order;
  });
}

export interface Shown {
  group: DeskGroup;
  rows: DeskRow[];
}

export function grouped(rows: readonly DeskRow[], groups: readonly DeskGroup[], by: GroupBy, order: Order): Shown[] {
  const known = new Map(rows.map((row) => [row.id, row]));
  return groups
    .filter((group) => group.by === by)
    .map((group) => ({
      group,
      rows: sorted(
        group.rows.flatMap((id) => known.get(id) ?? []),
        order,
      ),
    }));
}

/** Seconds since 1970 from which on, and for how long, all of them are drawn. */
export interface Clock {
  from_s: number;
  length_s: number;
  ticks: { at_s: number; label: string }[];
}

const STEPS = [60, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 604_800, 2_592_000];
const MOST_TICKS = 7;

export function oneClock(rows: readonly DeskRow[]): Clock {
  const spans = rows.map((row) => ({ from: begins(row), to: begins(row) + Math.max(row.line.held_s, 1) }));
  const known = spans.filter(({ from, to }) => Number.isFinite(from) && Number.isFinite(to));
  if (known.length === 0) return { from_s: 0, length_s: 1, ticks: [] };
  const first = Math.min(...known.map(({ from }) => from));
  const last = Math.max(...known.map(({ to }) => to));
  const step = STEPS.find((step) => (last - first) / step <= MOST_TICKS) ?? (last - first) / MOST_TICKS;
  const from_s = Math.floor(first / step) * step;
  const to_s = Math.ceil(last / step) * step;
  const ticks = [];
  for (let at_s = from_s; at_s <= to_s; at_s += step) ticks.push({ at_s: at_s - from_s, label: label(at_s, step) });
  return { from_s, length_s: Math.max(to_s - from_s, 1), ticks };
}

/** Seconds since 1970. */
export function begins(row: DeskRow): number {
  return Date.parse(row.started) / 1000;
}

/** As a spreadsheet takes it: tabs between, no tab and no line end within. */
export function asText(heads: readonly string[], rows: readonly DeskRow[]): string {
  const lines = rows.map((row) => [
    row.name,
    row.owner,
    row.cause,
    row.confidence,
    row.site,
    row.network,
    row.drops,
    row.interval_s,
    row.started,
    row.first_lost,
    row.headline,
  ]);
  const cell = (value: unknown) => String(value ?? "").replaceAll(/[\t\r\n]+/g, " ");
  return [heads, ...lines].map((line) => line.map(cell).join("\t")).join("\n");
}

function label(at_s: number, step: number): string {
  const at = new Date(at_s * 1000);
  if (step < 86_400) return minute(at, "UTC");
  return new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" }).format(at);
}
