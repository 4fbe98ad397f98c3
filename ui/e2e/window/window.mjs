// The real window: the program as it was built, on a display of its own, with a home folder and a session bus of its own,
// driven as a person would by what they read.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Session, until } from "./webdriver.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
const program = process.env.LINEWITNESS_WINDOW ?? join(target, "debug/linewitness-window");
export const terminal = join(target, "debug/linewitness");
const pictures = join(target, "window");

export const recording = (name) => join(root, "tests/recordings", name, "hold.witness");

/** Those that every later version must open. */
export const bundle = (name) => join(root, "tests/bundles", name);
/** What browsers wrote down. */
export const dump = (name) => join(root, "tests/imports", name);

/** Everything that a window needs around it; `close` ends it all. */
export async function desktop() {
  const ends = [];
  try {
    return await begun(ends);
  } catch (error) {
    await over(ends);
    throw error;
  }
}

async function over(ends) {
  for (const end of ends.reverse()) await end();
}

async function begun(ends) {
  const home = await mkdtemp(join(tmpdir(), "linewitness-e2e-"));
  ends.push(() => rm(home, { recursive: true, force: true }));
  const chosen = join(home, "chosen");
  await mkdir(chosen);
  // Without -noreset it begins anew when its last window closes, and refuses the next one meanwhile.
  const screen = ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"];
  const display = await started(ends, "Xvfb", screen);
  const bus = await started(ends, "dbus-daemon", ["--session", "--nofork", "--print-address=3"]);
  const env = {
    ...process.env,
    DISPLAY: `:${display}`,
    DBUS_SESSION_BUS_ADDRESS: bus,
    HOME: home,
    XDG_RUNTIME_DIR: home,
    LINEWITNESS_HOME: join(home, "runs"),
    LINEWITNESS_CHOOSES: chosen,
    TZ: "Europe/Berlin",
    LANG: "C.UTF-8",
  };
  const around = await desktopAround(ends, env);
  const [port, native] = [await freePort(), await freePort()];
  const ports = ["--port", `${port}`, "--native-port", `${native}`];
  const child = await run(ends, process.env.TAURI_DRIVER ?? "tauri-driver", ports, { env, stdio: "inherit" });
  const driver = `http://127.0.0.1:${port}`;
  // Its port opens before the browser's own driver is up, which it asks.
  await until("tauri-driver answers", 20, () => {
    if (child.exitCode !== null) throw new Error(`tauri-driver ended with ${child.exitCode}`);
    return fetch(`${driver}/status`).then(
      (answer) => answer.ok,
      () => false,
    );
  });
  return {
    home,
    chosen,
    env,
    /** What a click on "Open" or "Save" finds. */
    async choose(...files) {
      for (const name of await readdir(chosen)) await rm(join(chosen, name), { recursive: true });
      for (const [name, bytes] of files) await writeFile(join(chosen, name), bytes);
    },
    open: (...args) => Window.open(driver, home, args),
    /** The lines of the tray icon's menu; null while there is none. */
    tray: () => around("tray"),
    chooseInTray: (words) => around(`choose ${words}`),
    /** The window's own button. */
    closeWindow: () => around("close Linewitness"),
    /** A second start while a window stands, as by a double-click. */
    async again(...args) {
      const second = spawn(program, args, { env, stdio: "inherit" });
      const [code] = await once(second, "exit");
      return code;
    },
    close: () => over(ends),
  };
}

class Window {
  constructor(session, home) {
    this.session = session;
    this.home = home;
  }
  static async open(driver, home, args) {
    const options = { application: program, args };
    const capabilities = { browserName: "wry", "tauri:options": options };
    const window = new Window(await Session.open(driver, capabilities), home);
    await until("the page is drawn", 20, () => window.session.run("return document.querySelector('h1') !== null"));
    return window;
  }

