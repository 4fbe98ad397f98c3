// A page of the window in Chromium, from the development server, with the program played by src/mock.ts.
import { chromium } from "playwright-core";
import { createServer } from "vite";

export async function browser() {
  const server = await createServer({ server: { port: 0, strictPort: false }, logLevel: "error" });
  await server.listen();
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
    },
  };
}
