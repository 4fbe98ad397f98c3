/// A hold that is told from a fixture, a few times a second or as it stood at one moment.

import { cut } from "./cut";
import { clock } from "../controls/times";
import type { Live, Newest } from "../generated/desk";
import type { Update } from "../generated/story";

const EVERY_MS = 250;

export interface Told {
  whole: Update;
  /** Seconds at which it stands still; without it, it runs. */
  still: number | null;
  keepsAwake: boolean;
  /** How many of its seconds go by in one of ours. */
  speed: number;
}

/** Gives the function that ends it. */
export function tell({ whole, still, keepsAwake, speed }: Told, each: (live: Live) => void): () => void {
  let at = still ?? 0;
  const show = () => each(live(whole, at, keepsAwake));
  const ended = () => {
    clearInterval(timer);
    each({ ...live(whole, at, keepsAwake), ended: { run: "mock-run", bundle: "/home/sam/mock.witness", says: null } });
  };
  const timer = setInterval(() => {
    if (still !== null) return;
    at += (EVERY_MS / 1000) * speed;
    if (at >= whole.axis.length_s) ended();
    else show();
  }, EVERY_MS);
  show();
  return ended;
}

export function live(whole: Update, at: number, keepsAwake: boolean): Live {
  const update = cut(whole, at);
  const open = update.drops.find((drop) => drop.restored === null);
  const past = update.drops.length;
  const times = (n: number) => (n === 1 ? "once" : `${n} times`);
  return {
    update,
    state: open ? `Lost at ${clock(open.last_good)}. Still recording.` : "Holding",
    says: open
      ? "Reconnecting is tried for you, for as long as the hold lasts."
      : past > 0
        ? `Back after it was lost ${times(past)}.`
        : "Nothing has been lost.",
    tone: open ? "lost" : past > 0 ? "back" : "plain",
    held_s: at,
    planned_s: whole.head.planned_s,
    keeps_awake: keepsAwake,
    newest: newest(update),
    ended: null,
  };
}

function newest(update: Update): Newest[] {
  const told = update.rows.then.filter(
    (row) =>
      row.tone !== "plain" &&
      row.lane !== "beside" &&
      row.lane !== "controls" &&
      !row.text.includes("could not be seen"),
  );
  return told
    .slice(-3)
    .reverse()
    .map(({ at, text, tone }) => ({ at, text, tone }));
}
