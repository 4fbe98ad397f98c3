// The page of frame.html, built and served as the window is, with its policy; and a browser to look at it.
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const policy = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'";

export async function open() {
  const outDir = "bench/out/site";
  await build({
    configFile: "vite.config.ts",
    logLevel: "error",
    build: { outDir, emptyOutDir: true, rolldownOptions: { input: "bench/frame.html" } },
  });
  const headers = { "Content-Security-Policy": policy };
  const server = await preview({
    configFile: false,
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1", headers },
  });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
  });
  const close = async () => {
    await browser.close();
    await server.close();
  };
  return { browser, close, url: `${server.resolvedUrls.local[0]}bench/frame.html` };
}
