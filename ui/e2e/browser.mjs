// A page of the window in Chromium, built as it is for the app and under the same rules of content, with the program
// played by src/mock.ts.
import { chromium } from "playwright-core";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, preview } from "vite";

export async function browser() {
  const { app } = JSON.parse(await readFile(new URL("../../src-tauri/tauri.conf.json", import.meta.url), "utf8"));
  const outDir = await mkdtemp(join(tmpdir(), "linewitness-window-"));
  await build({ mode: "mock", logLevel: "error", build: { outDir, emptyOutDir: true } });
  const headers = { "content-security-policy": app.security.csp };
  const server = await preview({
    build: { outDir },
    preview: { port: 0, strictPort: false, headers },
    logLevel: "error",
  });
  const { port } = server.httpServer.address();
  const chrome = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
  });
  return {
    /** `scene` is what follows the question mark. */
    async page({ scene = "", theme = "light", width = 1180, height = 800 } = {}) {
      const context = await chrome.newContext({
        viewport: { width, height },
        colorScheme: theme,
        locale: "en-GB",
        timezoneId: "Europe/Berlin",
        reducedMotion: "reduce",
      });
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      const page = await context.newPage();
      await page.clock.setFixedTime(new Date("2026-11-20T13:02:00Z"));
      const said = [];
      page.on(
        "console",
        (message) =>
          !message.location().url.endsWith("/favicon.ico") &&
          ["error", "warning"].includes(message.type()) &&
          said.push(message.text()),
      );
      page.on("pageerror", (error) => said.push(String(error)));
      await page.goto(`http://127.0.0.1:${port}/?${scene}`);
      await page.waitForSelector("header");
      return { page, said, close: () => context.close() };
    },
    async close() {
      await chrome.close();
      await server.close();
      await rm(outDir, { recursive: true });
    },
  };
}
