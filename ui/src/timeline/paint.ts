/// The picture under the words: lanes, losses, sleep, curves. All of it is drawn anew for each view, and what does not show
/// is not looked at, so that eight hours cost what their pixels cost.
import type { Mark, PauseView, Point, Region, Row, Span } from "../generated/story";
import type { Bins } from "./bins";
import { glyph, ends } from "./glyphs";
import type { Layout, Place } from "./layout";
import { clusters, first, within } from "./merge";
import type { Palette } from "./palette";
import { type Scale, at as moment, x as place } from "./scale";

export interface Curve {
  points: readonly Point[];
  bins: Bins;
  top: number;
}

export interface Scene {
  layout: Layout;
  scale: Scale;
  /// Where the lanes begin, below the ruler.
  top: number;
  drops: readonly Region[];
  pauses: readonly PauseView[];
  lit: ReadonlySet<number>;
  /// Lanes lit between the witnesses of a drop, where an event has no mark of its own.
  litLanes: readonly { lane: string; from: number; to: number }[];
  rows: ReadonlyMap<string, readonly Row[]>;
  curves: ReadonlyMap<string, Curve>;
  grid: readonly number[];
  /// Where the record ends; what comes after is planned.
  now: number;
  palette: Palette;
  /// Lines of a lane that was held as the call itself.
  folded: boolean;
}

type Pen = CanvasRenderingContext2D;

const HELD = 2.5;
const COMPANY = 1.25;
const LOST = 3;
/// Less than this between two marks, and they are one.
const TOUCH = 7;

export function paint(pen: Pen, scene: Scene): void {
  const { layout, scale, top, palette } = scene;
  const bottom = top + layout.height;
  const width = scale.left + scale.width;
  pen.clearRect(0, 0, pen.canvas.width, pen.canvas.height);
  pen.save();
  pen.beginPath();
  pen.rect(scale.left - 4, 0, scale.width + 8, bottom);
  pen.clip();
  lines(
    pen,
    palette.grid,
    scene.grid.map((at) => place(scale, at)),
    top,
    bottom,
  );
  lit(pen, scene);
  const asleep = scene.pauses.filter((pause) => pause.slept);
  washes(pen, scene);
  const marks = new Map(layout.places.map((row) => [row.id, marked(scene, row)]));
  for (const row of layout.places) {
    if (row.kind === "strip") strip(pen, scene, row);
    else if (row.kind === "rungs") rungs(pen, scene, row);
    else lane(pen, scene, row, marks.get(row.id) ?? []);
  }
  for (const pause of asleep) hatch(pen, scene, pause, bottom);
  witnesses(pen, scene, bottom);
  now(pen, scene, bottom);
  said(pen, scene, marks);
  pen.restore();
  pen.fillStyle = palette.line;
  for (const rule of [0, ...layout.rules, layout.height]) pen.fillRect(0, Math.round(top + rule), width, 1);
}

function lines(pen: Pen, colour: string, xs: readonly number[], top: number, bottom: number) {
  pen.fillStyle = colour;
  for (const x of xs) pen.fillRect(Math.round(x), top, 1, bottom - top);
}

function lane(pen: Pen, scene: Scene, row: Place, marks: readonly Marked[]) {
  const { scale, palette } = scene;
  const y = scene.top + row.middle;
  const weight = row.kind === "call" ? HELD : COMPANY;
  const colour = row.kind === "call" ? palette.ink : palette.ink2;
  const spans = row.lane?.spans ?? [];
  for (const span of within(spans, scale.from, scale.to)) stretch(pen, scene, span, y, weight, colour);
  planned(pen, scene, y, spans);
  if (row.id === "far") unseen(pen, scene, y, spans);
  if (row.id === "signaling" && !scene.folded) messages(pen, scene, row, y);
  for (const { worst, at, first } of marks) {
    if (worst.kind === "path" && (row.words || row.id === "ice" || row.id === "network")) {
      if (first > 1) glyph(pen, "system", at, y, palette, false);
    } else glyph(pen, worst.kind, at, y, palette, ends(worst.kind) && near(scene.drops, worst));
  }
}

