/// Where the ruler's lines stand, and what is written at them.

const STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
  86400,
];

/// The shortest step that leaves each label `room` pixels.
export function step(seconds: number, width: number, room: number): number {
  const least = (seconds / Math.max(width, 1)) * room;
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / 86400) * 86400;
}

/// Multiples of `step` in the stretch; `offset` is what the first second of the axis reads on a clock of its own.
export function ticks(from: number, to: number, step: number, offset = 0): number[] {
  const first = Math.ceil((from + offset) / step - 1e-9);
  const last = Math.floor((to + offset) / step + 1e-9);
  const ticks: number[] = [];
  for (let n = first; n <= last && ticks.length < 1000; n++) ticks.push(Math.round((n * step - offset) * 1e6) / 1e6);
  return ticks;
}

/// "4:41", "1:04:41", "4:41.66": as exact as the step needs.
export function elapsed(seconds: number, digits = 0): string {
  const unit = 10 ** digits;
  const all = Math.round(Math.max(0, seconds) * unit);
  const rest = all % (60 * unit);
  const minutes = Math.floor(all / (60 * unit));
  const s = (rest / unit).toFixed(digits).padStart(digits > 0 ? digits + 3 : 2, "0");
  const [h, m] = [Math.floor(minutes / 60), minutes % 60];
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

export function digits(step: number): number {
  return step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
}
