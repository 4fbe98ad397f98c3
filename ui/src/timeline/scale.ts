/// Seconds to pixels and back. A view is the stretch of the axis that is shown.

export interface View {
  from: number;
  to: number;
}

export interface Scale extends View {
  left: number;
  width: number;
}

/// Closer than this nothing was measured: a packet comes every 20 ms.
const SHORTEST_S = 0.05;

export function x(scale: Scale, at: number): number {
  return scale.left + ((at - scale.from) / (scale.to - scale.from)) * scale.width;
}

export function at(scale: Scale, pixel: number): number {
  return scale.from + ((pixel - scale.left) / scale.width) * (scale.to - scale.from);
}

/// How many seconds one pixel shows.
export function pixel(scale: Scale): number {
  return (scale.to - scale.from) / scale.width;
}

export function right(scale: Scale): number {
  return scale.left + scale.width;
}

export function whole(length: number): View {
  return { from: 0, to: Math.max(length, SHORTEST_S) };
}

/// The moment under the pointer stays under it. A factor under 1 shows less.
export function zoom(view: View, factor: number, around: number, length: number): View {
  const now = view.to - view.from;
  const wide = Math.max(SHORTEST_S, Math.min(now * factor, whole(length).to));
  const share = (around - view.from) / now;
  return inside({ from: around - share * wide, to: around + (1 - share) * wide }, length);
}

export function pan(view: View, by: number, length: number): View {
  return inside({ from: view.from + by, to: view.to + by }, length);
}

/// A stretch with room on both sides: a tenth before, and as much after.
export function around(from: number, to: number, length: number): View {
  const room = Math.max((to - from) * 0.35, 0.5);
  return inside({ from: from - room, to: to + room }, length);
}

/// Moved, not squeezed, so that it lies within the axis.
export function inside(view: View, length: number): View {
  const all = whole(length);
  const wide = Math.min(view.to - view.from, all.to);
  const from = Math.max(0, Math.min(view.from, all.to - wide));
  return { from, to: from + wide };
}
