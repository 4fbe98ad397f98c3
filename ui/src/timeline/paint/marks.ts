/// Marks of a lane, gathered so that none touches the next.
import type { Mark } from "../../generated/story";
import { ends } from "../glyphs";
import type { Place } from "../layout";
import { clusters } from "../merge";
import { pixel, right, x as place } from "../scale";
import type { Scene } from "./scene";

/// Less than this between two marks, and they are one.
const TOUCH = 7;
/// A mark that began to the left of the plot still shows.
const BEFORE = 20;
/// Among so many the worst is looked for.
const MOST_READ = 200;

/// Several marks in one place, of which the worst is drawn.
export interface Marked {
  worst: Mark;
  /// When the first of them was, and where that is.
  first: number;
  at: number;
  count: number;
  /// To the next one.
  room: number;
}

export function marked({ scale }: Scene, row: Place): Marked[] {
  const second = pixel(scale);
  const groups = clusters(row.lane?.marks ?? [], scale.from - BEFORE * second, scale.to, TOUCH * second);
  return groups.map((group, index) => {
    const inside = group.items.slice(group.from, group.from + Math.min(group.count, MOST_READ)) as Mark[];
    const next = groups[index + 1];
    const at = place(scale, group.at);
    return {
      worst: inside.find((mark) => ends(mark.kind)) ?? (inside[0] as Mark),
      first: group.at,
      at,
      count: group.count,
      room: (next ? place(scale, next.at) : right(scale)) - at - 16,
    };
  });
}
