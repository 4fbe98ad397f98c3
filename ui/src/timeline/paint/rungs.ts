/// The quiet ladder: a thin line while a connection is quiet, a dot where it was answered, a cap where it was ended.
import type { Rung } from "../../generated/story";
import { glyph } from "../glyphs";
import type { Place } from "../layout";
import type { Palette } from "../palette";
import { pixel, x as place } from "../scale";
import { COMPANY, type Pen, dot, dotted } from "./pen";
import { type Scene, height } from "./scene";

export function rungs(pen: Pen, scene: Scene, row: Place) {
  const { scale } = scene;
  const heights = new Map(row.rungs.map((rung) => [rung.quiet_s, rung.y]));
  for (const rung of row.lane?.rungs ?? []) {
    if (Math.max(rung.to, goal(rung)) < scale.from || rung.from > scale.to) continue;
    const y = heights.get(rung.quiet_s);
    one(pen, scene, rung, y === undefined ? height(scene, row) : scene.top + y);
  }
}

/// When its silence was to be over.
function goal(rung: Rung): number {
  return rung.from + rung.quiet_s;
}

function one(pen: Pen, scene: Scene, rung: Rung, y: number) {
  const { scale, palette } = scene;
  const [from, to, planned] = [rung.from, rung.to, goal(rung)].map((at) => place(scale, at)) as [
    number,
    number,
    number,
  ];
  if (rung.seq !== null && scene.lit.has(rung.seq)) {
    pen.fillStyle = palette.lit;
    pen.fillRect(from - 4, y - 4, Math.max(to - from, 3) + 8, 8);
  }
  pen.fillStyle = palette.ink2;
  pen.fillRect(from, y - COMPANY / 2, Math.max(to - from, 1), COMPANY);
  dot(pen, from, y, 1.6);
  if (rung.lived) dot(pen, to, y, 2.2);
  else if (!rung.ended) dotted(pen, to, planned, y, palette.mute, 1, [1, 3]);
  else {
    glyph(pen, rung.ended, to, y, palette, true, scene.folded ? 2.5 : 3.5);
    if (goal(rung) <= rung.to + 3 * pixel(scale)) return;
    dotted(pen, to + 3, planned - 3, y, palette.mute, 1, [1, 3]);
    ring(pen, planned, y, palette);
  }
}

function ring(pen: Pen, x: number, y: number, palette: Palette) {
  pen.fillStyle = palette.plane;
  dot(pen, x, y, 2);
  pen.strokeStyle = palette.mute;
  pen.lineWidth = 1;
  pen.stroke();
}
