/// The report: one file that opens from a disk, offline, in twenty years.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

export default defineConfig({
  plugins: [svelte(), viteSingleFile({ removeViteModuleLoader: true })],
  clearScreen: false,
  publicDir: false,
  build: {
    target: ["es2022", "safari15", "chrome105"],
    // Where Rust fills it in. It is kept with the sources, so that the terminal's program is built without Node.
    outDir: "../crates/explain/src/report",
    emptyOutDir: false,
    rolldownOptions: { input: "report.html" },
  },
});
