/// A story of eight hours with 300,000 events: what a bad night at its worst looks like. The same for every run.
import type { Mark, Point, Region, Row, Rung, Span, Update } from "../src/generated/story";

export const LENGTH = 28_800;
export const EVENTS = 300_000;
const START = Date.UTC(2026, 10, 21, 8);
const words = { alive: "stands", unknown: "nobody can know", lost: "no answer", absent: "not held" };
const wall = (at: number) => new Date(START + at * 1000).toISOString();

function random(): () => number {
  let seed = 7;
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

export function rows(from: number, to: number): Row[] {
  const lanes = ["signaling", "signaling", "control_dns", "beside_bare", "media"];
  const first = Math.ceil((from / LENGTH) * EVENTS);
  const last = Math.ceil((to / LENGTH) * EVENTS);
  return Array.from({ length: last - first }, (_, n) => {
    const seq = first + n;
    const at = (seq / EVENTS) * LENGTH;
    return {
      seq,
      at,
      wall: wall(at),
      lane: "signaling",
      on: lanes[seq % lanes.length]!,
      tone: seq % 500 === 0 ? "lost" : "plain",
      text: `Event ${seq} of the signaling connection, as long as a sentence is.`,
    } satisfies Row;
  });
}

export function points(from: number, to: number): Point[] {
  return Array.from({ length: Math.ceil(to) - Math.ceil(from) }, (_, n) => {
    const at = Math.ceil(from) + n;
    return [at, 20 + 5 * Math.sin(at / 300) + ((at * 7919) % 13)];
  });
}

export function eightHours(like: Update): Update {
  const next = random();
  const every = (seconds: number, make: (at: number) => Span[]) =>
    Array.from({ length: Math.floor(LENGTH / seconds) }, (_, n) => make(n * seconds)).flat();
  const held = (at: number, long: number, dead: number): Span[] => [
    { from: at, to: at + long - dead, state: "alive", text: null },
    { from: at + long - dead, to: at + long, state: dead > 0 ? "unknown" : "alive", text: null },
  ];
  const bare = every(13, (at) => held(at, 12, 0));
  const ends = bare.map((span, n): Mark => ({ at: span.to, kind: "fin", seq: n, text: "FIN after 12.0 s" }));
  const drops = Array.from({ length: 120 }, (_, n): Region => {
    const at = 200 + n * 235;
    const times = { last_good: at, first_bad: at + 60, declared: at + 60, restored: at + 61 };
    return { id: n + 1, plane: "signaling", cause: "idle_timeout", ...times, seq: n, between: "60.0 s" };
  });
  const rungs = Array.from({ length: 400 }, (_, n): Rung => {
    const quiet = [25, 31, 45, 58, 61, 95, 105, 125, 245][n % 9]!;
    const from = next() * (LENGTH - quiet);
    const lived = quiet < 60;
    const to = from + (lived ? quiet : 60);
    return { quiet_s: quiet, label: `${quiet} s`, from, to, lived, ended: lived ? null : "fin", seq: n, text: "" };
  });
  const tail = <T>(then: T[]) => ({ keep: 0, then });
  const lane = (id: string, label: string, spans: Span[], marks: Mark[] = [], rungs: Rung[] = []) => ({
    id,
    label,
    words,
    spans: tail(spans),
    marks: tail(marks),
    rungs: tail(rungs),
  });
  const through: Span[] = [{ from: 0, to: LENGTH, state: "alive", text: null }];
  const call = drops.flatMap((drop, n): Span[] => [
    { from: drops[n - 1]?.restored ?? 0, to: drop.last_good, state: "alive", text: null },
    { from: drop.last_good, to: drop.first_bad, state: "unknown", text: null },
  ]);
  return {
    ...like,
    axis: { from: wall(0), length_s: LENGTH },
    drops,
    pauses: [{ slept: true, from: 12_000, to: 13_800 }],
    lanes: [
      lane("signaling", "Signaling", call),
      lane("ice", "ICE", through),
      lane("media", "Media in", through),
      lane("beside_websocket", "WebSocket", through),
      lane("beside_bare", "Bare socket", bare, ends),
      lane("beside_ladder", "Quiet ladder", [], [], rungs),
      ...["far_tcp", "far_udp", "dns", "gateway"].map((id) => lane(`control_${id}`, id, through)),
      lane("network", "Network", through),
      lane("computer", "This computer", through),
    ],
    rows: tail(rows(0, LENGTH)),
    rtt_ms: tail(points(0, LENGTH)),
    jitter_ms: tail(points(0, LENGTH)),
    lost: tail(points(0, LENGTH).map(([at, value]): Point => [at, value > 36 ? 3 : 0])),
  };
}
