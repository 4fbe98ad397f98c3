//! The form: what each provider asks for, and what every profile can say. Ids are the profile's own names.

use crate::wire::{Choice, FieldKind, Form, FormField, Kind};
use engine::signaling::{self, Signaling};
use record::profile::{Lanes, Span};

pub fn form() -> Form {
    Form { kinds: signaling::ALL.iter().map(|provider| kind(provider)).collect() }
}

fn kind(provider: &Signaling) -> Kind {
    let own = provider.fields.iter().map(|field| FormField {
        id: field.id.into(),
        group: CALL.into(),
        label: field.label.split(" (").next().unwrap_or(field.label).into(),
        // "Address (wss://host/call)": an example stands in brackets.
        hint: field.label.split_once(" (").map(|(_, hint)| hint.trim_end_matches(')').into()),
        kind: match (field.id, field.secret) {
            ("url", _) => FieldKind::Url,
            (_, true) => FieldKind::Secret,
            (_, false) => FieldKind::Text,
        },
        choices: vec![],
        default: String::new(),
        required: field.required,
    });
    let name = text("name", CALL, "Name").hint("as the person who runs it reads it");
    let fields = std::iter::once(name).chain(own).chain(common()).collect();
    Kind { id: provider.id.into(), label: provider.label.into(), fields }
}

const CALL: &str = "Call";
const MEDIA: &str = "Media path";
const BESIDE: &str = "Beside the call";
const RECOVERY: &str = "Recovery";

/// The same for all providers.
fn common() -> Vec<FormField> {
    let lanes = Lanes::default();
    let lengths = |spans: &[Span]| spans.iter().map(Span::to_string).collect::<Vec<_>>().join("\n");
    let controls: Vec<String> = lanes.controls.iter().map(ToString::to_string).collect();
    vec![
        field("for", CALL, "Hold for", FieldKind::Time).hint("15m, 4h").is("15m").required(),
        field("heartbeat", CALL, "Heartbeat", FieldKind::Time).hint("how often, or off").is("5s"),
        choice(
            "silence",
            CALL,
            "Silence as",
            &[("frames", "silent audio, as a muted caller"), ("dtx", "comfort noise"), ("none", "no audio at all")],
        ),
        field("stay_awake", CALL, "Keep the computer awake", FieldKind::Switch)
            .hint("off: sleep is tested too")
            .is("true"),
        field("ca", CALL, "Certificate authority", FieldKind::Text)
            .hint("PEM text, where the server has one of its own"),
        choice("policy", MEDIA, "Paths", &[("all", "any that works"), ("relay", "through TURN alone")]),
        field("servers", MEDIA, "STUN and TURN", FieldKind::List).hint("turns:turn.example:443"),
        field("username", MEDIA, "TURN user name", FieldKind::Secret),
        field("credential", MEDIA, "TURN password", FieldKind::Secret),
        field("bare_websocket", BESIDE, "A WebSocket without heartbeat", FieldKind::Switch).is("true"),
        field("talking", BESIDE, "Connections that talk", FieldKind::Switch).is("true"),
        field("quiet_ladder", BESIDE, "Quiet over TCP", FieldKind::List).hint("61s").is(&lengths(&lanes.quiet_ladder)),
        field("udp_ladder", BESIDE, "Quiet over UDP", FieldKind::List).hint("31s").is(&lengths(&lanes.udp_ladder)),
        field("controls", BESIDE, "Asked each second", FieldKind::List)
            .hint("gateway, dns, far, https://host/")
            .is(&controls.join("\n")),
        field("also", BESIDE, "Other services", FieldKind::List).hint("wss://other.example/path"),
        choice(
            "recovery",
            RECOVERY,
            "After a loss",
            &[
                ("patient", "try for as long as it lasts"),
                ("none", "only watch"),
                ("as-twilio", "as Twilio's SDK does"),
                ("as-telnyx", "as Telnyx' SDK does"),
            ],
        ),
    ]
}

fn field(id: &str, group: &str, label: &str, kind: FieldKind) -> FormField {
    FormField {
        id: id.into(),
        group: group.into(),
        label: label.into(),
        hint: None,
        kind,
        choices: vec![],
        default: String::new(),
        required: false,
    }
}

fn text(id: &str, group: &str, label: &str) -> FormField {
    field(id, group, label, FieldKind::Text)
}

/// The first is the default.
fn choice(id: &str, group: &str, label: &str, choices: &[(&str, &str)]) -> FormField {
    let all = choices.iter().map(|(id, label)| Choice { id: (*id).into(), label: (*label).into() }).collect();
    let default = choices.first().map_or("", |(id, _)| id);
    FormField { choices: all, ..field(id, group, label, FieldKind::Choice).is(default) }
}

impl FormField {
    fn hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
    fn is(self, default: &str) -> Self {
        Self { default: default.into(), ..self }
    }
    fn required(self) -> Self {
        Self { required: true, ..self }
    }
}
