/// Lengths and moments as the window writes them. Pure: the locale and the zone are those of the system.

import { minute } from "../kit/time";

/** "01:12", "1:02:05": a clock that runs. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** "15 minutes", "4 hours", "1 h 30 min", "45 seconds". */
export function length(seconds: number): string {
  // Beyond an hour nobody counts seconds.
  const whole = Math.max(0, seconds > 3600 ? Math.round(seconds / 60) * 60 : Math.round(seconds));
  if (whole % 3600 === 0 && whole > 0) return counted(whole / 3600, "hour");
  if (whole > 3600) return `${Math.floor(whole / 3600)} h ${(whole % 3600) / 60} min`;
  if (whole % 60 === 0 && whole > 0) return counted(whole / 60, "minute");
  if (whole > 60) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return counted(whole, "second");
}

/** "Today, 11:20" or "Thu 19 Nov, 16:40". */
export function when(at: Date, now: Date, today: string): string {
  const same = at.toDateString() === now.toDateString();
  const date = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" }).format(at);
  return `${same ? today : date}, ${minute(at, "local")}`;
}

/** Bytes as files are listed. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Marks of a ruler: seconds from the start, every fifth one long; no more than fits. */
export function ruler(seconds: number): { at: number; long: boolean }[] {
  const step = STEPS.find((step) => seconds / step <= 30) ?? 86_400;
  const marks = [];
  for (let n = 0; n * step <= seconds; n++) marks.push({ at: n * step, long: n % 5 === 0 });
  return marks;
}

const STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200];

const two = (n: number) => String(n).padStart(2, "0");
const counted = (n: number, one: string) => `${n} ${one}${n === 1 ? "" : "s"}`;
