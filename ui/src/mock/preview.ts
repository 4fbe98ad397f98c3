import type { Preview } from "../generated/desk";

/** Under names, or as it is: of the fields only those that hold one differ. */
export function preview(names: boolean): Preview {
  const members = whole.members.map((member) => ({
    ...member,
    fields: member.fields.map((field) => ({ ...field, example: names ? named(field.example) : field.example })),
  }));
  return { ...whole, members, under_names: names };
}

const named = (text: string) =>
  text
    .replace("reflector.example", "host-1.example")
    .replace("203.0.113.9", "public-1")
    .replace("198.51.100.7", "public-2")
    .replace(/192\.0\.2\.(\d+)/, (_, last: string) => `private-${{ 24: 1, 1: 2, 53: 3 }[Number(last)] ?? 4}`);

const whole: Preview = {
  under_names: false,
  can_choose: true,
  how: null,
  file: "2026-11-20 1402 Acme 15-minute hold.witness",
  members: [
    {
      name: "events.jsonl",
      bytes: 388_214,
      says: "1,284 events, one a line",
      fields: [
        {
          path: "mark.started.plan.to",
          example: "wss://reflector.example/call",
          count: 1,
          says: "the address that is called; its query is left out",
        },
        { path: "at.wall", example: "2026-11-20T13:02:00.021450Z", count: 1284, says: "the time of each event" },
        { path: "system.about.os", example: "Windows 11 26100", count: 1, says: "this computer's system" },
        { path: "net.interface.name", example: "Wi-Fi", count: 4, says: "an interface of this computer" },
        { path: "net.interface.address", example: "192.0.2.24", count: 4, says: "an address of this computer" },
        { path: "net.gateway", example: "192.0.2.1", count: 2, says: "the router" },
        { path: "net.dns", example: "192.0.2.53", count: 2, says: "a name server that this computer asks" },
        {
          path: "signaling.connecting.host",
          example: "reflector.example:443",
          count: 3,
          says: "a server and its port",
        },
        { path: "signaling.tls.issuer", example: "Example CA", count: 3, says: "who signed the server's certificate" },
        { path: "signaling.closed.end", example: "fin", count: 2, says: "how a connection ended" },
        { path: "ice.path.local", example: "192.0.2.24:50112", count: 2, says: "our end of the media path" },
        { path: "ice.path.remote", example: "198.51.100.7:10412", count: 2, says: "the far end of the media path" },
        { path: "media.sample.packets_in", example: "50", count: 900, says: "packets that arrived in a second" },
        { path: "lane.rung.silent_s", example: "61.0", count: 46, says: "how long a connection was kept quiet" },
        { path: "power.slept_s", example: "130.0", count: 1, says: "how long the computer was asleep" },
        {
          path: "far.saw.from",
          example: "203.0.113.9:51544",
          count: 6,
          says: "this computer's address as the far end saw it",
        },
      ],
      note: null,
    },
    {
      name: "verdict.json",
      bytes: 9_120,
      says: "the result, for other programs",
      fields: [
        {
          path: "headline",
          example: "Internet path: quiet connections are ended (Shown)",
          count: 1,
          says: "the sentence you have read",
        },
        { path: "drops[].last_good", example: "2026-11-20T13:07:41.560Z", count: 1, says: "the last proof of life" },
        { path: "drops[].first_bad", example: "2026-11-20T13:07:41.660Z", count: 1, says: "the first sign of death" },
        {
          path: "findings[].says",
          example: "A device between here and reflector.example ends connections that are quiet for 60 s.",
          count: 2,
          says: "what was found beside the call",
        },
      ],
      note: null,
    },
    {
      name: "report.html",
      bytes: 412_300,
      says: "the report, for a browser",
      fields: [],
      note: "The report as this window shows it. It is made of the other files, with nothing in it that they do not hold.",
    },
    {
      name: "profile.toml",
      bytes: 812,
      says: "the profile as used, secrets left out",
      fields: [
        { path: "name", example: "Acme support: 15-minute hold", count: 1, says: "the profile's name" },
        {
          path: "signaling.url",
          example: "wss://reflector.example/call",
          count: 1,
          says: "the address that is called",
        },
      ],
      note: null,
    },
    {
      name: "about.json",
      bytes: 1_204,
      says: "program, system, checksums",
      fields: [
        { path: "program", example: "linewitness 0.1.0", count: 1, says: "the program that recorded" },
        { path: "members[].sha256", example: "9f2c…41d0", count: 4, says: "a checksum of each other file" },
      ],
      note: null,
    },
  ],
  removed: [
    "the token of reflector.example and the password of turn.example: used, never written down",
    "names of Wi-Fi networks, of this computer and of its user",
    "sound, text and anything else that connections carried",
  ],
};
