/// What pointer, wheel and keys do to the picture.
import type { Story } from "../story/story.svelte";
import type { Look } from "./look.svelte";
import { type Scale, type View, around, at as moment, inside, pan, pixel, right, zoom } from "./scale";
import { snap, step } from "./snap";

/// Pixels within which the cursor holds to an event.
export const SNAP = 6;
/// What a press of + shows of what was shown.
const CLOSER = 0.6;
/// Pressed and moved by less, it is a click.
const STILL = 3;

/// What is in the hands.
export interface Held {
  story: Story;
  look: Look;
  view: View;
  scale: Scale;
  length: number;
  cursor: number;
}

export class Hands {
  #held: () => Held;
  #dragged: { from: number; view: View; moved: boolean } | undefined;

  /// `held` is asked at each move: what is shown changes under the hands.
  constructor(held: () => Held) {
    this.#held = held;
  }

  onpointermove = (event: PointerEvent): void => {
    const { look, scale, length } = this.#held();
    const at = under(event);
    const dragged = this.#dragged;
    if (dragged && event.buttons === 1) {
      const by = dragged.from - at;
      dragged.moved ||= Math.abs(by) > STILL;
      if (dragged.moved) look.view = pan(dragged.view, by * pixel(scale), length);
    } else look.hovered = onPlot(scale, at) ? this.#snapped(at) : undefined;
  };

  onpointerdown = (event: PointerEvent): void => {
    const { view, scale } = this.#held();
    if (event.button !== 0 || !onPlot(scale, under(event))) return;
    this.#dragged = { from: under(event), view, moved: false };
    plot(event).setPointerCapture(event.pointerId);
  };

  onpointerup = (event: PointerEvent): void => {
    if (this.#dragged && !this.#dragged.moved) this.#held().look.pinned = this.#snapped(under(event));
    this.#dragged = undefined;
  };

  onpointerleave = (): void => {
    this.#held().look.hovered = undefined;
  };

  onwheel = (event: WheelEvent): void => {
    const { look, view, scale, length } = this.#held();
    if (!onPlot(scale, under(event)) || event.altKey) return;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      look.view = pan(view, (event.deltaX || event.deltaY) * pixel(scale), length);
      return;
    }
    // Where all is shown already, the page scrolls on.
    if (event.deltaY > 0 && look.view === undefined) return;
    event.preventDefault();
    this.#zoom(Math.exp(Math.max(-80, Math.min(80, event.deltaY)) * 0.004), moment(scale, under(event)));
  };

  onkeydown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { story, look, cursor } = this.#held();
    switch (event.key) {
      case "+":
      case "=":
        this.#zoom(CLOSER, cursor);
        break;
      case "-":
        this.#zoom(1 / CLOSER, cursor);
        break;
      case "0":
        look.view = undefined;
        break;
      case "Home":
        this.#show(0);
        break;
      case "End":
        this.#show(story.axis.length_s);
        break;
      case "ArrowLeft":
      case "ArrowRight": {
        const forward = event.key === "ArrowRight";
        this.#show(event.shiftKey ? Math.round(cursor + (forward ? 1 : -1)) : step(story, cursor, forward));
        break;
      }
      default:
        return;
    }
    event.preventDefault();
  };

  /// Shows a drop and what came of it.
  fill = (id: number): void => {
    const { story, look, length } = this.#held();
    const drop = story.drops.find((drop) => drop.id === id);
    if (!drop) return;
    look.view = around(drop.last_good, Math.min(drop.restored ?? length, drop.first_bad + 120), length);
    look.pinned = drop.first_bad;
  };

  #snapped(at: number): number {
    const { story, scale } = this.#held();
    return snap(story, moment(scale, at), SNAP * pixel(scale));
  }

  #zoom(factor: number, at: number): void {
    const { look, view, length } = this.#held();
    const next = zoom(view, factor, at, length);
    look.view = next.to - next.from >= length - 1e-6 ? undefined : next;
  }

  /// Reads a moment, and brings it into view.
  #show(at: number): void {
    const { story, look, view, length } = this.#held();
    const to = Math.max(0, Math.min(story.axis.length_s, at));
    look.pinned = to;
    look.hovered = undefined;
    const half = (view.to - view.from) / 2;
    if (to < view.from || to > view.to) look.view = inside({ from: to - half, to: to + half }, length);
  }
}

function plot(event: MouseEvent): Element {
  return event.currentTarget as Element;
}

function under(event: MouseEvent): number {
  return event.clientX - plot(event).getBoundingClientRect().left;
}

function onPlot(scale: Scale, at: number): boolean {
  return at >= scale.left - 2 && at <= right(scale) + 2;
}
