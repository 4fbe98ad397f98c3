//! A draft as the profile that it would be: TOML, a line for each field, so that what is wrong with a line is wrong with
//! its field.

use super::form;
use crate::wire::{Draft, FormField, Wrong};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct Written(Vec<Line>);

struct Line {
    field: Option<&'static str>,
    text: String,
    secret: bool,
}

/// No field of a page is longer, but a certificate may be.
const LONGEST: usize = 64 * 1024;

impl Written {
    pub fn of(draft: &Draft) -> (Self, Vec<Wrong>) {
        let kinds = form().kinds;
        let fields = kinds.iter().find(|kind| kind.id == draft.kind).map_or(&[][..], |kind| &kind.fields);
        let missing = fields.iter().filter(|field| field.required && value(draft, &field.id).is_empty());
        let mut wrong: Vec<Wrong> = missing.map(needed).collect();
        if draft.values.values().map(String::len).sum::<usize>() > LONGEST {
            wrong.push(Wrong { field: None, says: "This is too long to be a profile.".into() });
        }
        if fields.is_empty() {
            wrong.push(Wrong { field: None, says: "This kind of service is not known.".into() });
        }
        let defaults = fields.iter().map(|field| (field.id.as_str(), field.default.as_str())).collect();
        let mut writer = Writer { draft, defaults, lines: Vec::new() };
        writer.write();
        (Self(writer.lines), wrong)
    }

    /// With its secrets.
    pub fn whole(&self) -> String {
        self.0.iter().fold(String::new(), |all, line| all + &line.text + "\n")
    }

    pub fn shown(&self) -> String {
        self.0.iter().fold(String::new(), |all, line| match line.secret {
            true => format!("{all}# {}: kept private\n", line.field.unwrap_or_default()),
            false => all + &line.text + "\n",
        })
    }

    /// The field that stands in this line, counted from 1.
    pub fn field_at(&self, line: usize) -> Option<String> {
        self.0.get(line.checked_sub(1)?)?.field.map(str::to_owned)
    }
}

fn needed(field: &FormField) -> Wrong {
    let says = match (field.id.as_str(), &field.hint) {
        ("for", _) => "A length is needed; write it as 15m or 4h.".to_owned(),
        (_, Some(hint)) => format!("{} is needed; write it as {hint}.", field.label),
        (_, None) => format!("{} is needed.", field.label),
    };
    Wrong { field: Some(field.id.clone()), says }
}

fn value<'a>(draft: &'a Draft, id: &str) -> &'a str {
    draft.values.get(id).map_or("", |value| value.trim())
}

struct Writer<'a> {
    draft: &'a Draft,
    defaults: BTreeMap<&'a str, &'a str>,
    lines: Vec<Line>,
}

impl Writer<'_> {
    fn write(&mut self) {
        self.text("name", "name");
        self.text("for", "for");
        let awake = value(self.draft, "stay_awake") == "true";
        self.line("stay_awake", format!("stay_awake = {awake}"));

        self.table("[signaling]");
        self.plain(format!("kind = {}", quoted(&self.draft.kind)));
        self.text("url", "url");
        self.secret("token", "token");
        self.text("ca", "ca");
        match value(self.draft, "heartbeat") {
            "off" => self.line("heartbeat", "heartbeat = \"off\"".into()),
            "" => {}
            _ if self.is_default("heartbeat") => {}
            every => self.line("heartbeat", format!("heartbeat = {{ every = {} }}", quoted(every))),
        }
        if !self.is_default("policy") {
            self.table("[ice]");
            self.text("policy", "policy");
        }
        self.servers();
        if !self.is_default("silence") {
            self.table("[media]");
            self.text("silence", "silence");
        }
        self.lanes();
        if !self.is_default("recovery") {
            self.table("[recovery]");
            self.text("recovery", "policy");
        }
    }

    /// Those that need a password apart from those that do not.
    fn servers(&mut self) {
        let (turn, stun): (Vec<String>, Vec<String>) =
            list(self.draft, "servers").into_iter().partition(|url| url.starts_with("turn"));
        for (urls, is_turn) in [(stun, false), (turn, true)] {
            if urls.is_empty() {
                continue;
            }
            self.table("[[ice.servers]]");
            self.line("servers", format!("urls = {}", quoted_list(&urls)));
            if is_turn {
                self.secret("username", "username");
                self.secret("credential", "credential");
            }
        }
    }

    fn lanes(&mut self) {
        const SWITCHES: [&str; 2] = ["bare_websocket", "talking"];
        const LISTS: [&str; 4] = ["quiet_ladder", "udp_ladder", "controls", "also"];
        if SWITCHES.iter().chain(&LISTS).all(|id| self.is_default(id)) {
            return;
        }
        self.table("[lanes]");
        for id in SWITCHES {
            if !self.is_default(id) {
                self.line(id, format!("{id} = {}", value(self.draft, id) == "true"));
            }
        }
        for id in LISTS {
            if !self.is_default(id) {
                self.line(id, format!("{id} = {}", quoted_list(&list(self.draft, id))));
            }
        }
    }

    fn is_default(&self, id: &str) -> bool {
        value(self.draft, id) == self.defaults.get(id).copied().unwrap_or_default()
    }

    fn text(&mut self, id: &'static str, name: &str) {
        let value = value(self.draft, id);
        if !value.is_empty() {
            self.line(id, format!("{name} = {}", quoted(value)));
        }
    }

    fn secret(&mut self, id: &'static str, name: &str) {
        let before = self.lines.len();
        self.text(id, name);
        self.lines[before..].iter_mut().for_each(|line| line.secret = true);
    }

    fn table(&mut self, head: &str) {
        self.plain(String::new());
        self.plain(head.to_owned());
    }
    fn plain(&mut self, text: String) {
        self.lines.push(Line { field: None, text, secret: false });
    }
    fn line(&mut self, field: &'static str, text: String) {
        self.lines.push(Line { field: Some(field), text, secret: false });
    }
}

fn list(draft: &Draft, id: &str) -> Vec<String> {
    value(draft, id).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn quoted_list(entries: &[String]) -> String {
    format!("[{}]", entries.iter().map(|entry| quoted(entry)).collect::<Vec<_>>().join(", "))
}

/// Text as JSON writes it is text as TOML reads it, on one line; the one character that TOML alone forbids is no text.
fn quoted(text: &str) -> String {
    Value::String(text.replace('\u{7f}', "")).to_string()
}
