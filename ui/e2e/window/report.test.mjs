// report.html, as it lies in a bundle, in a browser without a network: it opens from a disk, with scripts and without.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { recording, terminal } from "./window.mjs";

const run = promisify(execFile);
const CAUSE = "quiet connections are ended";
const specimen = new URL("../../../tests/bundles/hostile.witness", import.meta.url).pathname;

let chrome;
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "linewitness-report-"));
  chrome = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
  });
});
after(async () => {
  await chrome?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The report of a bundle in a page, with all that it asked for and complained of. */
async function opened(bundle, scripts) {
  const file = join(folder, `${scripts}-${Math.random()}.html`);
  await run(terminal, ["report", bundle, "--html", file]);
  const context = await chrome.newContext({ javaScriptEnabled: scripts, viewport: { width: 1180, height: 800 } });
  const page = await context.newPage();
  const asked = [];
  const said = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => said.push(dialog.message()));
  await page.goto(pathToFileURL(file).href);
  await page.waitForTimeout(300);
  const others = asked.filter((url) => url !== pathToFileURL(file).href && !url.startsWith("data:"));
  return { file, page, others, said, close: () => context.close() };
}

for (const scripts of [true, false]) {
  test(`a report tells its cause ${scripts ? "with" : "without"} scripts and asks for nothing`, async () => {
    const { file, page, others, said, close } = await opened(recording("idler_drops_a_quiet_call"), scripts);
    const words = await page.evaluate(() => document.body.innerText).catch(() => page.innerText("body"));
    assert.ok(words.includes(CAUSE), words.slice(0, 500));
    assert.deepEqual([others, said], [[], []]);
    assert.equal((await page.locator("canvas").count()) > 0, scripts, "the timeline is drawn by scripts alone");
    assert.equal(await page.locator("#plain svg").isVisible(), !scripts);
    const page_without_data = (await readFile(file, "utf8")).replace(/id="report-data">[^<]*/, "");
    assert.ok(page_without_data.length < 400_000, `${page_without_data.length} bytes besides its data`);
    await close();
  });
}

test("a hostile bundle's report is words under a caution", async () => {
  const { page, others, said, close } = await opened(specimen, true);
  assert.match(await page.innerText("body"), /CAUTION: this recording is damaged or was altered/);
  assert.deepEqual([others, said], [[], []]);
  assert.equal(await page.locator("img").count(), 0);
  await close();
});
