// Beside the usual: the fence. The Workbench is drawn in the window and in report.html alike, and a report knows no Tauri.
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

const noTauri = {
  group: ["@tauri-apps/*", "**/ipc", "**/ipc.ts", "**/controls/*"],
  message: "Only ipc.ts, controls/ and App.svelte know of Tauri: report.html must work without it.",
};

export default ts.config(
  { ignores: ["dist/", "node_modules/", "src/generated/", "bench/out/"] },
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig } },
  },
  {
    rules: {
      "svelte/no-at-html-tags": "error",
      // The window's policy allows no style attribute; a style: directive is set by script and may stay.
      "no-restricted-syntax": [
        "error",
        { selector: "SvelteAttribute[key.name='style']", message: "Use a class or a style: directive." },
      ],
      "svelte/require-each-key": "error",
      "no-console": "error",
      // Their sets and maps are local: nothing draws from them.
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  {
    files: ["src/**"],
    ignores: [
      "src/ipc.ts",
      "src/ipc/**",
      "src/controls/**",
      "src/App.svelte",
      "src/main.ts",
      "src/mock.ts",
      "src/mock/**",
      "src/App.test.ts",
    ],
    rules: { "no-restricted-imports": ["error", { patterns: [noTauri] }] },
  },
  {
    files: ["bench/**", "e2e/**", "*.config.*"],
    languageOptions: { globals: globals.node },
    rules: { "no-console": "off" },
  },
);
