/// Where each lane stands. Full, or folded when the page is scrolled.
import type { Lane } from "../story/story.svelte";

export type Kind = "call" | "company" | "rungs" | "marks" | "strip";

export interface Place {
  id: string;
  kind: Kind;
  label: string;
  /// Which numbers a strip or a ladder shows.
  sub: string;
  top: number;
  height: number;
  /// The height its line runs at.
  middle: number;
  /// Room for words above its line.
  words: boolean;
  lane?: Lane;
  /// Its lanes stand closer than words: no reading of its own.
  close: boolean;
  rungs: RungRow[];
}

/// Rungs of one length stand in one row, the shortest on top.
export interface RungRow {
  quiet_s: number;
  label: string;
  y: number;
  lane: Lane;
}

export interface Layout {
  places: Place[];
  rules: number[];
  height: number;
}

export interface Strip {
  id: string;
  label: string;
  range: string;
}

type Section = "call" | "beside" | "ladder" | "around" | "controls" | "recovery";

function section(id: string): Section {
  if (id === "signaling" || id === "media" || id === "ice") return "call";
  if (id.endsWith("ladder")) return "ladder";
  if (id.startsWith("beside")) return "beside";
  if (id.startsWith("control")) return "controls";
  return id === "recovery" || id === "far" ? "recovery" : "around";
}

const ORDER: Section[] = ["call", "ladder", "beside", "controls", "around", "recovery"];
const MOST_ROWS = 12;
/// Many rows stand closer.
const FEW_ROWS = 6;
const CLOSE_PITCH = 5;

const FULL = { call: 21, beside: 14, controls: 14, around: 19, recovery: 20, strip: 24, pitch: 8, gap: 5 };
const FOLDED = { call: 15, beside: 5, controls: 5, around: 15, recovery: 15, strip: 0, pitch: 3.5, gap: 3 };

export function layout(lanes: readonly Lane[], strips: readonly Strip[], folded: boolean): Layout {
  const size = folded ? FOLDED : FULL;
  const places: Place[] = [];
  const rules: number[] = [];
  let y = 0;
  const close = () => {
    y += size.gap;
    if (!folded) rules.push(y);
    y += size.gap;
  };
  const add = (place: Omit<Place, "top" | "middle" | "rungs" | "close" | "sub"> & Partial<Place>) => {
    places.push({ sub: "", rungs: [], close: false, top: y, middle: y + place.height / 2, ...place });
    y += place.height;
  };
  y += size.gap;
  for (const part of ORDER) {
    const own = lanes.filter((lane) => section(lane.id) === part && (part === "call" || !empty(lane)));
    if (own.length === 0) continue;
    if (y > size.gap && (!folded || part !== "recovery")) close();
    for (const [index, lane] of own.entries()) {
      if (part === "ladder") {
        addLadder(lane);
        continue;
      }
      const kind = part === "call" ? "call" : lane.spans.length > 0 ? "company" : "marks";
      const words = !folded && (lane.id === "network" || lane.id === "signaling" || lane.id === "ice");
      const height = size[part as keyof typeof size] + (words ? 10 : 0);
      const together = folded && (part === "beside" || part === "controls");
      const label = !together ? lane.label : index === 0 ? (part === "beside" ? "Beside" : "Controls") : "";
      const middle = y + (words ? 10 : 0) + (height - (words ? 10 : 0)) / 2;
      add({ id: lane.id, kind, label, height, words, lane, middle, close: together });
    }
    if (folded && own.length > 0 && (part === "beside" || part === "controls")) y += Math.max(0, 15 - own.length * 5);
  }
  if (!folded && strips.length > 0) {
    close();
    for (const strip of strips) {
      const height = strip.id === "lost" ? 22 : size.strip;
      add({ id: strip.id, kind: "strip", label: strip.label, sub: strip.range, height, words: false });
    }
  }
  return { places, rules, height: y + size.gap };

  function addLadder(lane: Lane) {
    const lengths = [...new Map(lane.rungs.map((rung) => [rung.quiet_s, rung.label])).entries()].sort(
      ([a], [b]) => a - b,
    );
    const rows = Math.min(lengths.length, MOST_ROWS);
    const pitch = folded ? Math.min(size.pitch, 36 / rows) : rows > FEW_ROWS ? CLOSE_PITCH : size.pitch;
    const height = Math.max(folded ? 15 : 34, rows * pitch + (folded ? 2 : 6));
    const top = y + (height - rows * pitch) / 2 + pitch / 2;
    const rungs = lengths.map(([quiet_s, label], index) => {
      const row = lengths.length <= MOST_ROWS ? index : Math.floor((index * MOST_ROWS) / lengths.length);
      return { quiet_s, label, y: top + row * pitch, lane };
    });
    const [low, high] = [lengths[0]?.[1], lengths.at(-1)?.[1]];
    const sub = low === undefined ? "" : low === high ? low : `${low?.replace(/ s$/, "")} to ${high}`;
    add({ id: lane.id, kind: "rungs", label: lane.label, sub, height, words: false, lane, rungs });
  }
}

function empty(lane: Lane): boolean {
  return lane.spans.length === 0 && lane.marks.length === 0 && lane.rungs.length === 0;
}
