/// Shape carries the kind: bar FIN, cross RST, dots silence; diamond the system, triangle a recovery, round a path.
import type { MarkKind } from "../generated/story";
import type { Palette } from "./palette";

export function ends(kind: MarkKind): boolean {
  return kind === "fin" || kind === "reset" || kind === "silence" || kind === "failed";
}

export function glyph(
  pen: CanvasRenderingContext2D,
  kind: MarkKind,
  x: number,
  y: number,
  palette: Palette,
  filled: boolean,
  half = 5,
): void {
  pen.lineWidth = 2;
  pen.strokeStyle = palette.accent;
  pen.beginPath();
  switch (kind) {
    case "fin":
      pen.moveTo(x, y - half);
      pen.lineTo(x, y + half);
      pen.stroke();
      return;
    case "reset":
    case "failed":
      pen.moveTo(x - half + 1, y - half + 1);
      pen.lineTo(x + half - 1, y + half - 1);
      pen.moveTo(x - half + 1, y + half - 1);
      pen.lineTo(x + half - 1, y - half + 1);
      pen.stroke();
      return;
    case "silence":
      pen.fillStyle = palette.accent;
      for (const dot of [0, 4, 8]) pen.fillRect(x + dot - 1, y - 1, 2, 2);
      return;
    case "move":
      pen.moveTo(x, y - 4.5);
      pen.lineTo(x + 8, y);
      pen.lineTo(x, y + 4.5);
      break;
    case "system":
      pen.moveTo(x, y - 4.5);
      pen.lineTo(x + 4.5, y);
      pen.lineTo(x, y + 4.5);
      pen.lineTo(x - 4.5, y);
      break;
    case "seen":
      pen.rect(x - 3.5, y - 3.5, 7, 7);
      break;
    case "path":
      pen.arc(x, y, 2.6, 0, 7);
      break;
  }
  pen.closePath();
  pen.fillStyle = filled || kind === "move" || kind === "path" || kind === "seen" ? palette.ink : palette.plane;
  pen.fill();
  if (kind === "system") {
    pen.strokeStyle = palette.ink;
    pen.lineWidth = 1.25;
    pen.stroke();
  }
}
