//! One of each kind of field in what JSON and TOML hold. Pure, and of a size that does not grow with the file.

use crate::wire::Field;
use record::Heard;
use serde_json::Value;
use std::collections::BTreeMap;

/// Our own members hold some two hundred kinds.
const MOST_KINDS: usize = 1_000;
const DEEPEST: usize = 16;
const LONGEST_PATH: usize = 200;

#[derive(Default)]
pub struct Fields {
    found: BTreeMap<String, (usize, String)>,
}

impl Fields {
    pub fn extend(&mut self, value: Option<Value>) {
        if let Some(value) = value {
            self.walk(&mut String::new(), &value, 0);
        }
    }

    pub fn listed(self) -> Vec<Field> {
        let says = |path: &str| words(path).to_owned();
        self.found
            .into_iter()
            .map(|(path, (count, example))| Field { says: says(&path), path, example, count })
            .collect()
    }

    fn walk(&mut self, path: &mut String, value: &Value, depth: usize) {
        let here = path.len();
        match value {
            _ if depth > DEEPEST || here > LONGEST_PATH => {}
            Value::Object(fields) => {
                for (name, value) in fields {
                    if here > 0 {
                        path.push('.');
                    }
                    path.push_str(Heard::new(name).as_str());
                    self.walk(path, value, depth + 1);
                    path.truncate(here);
                }
            }
            Value::Array(values) => {
                path.push_str("[]");
                for value in values {
                    self.walk(path, value, depth + 1);
                }
                path.truncate(here);
            }
            Value::Null => {}
            Value::String(text) => self.note(path, || Heard::new(text).to_string()),
            Value::Bool(_) | Value::Number(_) => self.note(path, || value.to_string()),
        }
    }

    fn note(&mut self, path: &str, example: impl FnOnce() -> String) {
        if let Some((count, _)) = self.found.get_mut(path) {
            *count += 1;
        } else if self.found.len() < MOST_KINDS {
            self.found.insert(path.to_owned(), (1, example()));
        }
    }
}

/// Of what tells something of a person or a place, what it is; figures speak for themselves.
fn words(path: &str) -> &'static str {
    let last = path.rsplit('.').next().unwrap_or(path).trim_end_matches("[]");
    let before = |part: &str| path.split('.').any(|name| name == part);
    match last {
        "wall" | "started" | "last_good" | "first_bad" | "declared" | "restored" => "a time",
        "uptime" | "awake" => "a clock of this computer, in seconds",
        "seq" => "the number of an event",
        "address" | "source" | "local" if before("net") => "an address of this computer",
        "gateway" => "the router",
        "public" => "this computer's address as the world sees it",
        "servers" if before("net") => "a name server that this computer asks",
        "local" => "our end of a connection",
        "remote" | "peer" => "the far end of a connection",
        "host" | "server" => "a server",
        "to" | "url" | "urls" => "an address that is called; its query is left out",
        "interface" => "an interface of this computer",
        "network" | "point" => "a number in place of a Wi-Fi network's name",
        "issuer" | "subject" => "a name in a server's certificate",
        "session" => "the service's own name for this call",
        "os" | "version" | "arch" | "cores" if before("platform") => "this computer's system",
        "run" => "the name of this run",
        "app" => "the program that recorded",
        "says" | "text" | "reason" | "headline" => "a sentence",
        _ if before("members") => "a checksum of another file",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_counted_and_shown_once() {
        let mut fields = Fields::default();
        for n in 0..3 {
            fields.extend(Some(serde_json::json!({"at": {"wall": format!("2026-{n}")}, "list": [{"a": n}, {"a": 9}]})));
        }
        let listed = fields.listed();
        let shown: Vec<_> = listed.iter().map(|f| (f.path.as_str(), f.example.as_str(), f.count)).collect();
        assert_eq!(shown, [("at.wall", "2026-0", 3), ("list[].a", "0", 6)]);
    }

    #[test]
    fn ten_thousand_kinds_and_deep_ones_are_cut() {
        let mut fields = Fields::default();
        for n in 0..10_000 {
            fields.extend(Some(serde_json::json!({ format!("k{n}"): "x".repeat(5_000) })));
        }
        let mut deep = serde_json::json!("end");
        for _ in 0..100 {
            deep = serde_json::json!({ "deeper": deep });
        }
        fields.extend(Some(deep));
        let listed = fields.listed();
        assert_eq!(listed.len(), MOST_KINDS);
        assert!(listed.iter().all(|field| field.example.chars().count() < 130));
    }
}
