/// A lane's line: solid while it stood, dotted where nobody can know, a block where it was lost, and nothing where it was not.
import type { Span } from "../../generated/story";
import { ends, glyph } from "../glyphs";
import type { Place } from "../layout";
import { clusters, within } from "../merge";
import { pixel, right, x as place } from "../scale";
import type { Marked } from "./marks";
import { COMPANY, HELD, LOST, type Pen, dotted } from "./pen";
import { type Scene, height, over } from "./scene";
import { unseen } from "./unseen";

const UNSURE = [1.5, 3];

export function lane(pen: Pen, scene: Scene, row: Place, marks: readonly Marked[]) {
  const { scale } = scene;
  const y = height(scene, row);
  const spans = row.lane?.spans ?? [];
  for (const span of within(spans, scale.from, scale.to)) stretch(pen, scene, span, y, row.kind === "call");
  planned(pen, scene, y, spans);
  if (row.id === "far") unseen(pen, scene, row, marks);
  if (row.id === "signaling" && !scene.folded) messages(pen, scene, row, y);
  for (const mark of marks) symbol(pen, scene, row, mark, y);
}

function stretch(pen: Pen, scene: Scene, span: Span, y: number, call: boolean) {
  const { scale, palette } = scene;
  const from = Math.max(place(scale, span.from), scale.left - 4);
  const to = Math.min(place(scale, span.to), right(scale) + 4);
  const colour = call ? palette.ink : palette.ink2;
  if (span.state === "alive") {
    const weight = call ? HELD : COMPANY;
    pen.fillStyle = colour;
    pen.fillRect(from, y - weight / 2, Math.max(to - from, 0.5), weight);
  } else if (span.state === "lost") {
    const high = to - from < 6 ? 10 : LOST;
    pen.fillStyle = palette.accent;
    pen.fillRect(from, y - high / 2, Math.max(to - from, LOST), high);
  } else {
    dotted(pen, from, to, y, colour, 1.5, UNSURE);
    doubted(pen, scene, span, from, to, y);
  }
}

/// What nobody can know is part of the loss between the witnesses of a drop.
function doubted(pen: Pen, scene: Scene, span: Span, from: number, to: number, y: number) {
  const { scale, palette } = scene;
  for (const drop of scene.losses) {
    if (span.from >= (drop.restored ?? Infinity) || span.to <= drop.last_good) continue;
    const begin = Math.max(from, place(scale, drop.last_good));
    const end = Math.min(to, place(scale, over(scene, drop)));
    if (end <= begin) continue;
    for (const colour of [palette.plane, palette.wash]) {
      pen.fillStyle = colour;
      pen.fillRect(begin, y - 1, end - begin, 2);
    }
    dotted(pen, begin, end, y, palette.accent, 1.5, UNSURE);
  }
}

/// Only what lies ahead of a run that goes on.
function planned(pen: Pen, scene: Scene, y: number, spans: readonly Span[]) {
  const last = spans.at(-1);
  if (!last || scene.now >= scene.scale.to || last.to < scene.now - 1) return;
  dotted(pen, place(scene.scale, scene.now), right(scene.scale), y, scene.palette.hatch, 1, [1, 3]);
}

/// Ticks under the line; where they would touch they are a band.
function messages(pen: Pen, scene: Scene, row: Place, y: number) {
  const { scale, palette } = scene;
  pen.fillStyle = palette.ink3;
  for (const group of clusters(scene.rows.get(row.id) ?? [], scale.from, scale.to, 2 * pixel(scale))) {
    const x = place(scale, group.at);
    pen.fillRect(x, y + 5, Math.max(1, place(scale, group.to) - x), 4);
  }
}

function symbol(pen: Pen, scene: Scene, row: Place, { worst, at, first }: Marked, y: number) {
  if (worst.kind !== "path" || !(row.words || row.id === "ice" || row.id === "network")) {
    glyph(pen, worst.kind, at, y, scene.palette, ends(worst.kind) && near(scene, worst.at));
  } else if (first > 1) {
    // The way a run begins with is no event.
    glyph(pen, "system", at, y, scene.palette, false);
  }
}

/// Filled where it is part of a loss.
function near(scene: Scene, at: number): boolean {
  return scene.drops.some((drop) => at >= drop.last_good && at <= Math.max(drop.first_bad, drop.declared) + 1);
}
