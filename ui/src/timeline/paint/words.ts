/// Words in the picture: all of them, above all lines. Those that would touch are left out.
import type { Span } from "../../generated/story";
import { ends } from "../glyphs";
import type { Place } from "../layout";
import { within } from "../merge";
import { right, x as place } from "../scale";
import type { Marked } from "./marks";
import { type Pen, say, wide } from "./pen";
import { type Scene, height } from "./scene";

export function words(pen: Pen, scene: Scene, marks: ReadonlyMap<string, readonly Marked[]>) {
  pen.font = `11px ${scene.palette.font}`;
  for (const row of scene.layout.places) {
    if (row.kind === "call") lengths(pen, scene, row);
    if (row.words && row.lane) ways(pen, scene, row.lane.spans, height(scene, row));
    if (row.kind === "call" || row.kind === "marks" || row.id === "computer")
      names(pen, scene, row, marks.get(row.id) ?? []);
  }
}

/// The length between the two witnesses is often the finding: measured as in a drawing.
function lengths(pen: Pen, scene: Scene, row: Place) {
  const { scale, palette } = scene;
  const high = height(scene, row) - 11;
  for (const drop of scene.losses) {
    if (drop.plane !== row.id) continue;
    const [from, to] = [Math.max(place(scale, drop.last_good), scale.left), place(scale, drop.first_bad)];
    const width = wide(pen, drop.between);
    if (to - from < width + 24 || to > right(scale)) continue;
    pen.fillStyle = palette.accent;
    const middle = (from + to) / 2;
    pen.fillRect(from, high, middle - width / 2 - 6 - from, 1);
    pen.fillRect(middle + width / 2 + 6, high, to - middle - width / 2 - 6, 1);
    pen.font = `600 11px ${palette.font}`;
    pen.fillText(drop.between, middle - width / 2, high + 4);
    pen.font = `11px ${palette.font}`;
  }
}

/// What a lane went over stands above it where it begins.
function ways(pen: Pen, scene: Scene, spans: readonly Span[], y: number) {
  const { scale, palette } = scene;
  pen.fillStyle = palette.ink2;
  let free = -Infinity;
  let said: string | null = null;
  for (const span of within(spans, scale.from, scale.to)) {
    if (span.text === null || span.text === said) continue;
    const from = Math.max(place(scale, span.from), scale.left) + 4;
    const width = wide(pen, span.text);
    if (from < free || from + width > right(scale)) continue;
    say(pen, palette, span.text, from, y - 7);
    free = from + width + 8;
    said = span.text;
  }
}

/// Of each mark, or of the worst of those that would touch, with how many more there are.
function names(pen: Pen, scene: Scene, row: Place, marks: readonly Marked[]) {
  const { palette } = scene;
  const y = height(scene, row) + (row.kind === "marks" ? 4 : -7);
  for (const { worst, at, count, room } of marks) {
    const text = count > 1 ? `${worst.text} +${count - 1}` : worst.text;
    // A way has its words already.
    if ((worst.kind === "path" && row.words) || wide(pen, text) > room) continue;
    pen.fillStyle = ends(worst.kind) ? palette.accent : palette.ink2;
    say(pen, palette, text, at + (worst.kind === "move" ? 12 : 8), y);
  }
}
