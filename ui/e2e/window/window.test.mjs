// The window as people use it, in the program itself. `node --test e2e/window/`, after `cargo xtask test` or
// `cargo build --workspace`; pictures of what was seen last are left in target/window.
import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { desktop, recording, running } from "./window.mjs";
import { until } from "./webdriver.mjs";

const DROPS = "idler_drops_a_quiet_call";
const CAUSE = "quiet connections are ended";

let desk;
let window;
before(async () => (desk = await desktop()));
after(() => desk?.close());
afterEach(async () => {
  await window?.close();
  window = undefined;
});
const open = async (...args) => (window = await desk.open(...args));
const file = (name) => readFile(recording(name));

const profile = (more = "") => `name = "Acme support"
for = "15m"

[signaling]
url = "ws://127.0.0.1:9/call"
${more}`;

test("a self-test is held, seen live, stopped, read, saved, and opened again with the same verdict", async () => {
  await desk.choose();
  await open();
  await window.sees("Self-test");
  await window.sees("Runs are listed here once there are some.");
  await window.picture("start");
  await window.click("Hold a call");
  await window.sees("Holding", 20);
  const seconds = async () =>
    (await window.session.run("return document.querySelector('[role=timer]').innerText")).split(" ")[0];
  const early = await seconds();
  await until("its clock goes on", 5, async () => (await seconds()) > early);
  await window.picture("holding");
  await window.click("Stop");
  await window.sees("Save report", 20);
  const verdict = await window.heading();
  assert.match(verdict, /nothing dropped|ended/i);
  await window.picture("result");
  await window.click("Save report");
  await window.sees("events.jsonl");
  await window.sees("report.html");
  await window.picture("save");
  await window.click("Save report");
  await window.sees("Saved");
  const files = await readdir(desk.chosen);
  assert.equal(files.length, 1, files.join());
  assert.match(files[0], /^\d{4}-\d\d-\d\d \d{4} Self-test\.witness$/);

  await window.click("Back to the result");
  await window.click("New");
  await window.sees("Recent runs");
  await window.click("Open a profile or a report");
  await window.sees("Copy ticket");
  assert.equal(await window.heading(), verdict);
});

test("a bundle from the lab is opened by double-click, and its cause is told with its evidence", async () => {
  await open(recording(DROPS));
  await window.sees(CAUSE);
  assert.match(await window.heading(), /^Internet path: quiet connections are ended/);
  await window.picture("dropped");
  // A sentence lights its events, the next one others, and the table says what the picture shows.
  await window.sees(/1 of \d+ for drop 1/);
  await window.session.press("\uE015");
  await window.sees(/2 of \d+ for drop 1/);
  await window.session.press("t");
  await until(
    "the table stands",
    5,
    async () => (await window.session.find("//table//caption | //table//th")).length > 3,
  );
  await window.picture("dropped-table");

  await desk.choose();
  await window.click("Save report");
  await window.click("Save as a page for any browser");
  await window.sees("Saved");
  const [name] = await readdir(desk.chosen);
  assert.match(name, /\.html$/);
  assert.ok((await readFile(join(desk.chosen, name), "utf8")).includes(CAUSE));
});

test("a file that was cut is refused in a sentence, and one that was altered is read with a caution", async () => {
  const whole = await file(DROPS);
  await desk.choose(["cut.witness", whole.subarray(0, whole.length / 2)]);
  await open();
  await window.click("Open a profile or a report");
  await window.sees("this is not a witness bundle");
  await window.sees("a mail gateway may have cut it");
  await window.picture("cut");

  const altered = Buffer.from(whole);
  altered[whole.length >> 1] ^= 0xff;
  await desk.choose(["altered.witness", altered]);
  await window.click("Open a profile or a report");
  await window.sees("CAUTION: this recording is damaged or was altered");
  await window.picture("altered");
});

test("a hostile bundle is words, and nothing of it runs", async () => {
  const specimen = new URL("../../../tests/bundles/hostile.witness", import.meta.url);
  await desk.choose(["hostile <img src=x onerror=alert(1)>.witness", await readFile(specimen)]);
  await open();
  await window.click("Open a profile or a report");
  await window.sees("CAUTION");
  const { images, scripts, dialogs } = await window.session.run(`return {
    images: document.images.length,
    scripts: [...document.scripts].filter((script) => !script.src.startsWith(location.origin)).length,
    dialogs: document.querySelectorAll("dialog, iframe, object, embed").length,
  }`);
  assert.deepEqual({ images, scripts, dialogs }, { images: 0, scripts: 0, dialogs: 0 });
  await window.picture("hostile");
});