function stretch(pen: Pen, scene: Scene, span: Span, y: number, weight: number, colour: string) {
  const { scale, palette } = scene;
  const from = Math.max(place(scale, span.from), scale.left - 4);
  const to = Math.min(place(scale, span.to), scale.left + scale.width + 4);
  if (span.state === "alive") {
    pen.fillStyle = colour;
    pen.fillRect(from, y - weight / 2, Math.max(to - from, 0.5), weight);
    return;
  }
  if (span.state === "lost") {
    pen.fillStyle = palette.accent;
    const narrow = to - from < 6;
    pen.fillRect(from, y - (narrow ? 5 : LOST / 2), Math.max(to - from, LOST), narrow ? 10 : LOST);
    return;
  }
  dotted(pen, from, to, y, colour, 1.5, [1.5, 3]);
  // Between the witnesses of a drop it is part of the loss.
  for (const drop of scene.drops) {
    if (!touches(drop, span)) continue;
    const [good, until] = [place(scale, drop.last_good), place(scale, end(drop, scene))];
    const [left, right] = [Math.max(from, good), Math.min(to, until)];
    if (right <= left) continue;
    pen.fillStyle = palette.plane;
    pen.fillRect(left, y - 1, right - left, 2);
    pen.fillStyle = palette.wash;
    pen.fillRect(left, y - 1, right - left, 2);
    dotted(pen, left, right, y, palette.accent, 1.5, [1.5, 3]);
  }
}

/// After the far end's last word it may have seen anything.
function unseen(pen: Pen, scene: Scene, y: number, spans: readonly Span[]) {
  const { scale, palette } = scene;
  const from = Math.max(place(scale, spans.at(-1)?.to ?? 0), scale.left);
  const to = Math.min(place(scale, scene.now), scale.left + scale.width);
  pen.fillStyle = palette.mute;
  for (let x = Math.ceil(from / 6) * 6; from + 12 < to && x < to; x += 6) {
    for (const [across, down] of [
      [0, -3],
      [3, 0],
      [0, 3],
    ] as const)
      pen.fillRect(x + across, y + down, 1, 1);
  }
}

/// Where a run that goes on stands; a dot on each line of the call that is held.
function now(pen: Pen, scene: Scene, bottom: number) {
  const { scale, palette, top } = scene;
  if (scene.now >= scale.to || scene.now < scale.from) return;
  const x = place(scale, scene.now);
  pen.fillStyle = palette.ink;
  pen.fillRect(Math.round(x), top, 1, bottom - top);
  for (const row of scene.layout.places) {
    const last = row.lane?.spans.at(-1);
    if (row.kind !== "call" || !last || last.state !== "alive" || last.to < scene.now - 1) continue;
    pen.beginPath();
    pen.arc(x + 0.5, top + row.middle, 4.5, 0, 7);
    pen.fill();
  }
}

/// Only what lies ahead of a run that goes on.
function planned(pen: Pen, scene: Scene, y: number, spans: readonly Span[]) {
  const last = spans.at(-1);
  if (!last || scene.now >= scene.scale.to || last.to < scene.now - 1) return;
  dotted(pen, place(scene.scale, scene.now), scene.scale.left + scene.scale.width, y, scene.palette.hatch, 1, [1, 3]);
}

/// Words are asked for in every frame, and their widths never change.
const widths = new Map<string, number>();
const MOST_WIDTHS = 4000;

