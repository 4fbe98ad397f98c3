// What of WebDriver is needed: JSON over HTTP.

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

export async function until(what, seconds, ask) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export class Session {
  #at;
  static async open(driver, capabilities) {
    const session = new Session();
    const { sessionId } = await ask("POST", `${driver}/session`, { capabilities: { alwaysMatch: capabilities } });
    session.#at = `${driver}/session/${sessionId}`;
    return session;
  }

  run(script, ...args) {
    return ask("POST", `${this.#at}/execute/sync`, { script, args });
  }
  /** An XPath, for words are what a user looks for. */
  async find(path) {
    const found = await ask("POST", `${this.#at}/elements`, { using: "xpath", value: path });
    return found.map((element) => element[ELEMENT]);
  }
  click(element) {
    return ask("POST", `${this.#at}/element/${element}/click`, {});
  }
  type(element, text) {
    return ask("POST", `${this.#at}/element/${element}/value`, { text });
  }
  press(...keys) {
    const actions = keys.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    return ask("POST", `${this.#at}/actions`, { actions: [{ type: "key", id: "keys", actions }] });
  }
  async picture() {
    return Buffer.from(await ask("GET", `${this.#at}/screenshot`), "base64");
  }
  close() {
    return ask("DELETE", this.#at);
  }
}

async function ask(method, url, body) {
  const answer = await fetch(url, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname}: ${value?.error}: ${value?.message}`);
  return value;
}