test("a profile by its file is shown, and held only when its user says so", async () => {
  await desk.choose(["acme.witness-profile", profile('token = "4f1c9e02ab"\n')]);
  await open();
  await window.click("Open a profile or a report");
  const read = await window.sees("Acme support");
  assert.ok(read.includes("127.0.0.1"), read);
  assert.ok(!read.includes("4f1c9e02ab"), "a secret is not shown");
  await window.picture("profile-by-file");
  await window.click("Hold a call");
  // Nobody listens there: the result says so, and whose it is.
  await window.sees("Save report", 60);
  assert.match(await window.heading(), /^(Voice service|Not proven|Local network|This computer|Internet path)/);
  await window.picture("never-stood");
});

test("a profile by link is confirmed first, one with a secret is refused, and a second start brings the first to the front", async () => {
  const link = (toml) => `linewitness://hold#${Buffer.from(toml).toString("base64url")}`;
  await open(link(profile()));
  await window.sees("A link asks this computer to call 127.0.0.1");
  await window.sees("I expected it: hold the call");
  await window.picture("profile-by-link");
  await window.click("Not now");
  await window.sees("Without a profile");

  assert.equal(await desk.again(link(profile('token = "4f1c9e02ab"\n'))), 0);
  const read = await window.sees("links stay in mails and histories");
  assert.ok(!read.includes("4f1c9e02ab"), "a secret is not shown");
  await window.picture("link-with-a-secret");

  assert.equal(await desk.again(recording(DROPS)), 0);
  await window.sees(CAUSE);
});

test("many bundles are a table, of which one is opened and left again; what cannot be read is listed", async () => {
  const names = [DROPS, "nginx_drops_a_quiet_call", "haproxy_drops_a_quiet_call", "minute_in_which_nothing_happens"];
  const files = await Promise.all(names.map(async (name) => [`${name}.witness`, await file(name)]));
  await desk.choose(...files, ["broken.witness", "no zip"]);
  await open();
  await window.click("Open a profile or a report");
  await window.sees("4 reports");
  await window.sees("1 file could not be read");
  await window.picture("table");
  await window.clickOn("(//button[@data-report])[1]");
  await window.click("Back to the table");
  await window.sees("4 reports");
  await window.clickOn('//label[normalize-space(.)="Owner"]');
  await window.sees("Internet path");
});

test("a call that is held is not ended by the window's own button without a word, nor by the tray's Quit", async () => {
  await open();
  await window.click("Hold a call");
  await window.sees("Holding", 20);
  assert.equal(await desk.closeWindow(), 1);
  await window.sees("A call is being held");
  await window.picture("asked-to-quit");
  await window.click("Go on holding");
  await window.sees("Holding");

  const stands = async () => (await desk.tray())?.[0] ?? "";
  await until("the tray says how it stands", 5, async () => /^Holding \(0 of 2 min\)$/.test(await stands()));
  await desk.chooseInTray("Quit");
  await window.sees("A call is being held");
  await window.click("Go on holding");
  await desk.chooseInTray("Stop the hold");
  await window.sees("Save report", 20);
  await until("the tray says that nothing is held", 5, async () => (await stands()) === "No hold is running");

  await window.click("New");
  await window.click("Hold a call");
  await window.sees("Holding", 20);
  await desk.closeWindow();
  await window.click("Stop and quit");
  await until("the program is gone", 20, async () => (await running(desk.home)).length === 0);
  await window.session.close().catch(() => undefined);
  window = undefined;
  await open();
  const read = await window.sees("Recent runs");
  assert.ok(!read.includes("broke off"), read);
});

test("without a hold the window's own button ends the program at once", async () => {
  await open();
  await desk.closeWindow();
  await until("the program is gone", 10, async () => (await running(desk.home)).length === 0);
  await window.session.close().catch(() => undefined);
  window = undefined;
});

test("a program that is told to end during a hold leaves its report", async () => {
  await open();
  await window.click("Hold a call");
  await window.sees("Holding", 20);
  await window.end();
  window = undefined;
  await open();
  await window.sees("Recent runs");
  const read = await window.sees("Self-test");
  await window.picture("recent");
  assert.ok(!read.includes("Broken off"), read);
});

test("a profile is made in the form, and what is missing is named", async () => {
  await desk.choose();
  await open();
  await window.click("Make a profile");
  await window.fill("Name", "Acme support");
  await window.fill("Address", "wss://reflector.example/call");
  await window.sees("Ready to send.");
  await window.picture("profile");
  await window.click("Save as a file");
  await window.sees("Saved as");
  const [name] = await readdir(desk.chosen);
  assert.equal(name, "acme-support.witness-profile");
  const toml = await readFile(join(desk.chosen, name), "utf8");
  assert.match(toml, /url = "wss:\/\/reflector\.example\/call"/);

  await writeFile(join(desk.chosen, name), toml.replace("15m", "4h"));
  await window.click("Back to the start");
  await window.click("Make a profile");
  await window.sees("A new profile");
  await window.click("Change a file");
  await window.sees("Acme support");
  await window.clickOn('//label[normalize-space(.)="As text"]');
  await window.sees('for = "4h"');
});
