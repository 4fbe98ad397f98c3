import type { Asks, Locked, Retest } from "../generated/desk";
import { offers } from "./start";

export const PASSPHRASE = "correct horse";

export function locked(asks: Asks, says: string | null): Locked {
  const name = "2026-11-20 1402 Acme 15-minute hold.witness.age";
  return { id: "locked-1", name, asks, of: asks === "identity" ? name : "desk.identity", says };
}

export const retest: Retest = {
  says: "It takes 2 minutes 20 seconds. Mended if all 4 connections that it keeps quiet live, the longest of them for 2 min.",
  notes: [
    "Secrets are in no report. Where the call needs a token or a relay's password, save the profile, fill them in under “Make a profile”, and open it.",
  ],
  offer: {
    ...offers.link,
    id: "offer-retest",
    name: "Retest: Acme support",
    from: "retest",
    notes: [],
    planned_s: 140,
    lasts: "2 minutes 20 seconds. Keep working, and keep the lid open.",
  },
  file: "2026-11-20 1402 Acme 15-minute hold.witness-profile",
};
