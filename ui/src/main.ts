import { mount } from "svelte";
import App from "./App.svelte";
import "./kit/tokens.css";
import "./kit/base.css";

// A browser has no program behind it: there it is played. Nothing of this is in the app.
if (import.meta.env.MODE !== "production" && !("__TAURI_INTERNALS__" in window)) {
  const { install, sceneOf } = await import("./mock");
  install(sceneOf(new URLSearchParams(location.search)));
}

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
mount(App, { target });