  /** All that can be read. */
  words() {
    return this.session.run("return document.body.innerText");
  }
  async sees(what, seconds = 10) {
    let read = "";
    const is = (text) => (what instanceof RegExp ? what.test(text) : text.includes(what));
    try {
      await until(`${what}`, seconds, async () => is((read = (await this.words()).replace(/\s+/g, " "))));
    } catch (error) {
      throw new Error(`${error.message}; the window says: ${read.slice(0, 2000)}`, { cause: error });
    }
    return read;
  }
  heading() {
    return this.session.run("return document.querySelector('h1').innerText.replace(/\\s+/g, ' ').trim()");
  }
  /** The button that says so. */
  async click(label) {
    const path = `//button[normalize-space(.)=${quoted(label)} or @aria-label=${quoted(label)}]`;
    const [button] = await until(`a button ${label}`, 10, async () => {
      const found = await this.session.find(`${path}[not(@disabled)]`);
      return found.length > 0 && found;
    });
    await this.session.click(button);
  }
  async clickOn(path) {
    const [found] = await until(path, 10, async () => {
      const found = await this.session.find(path);
      return found.length > 0 && found;
    });
    await this.session.click(found);
  }
  async fill(label, text) {
    const path = `//label[starts-with(normalize-space(.), ${quoted(label)})]/@for`;
    const [field] = await until(`a field ${label}`, 10, async () => {
      const id = await this.session.run(
        "return document.evaluate(arguments[0], document, null, XPathResult.STRING_TYPE).stringValue",
        path,
      );
      const found = id ? await this.session.find(`//*[@id=${quoted(id)}]`) : [];
      return found.length > 0 && found;
    });
    await this.session.type(field, text);
  }
  /** For a look at it afterwards. */
  async picture(name) {
    await mkdir(pictures, { recursive: true });
    await writeFile(join(pictures, `${name}.png`), await this.session.picture());
  }
  /** As a desktop ends its programs when its user logs out. */
  async end() {
    for (const pid of await running(this.home)) process.kill(pid, "SIGTERM");
    await until("the program is gone", 10, async () => (await running(this.home)).length === 0);
    // The driver's own part; there is nothing left that it could close.
    await this.session.close().catch(() => undefined);
  }
  /** Until it is gone: a start beside one that is ending would be handed over to that one. */
  async close() {
    await this.session.close();
    await until("the program is gone", 10, async () => (await running(this.home)).length === 0);
  }
}

/** The processes of the program that belong to this desktop. */
export async function running(home) {
  const found = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const exe = await readlink(`/proc/${pid}/exe`).catch(() => "");
    const environment = exe === program ? await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "") : "";
    if (environment.split("\0").includes(`HOME=${home}`)) found.push(Number(pid));
  }
  return found;
}

function quoted(text) {
  if (text.includes('"')) throw new Error(`no words of the window have quotes: ${text}`);
  return `"${text}"`;
}

async function run(ends, name, args, options) {
  const child = spawn(name, args, options);
  // Fails where there is no such program.
  await once(child, "spawn");
  const over = once(child, "exit");
  ends.push(() => {
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    child.kill();
    return over;
  });
  return child;
}

/** The first line that it says where it was told to. */
async function started(ends, name, args) {
  const child = await run(ends, name, args, { stdio: ["ignore", "inherit", "ignore", "pipe"] });
  const [said] = await once(child.stdio[3], "data");
  return said.toString().trim();
}

/** Gives orders to the desktop around the window. */
async function desktopAround(ends, env) {
  const script = fileURLToPath(new URL("desktop.py", import.meta.url));
  // Debian's own Python, which has Debian's modules.
  const child = await run(ends, "/usr/bin/python3", [script], { env, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the desktop around the window ended");
    const said = JSON.parse(value);
    if ("error" in said) throw new Error(said.error);
    return said.ok;
  };
  await answer();
  return (order) => {
    child.stdin.write(`${order}\n`);
    return answer();
  };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}
