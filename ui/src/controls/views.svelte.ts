/// Which view stands, and what it shows. Views draw this and call its methods; nothing else speaks to the program but
/// forms and copies that concern one view alone.

import { call, channel, hear, Refused, type Arrived } from "../ipc";
import { Story } from "../story/story.svelte";
import { words } from "../words";
import type { Desk, Draft, Live, Offer, Opened, Start, Taken } from "../generated/desk";

export type View =
  | { is: "start" }
  | { is: "holding" }
  | { is: "result"; opened: Opened; story: Story; from: Desk | null }
  | { is: "save"; opened: Opened; story: Story; from: Desk | null }
  | { is: "desk"; desk: Desk }
  | { is: "profile" };

const SELF_TEST_MINUTES = 2;

export class Views {
  view = $state.raw<View>({ is: "start" });
  start = $state.raw<Start | null>(null);
  /** What the big button would hold. */
  offer = $state.raw<Offer | null>(null);
  /** A call is held, be it seen in this view or not. */
  holding = $state.raw(false);
  live = $state.raw<Live | null>(null);
  /** Of the hold that runs. */
  story = $state.raw(new Story());
  /** The profile that is being made, kept while other views stand. */
  draft = $state.raw<Draft | null>(null);
  /** One sentence of what went wrong last. */
  failure = $state.raw<string | null>(null);
  #doing = $state(0);
  stopping = $state.raw(false);
  dragged = $state.raw(false);
  askedToQuit = $state.raw(false);

  get busy(): boolean {
    return this.#doing > 0;
  }

  /** Shows where the program stands, and listens until the function it gives is called. */
  begin(): () => void {
    const heard = hear({
      taken: (arrived) => this.#arrived(arrived),
      askToQuit: () => (this.askedToQuit = true),
      dragged: (over) => (this.dragged = over),
      dropped: (paths) => this.take(paths),
    });
    void this.#do(async () => {
      // Whatever arrives from the first question on is told, and nobody would hear it otherwise.
      await heard;
      await this.#reload();
      if (this.start?.taken) this.#show(this.start.taken);
      if (this.start?.holding) {
        this.#watched();
        await call("watch", { channel: channel((live) => this.#heard(live)) });
      }
    });
    return () => void heard.then((stop) => stop());
  }

  /** The start view, or the hold where one runs. */
  home(): void {
    this.failure = null;
    if (this.holding) {
      this.view = { is: "holding" };
      return;
    }
    this.view = { is: "start" };
    void this.#do(() => this.#reload());
  }

  selfTest(): void {
    void this.#do(async () => (this.offer = await call("self_test", { minutes: SELF_TEST_MINUTES })));
  }

  choose(): void {
    void this.#do(async () => {
      const taken = await call("choose", {});
      if (taken !== null) this.#show(taken);
    });
  }

  take(paths: string[]): void {
    if (paths.length > 0) void this.#do(async () => this.#show(await call("take", { paths })));
  }

  hold(offer: Offer): void {
    void this.#do(async () => {
      this.#watched();
      try {
        await call("hold", { id: offer.id, channel: channel((live) => this.#heard(live)) });
      } catch (refused) {
        this.holding = false;
        this.view = { is: "start" };
        throw refused;
      }
    });
  }

  stop(): void {
    this.stopping = true;
    void this.#do(async () => void (await call("stop", {}))).then((well) => {
      if (!well) this.stopping = false;
    });
  }

  open(run_or_path: string, from: Desk | null = null): void {
    void this.#do(async () => this.#result(await call("open", { run_or_path }), from));
  }

  recover(run: string): void {
    void this.#do(async () => this.#result(await call("recover", { run }), null));
  }

  forget(run: string): void {
    void this.#do(async () => {
      await call("forget", { run });
      await this.#reload();
    });
  }

  save(): void {
    if (this.view.is === "result") this.view = { ...this.view, is: "save" };
  }

  result(): void {
    if (this.view.is === "save") this.view = { ...this.view, is: "result" };
  }

  desk(desk: Desk): void {
    this.view = { is: "desk", desk };
  }

  profile(): void {
    this.failure = null;
    this.view = { is: "profile" };
  }

  quit(sure: boolean): void {
    void this.#do(async () => (this.askedToQuit = !(await call("quit", { sure }))));
  }

  async #reload(): Promise<void> {
    this.start = await call("start", {});
    this.offer = this.start.offer ?? this.offer ?? (await call("self_test", { minutes: SELF_TEST_MINUTES }));
  }

  #watched(): void {
    this.story = new Story();
    this.live = null;
    this.stopping = false;
    this.holding = true;
    this.view = { is: "holding" };
  }

  #heard(live: Live): void {
    this.story.apply(live.update);
    const { ended } = live;
    this.live = live;
    if (ended === null) return;
    this.holding = false;
    this.stopping = false;
    this.askedToQuit = false;
    void this.#do(async () => {
      try {
        // Without a bundle there is nothing to open: the start view offers what was recorded.
        if (ended.bundle === null) this.home();
        else this.#result(await call("open", { run_or_path: ended.run }), null);
      } catch (refused) {
        this.home();
        throw refused;
      }
      this.failure = ended.says;
    });
  }

  #arrived(arrived: Arrived): void {
    if ("Ok" in arrived) this.#show(arrived.Ok);
    else this.failure = arrived.Err.says;
  }

  #show(taken: Taken): void {
    this.failure = null;
    switch (taken.kind) {
      case "offer":
        this.offer = taken.offer;
        if (this.holding) this.failure = words.holding.later(taken.offer.name);
        else if (this.view.is === "profile") this.failure = words.profile.arrived(taken.offer.name);
        else this.view = { is: "start" };
        break;
      case "bundle":
        this.#result(taken.opened, null);
        break;
      case "bundles":
        this.desk(taken.desk);
        break;
    }
  }

  #result(opened: Opened, from: Desk | null): void {
    const story = new Story();
    story.apply(opened.update);
    this.view = { is: "result", opened, story, from };
  }

  /** Its failure is shown until something else is done. */
  async #do(what: () => Promise<unknown>): Promise<boolean> {
    this.#doing += 1;
    this.failure = null;
    try {
      await what();
      return true;
    } catch (refused) {
      this.failure = refused instanceof Refused ? refused.message : words.fault(String(refused));
      return false;
    } finally {
      this.#doing -= 1;
    }
  }
}
