/// What the page asks of the program, and what the program tells unasked. The names and shapes are kept by hand beside
/// the Rust side; a test there compares the names.

import { Channel, invoke } from "@tauri-apps/api/core";
import { listen, TauriEvent } from "@tauri-apps/api/event";
import type {
  Check,
  Draft,
  EarlierRuns,
  Failure,
  Form,
  Live,
  Offer,
  Opened,
  Preview,
  Retest,
  Start,
  Taken,
} from "./generated/desk";

type Nothing = Record<never, never>;

/** Command: what it is given, what it answers. One a line: they are read by a test. */
export interface Commands {
  start: [Nothing, Start];
  self_test: [{ minutes: number }, Offer];
  take: [{ paths: string[] }, Taken];
  choose: [Nothing, Taken | null];
  identify: [{ id: string }, Taken | null];
  unlock: [{ id: string; passphrase: string }, Taken];
  recover: [{ run: string }, Opened];
  forget: [{ run: string }, null];
  earlier: [Nothing, EarlierRuns];
  delete: [{ run: string }, string | null];
  hold: [{ id: string; channel: Channel<Live> }, null];
  watch: [{ channel: Channel<Live> }, null];
  stop: [Nothing, null];
  open: [{ run_or_path: string }, Opened];
  retest: [{ id: string }, Retest];
  retest_save: [{ id: string }, string | null];
  preview: [{ id: string; names: boolean | null }, Preview];
  save: [{ id: string; names: boolean | null }, string | null];
  show_in_folder: [{ path: string }, null];
  report_html: [{ id: string; names: boolean | null }, string | null];
  profile_form: [Nothing, Form];
  profile_open: [Nothing, Draft | null];
  profile_check: [{ draft: Draft }, Check];
  profile_save: [{ draft: Draft }, string | null];
  profile_link: [{ draft: Draft }, string];
  quit: [{ sure: boolean }, boolean];
}

/** An error's sentence comes from Rust as it is to be shown. */
export class Refused extends Error {}

export async function call<C extends keyof Commands>(command: C, args: Commands[C][0]): Promise<Commands[C][1]> {
  try {
    return await invoke<Commands[C][1]>(command, args);
  } catch (thrown) {
    throw new Refused(sentence(thrown));
  }
}

/** A stream of what a hold shows, until its channel is let go. */
export function channel(each: (live: Live) => void): Channel<Live> {
  return new Channel<Live>(each);
}

/** What came from outside while the window was open: a file, a link. */
export type Arrived = { Ok: Taken } | { Err: Failure };

export interface Heard {
  /** It is being read; whatever comes of it is `taken`. */
  taking(): void;
  taken(arrived: Arrived): void;
  askToQuit(): void;
  /** A file hovers over the window, or does not any more. */
  dragged(over: boolean): void;
  dropped(paths: string[]): void;
}

/** Listens, once what it gives is there, and until the function in it is called. */
export async function hear(heard: Heard): Promise<() => void> {
  const listening = await Promise.all([
    listen("taking", () => heard.taking()),
    listen<Arrived>("taken", ({ payload }) => heard.taken(payload)),
    listen("ask_to_quit", () => heard.askToQuit()),
    listen(TauriEvent.DRAG_ENTER, () => heard.dragged(true)),
    listen(TauriEvent.DRAG_LEAVE, () => heard.dragged(false)),
    listen<{ paths: string[] }>(TauriEvent.DRAG_DROP, ({ payload }) => {
      heard.dragged(false);
      heard.dropped(payload.paths);
    }),
  ]);
  return () => {
    for (const stop of listening) stop();
  };
}

function sentence(thrown: unknown): string {
  if (typeof thrown === "object" && thrown !== null && "says" in thrown && typeof thrown.says === "string") {
    return thrown.says;
  }
  return String(thrown);
}
