/// A field of dots with its word: the computer was awake, and the watcher saw nothing. After the far end's last word it may
/// have seen anything.
import type { Place } from "../layout";
import { type Stretch, widest } from "../merge";
import { right, x as place } from "../scale";
import type { Marked } from "./marks";
import { type Pen, say, wide } from "./pen";
import { type Scene, height } from "./scene";

/// Between two dots of a row; the next row stands between them.
const PITCH = 6;
/// Narrower, and it would be taken for a mark.
const LEAST = 2 * PITCH;
/// What the word keeps clear of on both sides.
const CLEAR = 8;
/// Half of a mark.
const MARK = 5;

export function unseen(pen: Pen, scene: Scene, row: Place, marks: readonly Marked[]) {
  const { scale, palette } = scene;
  const from = Math.max(place(scale, row.lane?.spans.at(-1)?.to ?? 0), scale.left);
  const to = Math.min(place(scale, scene.now), right(scale));
  if (to - from <= LEAST) return;
  const text = row.lane?.words.absent ?? "";
  pen.font = `11px ${palette.font}`;
  const half = wide(pen, text) / 2 + CLEAR;
  const free = widest({ from, to }, taken(scene, marks));
  const middle = (free.from + free.to) / 2;
  if (free.to - free.from < 2 * half) return dots(pen, scene, row, from, to);
  dots(pen, scene, row, from, middle - half);
  dots(pen, scene, row, middle + half, to);
  pen.fillStyle = palette.ink2;
  say(pen, palette, text, middle - half + CLEAR, height(scene, row) + 4);
}

function dots(pen: Pen, scene: Scene, row: Place, from: number, to: number) {
  const step = PITCH / 2;
  const rows = Math.floor((row.height / 2 - step) / step);
  const y = Math.round(height(scene, row));
  pen.fillStyle = scene.palette.mute;
  pen.beginPath();
  // Counted from the edge of the page, so that they stand still while the field grows.
  for (let column = Math.ceil(from / step); column * step < to; column++) {
    for (let down = -rows; down <= rows; down++)
      if ((column + down) % 2 === 0) pen.rect(column * step, y + down * step, 1, 1);
  }
  pen.fill();
}

/// What runs through the field or stands in it: witness lines, sleep and marks.
function taken({ scale, losses, pauses }: Scene, marks: readonly Marked[]): Stretch[] {
  const around = (x: number, room = 0) => ({ from: x - room, to: x + room });
  return [
    ...losses.flatMap((drop) => [around(place(scale, drop.last_good)), around(place(scale, drop.first_bad))]),
    ...pauses
      .filter((pause) => pause.slept)
      .map((pause) => ({ from: place(scale, pause.from), to: place(scale, pause.to) })),
    ...marks.map((mark) => around(mark.at, MARK)),
  ];
}
