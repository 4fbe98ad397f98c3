/// Each view with the program played, from outside: what a person reads, and what the program is asked.

import { clearMocks } from "@tauri-apps/api/mocks";
import { emit } from "@tauri-apps/api/event";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import App from "./App.svelte";
import { arrive, askToQuit, install, usual, type Asked, type Scene } from "./mock";
import { offers } from "./mock/start";
import { words } from "./words";

// What this page's stand-in for a browser lacks and no test here is about.
beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
});
afterEach(async () => {
  cleanup();
  // Listening ends with an answer from the program.
  await new Promise((done) => setTimeout(done));
  clearMocks();
  vi.unstubAllGlobals();
});

async function shown(scene: Partial<Scene> = {}): Promise<Asked> {
  const asked = install({ ...usual, ...scene });
  render(App);
  await waitFor(() => expect(document.querySelector("h1")?.textContent).toBeTruthy());
  return asked;
}
const button = (name: string | RegExp) => screen.findByRole("button", { name });
async function press(name: string | RegExp): Promise<void> {
  const found = await button(name);
  await waitFor(() => expect(found.hasAttribute("disabled")).toBe(false));
  await fireEvent.click(found);
}
const commands = (asked: Asked) => asked.map(({ command }) => command);

test("the start says what is tested, how long, what is recorded and never recorded", async () => {
  await shown();
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe(offers.file.name);
  for (const says of [offers.file.tests, offers.file.lasts]) expect(screen.getByText(says)).toBeTruthy();
  expect(screen.getByText(offers.file.never).textContent).toContain("No sound");
  expect(await button(words.start.hold)).toBeTruthy();
});

test("without a profile the self-test is offered", async () => {
  const asked = await shown({ offer: null });
  expect(await screen.findByRole("heading", { name: "Self-test" })).toBeTruthy();
  expect(asked.find(({ command }) => command === "self_test")?.args).toEqual({ minutes: 2 });
});

test("a link's profile runs only after it was agreed to", async () => {
  const asked = await shown({ offer: "link" });
  expect(screen.getByText(words.start.byLink("reflector.example"))).toBeTruthy();
  expect(screen.queryByRole("button", { name: words.start.hold })).toBeNull();
  expect(commands(asked)).not.toContain("hold");
  await press(words.start.agree);
  await waitFor(() => expect(commands(asked)).toContain("hold"));
});

test("a link that is pasted is shown, and nothing runs", async () => {
  const asked = await shown();
  const clipboardData = { getData: () => " linewitness://hold?profile=bmFtZQ\n" };
  await fireEvent(window, Object.assign(new Event("paste"), { clipboardData }));
  expect(await screen.findByRole("heading", { level: 1, name: offers.link.name })).toBeTruthy();
  expect(asked.find(({ command }) => command === "take")?.args).toEqual({
    paths: ["linewitness://hold?profile=bmFtZQ"],
  });
  expect(commands(asked)).not.toContain("hold");
});

test("a run that broke off can be read, and is deleted only after a second word", async () => {
  const asked = await shown({ broken: true });
  await press(words.start.forget);
  expect(commands(asked)).not.toContain("forget");
  await press(words.start.forgetYes);
  await waitFor(() => expect(screen.queryByText(words.start.broken)).toBeNull());
  expect(asked.find(({ command }) => command === "forget")?.args).toEqual({ run: "2026-11-21-0915" });
});

test("what the program refuses is said in its own words", async () => {
  await shown({ refuses: { hold: "A call is held already; stop it first." } });
  await press(words.start.hold);
  expect((await screen.findByRole("alert")).textContent).toContain("A call is held already; stop it first.");
  expect(await button(words.start.hold)).toBeTruthy();
});

test("a hold shows its clock and its state, and ends in its result", async () => {
  const asked = await shown({ still: 13, run: "black_hole_while_the_ladder_runs" });
  await press(words.start.hold);
  await waitFor(() => expect(screen.getByRole("timer").textContent).toContain("00:13of 00:45"));
  expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("Lost at 00:09");
  await press(words.holding.stop);
  expect(await button(words.result.save)).toBeTruthy();
  expect(document.activeElement?.className).toContain("window");
  expect(commands(asked)).toContain("stop");
});

test("a page that was loaded again goes on showing the hold", async () => {
  const asked = await shown({ holding: true, still: 3 });
  expect(await screen.findByRole("timer")).toBeTruthy();
  expect(commands(asked)).toContain("watch");
});

