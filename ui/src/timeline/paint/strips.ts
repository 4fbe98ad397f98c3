/// Round trip, jitter and loss: one column of pixels shows the least and the most of its stretch.
import type { Curve } from "../curves";
import type { Place } from "../layout";
import { first } from "../merge";
import { at as moment, x as place } from "../scale";
import type { Pen } from "./pen";
import { type Scene, over } from "./scene";

/// A second without a sample is a hole and no line.
const HOLE_S = 3.5;

export function strip(pen: Pen, scene: Scene, row: Place) {
  const { scale, palette } = scene;
  const curve = scene.curves.get(row.id);
  if (!curve) return;
  const floor = scene.top + row.top + row.height - 4;
  const rise = row.height - 8;
  pen.fillStyle = palette.grid;
  pen.fillRect(scale.left, Math.round(floor), scale.width, 1);
  if (row.id === "lost") bars(pen, scene, curve, floor, rise);
  else line(pen, scene, curve, (value) => floor - Math.min(1, value / curve.top) * rise);
}

function line(pen: Pen, scene: Scene, curve: Curve, height: (value: number) => number) {
  const { scale, palette } = scene;
  const begin = Math.max(0, first(curve.points, scale.from, (point) => point[0]) - 1);
  const end = first(curve.points, scale.to, (point) => point[0]) + 1;
  pen.strokeStyle = palette.ink2;
  pen.lineWidth = 1;
  pen.lineJoin = "round";
  pen.beginPath();
  if (end - begin <= scale.width) {
    let before = -Infinity;
    for (const [at, value] of curve.points.slice(begin, end)) {
      const x = place(scale, at);
      if (at - before > HOLE_S) pen.moveTo(x, height(value));
      else pen.lineTo(x, height(value));
      before = at;
    }
  } else {
    const columns = curve.bins.columns(scale);
    for (let column = 0; 2 * column < columns.length; column++) {
      const [low, high] = [columns[2 * column] as number, columns[2 * column + 1] as number];
      if (Number.isNaN(low)) continue;
      pen.moveTo(scale.left + column + 0.5, height(low) + 0.5);
      pen.lineTo(scale.left + column + 0.5, height(high) - 0.5);
    }
  }
  pen.stroke();
}

function bars(pen: Pen, scene: Scene, curve: Curve, floor: number, rise: number) {
  const { scale, palette } = scene;
  const drops = scene.drops.filter((drop) => drop.plane === "media");
  const columns = curve.bins.columns(scale);
  for (let column = 0; 2 * column < columns.length; column++) {
    const most = columns[2 * column + 1] as number;
    // A column without a number is none either.
    if (!(most > 0)) continue;
    const x = scale.left + column;
    const [from, to] = [moment(scale, x), moment(scale, x + 1)];
    const lost = drops.some((drop) => drop.last_good <= to && over(scene, drop) >= from);
    pen.fillStyle = lost ? palette.accent : palette.ink;
    const high = Math.max(2, (most / curve.top) * rise);
    pen.fillRect(x, floor - high, lost ? 2 : 1.5, high);
  }
}
