/// What runs through several lanes: the wash and the two witness lines of a loss, sleep, and the marker pen.
import type { PauseView } from "../../generated/story";
import { within } from "../merge";
import { right, x as place } from "../scale";
import { type Pen, upright } from "./pen";
import { type Scene, height, over } from "./scene";

/// As many dead stretches of one lane are washed for one drop; more cannot be told apart.
const MOST_WASHED = 200;

/// Marker pen behind the evidence. Never the accent: what is lit has often survived.
export function lit(pen: Pen, scene: Scene) {
  const { scale, palette } = scene;
  pen.fillStyle = palette.lit;
  for (const { lane, from, to } of scene.litLanes) {
    const row = scene.layout.places.find((row) => row.id === lane);
    if (!row) continue;
    const begin = Math.max(place(scale, from) - 4, scale.left);
    const end = Math.min(place(scale, to) + 4, right(scale));
    const high = row.kind === "rungs" ? row.height : Math.min(row.height, 16);
    if (end > begin) pen.fillRect(begin, height(scene, row) - high / 2, end - begin, high);
  }
}

/// Only the lanes that died are washed: the pattern of washes is the verdict.
export function washes(pen: Pen, scene: Scene) {
  const { scale, palette } = scene;
  const lanes = scene.layout.places.filter((row) => row.lane && row.kind !== "rungs" && row.kind !== "marks");
  pen.fillStyle = palette.wash;
  for (const drop of scene.losses) {
    const until = over(scene, drop);
    if (until < scale.from || drop.last_good > scale.to) continue;
    for (const row of lanes) {
      if (row.id === "media" && drop.plane === "signaling") continue;
      const spans = within(row.lane?.spans ?? [], drop.last_good, until);
      const high = row.kind === "call" ? Math.min(row.height, 20) : row.height;
      for (const span of spans.filter((span) => span.state !== "alive").slice(0, MOST_WASHED)) {
        const from = place(scale, Math.max(span.from, drop.last_good));
        const to = place(scale, Math.min(span.to, until));
        if (to > from) pen.fillRect(from, height(scene, row) - high / 2, to - from, high);
      }
    }
  }
}

/// The last proof of life and the first sign of death.
export function witnesses(pen: Pen, scene: Scene, bottom: number) {
  const { scale, palette } = scene;
  pen.fillStyle = palette.accent;
  let before = -Infinity;
  for (const drop of scene.losses) {
    const [good, bad] = [place(scale, drop.last_good), place(scale, drop.first_bad)];
    if (bad < scale.left - 4 || good > right(scale) + 4) continue;
    // Below five pixels the pair is one.
    for (const line of bad - good < 5 ? [bad] : [good, bad]) {
      if (Math.abs(line - before) < 1) continue;
      upright(pen, line, 4, bottom);
      before = line;
    }
  }
}

/// Sleep covers all lanes: time was absent, not the signal.
export function asleep(pen: Pen, scene: Scene, pause: PauseView, bottom: number) {
  const { scale, palette, top } = scene;
  const from = Math.max(place(scale, pause.from), scale.left);
  const to = Math.min(place(scale, pause.to), right(scale));
  if (to <= from) return;
  const high = bottom - top;
  pen.save();
  pen.beginPath();
  pen.rect(from, top, to - from, high);
  pen.fillStyle = palette.plane;
  pen.fill();
  pen.clip();
  pen.strokeStyle = palette.hatch;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let x = Math.floor((from - high) / 9) * 9; x < to; x += 9) {
    pen.moveTo(x, bottom);
    pen.lineTo(x + high, top);
  }
  pen.stroke();
  pen.restore();
  pen.fillStyle = palette.line;
  for (const edge of [from, to]) upright(pen, edge, top, bottom);
}
