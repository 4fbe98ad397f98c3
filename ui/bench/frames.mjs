// How long a frame takes while eight hours of events are zoomed, panned and read, and what a live run costs:
//   node bench/frames.mjs
import { open } from "./site.mjs";

const { browser, close, url: base } = await open();

const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
await page.goto(base);
await page.waitForFunction(() => document.title.startsWith("drawn"), null, { timeout: 60_000 });
console.log("first picture", (await page.title()).replace("drawn ", "").slice(0, 6), "ms after the data");
const cdp = await page.context().newCDPSession(page);
await cdp.send("Performance.enable");

/// Script, style, layout and paint of one frame; what the display waits for is not counted.
async function measure(name, act, frames = 120) {
  const busy = async () =>
    (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
  const before = await busy();
  const gaps = await page.evaluate(
    async ({ act, frames }) => {
      const plot = document.querySelector(".plot");
      const box = plot.getBoundingClientRect();
      const fire = (type, more) =>
        plot.dispatchEvent(
          new (type === "wheel" ? WheelEvent : PointerEvent)(type, {
            bubbles: true,
            cancelable: true,
            clientX: box.left + 500,
            clientY: box.top + 200,
            ...more,
          }),
        );
      const gaps = [];
      let last = performance.now();
      for (let n = 0; n < frames; n++) {
        if (act === "zoom") fire("wheel", { deltaY: n < frames / 2 ? -30 : 30 });
        if (act === "pan") fire("wheel", { deltaX: n % 60 < 30 ? 25 : -25, deltaY: 0 });
        if (act === "cursor") fire("pointermove", { clientX: box.left + 150 + n * 5 });
        if (act === "scroll") window.scrollTo(0, n * 12);
        await new Promise((done) => requestAnimationFrame(done));
        gaps.push(performance.now() - last);
        last = performance.now();
      }
      return gaps.slice(5).sort((a, b) => a - b);
    },
    { act, frames },
  );
  const cost = ((await busy()) - before) / frames;
  const at = (share) => gaps[Math.floor(gaps.length * share)].toFixed(1);
  console.log(
    `${name}: work ${(cost * 1e3).toFixed(2)} ms a frame; between frames median ${at(0.5)}, 95 % ${at(0.95)}, worst ${at(0.999)} ms`,
  );
}
await measure("zoom", "zoom");
await page.evaluate(() =>
  document.querySelector(".plot").dispatchEvent(new KeyboardEvent("keydown", { key: "+", bubbles: true })),
);
await measure("pan", "pan");
await measure("cursor", "cursor");
await measure("scroll", "scroll");
await page.evaluate(() => window.scrollTo(0, 0));
await page.close();

const live = await browser.newPage({ viewport: { width: 1180, height: 800 } });
await live.goto(`${base}?live`);
await live.waitForFunction(() => document.title.startsWith("drawn"), null, { timeout: 60_000 });
await live.waitForTimeout(2000);
const metrics = await live.context().newCDPSession(live);
await metrics.send("Performance.enable");
const read = async () => {
  const { metrics: list } = await metrics.send("Performance.getMetrics");
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
};
const before = await read();
await live.waitForTimeout(20_000);
const after = await read();
const share = (after.TaskDuration - before.TaskDuration) / (after.Timestamp - before.Timestamp);
console.log(
  `live, four updates a second: ${(share * 100).toFixed(1)} % of a core, heap ${(after.JSHeapUsedSize / 1e6).toFixed(0)} MB`,
);
await close();