function wide(pen: Pen, text: string): number {
  const key = `${pen.font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > MOST_WIDTHS) widths.clear();
    width = pen.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

/// Words keep clear of the lines they cross.
function say(pen: Pen, palette: Palette, text: string, x: number, y: number) {
  pen.strokeStyle = palette.plane;
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

function dotted(pen: Pen, from: number, to: number, y: number, colour: string, weight: number, dash: number[]) {
  if (to <= from) return;
  pen.strokeStyle = colour;
  pen.lineWidth = weight;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(from, y);
  pen.lineTo(to, y);
  pen.stroke();
  pen.setLineDash([]);
}

/// Ticks under the line; where they would touch they are a band.
function messages(pen: Pen, scene: Scene, row: Place, y: number) {
  const { scale, palette } = scene;
  const second = (scale.to - scale.from) / scale.width;
  pen.fillStyle = palette.ink3;
  for (const group of clusters(scene.rows.get(row.id) ?? [], scale.from, scale.to, 2 * second)) {
    pen.fillRect(place(scale, group.at), y + 5, Math.max(1, place(scale, group.to) - place(scale, group.at)), 4);
  }
}

/// What a lane went over stands above it where it begins.
function words(pen: Pen, scene: Scene, spans: readonly Span[], y: number) {
  const { scale, palette } = scene;
  pen.font = `11px ${palette.font}`;
  pen.fillStyle = palette.ink2;
  let free = -Infinity;
  let said: string | null = null;
  for (const span of within(spans, scale.from, scale.to)) {
    if (span.text === null || span.text === said) continue;
    const from = Math.max(place(scale, span.from), scale.left) + 4;
    const width = wide(pen, span.text);
    if (from < free || from + width > scale.left + scale.width) continue;
    say(pen, palette, span.text, from, y - 7);
    free = from + width + 8;
    said = span.text;
  }
}

interface Marked {
  worst: Mark;
  first: number;
  at: number;
  count: number;
  /// To the next one.
  room: number;
}

/// Marks that would touch are one, and the worst of them is drawn.
function marked(scene: Scene, row: Place): Marked[] {
  const { scale } = scene;
  const second = (scale.to - scale.from) / scale.width;
  const groups = clusters(row.lane?.marks ?? [], scale.from - 20 * second, scale.to, TOUCH * second);
  return groups.map((group, index) => {
    const inside = group.items.slice(group.from, group.from + Math.min(group.count, 200)) as Mark[];
    const next = groups[index + 1];
    const at = place(scale, group.at);
    return {
      worst: inside.find((mark) => ends(mark.kind)) ?? (inside[0] as Mark),
      first: group.at,
      at,
      count: group.count,
      room: (next ? place(scale, next.at) : scale.left + scale.width) - at - 16,
    };
  });
}

/// All words, above all lines; those that would touch are left out.
function said(pen: Pen, scene: Scene, marks: ReadonlyMap<string, readonly Marked[]>) {
  if (scene.folded) return;
  const { palette } = scene;
  pen.font = `11px ${palette.font}`;
  for (const row of scene.layout.places) {
    const y = scene.top + row.middle;
    if (row.kind === "call") lengths(pen, scene, row, y);
    if (row.words && row.lane) words(pen, scene, row.lane.spans, y);
    if (row.kind !== "call" && row.kind !== "marks" && row.id !== "computer") continue;
    for (const { worst, at, count, room } of marks.get(row.id) ?? []) {
      const text = count > 1 ? `${worst.text} +${count - 1}` : worst.text;
      if ((worst.kind === "path" && row.words) || wide(pen, text) > room) continue;
      pen.fillStyle = ends(worst.kind) ? palette.accent : palette.ink2;
      say(pen, palette, text, at + (worst.kind === "move" ? 12 : 8), y + (row.kind === "marks" ? 4 : -7));
    }
  }
}

/// The length between the two witnesses is often the finding: measured as in a drawing.
function lengths(pen: Pen, scene: Scene, row: Place, y: number) {
  const { scale, palette } = scene;
  for (const drop of scene.drops) {
    if (drop.plane !== row.id || drop.cause === "slept") continue;
    const [from, to] = [Math.max(place(scale, drop.last_good), scale.left), place(scale, drop.first_bad)];
    const width = wide(pen, drop.between);
    if (to - from < width + 24 || to > scale.left + scale.width) continue;
    pen.fillStyle = palette.accent;
    const [middle, high] = [(from + to) / 2, y - 11];
    pen.fillRect(from, high, middle - width / 2 - 6 - from, 1);
    pen.fillRect(middle + width / 2 + 6, high, to - middle - width / 2 - 6, 1);
    pen.font = `600 11px ${palette.font}`;
    pen.fillText(drop.between, middle - width / 2, high + 4);
    pen.font = `11px ${palette.font}`;
  }
}

/// Filled where it is part of a loss.
function near(drops: readonly Region[], mark: Mark): boolean {
  return drops.some((drop) => mark.at >= drop.last_good && mark.at <= Math.max(drop.first_bad, drop.declared) + 1);
}

function rungs(pen: Pen, scene: Scene, row: Place) {
  const { scale, palette } = scene;
  const pixel = (scale.to - scale.from) / scale.width;
  const heights = new Map(row.rungs.map((rung) => [rung.quiet_s, rung.y]));
  for (const rung of row.lane?.rungs ?? []) {
    const goal = rung.from + rung.quiet_s;
    if (Math.max(rung.to, goal) < scale.from || rung.from > scale.to) continue;
    const y = scene.top + (heights.get(rung.quiet_s) ?? row.middle);
    const [from, to] = [place(scale, rung.from), place(scale, rung.to)];
    if (rung.seq !== null && scene.lit.has(rung.seq)) {
      pen.fillStyle = palette.lit;
      pen.fillRect(from - 4, y - 4, Math.max(to - from, 3) + 8, 8);
    }
    pen.fillStyle = palette.ink2;
    pen.fillRect(from, y - COMPANY / 2, Math.max(to - from, 1), COMPANY);
    dot(pen, from, y, 1.6);
    if (rung.lived) dot(pen, to, y, 2.2);
    else if (rung.ended) {
      glyph(pen, rung.ended, to, y, palette, true, scene.folded ? 2.5 : 3.5);
      if (goal > rung.to + 3 * pixel) {
        dotted(pen, to + 3, place(scale, goal) - 3, y, palette.mute, 1, [1, 3]);
        ring(pen, place(scale, goal), y, palette);
      }
    } else dotted(pen, to, place(scale, goal), y, palette.mute, 1, [1, 3]);
  }
}

function dot(pen: Pen, x: number, y: number, radius: number) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.fill();
}

function ring(pen: Pen, x: number, y: number, palette: Palette) {
  pen.beginPath();
  pen.arc(x, y, 2, 0, 7);
  pen.strokeStyle = palette.mute;
  pen.lineWidth = 1;
  pen.fillStyle = palette.plane;
  pen.fill();
  pen.stroke();
}

/// One column of pixels shows the least and the most of its stretch.
function strip(pen: Pen, scene: Scene, row: Place) {
  const { scale, palette } = scene;
  const curve = scene.curves.get(row.id);
  if (!curve) return;
  const floor = scene.top + row.top + row.height - 4;
  const rise = row.height - 8;
  const height = (value: number) => floor - Math.min(1, value / curve.top) * rise;
  pen.fillStyle = palette.grid;
  pen.fillRect(scale.left, Math.round(floor), scale.width, 1);
  if (row.id === "lost") return bars(pen, scene, curve, floor, rise);
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
      // A second without a sample is a hole and no line.
      if (at - before > 3.5) pen.moveTo(x, height(value));
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
  const columns = curve.bins.columns(scale);
  for (let pixel = 0; 2 * pixel < columns.length; pixel++) {
    const most = columns[2 * pixel + 1] as number;
    // A column without a number is none either.
    if (!(most > 0)) continue;
    const [from, to] = [moment(scale, scale.left + pixel), moment(scale, scale.left + pixel + 1)];
    const lost = scene.drops.some((drop) => drop.plane === "media" && drop.last_good <= to && end(drop, scene) >= from);
    pen.fillStyle = lost ? palette.accent : palette.ink;
    const high = Math.max(2, (most / curve.top) * rise);
    pen.fillRect(scale.left + pixel, floor - high, lost ? 2 : 1.5, high);
  }
}

function end(drop: Region, scene: Scene): number {
  return drop.restored ?? scene.now;
}

function touches(drop: Region, span: Span): boolean {
  return drop.cause !== "slept" && span.from < (drop.restored ?? Infinity) && span.to > drop.last_good;
}

/// Only the lanes that died are washed: the pattern of washes is the verdict.
function washes(pen: Pen, scene: Scene) {
  const { scale, palette } = scene;
  pen.fillStyle = palette.wash;
  for (const drop of scene.drops) {
    const until = end(drop, scene);
    if (drop.cause === "slept" || until < scale.from || drop.last_good > scale.to) continue;
    for (const row of scene.layout.places) {
      if (!row.lane || row.kind === "rungs" || row.kind === "marks") continue;
      const dead = within(row.lane.spans, drop.last_good, until).filter((span) => span.state !== "alive");
      if (row.id === "media" && drop.plane === "signaling") continue;
      for (const span of dead.slice(0, 200)) {
        const from = place(scale, Math.max(span.from, drop.last_good));
        const to = place(scale, Math.min(span.to, until));
        const high = Math.min(row.height, row.kind === "call" ? 20 : row.height);
        if (to > from) pen.fillRect(from, scene.top + row.middle - high / 2, to - from, high);
      }
    }
  }
}

function witnesses(pen: Pen, scene: Scene, bottom: number) {
  const { scale, palette } = scene;
  pen.fillStyle = palette.accent;
  let before = -Infinity;
  for (const drop of scene.drops) {
    if (drop.cause === "slept") continue;
    const [good, bad] = [place(scale, drop.last_good), place(scale, drop.first_bad)];
    if (bad < scale.left - 4 || good > scale.left + scale.width + 4) continue;
    // Below five pixels the pair is one.
    for (const line of bad - good < 5 ? [bad] : [good, bad]) {
      if (Math.abs(line - before) < 1) continue;
      pen.fillRect(Math.round(line), 4, 1, bottom - 4);
      before = line;
    }
  }
}

function hatch(pen: Pen, scene: Scene, pause: PauseView, bottom: number) {
  const { scale, palette, top } = scene;
  const from = Math.max(place(scale, pause.from), scale.left);
  const to = Math.min(place(scale, pause.to), scale.left + scale.width);
  if (to <= from) return;
  pen.save();
  pen.beginPath();
  pen.rect(from, top, to - from, bottom - top);
  pen.fillStyle = palette.plane;
  pen.fill();
  pen.clip();
  pen.strokeStyle = palette.hatch;
  pen.lineWidth = 1;
  pen.beginPath();
  const high = bottom - top;
  for (let x = Math.floor((from - high) / 9) * 9; x < to; x += 9) {
    pen.moveTo(x, bottom);
    pen.lineTo(x + high, top);
  }
  pen.stroke();
  pen.restore();
  pen.fillStyle = palette.line;
  pen.fillRect(Math.round(from), top, 1, high);
  pen.fillRect(Math.round(to), top, 1, high);
}

/// Marker pen behind the evidence. Never the accent: what is lit has often survived.
function lit(pen: Pen, scene: Scene) {
  const { scale, palette } = scene;
  pen.fillStyle = palette.lit;
  for (const { lane, from, to } of scene.litLanes) {
    const row = scene.layout.places.find((row) => row.id === lane);
    if (!row) continue;
    const left = Math.max(place(scale, from) - 4, scale.left);
    const right = Math.min(place(scale, to) + 4, scale.left + scale.width);
    const high = Math.min(row.height, row.kind === "rungs" ? row.height : 16);
    if (right > left) pen.fillRect(left, scene.top + row.middle - high / 2, right - left, high);
  }
}
