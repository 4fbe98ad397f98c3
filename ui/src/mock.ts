/// The program, played for a browser and for tests: it answers `call` as Rust would, from the fixtures. It is not part of
/// the app: `main.ts` asks for it where nothing is built for production, and tests by themselves.

import type { Channel } from "@tauri-apps/api/core";
import { emit } from "@tauri-apps/api/event";
import { mockIPC } from "@tauri-apps/api/mocks";
import type { Commands } from "./ipc";
import type { Failure, Live, Offer, Opened, Start, Taken } from "./generated/desk";
import type { Update } from "./generated/story";
import { desk } from "./mock/desk";
import { brokenRuns, offers, recentRuns, type OfferName } from "./mock/start";
import { check, form } from "./mock/profile";
import { preview } from "./mock/preview";
import { earlierRuns } from "./mock/earlier";
import { locked, PASSPHRASE, retest } from "./mock/asked";
import { tell } from "./mock/holds";

export interface Scene {
  offer: OfferName | null;
  recent: boolean;
  broken: boolean;
  /** A hold runs already when the page loads. */
  holding: boolean;
  /** A fixture: what is held, and what opening anything shows. */
  run: string;
  still: number | null;
  speed: number;
  /** Files that a chooser or a drop gives. */
  taken: "offer" | "bundle" | "bundles" | "locked" | "failure";
  /** A command that is refused with a sentence. */
  refuses: Partial<Record<keyof Commands, string>>;
}

export const usual: Scene = {
  offer: "file",
  recent: true,
  broken: false,
  holding: false,
  run: "vpn_takes_the_route_while_the_ladder_runs",
  still: null,
  speed: 1,
  taken: "bundle",
  refuses: {},
};

/** From an address: `?run=nginx_drops_a_quiet_call&still=27&holding=true&offer=link&refuses=hold:no`. */
export function sceneOf(search: URLSearchParams): Scene {
  const offer = search.get("offer") ?? usual.offer;
  const [command, says] = search.get("refuses")?.split(":") ?? [];
  return {
    offer: offer === "file" || offer === "link" || offer === "self_test" ? offer : null,
    recent: search.get("recent") !== "false",
    broken: search.get("broken") === "true",
    holding: search.get("holding") === "true",
    run: search.get("run") ?? usual.run,
    still: search.has("still") ? Number(search.get("still")) : null,
    speed: Number(search.get("speed") ?? usual.speed),
    taken: (search.get("taken") as Scene["taken"] | null) ?? usual.taken,
    refuses: command === undefined ? {} : { [command]: says ?? "" },
  };
}

const fixtures = import.meta.glob<Update>("../fixtures/*.json", { import: "default" });

export async function fixture(name: string): Promise<Update> {
  const load = fixtures[`../fixtures/${name}.json`];
  if (load === undefined) throw new Error(`no fixture ${name}`);
  return structuredClone(await load());
}

/** What was asked, in order, for tests that want to know. */
export type Asked = { command: string; args: unknown }[];

export function install(scene: Scene): Asked {
  const asked: Asked = [];
  const answers = answer(scene);
  mockIPC(
    async (command, args) => {
      asked.push({ command, args });
      const refused = scene.refuses[command as keyof Commands];
      if (refused !== undefined) throw { says: refused } satisfies Failure;
      const give = answers[command as keyof Commands] as ((args: unknown) => unknown) | undefined;
      if (give === undefined) throw { says: `the mock has no ${command}` } satisfies Failure;
      return give(args);
    },
    { shouldMockEvents: true },
  );
  return asked;
}

/** As if a file had come from outside. */
export const arrive = (taken: Taken) => emit("taken", { Ok: taken });
export const askToQuit = () => emit("ask_to_quit");

type Answers = { [C in keyof Commands]: (args: Commands[C][0]) => Commands[C][1] | Promise<Commands[C][1]> };

function answer(scene: Scene): Answers {
  let end = () => {};
  let holding = scene.holding;
  const offer: Offer = offers[scene.offer ?? "self_test"];
  let forgotten = false;
  const deleted: string[] = [];

  const opened = async (name: string): Promise<Opened> => ({
    id: name,
    title: "Acme support: 15-minute hold",
    path: `/home/sam/${name}.witness`,
    caution: null,
    provenance: "Recorded by linewitness 0.1.0, explained by 0.1.0.",
    update: await fixture(name),
  });
  const taken = async (paths: string[]): Promise<Taken> => {
    if (scene.taken === "failure") {
      throw {
        says: "notes.txt: this is neither a profile nor a report; open the file that your support desk sent you.",
      };
    }
    if (paths[0]?.startsWith("linewitness:")) return { kind: "offer", offer: offers.link };
    if (paths.length > 1 || scene.taken === "bundles") return { kind: "bundles", desk };
    if (scene.taken === "locked") return { kind: "locked", locked: locked("identity", null) };
    if (scene.taken === "offer") return { kind: "offer", offer: offers.file };
    return { kind: "bundle", opened: await opened(scene.run) };
  };
  const stream = async (channel: Channel<Live>) => {
    holding = true;
    const whole = await fixture(scene.run);
    end = tell({ whole, still: scene.still, keepsAwake: offer.keeps_awake, speed: scene.speed }, (live) => {
      if (live.ended !== null) holding = false;
      channel.onmessage(live);
    });
    return null;
  };
  const start = (): Start => ({
    offer: scene.offer === null ? null : offer,
    broken: scene.broken && !forgotten ? brokenRuns : [],
    taken: null,
    recent: scene.recent ? recentRuns(new Date()) : [],
    holding,
    version: "0.1.0",
    notes: [],
  });

  return {
    start,
    self_test: () => offers.self_test,
    take: ({ paths }) => taken(paths),
    choose: () => taken(["chosen"]),
    // The first identity is one of its own that asks for a passphrase.
    identify: () => ({ kind: "locked", locked: locked("passphrase", null) }),
    unlock: async ({ passphrase }) =>
      passphrase === PASSPHRASE
        ? { kind: "bundle", opened: await opened(scene.run) }
        : { kind: "locked", locked: locked("passphrase", "desk.identity: the passphrase does not open this file") },
    earlier: () => earlierRuns(new Date(), deleted),
    delete: ({ run }) => (deleted.push(run), null),
    retest: () => retest,
    retest_save: () => "/home/sam/Documents/2026-11-20 1402 Acme 15-minute hold.witness-profile",
    recover: () => opened(scene.run),
    forget: () => ((forgotten = true), null),
    hold: ({ channel }) => stream(channel),
    watch: ({ channel }) => stream(channel),
    stop: () => (end(), null),
    open: () => opened(scene.run),
    preview: ({ names }) => preview(names ?? true),
    save: () => "/home/sam/Documents/2026-11-20 1402 Acme 15-minute hold.witness",
    show_in_folder: () => null,
    report_html: () => "/home/sam/Documents/2026-11-20 1402 Acme 15-minute hold.html",
    profile_form: () => form,
    profile_open: () => ({
      kind: "reflector",
      values: { name: "Acme support", for: "4h", url: "wss://reflector.example/call" },
    }),
    profile_check: ({ draft }) => check(draft),
    profile_save: () => "/home/sam/Documents/acme.witness-profile",
    profile_link: ({ draft }) => {
      if (draft.values["token"]) {
        throw {
          says: "A link is kept in mails and histories, so no secret may be in it: save the profile as a file, or leave the token out.",
        };
      }
      return "linewitness://hold?profile=bmFtZQ";
    },
    quit: ({ sure }) => sure || !holding,
  };
}
