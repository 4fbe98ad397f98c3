// Every view of the window, and how one comes to it. What is rare is looked at, and not shown in docs/pictures.

const lost = "holding=true&run=black_hole_while_the_ladder_runs&still=13";
const result = async (page) => {
  await page.getByRole("button", { name: /Self-test.*nothing dropped/ }).click();
  await page.getByRole("button", { name: "Save report" }).waitFor();
};
const choose = (page) => page.getByRole("button", { name: "Open a profile or a report" }).click();
const save = async (page) => {
  await result(page);
  await page.getByRole("button", { name: "Save report" }).click();
  await page.getByText("signaling.connecting.host").waitFor();
};
const earlier = async (page) => {
  await page.getByRole("button", { name: "All earlier runs" }).click();
  await page.getByRole("table").waitFor();
};
const profile = async (page) => {
  await page.getByRole("button", { name: "Make a profile" }).click();
  await page.getByLabel("Address").waitFor();
};
const fill = async (page) => {
  await page.getByLabel("Name", { exact: true }).fill("Acme support: 15-minute hold");
  await page.getByLabel("Address").fill("wss://reflector.example/call");
  await page.getByLabel("Token").fill("4f1c9e02ab");
};

export const views = [
  { name: "start", scene: "" },
  { name: "start-first", rare: true, scene: "offer=self_test&recent=false" },
  { name: "start-link", rare: true, scene: "offer=link&broken=true" },
  {
    name: "start-failure",
    rare: true,
    scene: "taken=failure",
    go: choose,
  },
  { name: "holding", scene: "holding=true&run=minute_in_which_nothing_happens&still=37" },
  { name: "holding-lost", scene: lost },
  {
    name: "quit",
    rare: true,
    scene: lost,
    go: (page) => page.evaluate(() => window.__TAURI_INTERNALS__.invoke("plugin:event|emit", { event: "ask_to_quit" })),
  },
  { name: "result", scene: "", go: result },
  { name: "save", scene: "", go: save },
  {
    name: "save-plain",
    rare: true,
    scene: "",
    async go(page) {
      await save(page);
      await page.getByRole("checkbox").uncheck();
      await page.getByText("reflector.example:443").waitFor();
    },
  },
  {
    name: "saved",
    rare: true,
    scene: "",
    async go(page) {
      await save(page);
      await page.getByRole("button", { name: "Save report" }).click();
      await page.getByText("Show in folder").waitFor();
    },
  },
  {
    name: "retest",
    rare: true,
    scene: "",
    async go(page) {
      await result(page);
      await page.getByRole("button", { name: "Retest" }).click();
      await page.getByText("Mended if").first().waitFor();
    },
  },
  {
    name: "start-retest",
    rare: true,
    scene: "",
    async go(page) {
      await result(page);
      await page.getByRole("button", { name: "Retest" }).click();
      await page.getByRole("button", { name: "Look at it and hold it" }).click();
      await page.getByText("The retest of a report").waitFor();
    },
  },
  {
    name: "unlock-identity",
    rare: true,
    scene: "taken=locked",
    async go(page) {
      await choose(page);
      await page.getByText("Choose the identity").waitFor();
    },
  },
  {
    name: "unlock-passphrase",
    rare: true,
    scene: "taken=locked",
    async go(page) {
      await choose(page);
      await page.getByRole("button", { name: "Choose the identity" }).click();
      await page.getByLabel("Passphrase").fill("battery staple");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
    },
  },
  {
    name: "reading",
    rare: true,
    scene: "",
    async go(page) {
      await page.evaluate(() => window.__TAURI_INTERNALS__.invoke("plugin:event|emit", { event: "taking" }));
      await page.waitForTimeout(700);
    },
  },
  { name: "earlier", scene: "", go: earlier },
  {
    name: "earlier-delete",
    rare: true,
    scene: "",
    async go(page) {
      await earlier(page);
      await page.getByRole("button", { name: "Delete Self-test" }).click();
      await page.getByText("Delete this run?").waitFor();
    },
  },
  {
    name: "desk",
    scene: "taken=bundles",
    async go(page) {
      await choose(page);
      await page.getByRole("table").waitFor();
      await page.locator(".same").first().focus();
    },
  },
  { name: "profile-empty", rare: true, scene: "", go: profile },
  {
    name: "profile",
    scene: "",
    async go(page) {
      await profile(page);
      await fill(page);
      await page.getByText("Ready to send.").waitFor();
    },
  },
  {
    name: "profile-wrong",
    rare: true,
    scene: "",
    async go(page) {
      await profile(page);
      await page.getByLabel("Address").fill("https://reflector.example");
      await page.getByLabel("Hold for").fill("15");
      await page.getByLabel("Token").focus();
      await page.getByText("2 things to mend.").waitFor();
    },
  },
];
