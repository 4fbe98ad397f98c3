// Every view in both themes through axe-core; a serious finding, or a word in the console, fails. `node e2e/axe.mjs [NAME…]`
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { browser } from "./browser.mjs";
import { views } from "./views.mjs";

const asked = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const chrome = await browser();
let failed = 0;
for (const { name, scene, go } of views.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
  for (const theme of ["light", "dark"]) {
    const { page, said, close } = await chrome.page({ scene, theme });
    await go?.(page);
    await page.waitForTimeout(300);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document));
    for (const { id, impact, help, nodes } of violations) {
      const serious = impact === "serious" || impact === "critical";
      failed += serious ? 1 : 0;
      console.log(`${serious ? "FAIL" : "note"} ${name}-${theme}: ${id} (${impact}): ${help}`);
      for (const { html, failureSummary } of nodes.slice(0, 3)) {
        console.log(`     ${html.slice(0, 160)}\n     ${failureSummary.replaceAll("\n", " ").slice(0, 220)}`);
      }
    }
    for (const line of said) {
      failed += 1;
      console.log(`FAIL ${name}-${theme}: ${line}`);
    }
    await close();
  }
}
await chrome.close();
console.log(failed === 0 ? "Every view passes." : `${failed} findings.`);
process.exit(failed === 0 ? 0 : 1);
