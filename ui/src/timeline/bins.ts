/// The least and most of a curve in any stretch of it, without looking at every point: blocks are summed up once.
import type { Point } from "../generated/story";
import { first } from "./merge";

const BLOCK = 64;

export class Bins {
  #points: readonly Point[] = [];
  #low: number[] = [];
  #high: number[] = [];
  /// The greatest of all, for the scale of its strip.
  most = 0;

  /// A curve grows at its end; blocks that were full stay as they are.
  read(points: readonly Point[]): void {
    const same = points === this.#points && points.length >= this.#low.length * BLOCK;
    const full = same ? this.#low.length : 0;
    this.#points = points;
    this.#low.length = this.#high.length = full;
    if (full === 0) this.most = 0;
    for (let begin = full * BLOCK; begin < points.length; begin += BLOCK) {
      const [low, high] = this.#scan(begin, Math.min(begin + BLOCK, points.length));
      if (begin + BLOCK <= points.length) {
        this.#low.push(low);
        this.#high.push(high);
      }
      this.most = Math.max(this.most, high);
    }
  }

  /// Least and most in a stretch; nothing where nothing was measured.
  range(from: number, to: number): [number, number] | undefined {
    const time = (point: Point) => point[0];
    let begin = first(this.#points, from, time);
    const end = first(this.#points, to, time);
    if (begin >= end) return undefined;
    let [low, high] = [Infinity, -Infinity];
    while (begin < end) {
      const block = begin / BLOCK;
      if (Number.isInteger(block) && begin + BLOCK <= end && block < this.#low.length) {
        low = Math.min(low, this.#low[block] as number);
        high = Math.max(high, this.#high[block] as number);
        begin += BLOCK;
      } else {
        const stop = Math.min(end, (Math.floor(block) + 1) * BLOCK);
        const [least, most] = this.#scan(begin, stop);
        low = Math.min(low, least);
        high = Math.max(high, most);
        begin = stop;
      }
    }
    return [low, high];
  }

  /// What was measured last before a moment, if it was not long ago.
  value(at: number, reach: number): number | undefined {
    const point = this.#points[first(this.#points, at + 1e-9, (point) => point[0]) - 1];
    return point && at - point[0] <= reach ? point[1] : undefined;
  }

  #scan(begin: number, end: number): [number, number] {
    let [low, high] = [Infinity, -Infinity];
    for (let index = begin; index < end; index++) {
      const value = (this.#points[index] as Point)[1];
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return [low, high];
  }
}

/// The top of a strip's scale: 1, 2 or 5 and noughts.
export function top(most: number): number {
  if (!(most > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= most * 0.999) ?? 10 * ten;
}
