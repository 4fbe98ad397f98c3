import type { BrokenRun, Offer, Recent } from "../generated/desk";

export type OfferName = "self_test" | "file" | "link";

const records =
  "When connections end, networks change or the computer sleeps; addresses and names of servers. It stays on this computer.";
const never = "No sound, no screen, no passwords.";

export const offers: Record<OfferName, Offer> = {
  self_test: {
    id: "offer-self",
    name: "Self-test",
    from: "self_test",
    source: null,
    tests: "One silent call from this computer to itself, with quiet connections beside it.",
    lasts: "2 minutes. Keep working, and keep the lid open.",
    records,
    never,
    keeps_awake: true,
    notes: [],
    planned_s: 120,
    needs_consent: false,
  },
  file: {
    id: "offer-file",
    name: "Acme support: 15-minute hold",
    from: "file",
    source: "acme-15-minute-hold.witness-profile",
    tests: "One silent call to reflector.example, kept open, with 13 quiet connections beside it.",
    lasts: "15 minutes. Keep working, and keep the lid open.",
    records,
    never,
    keeps_awake: true,
    notes: [],
    planned_s: 900,
    needs_consent: false,
  },
  link: {
    id: "offer-link",
    name: "Acme support: 4-hour hold",
    from: "link",
    source: "reflector.example",
    tests: "One silent call to reflector.example, kept open, with 17 quiet connections beside it.",
    lasts: "4 hours. Keep working as usual; if the computer sleeps, that is tested too.",
    records,
    never,
    keeps_awake: false,
    notes: ["The credentials of turn.example expire at 2026-11-21T12:00:00Z, before this hold of 4 h ends."],
    planned_s: 14_400,
    needs_consent: true,
  },
};

export const brokenRuns: BrokenRun[] = [
  {
    run: "2026-11-21-0915",
    says: "A hold that began today at 09:15 broke off after 12 minutes: the program or the computer ended.",
  },
];

/** Ends that lie some hours before `now`, so that the newest is of today. */
export function recentRuns(now: Date): Recent[] {
  const before = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString();
  const name = "Acme support: 15-minute hold";
  return [
    {
      run: "r5",
      name: "Self-test",
      started: before(0.1),
      says: "Held for 2 minutes; nothing dropped.",
      line: { planned_s: 120, held_s: 120, lost: [], asleep: [] },
    },
    {
      run: "r4",
      name,
      started: before(20),
      says: "Signaling lost once after 60.0 s of quiet.",
      line: { planned_s: 900, held_s: 900, lost: [[341, 352]], asleep: [] },
    },
    {
      run: "r3",
      name,
      started: before(28),
      says: "Ended by you after 9:41; nothing dropped.",
      line: { planned_s: 900, held_s: 581, lost: [], asleep: [] },
    },
    {
      run: "r2",
      name: "Acme support: 4-hour hold",
      started: before(49),
      says: "Lost twice when the VPN reconnected. Asleep for 48 minutes.",
      line: {
        planned_s: 14_400,
        held_s: 14_400,
        lost: [
          [3900, 4090],
          [10_400, 10_590],
        ],
        asleep: [[6200, 9080]],
      },
    },
    {
      run: "r1",
      name,
      started: before(78),
      says: "Held for 15 minutes; nothing dropped.",
      line: { planned_s: 900, held_s: 900, lost: [], asleep: [] },
    },
  ];
}
