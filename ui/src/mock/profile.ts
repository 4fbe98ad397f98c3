import type { Check, Draft, Form, FormField } from "../generated/desk";

const field = (
  id: string,
  group: string,
  label: string,
  kind: FormField["kind"],
  rest: Partial<FormField> = {},
): FormField => ({
  id,
  group,
  label,
  kind,
  hint: null,
  choices: [],
  default: "",
  required: false,
  ...rest,
});
const choices = (...ids: string[]) => ids.map((id) => ({ id, label: id }));

const first = (address: string): FormField[] => [
  field("name", "Call", "Name", "text", { hint: "as the person who runs it reads it" }),
  field("url", "Call", "Address", "url", { hint: address, required: true }),
  field("token", "Call", "Token", "secret"),
  field("for", "Call", "Hold for", "time", { default: "15m", required: true, hint: "15m, 4h" }),
  field("silence", "Call", "Silence as", "choice", { choices: choices("frames", "dtx", "none"), default: "frames" }),
  field("heartbeat", "Call", "Heartbeat", "time", { default: "5s", hint: "or off" }),
  field("stay_awake", "Call", "Stay awake", "switch", { hint: "asks the system not to sleep meanwhile" }),
];
const rest: FormField[] = [
  field("ice_servers", "Media path", "Servers", "list", { hint: "turns:turn.example:443" }),
  field("ice_username", "Media path", "User name", "text"),
  field("ice_credential", "Media path", "Password", "secret"),
  field("quiet_ladder", "Beside the call", "Quiet TCP", "list", {
    default: "25s\n31s\n45s\n58s\n61s\n95s\n105s\n125s\n245s",
  }),
  field("udp_ladder", "Beside the call", "Quiet UDP", "list", { default: "20s\n31s\n61s\n121s" }),
  field("controls", "Beside the call", "Controls", "list", { default: "gateway\ndns\nfar" }),
  field("recovery", "Recovery", "Policy", "choice", {
    choices: choices("patient", "none", "as-twilio", "as-telnyx"),
    default: "patient",
  }),
];

export const form: Form = {
  kinds: [
    { id: "reflector", label: "Linewitness reflector", fields: [...first("wss://host/call"), ...rest] },
    { id: "janus", label: "Janus echotest", fields: [...first("wss://host:8989/"), ...rest] },
  ],
};

export function check(draft: Draft): Check {
  const url = draft.values["url"] ?? "";
  const wrong = [];
  if (url === "") wrong.push({ field: "url", says: "An address is needed; write it as wss://host/path." });
  else if (!/^wss?:\/\/[^/]/.test(url))
    wrong.push({ field: "url", says: "The scheme is not one of ws and wss; write it as wss://host/path." });
  if (!/^\d+(s|m|h)$/.test(draft.values["for"] ?? ""))
    wrong.push({ field: "for", says: "A length is a number with s, m or h: 15m." });
  const well = wrong.length === 0;
  return {
    says: well ? "Ready to send." : wrong.length === 1 ? "1 thing to mend." : `${wrong.length} things to mend.`,
    wrong,
    notes: well
      ? [
          "A heartbeat of 5 s keeps signaling from being quiet: idle limits show on the quiet connections beside it alone.",
        ]
      : [],
    will: well
      ? [
          `call ${url} and hold the call for ${draft.values["for"]}`,
          "send a heartbeat every 5 s over signaling",
          "keep 13 connections quiet for 20 s to 245 s, to find how long the path lets one live",
          "ask once a second: gateway, dns, far",
        ]
      : [],
    cannot: well
      ? [
          "connections that are older than the hold",
          "silences over 245 s on TCP and over 121 s on UDP",
          "what this computer's system does not let a program see",
        ]
      : [],
    toml: `name = "${draft.values["name"] ?? ""}"\nfor  = "${draft.values["for"] ?? ""}"\n\n[signaling]\nkind = "${draft.kind}"\nurl  = "${url}"\n`,
  };
}
