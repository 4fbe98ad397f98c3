/// Round trip, jitter and loss: what their strips are drawn from, and what they say.
import type { Point } from "../generated/story";
import { Bins, top } from "./bins";
import type { Strip } from "./layout";

export interface Curve {
  points: readonly Point[];
  bins: Bins;
  top: number;
}

const KINDS = [
  { id: "rtt", label: "RTT", unit: " ms" },
  { id: "jitter", label: "Jitter", unit: " ms" },
  { id: "lost", label: "Loss", unit: "" },
] as const;

/// How old a value may be to be read.
const REACH_S = 2.5;

type Kind = (typeof KINDS)[number]["id"];
export type Curves = ReadonlyMap<string, Curve>;

/// Its bins are kept, so that a run that goes on costs what is new in it.
export class CurveReader {
  #bins = { rtt: new Bins(), jitter: new Bins(), lost: new Bins() };

  read(story: Readonly<Record<Kind, readonly Point[]>>): Curves {
    return new Map(
      KINDS.map(({ id }) => {
        const [points, bins] = [story[id], this.#bins[id]];
        bins.read(points);
        return [id, { points, bins, top: top(bins.most) }];
      }),
    );
  }
}

/// Those that have something to show.
export function strips(curves: Curves): Strip[] {
  return KINDS.flatMap(({ id, label, unit }) => {
    const curve = curves.get(id);
    if (!curve || curve.points.length === 0) return [];
    return [{ id, label, range: id === "lost" ? "packets" : `0–${curve.top}${unit}` }];
  });
}

export function value(curves: Curves, id: string, at: number): string {
  const value = curves.get(id)?.bins.value(at, REACH_S);
  if (value === undefined) return "";
  return id === "lost" ? String(value) : `${value.toFixed(1)} ms`;
}
