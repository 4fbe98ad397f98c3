/// The strokes that the picture is made of.
import type { Palette } from "../palette";

export type Pen = CanvasRenderingContext2D;

/// Weights of lines: the call itself, what keeps it company, what is lost.
export const HELD = 2.5;
export const COMPANY = 1.25;
export const LOST = 3;

export function dotted(pen: Pen, from: number, to: number, y: number, colour: string, weight: number, dash: number[]) {
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

export function dot(pen: Pen, x: number, y: number, radius: number) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.fill();
}

export function upright(pen: Pen, x: number, from: number, to: number) {
  pen.fillRect(Math.round(x), from, 1, to - from);
}

/// Words keep clear of the lines they cross.
export function say(pen: Pen, palette: Palette, text: string, x: number, y: number) {
  pen.strokeStyle = palette.plane;
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

/// Words are asked for in every frame, and their widths never change.
const widths = new Map<string, number>();
const MOST_WIDTHS = 4000;

export function wide(pen: Pen, text: string): number {
  const key = `${pen.font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > MOST_WIDTHS) widths.clear();
    width = pen.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}
