/// The picture under the words, from the back to the front. All of it is drawn anew for each view, and what does not show is
/// not looked at, so that eight hours cost what their pixels cost.
import { lane } from "./paint/lanes";
import { marked } from "./paint/marks";
import { type Pen, dot, upright } from "./paint/pen";
import { asleep, lit, washes, witnesses } from "./paint/regions";
import { rungs } from "./paint/rungs";
import { type Scene, height } from "./paint/scene";
import { strip } from "./paint/strips";
import { words } from "./paint/words";
import { right, x as place } from "./scale";

export function paint(pen: Pen, scene: Scene): void {
  const { layout, scale, top, palette } = scene;
  const bottom = top + layout.height;
  pen.clearRect(0, 0, pen.canvas.width, pen.canvas.height);
  pen.save();
  pen.beginPath();
  pen.rect(scale.left - 4, 0, scale.width + 8, bottom);
  pen.clip();
  pen.fillStyle = palette.grid;
  for (const at of scene.grid) upright(pen, place(scale, at), top, bottom);
  lit(pen, scene);
  washes(pen, scene);
  const marks = new Map(layout.places.map((row) => [row.id, marked(scene, row)]));
  for (const row of layout.places) {
    if (row.kind === "strip") strip(pen, scene, row);
    else if (row.kind === "rungs") rungs(pen, scene, row);
    else lane(pen, scene, row, marks.get(row.id) ?? []);
  }
  for (const pause of scene.pauses) if (pause.slept) asleep(pen, scene, pause, bottom);
  witnesses(pen, scene, bottom);
  now(pen, scene, bottom);
  if (!scene.folded) words(pen, scene, marks);
  pen.restore();
  pen.fillStyle = palette.line;
  for (const rule of [0, ...layout.rules, layout.height]) pen.fillRect(0, Math.round(top + rule), right(scale), 1);
}

/// Where a run that goes on stands; a dot on each line of the call that is held.
function now(pen: Pen, scene: Scene, bottom: number) {
  const { scale, palette, top } = scene;
  if (scene.now >= scale.to || scene.now < scale.from) return;
  const x = place(scale, scene.now);
  pen.fillStyle = palette.ink;
  upright(pen, x, top, bottom);
  for (const row of scene.layout.places) {
    const last = row.lane?.spans.at(-1);
    if (row.kind !== "call" || !last || last.state !== "alive" || last.to < scene.now - 1) continue;
    dot(pen, x + 0.5, height(scene, row), 4.5);
  }
}