test("the preview shows each file field by field before anything is saved", async () => {
  const asked = await shown();
  await press(/Self-test.*nothing dropped/);
  await press(words.result.save);
  const tabs = await screen.findAllByRole("tab");
  expect(tabs.map((tab) => tab.querySelector("b")?.textContent)).toEqual([
    "events.jsonl",
    "verdict.json",
    "report.html",
    "profile.toml",
    "about.json",
  ]);
  expect(screen.getByText("net.gateway")).toBeTruthy();
  await fireEvent.keyDown(tabs[0] as HTMLElement, { key: "ArrowDown" });
  expect(await screen.findByText("drops[].last_good")).toBeTruthy();
  await fireEvent.keyDown(tabs[1] as HTMLElement, { key: "ArrowDown" });
  expect(await screen.findByText(/It is made of the other files/)).toBeTruthy();
  expect(screen.queryByText(words.save.exactly)).toBeNull();
  expect(commands(asked)).not.toContain("save");
  await press(words.save.save);
  expect(await button(words.showInFolder)).toBeTruthy();
});

test("one report dropped on the window opens, several are compared", async () => {
  const asked = await shown();
  await emit("tauri://drag-enter", { paths: [] });
  expect(await screen.findByText(words.drop.title)).toBeTruthy();
  await emit("tauri://drag-drop", { paths: ["/a.witness", "/b.witness"] });
  expect(await screen.findByRole("table")).toBeTruthy();
  expect(screen.queryByText(words.drop.title)).toBeNull();
  expect(asked.find(({ command }) => command === "take")?.args).toEqual({ paths: ["/a.witness", "/b.witness"] });
});

test("the table is sorted and walked by keyboard, and a report opened from it leads back", async () => {
  await shown({ taken: "bundles" });
  await press(words.bar.open);
  const table = await screen.findByRole("table");
  const names = () => [...table.querySelectorAll("[data-report]")].map((row) => row.textContent?.trim());
  await press(words.desk.report);
  expect(names().slice(0, 3)).toEqual(["PC-03", "PC-04", "PC-07"]);
  await fireEvent.click(within(table).getByRole("button", { name: /^Report/ }));
  expect(names().slice(0, 3)).toEqual(["PC-22", "PC-19", "PC-18"]);
  const [first, second] = table.querySelectorAll<HTMLElement>("[data-report]");
  first?.focus();
  await fireEvent.keyDown(first as HTMLElement, { key: "ArrowDown" });
  expect(document.activeElement).toBe(second);
  await fireEvent.click(second as HTMLElement);
  await press(words.result.toDesk);
  expect(await screen.findByRole("table")).toBeTruthy();
});

test("drops of one second light up side by side", async () => {
  await shown({ taken: "bundles" });
  await press(words.bar.open);
  await fireEvent.focus((await screen.findByText(/lost it in one second/)) as HTMLElement);
  await waitFor(() => expect(document.querySelectorAll("tr.lit")).toHaveLength(6));
});

test("a profile is checked while it is written, and a secret gets no link", async () => {
  await shown();
  await press(words.bar.profiles);
  const address = await screen.findByLabelText("Address");
  await fireEvent.input(address, { target: { value: "https://host" } });
  expect((await button(words.profile.save)).hasAttribute("disabled")).toBe(true);
  await fireEvent.focusOut(address);
  await waitFor(() => expect(address.getAttribute("aria-invalid")).toBe("true"));
  await fireEvent.input(address, { target: { value: "wss://host/call" } });
  expect(await screen.findByText("Ready to send.")).toBeTruthy();
  await waitFor(async () => expect((await button(words.profile.link)).hasAttribute("disabled")).toBe(false));
  await fireEvent.input(screen.getByLabelText("Token"), { target: { value: "hush" } });
  expect(await screen.findByText(/no secret may be in it/)).toBeTruthy();
  expect((await button(words.profile.link)).hasAttribute("disabled")).toBe(true);
});

test("a profile that was saved before is changed in the form", async () => {
  const asked = await shown();
  await press(words.bar.profiles);
  await screen.findByLabelText("Address");
  await press(words.profile.open);
  await waitFor(() => expect((screen.getByLabelText("Name") as HTMLInputElement).value).toBe("Acme support"));
  expect((screen.getByLabelText("Address") as HTMLInputElement).value).toBe("wss://reflector.example/call");
  expect(commands(asked)).toContain("profile_open");
});

