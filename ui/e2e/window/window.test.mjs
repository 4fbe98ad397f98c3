// The window as people use it, in the program itself. `node --test e2e/window/`, after `cargo xtask test` or
// `cargo build --workspace`; pictures of what was seen last are left in target/window.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { promisify } from "node:util";
import { bundle, desktop, dump, recording, running } from "./window.mjs";
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

/** The texts of what lies in a bundle. */
async function members(path) {
  const list =
    "import json, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(json.dumps({n: z.read(n).decode() for n in z.namelist()}))";
  const { stdout } = await promisify(execFile)("/usr/bin/python3", ["-c", list, path], { maxBuffer: 1 << 28 });
  return JSON.parse(stdout);
}

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
  assert.match(await window.heading(), /^Voice service: quiet connections are ended/);
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
  await window.sees("Voice service");
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

test("a report is saved under names unless plain addresses are asked for, and the preview says which", async () => {
  // A host with a name, to which nothing leaves this computer.
  const host = hostname();
  await desk.choose(["acme.witness-profile", profile().replace("127.0.0.1", host)]);
  await open();
  await window.click("Open a profile or a report");
  await window.sees("Acme support");
  await window.click("Hold a call");
  await window.sees("Save report", 60);
  await window.click("Save report");
  await window.sees("Names instead of addresses");
  const read = await window.sees("What the names stand for stays on this computer");
  assert.ok(read.includes("host-1.example") && !read.includes(host), read);
  await window.picture("save-names");
  await desk.choose();
  await window.click("Save report");
  await window.sees("Saved");
  await window.clickOn("//input[@type='checkbox']");
  await window.sees("stand in the file as they are");
  await window.sees(`ws://${host}:9/call`);
  await window.picture("save-plain");
  const [first] = await readdir(desk.chosen);
  const named = await members(join(desk.chosen, first));
  await window.click("Save report");
  await window.sees("Saved");
  const plain = await members(join(desk.chosen, first));
  assert.equal(JSON.parse(named["about.json"]).names, "pseudonyms");
  assert.equal(JSON.parse(plain["about.json"]).names, "plain");
  for (const member of ["events.jsonl", "profile.toml", "report.html"]) {
    assert.ok(!named[member].includes(host), `${member} says the host`);
    assert.ok(plain[member].includes(host), `${member} does not say the host`);
  }
  assert.equal(Object.keys(named).join(), Object.keys(plain).join());

  // Where it was recorded, its retest knows whom to call.
  await window.click("Back to the result");
  await window.click("Retest");
  await window.click("Look at it and hold it");
  await window.sees(`it calls ${host}.`);
});

test("an encrypted report asks for its identity until the right one is given, and leaves as it came", async () => {
  const name = "relay-restarted.witness.age";
  await open(bundle(name));
  await window.sees("This report is encrypted");
  await window.picture("encrypted");
  await desk.choose(["holiday.txt", "sun and sea"]);
  await window.click("Choose the identity");
  await window.sees("holiday.txt: line 1 is no identity that this version knows");
  await window.picture("encrypted-wrong");
  await desk.choose(["desk.identity", await readFile(bundle("TEST-KEY.txt"))]);
  await window.click("Choose the identity");
  await window.sees("Copy ticket");
  assert.equal((await window.session.find("//dialog")).length, 0);
  await desk.choose();
  await window.click("Save report");
  await window.sees("It is saved as it came: encrypted.");
  await window.click("Save report");
  await window.sees("Saved");
  const [saved] = await readdir(desk.chosen);
  assert.match(saved, /\.witness\.age$/);
  assert.match(await readFile(join(desk.chosen, saved), "latin1"), /^(age-encryption|-----BEGIN AGE)/);
});

test("an earlier run is opened, and deleted when its user is sure", async () => {
  await open();
  await window.click("Hold a call");
  await window.sees("Holding", 20);
  await window.click("Stop");
  await window.sees("Save report", 20);
  await window.click("New");
  await window.click("All earlier runs");
  await window.sees("When a call ends, runs older than 90 days are cleared away");
  await window.picture("earlier");
  const runs = async () => (await window.session.find("//tbody/tr")).length;
  const before = await runs();
  await window.clickOn("(//button[starts-with(@aria-label, 'Open Self-test')])[1]");
  await window.sees("Copy ticket");
  await window.click("Back to the runs");
  await window.clickOn("(//button[starts-with(@aria-label, 'Delete Self-test')])[1]");
  await window.sees("Delete this run?");
  await window.picture("earlier-delete");
  await window.click("Keep it");
  assert.equal(await runs(), before);
  const bundles = async () => (await readdir(join(desk.home, "runs/bundles"))).length;
  const files = await bundles();
  await window.clickOn("(//button[starts-with(@aria-label, 'Delete Self-test')])[1]");
  await window.click("Delete it");
  await until("it is gone", 10, async () => (await runs()) === before - 1);
  assert.equal(await bundles(), files - 1);
});

test("a report with a drop is tried again: saved as a profile, or shown before anything runs", async () => {
  await open(recording(DROPS));
  await window.sees(CAUSE);
  await window.click("Retest");
  await window.sees("Mended if");
  await window.picture("retest");
  await desk.choose();
  await window.click("Save it as a profile");
  await window.sees("Saved as");
  const [saved] = await readdir(desk.chosen);
  assert.match(saved, /\.witness-profile$/);
  assert.match(await readFile(join(desk.chosen, saved), "utf8"), /^name = "Retest: /m);
  await window.click("Look at it and hold it");
  await window.sees("The retest of a report: it calls");
  assert.match(await window.heading(), /^Retest: /);
  await window.picture("start-retest");
  await window.click("Not now");
  await window.sees("Without a profile");
});

test("what a browser wrote down of a call is opened as a report, with what it cannot show", async () => {
  await desk.choose(["webrtc_internals_dump.gz", await readFile(dump("internals-lost.gz"))]);
  await open();
  await window.click("Open a profile or a report");
  await window.sees("imported from webrtc-internals");
  await window.sees("What could not be seen");
  await window.picture("imported");
  await desk.choose();
  await window.click("Save report");
  await window.sees("It is made of webrtc_internals_dump.gz");
  await window.click("Save report");
  await window.sees("Saved");
  const [saved] = await readdir(desk.chosen);
  assert.ok("events.jsonl" in (await members(join(desk.chosen, saved))));
});
