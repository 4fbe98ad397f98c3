/// report.html: the Workbench with one story in it. Where anything of this fails, the verdict stands there as text.
import { mount } from "svelte";
import type { Update } from "./generated/story";
import "./kit/tokens.css";
import "./kit/base.css";
import "./kit/plain.css";
import Report from "./Report.svelte";
import { Story } from "./story/story.svelte";

const data = document.getElementById("report-data")?.textContent?.trim();
const target = document.getElementById("report");
if (data && target) {
  const update = JSON.parse(data) as Update;
  mount(Report, { target, props: { story: new Story(update) } });
  document.documentElement.classList.add("drawn");
}
