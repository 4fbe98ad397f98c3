// The report of each fixture as a browser shows and prints it: node bench/report.mjs NAME…
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
});
for (const name of process.argv.slice(2)) {
  const data = readFileSync(`fixtures/${name}.json`, "utf8").trim().replaceAll("<", "\\u003c");
  const headline = JSON.parse(data).head.headline;
  const fills = { TITLE: headline, PICTURE: "", TEXT: headline, DATA: data };
  const shell = readFileSync("dist/report.html", "utf8");
  const file = `bench/out/${name}.html`;
  writeFileSync(
    file,
    shell.replace(/__REPORT_([A-Z]+)__/g, (_, part) => fills[part]),
  );
  for (const scripts of [true, false]) {
    const context = await browser.newContext({ javaScriptEnabled: scripts, viewport: { width: 1180, height: 800 } });
    const page = await context.newPage();
    page.on("console", (message) => console.log(name, message.type(), message.text()));
    page.on("pageerror", (error) => console.log(name, error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) console.log(name, "asked for", request.url().slice(0, 80));
    });
    await page.goto(pathToFileURL(file).href);
    await page.waitForTimeout(400);
    await page.screenshot({ path: `bench/out/${name}-report${scripts ? "" : "-plain"}.png` });
    if (scripts)
      await page.pdf({ path: `bench/out/${name}-report.pdf`, preferCSSPageSize: true, printBackground: false });
    if (scripts) {
      await page.setViewportSize({ width: 680, height: 1010 });
      await page.emulateMedia({ media: "print" });
      await page.waitForTimeout(300);
      await page.screenshot({ path: `bench/out/${name}-print.png`, fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
