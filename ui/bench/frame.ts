/// The Workbench alone: a fixture, `?fixture=name`; else what is measured: eight hours at once, or, with `?live`, growing as
/// a run does.
import { mount } from "svelte";
import nginx from "../fixtures/nginx_drops_a_quiet_call.json";
import type { Update } from "../src/generated/story";
import "../src/kit/tokens.css";
import "../src/kit/base.css";
import { Story } from "../src/story/story.svelte";
import Timeline from "../src/timeline/Timeline.svelte";
import Workbench from "../src/Workbench.svelte";
import { LENGTH, eightHours, points, rows } from "./eight-hours";

const asked = new URLSearchParams(location.search);
const live = asked.has("live");
const fixtures = import.meta.glob<Update>("../fixtures/*.json", { import: "default" });
const fixture = await fixtures[`../fixtures/${asked.get("fixture")}.json`]?.();
const whole = eightHours(nginx as unknown as Update);
const began = performance.now();
const story = new Story(fixture ?? whole);
const target = document.getElementById("app")!;
// While a run goes on its timeline stands alone, as long as was planned.
if (live) mount(Timeline, { target, props: { story, until: LENGTH + 3600 } });
else mount(Workbench, { target, props: { story } });
requestAnimationFrame(() => requestAnimationFrame(() => (document.title = `drawn ${performance.now() - began}`)));

if (live) {
  let at = LENGTH;
  // A live run tells four times a second what is new.
  setInterval(() => {
    const to = at + 0.25;
    const keep = <T>(list: { then: T[] }) => ({ keep: list.then.length, then: [] as T[] });
    story.apply({
      ...whole,
      axis: { ...whole.axis, length_s: to },
      lanes: whole.lanes.map((lane) => {
        const last = lane.spans.then.at(-1);
        const grown = last ? { keep: lane.spans.then.length - 1, then: [{ ...last, to }] } : keep(lane.spans);
        return { ...lane, spans: grown, marks: keep(lane.marks), rungs: keep(lane.rungs) };
      }),
      rows: { keep: story.rows.length, then: rows(at, to) },
      rtt_ms: { keep: story.rtt.length, then: points(at, to) },
      jitter_ms: { keep: story.jitter.length, then: points(at, to) },
      lost: { keep: story.lost.length, then: [] },
    });
    at = to;
  }, 250);
}
