// Pictures of the views in both themes, into docs/pictures or PICTURES: `node e2e/pictures.mjs [NAME…] [--rare] [--small]`.
import { mkdir } from "node:fs/promises";
import { browser } from "./browser.mjs";
import { views } from "./views.mjs";

const asked = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const rare = process.argv.includes("--rare");
const small = process.argv.includes("--small");
const into = process.env.PICTURES ?? new URL("../../docs/pictures/", import.meta.url).pathname;
const size = small ? { width: 900, height: 700 } : { width: 1180, height: 800 };

await mkdir(into, { recursive: true });
const chrome = await browser();
let failed = false;
for (const { name, scene, go } of views.filter((view) =>
  asked.length > 0 ? asked.includes(view.name) : rare || !view.rare,
)) {
  for (const theme of ["light", "dark"]) {
    const { page, said, close } = await chrome.page({ scene, theme, ...size });
    try {
      await go?.(page);
      await page.mouse.move(0, 0);
      await page.waitForTimeout(300);
    } catch (error) {
      failed = true;
      console.error(`${name}: ${error}`);
    }
    await page.screenshot({ path: `${into}/${name}-${theme}${small ? "-small" : ""}.png` });
    for (const line of said) {
      failed = true;
      console.error(`${name}-${theme}: ${line}`);
    }
    await close();
  }
}
await chrome.close();
process.exit(failed ? 1 : 0);
