import { cleanup, render, screen } from "@testing-library/svelte";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Update } from "./generated/story";
import Report from "./Report.svelte";
import { Story } from "./story/story.svelte";
import Workbench from "./Workbench.svelte";

const fixtures = import.meta.glob<Update>("../fixtures/*.json", { eager: true, import: "default" });

beforeAll(() => {
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
});

afterEach(cleanup);

describe.each(Object.entries(fixtures))("%s", (_, update) => {
  it("opens with whose it is, and who is to do what", () => {
    const { container } = render(Workbench, { props: { story: new Story(update) } });
    const [group] = update.page.groups;
    const heading = container.querySelector("h1")?.textContent ?? "";
    if (!group) expect(heading).toBe(update.head.headline);
    else {
      expect(heading).toContain(group.whose);
      expect(heading).toContain(group.title);
      expect(container.querySelector("[aria-label=Verdict]")?.textContent).toContain(group.what);
    }
  });

  it("has no accent where nothing was lost", () => {
    const { container } = render(Workbench, { props: { story: new Story(update) } });
    if (update.head.drops.length === 0) expect(container.querySelectorAll(".number, .lost")).toHaveLength(0);
    else expect(container.querySelectorAll(".say").length).toBeGreaterThan(0);
  });

  it("says what was not tested, and names each lane for who cannot see the picture", () => {
    const { container } = render(Workbench, { props: { story: new Story(update) } });
    for (const says of update.head.not_tested) expect(container.textContent).toContain(says);
    const spoken = screen.getByRole("slider").getAttribute("aria-valuetext") ?? "";
    expect(spoken).toContain("Signaling: ");
  });

  it("says what others would have done, what the call needed, and where things are set", () => {
    const { container } = render(Workbench, { props: { story: new Story(update) } });
    const { recovery, survival, admin } = update.page;
    for (const says of [
      ...recovery.flatMap((row) => row.others.map((other) => other.says)),
      ...survival.flatMap((row) => row.answers.map((answer) => answer.says)),
      ...admin.flatMap((page) => [page.ask, ...page.settings.map((row) => row.smallest)]),
    ]) {
      expect(container.textContent).toContain(says);
    }
    expect(recovery.length === 0 || survival.length > 0).toBe(true);
  });

  it("has one page of paper for each cause", () => {
    const { container } = render(Report, { props: { story: new Story(update) } });
    expect(container.querySelectorAll(".paper section")).toHaveLength(Math.max(1, update.page.groups.length));
  });
});