test("a profile that arrives during a hold does not hide it", async () => {
  await shown({ holding: true, still: 3 });
  await screen.findByRole("timer");
  await arrive({ kind: "offer", offer: offers.file });
  expect(await screen.findByText(words.holding.later(offers.file.name))).toBeTruthy();
  expect(screen.getByRole("timer")).toBeTruthy();
});

test("quitting during a hold is asked first", async () => {
  const asked = await shown({ holding: true, still: 3 });
  await screen.findByRole("timer");
  await askToQuit();
  await press(words.quit.no);
  expect(commands(asked)).not.toContain("quit");
  await askToQuit();
  await press(words.quit.yes);
  await waitFor(() => expect(asked.find(({ command }) => command === "quit")?.args).toEqual({ sure: true }));
});

test("names stand for addresses unless plain ones are asked for, and what is saved is what was shown", async () => {
  const asked = await shown();
  await press(/Self-test.*nothing dropped/);
  await press(words.result.save);
  expect(await screen.findByText("host-1.example:443")).toBeTruthy();
  const names = await screen.findByRole<HTMLInputElement>("checkbox", { name: words.save.names });
  expect(names.checked).toBe(true);
  await fireEvent.click(names);
  expect(await screen.findByText("reflector.example:443")).toBeTruthy();
  expect(screen.getByText(words.save.plain)).toBeTruthy();
  await press(words.save.save);
  await screen.findByText(words.save.saved);
  expect(asked.find(({ command }) => command === "save")?.args).toMatchObject({ names: false });
  // Asked for otherwise, it is another file and not yet saved.
  await fireEvent.click(names);
  expect(await button(words.save.save)).toBeTruthy();
});

test("an encrypted report asks for what opens it, and the page keeps no passphrase", async () => {
  const asked = await shown({ taken: "locked" });
  await press(words.bar.open);
  await press(words.unlock.choose);
  const field = await screen.findByLabelText<HTMLInputElement>(words.unlock.label);
  expect(field.type).toBe("password");
  await fireEvent.input(field, { target: { value: "battery staple" } });
  await press(words.unlock.open);
  expect((await screen.findByRole("alert")).textContent).toContain("the passphrase does not open this file");
  expect(field.value).toBe("");
  await fireEvent.input(field, { target: { value: "correct horse" } });
  await press(words.unlock.open);
  expect(await button(words.result.save)).toBeTruthy();
  expect(screen.queryByText(words.unlock.title)).toBeNull();
  expect(commands(asked).filter((command) => command === "unlock")).toHaveLength(2);
});

test("earlier runs are listed with what is cleared away, and one is deleted only after a second word", async () => {
  const asked = await shown();
  await press(words.start.earlier);
  expect(await screen.findByText(/older than 90 days/)).toBeTruthy();
  const rows = () => screen.getAllByRole("row").length - 1;
  expect(rows()).toBe(6);
  await press(/^Delete Self-test/);
  await press(words.earlier.no);
  expect(commands(asked)).not.toContain("delete");
  await press(/^Delete Self-test/);
  await press(words.earlier.yes);
  await waitFor(() => expect(rows()).toBe(5));
  expect(asked.find(({ command }) => command === "delete")?.args).toEqual({ run: "r5" });

  await press(/^Open Acme support: 4-hour hold/);
  await press(words.result.toEarlier);
  await press(/^Save report: Acme support: 4-hour hold/);
  expect(await button(words.save.save)).toBeTruthy();
});

test("a report with a drop is tried again: shown first, and held when its user says so", async () => {
  const asked = await shown();
  await press(/Self-test.*nothing dropped/);
  await press(words.result.retest);
  expect(await screen.findByText(/Mended if/)).toBeTruthy();
  await press(words.retest.save);
  expect(await screen.findByText(/^Saved as/)).toBeTruthy();
  await press(words.retest.hold);
  expect(await screen.findByText(words.start.byRetest("reflector.example"))).toBeTruthy();
  expect(commands(asked)).not.toContain("hold");
  await press(words.start.agreeRetest);
  await waitFor(() =>
    expect(asked.find(({ command }) => command === "hold")?.args).toMatchObject({ id: "offer-retest" }),
  );
});

test("a file that takes long to read is said to be read", async () => {
  await shown();
  await emit("taking");
  expect(await screen.findByText(words.reading)).toBeTruthy();
  await arrive({ kind: "offer", offer: offers.file });
  await waitFor(() => expect(screen.queryByText(words.reading)).toBeNull());
});
