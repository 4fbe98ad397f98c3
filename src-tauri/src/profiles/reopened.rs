//! A profile's file in the form again. What the form has no field for is not dropped in silence: then the file stays as it
//! is, and is changed as text.

use super::{Written, form};
use crate::taking::file_name;
use crate::wire::{Draft, Failure};
use record::{
    Private, Profile,
    profile::{self, Address, HeartbeatChoice, IceServer, Span},
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

pub fn open(path: &Path) -> Result<Draft, Failure> {
    let profile = desk::files::profile(path)?;
    let draft = of(&profile);
    let again = profile::read(Written::of(&draft).0.whole().as_bytes());
    let lost = again.map_or_else(|_| vec!["more".to_owned()], |again| lost(&profile, &again));
    match lost.as_slice() {
        [] => Ok(draft),
        lost => Err(Failure {
            says: format!(
                "{} says what this form has no field for ({}); change it as text, in any editor",
                file_name(path),
                lost.join(", ")
            ),
        }),
    }
}

fn of(profile: &Profile) -> Draft {
    let (signaling, ice, lanes) = (&profile.signaling, &profile.ice, &profile.lanes);
    let secret = |of: fn(&IceServer) -> &Option<Private<String>>| {
        ice.servers.iter().find_map(|server| revealed(of(server))).unwrap_or_default()
    };
    let switch = |on: bool| if on { "true".to_owned() } else { String::new() };
    let said = [
        ("name", profile.name.clone()),
        ("for", profile.for_.to_string()),
        ("stay_awake", switch(profile.stay_awake.unwrap_or(true))),
        ("url", signaling.url.reveal().to_string()),
        ("token", revealed(&signaling.token).unwrap_or_default()),
        ("ca", signaling.ca.clone().unwrap_or_default()),
        (
            "heartbeat",
            match signaling.heartbeat {
                HeartbeatChoice::Off(_) => "off".to_owned(),
                HeartbeatChoice::On(heartbeat) => heartbeat.every.to_string(),
            },
        ),
        ("silence", word(profile.media.silence)),
        ("policy", word(ice.policy)),
        ("servers", ice.servers.iter().flat_map(|server| server.urls.clone()).collect::<Vec<_>>().join("\n")),
        ("username", secret(|server| &server.username)),
        ("credential", secret(|server| &server.credential)),
        ("bare_websocket", switch(lanes.bare_websocket)),
        ("talking", switch(lanes.talking)),
        ("quiet_ladder", lines(&lanes.quiet_ladder, Span::to_string)),
        ("udp_ladder", lines(&lanes.udp_ladder, Span::to_string)),
        ("controls", lines(&lanes.controls, ToString::to_string)),
        ("also", lines(&lanes.also, |url: &Address| url.reveal().to_string())),
        ("recovery", word(profile.recovery.policy)),
    ];
    let kinds = form().kinds;
    let fields = kinds.iter().find(|kind| kind.id == signaling.kind).map_or(&[][..], |kind| &kind.fields);
    let mut values: BTreeMap<String, String> =
        fields.iter().map(|field| (field.id.clone(), field.default.clone())).collect();
    values.extend(said.map(|(id, value)| (id.to_owned(), value)));
    Draft { kind: signaling.kind.clone(), values }
}

/// What of `file` the form would write otherwise, by the profile's own names. That the window keeps the computer awake
/// where nothing is said, as the form writes it, is no other profile.
fn lost(file: &Profile, again: &Profile) -> Vec<String> {
    let mut file = file.clone();
    file.stay_awake = file.stay_awake.or(Some(true));
    let mut lost = differing("", &table(&file), &table(again));
    // Secrets are in no table.
    if lost.is_empty() && file != *again {
        lost.push("the servers' passwords".into());
    }
    lost
}

fn differing(before: &str, one: &Table, other: &Table) -> Vec<String> {
    let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
    let named = names.filter(|name| one.get(*name) != other.get(*name)).flat_map(|name| {
        match (one.get(name), other.get(name)) {
            (Some(Value::Table(one)), Some(Value::Table(other))) => differing(&format!("{before}{name}."), one, other),
            _ => vec![format!("{before}{name}")],
        }
    });
    named.collect()
}

fn table(profile: &Profile) -> Table {
    profile.without_secrets().parse().expect("a profile is written as TOML")
}

fn revealed(secret: &Option<Private<String>>) -> Option<String> {
    secret.as_ref().map(|secret| secret.reveal().clone())
}

fn lines<T>(entries: &[T], text: impl Fn(&T) -> String) -> String {
    entries.iter().map(text).collect::<Vec<_>>().join("\n")
}

/// As the profile writes a choice.
fn word(choice: impl Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|value| Some(value.as_str()?.to_owned())).expect("a choice is one word")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::file;

    fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("acme.witness-profile");
        std::fs::write(&path, text).expect("writable");
        (folder, path)
    }

    #[test]
    fn a_file_is_the_same_file_after_the_form() {
        let text = r#"
            name = "Acme"
            for = "4h"
            stay_awake = false
            [signaling]
            kind = "janus"
            url = "wss://user:hunter1@janus.example/ws?key=hunter2"
            token = "hunter3"
            heartbeat = { every = "20s" }
            [ice]
            policy = "relay"
            [[ice.servers]]
            urls = ["stun:stun.example"]
            [[ice.servers]]
            urls = ["turns:turn.example:443?transport=tcp"]
            username = "acme"
            credential = "hunter4"
            [media]
            silence = "dtx"
            [lanes]
            talking = false
            quiet_ladder = ["31s"]
            controls = ["gateway", "https://acme.example/"]
            also = ["wss://other.example/"]
            [recovery]
            policy = "as-telnyx"
        "#;
        let (_folder, path) = written(text);
        let draft = open(&path).expect("the form holds all of it");
        let again = profile::read(file(&draft).expect("ready").0.as_bytes()).expect("a profile");
        assert_eq!(again, profile::read(text.as_bytes()).expect("a profile"));
    }

    #[test]
    fn what_the_form_has_no_field_for_is_named() {
        let (_folder, path) = written(
            "[signaling]\nurl = \"wss://far.example/\"\nheartbeat = { every = \"5s\", answer_within = \"2s\" }\n[share]\naddresses = \"plain\"\n",
        );
        let Err(failure) = open(&path) else { panic!("it would be lost") };
        assert!(
            failure.says.contains("signaling.heartbeat.answer_within") && failure.says.contains("share.addresses"),
            "{}",
            failure.says
        );
        let two = "[signaling]\nurl = \"wss://far.example/\"\n[[ice.servers]]\nurls = [\"turn:a.example\"]\nusername = \"a\"\ncredential = \"hunter1\"\n[[ice.servers]]\nurls = [\"turn:b.example\"]\nusername = \"b\"\ncredential = \"hunter2\"\n";
        let (_folder, path) = written(two);
        let Err(failure) = open(&path) else { panic!("one password would be lost") };
        assert!(failure.says.contains("ice.servers") && !failure.says.contains("hunter"), "{}", failure.says);
    }
}
