// What hands do to the workbench, in a browser: keys, wheel, drag, double-click. Fails where something does not follow:
//   node bench/hands.mjs
import assert from "node:assert/strict";
import { open } from "./site.mjs";

const { browser, close, url: base } = await open();
const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
await page.goto(`${base}?fixture=nginx_drops_a_quiet_call`);
const plot = page.getByRole("slider").first();
await plot.waitFor();
const current = () => page.locator(".current").first().innerText();
const ticks = () => page.locator(".words").first().locator(".tick").allInnerTexts();
const value = async () => Number(await plot.getAttribute("aria-valuenow"));

const first = await current();
await page.keyboard.press("ArrowDown");
assert.notEqual(await current(), first, "down goes to the next sentence");
await page.keyboard.press("ArrowUp");
assert.equal(await current(), first, "up goes back");

const said = page.locator(".say").nth(2);
await page.evaluate(() => window.scrollTo(0, 640));
await page.waitForTimeout(200);
await said.hover();
await page.waitForTimeout(100);
assert.equal(await current(), await said.locator("span").innerText(), "what is hovered is the current sentence");
assert.ok((await page.locator("tr.on").count()) > 1, "its events are lit in the table");
await page.mouse.move(5, 5);
assert.equal(await current(), first, "what was hovered is let go");

await page.evaluate(() => window.scrollTo(0, 0));
await page.waitForTimeout(200);
await plot.focus();
const before = await value();
await page.keyboard.press("ArrowRight");
assert.ok((await value()) > before, "right goes to the next event");
await page.keyboard.press("Home");
assert.equal(await value(), 0, "Home goes to the beginning");
await page.keyboard.press("End");
assert.ok((await value()) > 30, "End goes to the end");

const all = await ticks();
await page.keyboard.press("+");
await page.waitForTimeout(100);
assert.notDeepEqual(await ticks(), all, "plus shows less");
await page.keyboard.press("0");
await page.waitForTimeout(100);
assert.deepEqual(await ticks(), all, "nought shows all");

await page.evaluate(() => window.scrollTo(0, 0));
const box = await plot.boundingBox();
await page.mouse.move(box.x + 500, box.y + 150);
await page.mouse.wheel(0, -200);
await page.waitForTimeout(150);
const near = await ticks();
assert.notDeepEqual(near, all, "the wheel shows less");
assert.equal(await page.evaluate(() => window.scrollY), 0, "and the page stays");
await page.mouse.down();
await page.mouse.move(box.x + 300, box.y + 150, { steps: 5 });
await page.mouse.up();
await page.waitForTimeout(100);
assert.notDeepEqual(await ticks(), near, "a drag moves it");

await page.keyboard.press("0");
await page.waitForTimeout(100);
await page.getByRole("button", { name: /^Drop 2/ }).dblclick();
await page.waitForTimeout(100);
assert.notDeepEqual(await ticks(), all, "a number fills the picture with its drop");

await page.keyboard.press("t");
assert.equal(await page.getByRole("table", { name: /The timeline as a table/ }).count(), 1, "T shows the table");

await page.evaluate(() => window.scrollTo(0, 4000));
await page.waitForTimeout(200);
assert.equal(await page.locator(".pinned").count(), 1, "what was scrolled past is pinned");
await page.evaluate(() => window.scrollTo(0, 0));
await page.waitForTimeout(200);
assert.equal(await page.locator(".pinned").count(), 0, "and let go");
console.log("all follows");
await close();
