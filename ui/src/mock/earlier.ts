import type { EarlierRun, EarlierRuns } from "../generated/desk";
import { recentRuns } from "./start";

/** Those of the start view, and what is not listed there. */
export function earlierRuns(now: Date, deleted: readonly string[]): EarlierRuns {
  const before = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString();
  const sizes = ["0.3 MB", "1.2 MB", "0.8 MB", "14 MB", "1.1 MB"];
  const held = ["2 min", "15 min", "9 min 41 s", "4 h", "15 min"];
  const kept = recentRuns(now).map(({ run, name, started, says, line }, place): EarlierRun => ({
    run,
    name,
    started,
    stands: "kept",
    held: held[place] ?? null,
    says,
    size: sizes[place] ?? "",
    line,
  }));
  const broken: EarlierRun = {
    run: "r0",
    name: "Acme support: 15-minute hold",
    started: before(120),
    stands: "broken_off",
    held: null,
    says: "It broke off: the program or the computer ended. What it saw is kept.",
    size: "0.4 MB",
    line: null,
  };
  const runs = [...kept, broken].filter(({ run }) => !deleted.includes(run));
  return {
    runs,
    title: `${runs.length} runs, 18 MB`,
    limit:
      "When a call ends, runs older than 90 days are cleared away, and the oldest until all take no more than 500 MB; the last 5 always stay.",
  };
}
