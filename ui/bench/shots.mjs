// Pictures of each fixture as the window draws it, for whoever changes how it looks, and what axe has to say against
// them: node bench/shots.mjs [name…]
import { readFileSync, readdirSync } from "node:fs";
import { open } from "./site.mjs";

const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const names = process.argv.slice(2);
const fixtures = readdirSync("fixtures").map((file) => file.replace(/\.json$/, ""));
const { browser, close, url: base } = await open();
const sizes = { wide: [1180, 800], small: [900, 700] };
for (const fixture of names.length > 0 ? names : fixtures) {
  for (const scheme of ["light", "dark"]) {
    for (const [size, [width, height]] of Object.entries(sizes)) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
      page.on("console", (message) => console.log(fixture, message.type(), message.text()));
      page.on("pageerror", (error) => console.log(fixture, error.message));
      await page.goto(`${base}?fixture=${fixture}`);
      await page.waitForTimeout(350);
      await page.screenshot({ path: `bench/out/${fixture}-${size}-${scheme}.png` });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      for (const { id, nodes } of violations) {
        console.log(
          fixture,
          scheme,
          size,
          id,
          nodes[0].html.slice(0, 160),
          nodes[0].failureSummary.replace(/\s+/g, " "),
        );
      }
      if (size === "wide") {
        await page.screenshot({ path: `bench/out/${fixture}-full-${scheme}.png`, fullPage: true });
        await page.mouse.move(5, 400);
        await page.evaluate(() => window.scrollTo(0, 640));
        await page.waitForTimeout(250);
        await page.screenshot({ path: `bench/out/${fixture}-scrolled-${scheme}.png` });
      }
      await page.close();
    }
  }
}
await close();
