// How soon the window is there and what it costs: `LINEWITNESS_WINDOW=… node e2e/window/bench.mjs [TIMES]`, with the program as it
// is shipped (`cargo xtask package`) on a quiet computer.
import { execFileSync } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { desktop, running } from "./window.mjs";

const TIMES = Number(process.argv[2] ?? 10);
const HOLD_S = 30;

const ticks = Number(execFileSync("getconf", ["CLK_TCK"]));
const stat = async (pid) => (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
/** The wall clock when it was started, in milliseconds. */
async function startedAt(pid) {
  const uptime = Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]);
  return Date.now() - (uptime - Number((await stat(pid))[19]) / ticks) * 1000;
}
/** It and all that it started: the page has processes of its own. */
async function family(pid) {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map();
  for (const one of all) parents.set(one, Number((await stat(one).catch(() => [0, 0]))[1]));
  const found = [pid];
  for (const one of found) for (const [child, parent] of parents) if (parent === one) found.push(child);
  return found;
}
async function memoryMb(pids) {
  const of = async (pid) => {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
  };
  return Promise.all(pids.map(of));
}
async function busyTicks(pids) {
  const of = async (pid) => {
    const fields = await stat(pid).catch(() => []);
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  };
  return (await Promise.all(pids.map(of))).reduce((sum, one) => sum + one, 0);
}
const shown = (numbers, digits) => numbers.map((number) => number.toFixed(digits)).join(", ");

const desk = await desktop();
try {
  const paints = [];
  for (let n = 0; n < TIMES; n += 1) {
    const window = await desk.open();
    const [pid] = await running(desk.home);
    const painted = await window.session.run(
      "return performance.timeOrigin + (performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN)",
    );
    paints.push(painted - (await startedAt(pid)));
    await window.close();
  }
  paints.sort((a, b) => a - b);
  console.log(
    `first paint after the start, ${TIMES} times: median ${paints[TIMES >> 1]?.toFixed(0)} ms (${shown(paints, 0)})`,
  );

  const window = await desk.open();
  const [pid] = await running(desk.home);
  const still = await memoryMb(await family(pid));
  console.log(`memory at the start: ${still.reduce((a, b) => a + b, 0).toFixed(0)} MB (PSS; ${shown(still, 0)})`);
  await window.click("Hold a call");
  await window.sees("Holding", 20);
  await new Promise((done) => setTimeout(done, 5_000));
  const pids = await family(pid);
  const [before, begun] = [await busyTicks(pids), performance.now()];
  await new Promise((done) => setTimeout(done, HOLD_S * 1000));
  const share = (await busyTicks(pids)) - before;
  const percent = (share / ticks / ((performance.now() - begun) / 1000)) * 100;
  const held = await memoryMb(pids);
  console.log(`while it holds, its own far end included: ${percent.toFixed(1)} % of a core over ${HOLD_S} s`);
  console.log(`memory while it holds: ${held.reduce((a, b) => a + b, 0).toFixed(0)} MB (PSS; ${shown(held, 0)})`);
  await window.click("Stop");
  await window.sees("Save report", 20);
  await window.close();
} finally {
  await desk.close();
}
