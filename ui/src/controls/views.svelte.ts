/// Which view stands, and what it shows. Views draw this and call its methods; nothing else speaks to the program but
/// forms and copies that concern one view alone.

import { call, channel, hear, Refused, type Arrived } from "../ipc";
import { Story } from "../story/story.svelte";
import { words } from "../words";
import type { Desk, Draft, EarlierRuns, Live, Locked, Offer, Opened, Retest, Start, Taken } from "../generated/desk";

/** The table from which a report was opened, or the list of runs. */
export type From = Desk | "earlier" | null;

export type View =
  | { is: "start" }
  | { is: "holding" }
  | { is: "result"; opened: Opened; story: Story; from: From }
  | { is: "save"; opened: Opened; story: Story; from: From }
  | { is: "earlier" }
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
  #doing = $state.raw<readonly string[]>([]);
  /** An encrypted report that waits for what opens it. */
  locked = $state.raw<Locked | null>(null);
  /** How the report that stands here would be tried again. */
  retest = $state.raw<{ id: string; retest: Retest; saved: string | null } | null>(null);
  /** What this computer keeps; nothing until it was asked. */
  earlierRuns = $state.raw<EarlierRuns | null>(null);
  stopping = $state.raw(false);
  dragged = $state.raw(false);
  askedToQuit = $state.raw(false);

  get busy(): boolean {
    return this.#doing.length > 0;
  }

  /** What is done, for as long as it is; the last of several. */
  get doing(): string | null {
    return this.#doing.at(-1) ?? null;
  }

  /** Shows where the program stands, and listens until the function it gives is called. */
  begin(): () => void {
    const heard = hear({
      taking: () => this.#begin(words.reading),
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
    }, words.reading);
  }

  take(paths: string[]): void {
    if (paths.length > 0) void this.#do(async () => this.#show(await call("take", { paths })), words.reading);
  }

  /** Asks for the file of an identity. */
  identify({ id }: Locked): void {
    void this.#do(async () => {
      const taken = await call("identify", { id });
      if (taken !== null) this.#show(taken);
    }, words.reading);
  }

  unlock({ id }: Locked, passphrase: string): void {
    void this.#do(async () => this.#show(await call("unlock", { id, passphrase })), words.reading);
  }

  /** How this report would be tried again; nothing runs yet. */
  askRetest({ id }: Opened): void {
    void this.#do(async () => (this.retest = { id, retest: await call("retest", { id }), saved: null }));
  }

  /** As a profile that was opened: it is shown, and held when its user says so. */
  showRetest(offer: Offer): void {
    this.#show({ kind: "offer", offer });
  }

  saveRetest(): void {
    const asked = this.retest;
    if (asked === null) return;
    void this.#do(async () => {
      const saved = await call("retest_save", { id: asked.id });
      if (saved !== null) this.retest = { ...asked, saved };
    }, words.saving);
  }

  earlier(): void {
    this.failure = null;
    this.view = { is: "earlier" };
    void this.#do(async () => (this.earlierRuns = await call("earlier", {})));
  }

  /** Opens the run, and shows what its report would contain. */
  saveRun(run: string): void {
    void this.#do(async () => {
      this.#result(await call("open", { run_or_path: run }), "earlier");
      this.save();
    }, words.reading);
  }

  delete(run: string): void {
    void this.#do(async () => {
      const stays = await call("delete", { run });
      this.earlierRuns = await call("earlier", {});
      this.failure = stays;
    });
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

  open(run_or_path: string, from: From = null): void {
    void this.#do(async () => this.#result(await call("open", { run_or_path }), from), words.reading);
  }

  recover(run: string, from: From = null): void {
    void this.#do(async () => this.#result(await call("recover", { run }), from), words.reading);
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
    this.#end(words.reading);
    if ("Ok" in arrived) this.#show(arrived.Ok);
    else this.failure = arrived.Err.says;
  }

  #show(taken: Taken): void {
    this.failure = null;
    this.locked = null;
    this.retest = null;
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
      case "locked":
        this.locked = taken.locked;
        break;
    }
  }

  #result(opened: Opened, from: From): void {
    const story = new Story();
    story.apply(opened.update);
    this.view = { is: "result", opened, story, from };
  }

  /** Its failure is shown until something else is done. */
  async #do(what: () => Promise<unknown>, says = words.busy): Promise<boolean> {
    this.#begin(says);
    this.failure = null;
    try {
      await what();
      return true;
    } catch (refused) {
      this.failure = refused instanceof Refused ? refused.message : words.fault(String(refused));
      return false;
    } finally {
      this.#end(says);
    }
  }

  #begin(says: string): void {
    this.#doing = [...this.#doing, says];
  }

  /** One of those that say so. */
  #end(says: string): void {
    const place = this.#doing.lastIndexOf(says);
    this.#doing = this.#doing.filter((_, at) => at !== place);
  }
}
