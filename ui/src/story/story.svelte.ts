/// `Story`: all that is drawn. Fed by one message, from a run, a bundle, a report or a fixture alike.
import type {
  Axis,
  LaneUpdate,
  Mark,
  Page,
  PauseView,
  Point,
  Region,
  Row,
  Rung,
  Setup,
  Span,
  StateWords,
  Tail,
  Update,
  Verdict,
} from "../generated/story";

export interface Lane {
  id: string;
  label: string;
  words: StateWords;
  spans: Span[];
  marks: Mark[];
  rungs: Rung[];
}

/// The first `keep` stay; a run of hours costs what is new in it.
export function grow<T>(list: T[], tail: Tail<T>): T[] {
  list.length = Math.min(list.length, tail.keep);
  for (const item of tail.then) list.push(item);
  return list;
}

export class Story {
  head = $state.raw<Verdict>();
  page = $state.raw<Page>();
  setup = $state.raw<Setup>();
  axis = $state.raw<Axis>({ from: "1970-01-01T00:00:00Z", length_s: 0 });
  notes = $state.raw<string[]>([]);
  ticket = $state.raw("");
  drops = $state.raw<Region[]>([]);
  pauses = $state.raw<PauseView[]>([]);
  outages = $state.raw<string[]>([]);
  evidence = $state.raw<Row[]>([]);
  lanes = $state.raw<Lane[]>([]);
  /// How often it was told: what reads a list below is drawn again when it grows.
  told = $state(0);
  #rows: Row[] = [];
  #on = new Map<string, Row[]>();
  #rtt: Point[] = [];
  #jitter: Point[] = [];
  #lost: Point[] = [];

  constructor(first?: Update) {
    if (first) this.apply(first);
  }

  get rows(): readonly Row[] {
    return this.told >= 0 ? this.#rows : [];
  }
  /// Those that stand in one lane of the picture.
  on(lane: string): readonly Row[] {
    return (this.told >= 0 && this.#on.get(lane)) || [];
  }
  get rtt(): readonly Point[] {
    return this.told >= 0 ? this.#rtt : [];
  }
  get jitter(): readonly Point[] {
    return this.told >= 0 ? this.#jitter : [];
  }
  get lost(): readonly Point[] {
    return this.told >= 0 ? this.#lost : [];
  }

  apply(update: Update): void {
    this.head = update.head;
    this.page = update.page;
    this.setup = update.setup;
    this.axis = update.axis;
    this.notes = update.notes;
    this.ticket = update.ticket;
    this.drops = update.drops;
    this.pauses = update.pauses;
    this.outages = update.outages;
    this.evidence = update.evidence;
    this.lanes = update.lanes.map((lane) => this.#lane(lane));
    this.#sort(update.rows);
    grow(this.#rows, update.rows);
    grow(this.#rtt, update.rtt_ms);
    grow(this.#jitter, update.jitter_ms);
    grow(this.#lost, update.lost);
    this.told += 1;
  }

  #sort(tail: Tail<Row>): void {
    for (let index = this.#rows.length - 1; index >= tail.keep; index--) {
      const { on } = this.#rows[index] as Row;
      if (on !== null) this.#on.get(on)?.pop();
    }
    for (const row of tail.then) {
      if (row.on === null) continue;
      const list = this.#on.get(row.on);
      if (list) list.push(row);
      else this.#on.set(row.on, [row]);
    }
  }

  #lane(update: LaneUpdate): Lane {
    const was = this.lanes.find((lane) => lane.id === update.id);
    return {
      id: update.id,
      label: update.label,
      words: update.words,
      spans: grow(was?.spans ?? [], update.spans),
      marks: grow(was?.marks ?? [], update.marks),
      rungs: grow(was?.rungs ?? [], update.rungs),
    };
  }
}
