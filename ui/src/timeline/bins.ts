/// A curve, ready to be drawn at any zoom: its least and most in each column of pixels.
import type { Point } from "../generated/story";
import { first } from "./merge";
import { type Scale, at } from "./scale";

export class Bins {
  /// Numbers beside each other are read ten times as fast as pairs.
  #times = new Float64Array(1024);
  #values = new Float64Array(1024);
  #count = 0;
  #points: readonly Point[] = [];
  /// The greatest of all, for the scale of its strip.
  most = 0;

  get count(): number {
    return this.#count;
  }

  /// A curve grows at its end; what it may have taken back is read again.
  read(points: readonly Point[]): void {
    let keep = points === this.#points ? Math.min(this.#count, points.length) : 0;
    while (keep > 0 && !this.#holds(keep - 1, points[keep - 1] as Point)) keep -= 1;
    if (keep < this.#count) this.most = this.#greatest(keep);
    this.#points = points;
    if (points.length > this.#times.length) this.#room(points.length * 2);
    for (let index = keep; index < points.length; index++) {
      const [time, value] = points[index] as Point;
      this.#times[index] = time;
      this.#values[index] = value;
      if (value > this.most) this.most = value;
    }
    this.#count = points.length;
  }

  /// Least and most for each pixel, one after the other; NaN where nothing was measured.
  columns(scale: Scale): Float64Array {
    const width = Math.floor(scale.width);
    const columns = new Float64Array(2 * width).fill(NaN);
    const [times, values, count] = [this.#times, this.#values, this.#count];
    let index = first(this.#points, scale.from, (point) => point[0]);
    for (let column = 0; column < width && index < count; column++) {
      const end = at(scale, scale.left + column + 1);
      let [low, high] = [Infinity, -Infinity];
      for (; index < count && (times[index] as number) < end; index++) {
        const value = values[index] as number;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (high < low) continue;
      columns[2 * column] = low;
      columns[2 * column + 1] = high;
    }
    return columns;
  }

  /// What was measured last before a moment, if it was not long ago.
  value(at: number, reach: number): number | undefined {
    const point = this.#points[first(this.#points, at + 1e-9, (point) => point[0]) - 1];
    return point && at - point[0] <= reach ? point[1] : undefined;
  }

  #holds(index: number, [time, value]: Point): boolean {
    return this.#times[index] === time && this.#values[index] === value;
  }

  #greatest(count: number): number {
    let most = 0;
    for (let index = 0; index < count; index++) most = Math.max(most, this.#values[index] as number);
    return most;
  }

  #room(size: number): void {
    const grow = (list: Float64Array) => {
      const more = new Float64Array(size);
      more.set(list);
      return more;
    };
    this.#times = grow(this.#times) as Float64Array<ArrayBuffer>;
    this.#values = grow(this.#values) as Float64Array<ArrayBuffer>;
  }
}

/// The top of a strip's scale: 1, 2 or 5 and noughts.
export function top(most: number): number {
  if (!(most > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= most * 0.999) ?? 10 * ten;
}
