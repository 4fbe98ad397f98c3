/// Times of day, local beside UTC. Whoever reads chooses the language; the numbers stay those of the record.

export type Zone = "local" | "UTC";

const parts: Record<Zone, Intl.DateTimeFormat> = {
  local: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  UTC: new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone: "UTC",
  }),
};
const dates = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });

/// "14:06:41.66"; digits are cut off and not rounded, as a clock does.
export function clock(at: Date, zone: Zone, digits: 0 | 2 | 3 = 0): string {
  const fraction = digits > 0 ? `.${String(at.getUTCMilliseconds()).padStart(3, "0").slice(0, digits)}` : "";
  return parts[zone].format(at) + fraction;
}

/// "14:06"
export function minute(at: Date, zone: Zone): string {
  return parts[zone].format(at).slice(0, 5);
}

/// "Fri, 20 Nov 2026"
export function day(at: Date): string {
  return dates.format(at);
}

/// How far local clocks are ahead of UTC then, in seconds.
export function ahead(at: Date): number {
  return -at.getTimezoneOffset() * 60;
}

/// "UTC+1", "UTC−3:30", "UTC"
export function zoneName(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const [h, m] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes > 0 ? "+" : "−"}${h}${m ? `:${String(m).padStart(2, "0")}` : ""}`;
}

export function after(wall: string, seconds: number): Date {
  return new Date(new Date(wall).getTime() + seconds * 1000);
}
