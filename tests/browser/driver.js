// node driver.js '{"chromium": "/usr/bin/chromium", "call": {…}}': opens the page and writes down what it tells, a line each.
"use strict";
const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");
const { chromium } = require("playwright-core");

const asked = JSON.parse(process.argv[2]);
const tell = (kind, more) => console.log(JSON.stringify({ at: performance.timeOrigin + performance.now(), kind, ...more }));
// Whoever started this ends it by SIGTERM; a browser that does not close in this time is left to be killed.
const CLOSES_WITHIN_MS = 5000;

async function main() {
  // From localhost, which browsers trust with a microphone as they do https.
  const html = readFileSync(`${__dirname}/page.html`);
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(html));
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  const origin = `http://localhost:${server.address().port}`;

  const browser = await chromium.launch({
    executablePath: asked.chromium,
    // All of it is root inside a namespace of its own, where Chromium's sandbox refuses to work.
    chromiumSandbox: false,
    handleSIGTERM: false,
    args: ["--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required"],
  });
  process.on("SIGTERM", () => {
    setTimeout(() => process.exit(1), CLOSES_WITHIN_MS);
    browser.close().finally(() => process.exit(0));
  });
  tell("browser", { version: browser.version() });

  const context = await browser.newContext();
  await context.grantPermissions(["microphone"], { origin });
  const page = await context.newPage();
  page.on("console", message => {
    const text = message.text();
    if (text.startsWith("{")) console.log(text);
    else tell("console", { says: text });
  });
  page.on("pageerror", error => tell("exception", { says: String(error) }));
  page.on("crash", () => tell("exception", { says: "the page crashed" }));
  await page.goto(origin);
  await page.evaluate(call => window.call(call), asked.call);
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
