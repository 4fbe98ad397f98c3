//! Reading a profile: one sentence for each thing that can be wrong with it, naming the line, and never quoting the line
//! itself, which may hold a secret.

use super::{
    HeartbeatChoice, IcePolicy, IceServer, IceUrl, PLACEHOLDER, Profile, RETEST, Recipient,
    address::without_user_and_query,
};
use crate::{Heard, Private};
use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub line: Option<usize>,
    pub says: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.says),
            None => f.write_str(&self.says),
        }
    }
}
impl std::error::Error for Refusal {}

/// A profile is a page of text; anything this large is another file by mistake.
const LARGEST: usize = 256 * 1024;
const SHORTEST_KEY: usize = 16;

pub fn read(bytes: &[u8]) -> Result<Profile, Refusal> {
    let plain = |says: String| Refusal { line: None, says };
    if bytes.len() > LARGEST {
        return Err(plain("this file is too large to be a profile (over 256 kB)".into()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Refusal {
        line: Some(line_of(bytes, error.valid_up_to())),
        says: "this is not text; a profile is a TOML file in UTF-8".into(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let profile: Profile = toml::from_str(text).map_err(|error| Refusal {
        line: error.span().map(|span| line_of(text.as_bytes(), span.start)),
        says: words(&error),
    })?;
    check(&profile).map_err(|(field, says)| Refusal { line: line_of_field(text, field), says })?;
    Ok(profile)
}

/// One whose secrets were left out, as a run keeps it: to be shown, and not to be held.
pub fn shown(text: &str) -> Option<Profile> {
    toml::from_str(text).ok()
}

/// What a profile calls itself, also one whose secrets were left out and that would not be read whole.
pub fn name_in(text: &str) -> Option<String> {
    let table: toml::Table = toml::from_str(text).ok()?;
    let name = Heard::new(table.get("name")?.as_str()?);
    (!name.is_empty()).then(|| name.to_string())
}

/// To whom its bundle is encrypted, also of a profile whose secrets were left out. What is written and cannot be understood is
/// an error: to pass it over would give away in plain what was to be encrypted.
pub fn recipient_in(text: &str) -> Result<Option<Recipient>, String> {
    let table: toml::Table = toml::from_str(text).map_err(|_| "the run's profile is no TOML any more")?;
    match table.get("share").and_then(|share| share.get("recipient")) {
        Some(toml::Value::String(recipient)) => Recipient::parse(recipient).map(Some),
        Some(_) => Err("share.recipient is no text".into()),
        None => Ok(None),
    }
}

/// What TOML cannot say by types alone; the field's name leads back to its line.
fn check(profile: &Profile) -> Result<(), (&'static str, String)> {
    if let HeartbeatChoice::On(heartbeat) = profile.signaling.heartbeat
        && heartbeat.answer_within.get() < std::time::Duration::from_millis(100)
    {
        return Err((
            "heartbeat",
            "answer_within is under 100ms: answers from afar take longer, so every one would count as lost".into(),
        ));
    }
    not_ready(profile)?;
    if profile.signaling.token_expires.is_some() && profile.signaling.token_ends().is_none() {
        let says = "token_expires is not a time with its zone; write it as 2026-11-21T12:00:00Z";
        return Err(("token_expires", says.into()));
    }
    if profile.share.names_key.as_ref().is_some_and(|key| key.reveal().chars().count() < SHORTEST_KEY) {
        return Err((
            "names_key",
            "names_key is shorter than 16 characters: whoever guesses it can tell addresses from their names".into(),
        ));
    }
    profile.lanes.check()?;
    for server in &profile.ice.servers {
        if server.urls.is_empty() {
            return Err(("urls", "an ICE server without urls; write urls = [\"stun:host:3478\"]".into()));
        }
        for url in &server.urls {
            let url = IceUrl::parse(url).map_err(|why| ("urls", format!("an ICE server URL cannot be used: {why}")))?;
            let missing = |given: &Option<Private<String>>| given.as_ref().is_none_or(|text| text.reveal().is_empty());
            if url.is_turn() && (missing(&server.username) || missing(&server.credential)) {
                return Err(("urls", "a TURN server needs username and credential".into()));
            }
        }
        if server.expires.is_some() && server.ends().is_none() {
            let says = "expires is not a time with its zone; write it as 2026-11-21T12:00:00Z";
            return Err(("expires", says.into()));
        }
    }
    // A reflector may hand out TURN servers of its own; whether it does, only its welcome tells.
    let may_be_handed_one = profile.signaling.kind == "reflector";
    if profile.ice.policy == IcePolicy::Relay && !may_be_handed_one && !profile.ice.servers.iter().any(has_turn) {
        return Err(("policy", "ice.policy is \"relay\", and no TURN server is listed under [[ice.servers]]".into()));
    }
    Ok(())
}

/// What must be filled in first: all of it in one go, by the line of the first.
fn not_ready(profile: &Profile) -> Result<(), (&'static str, String)> {
    let test = if profile.name.starts_with(RETEST) { "retest" } else { "test" };
    let mut fill = Vec::new();
    if is_placeholder(profile.signaling.token.as_ref()) {
        fill.push(("token", format!("this {test} logs in with a token: fill it in first")));
    }
    let way = if profile.ice.policy == IcePolicy::Relay { "must" } else { "may" };
    for server in &profile.ice.servers {
        let field = match (is_placeholder(server.username.as_ref()), is_placeholder(server.credential.as_ref())) {
            (true, _) => "username",
            (_, true) => "credential",
            _ => continue,
        };
        let urls: Vec<String> = server.urls.iter().map(|url| without_user_and_query(url)).collect();
        let urls = Heard::new(&urls.join(", "));
        fill.push((field, format!("this {test} {way} go through {urls}: fill in its user name and password first")));
    }
    let Some(field) = fill.first().map(|(field, _)| *field) else { return Ok(()) };
    let says: Vec<String> = fill.into_iter().map(|(_, says)| says).collect();
    Err((field, format!("Not ready: {}", says.join("; and "))))
}

fn has_turn(server: &IceServer) -> bool {
    server.urls.iter().any(|url| IceUrl::parse(url).is_ok_and(|url| url.is_turn()))
}

/// What stands in examples, and in a retest, where a secret goes.
fn is_placeholder(secret: Option<&Private<String>>) -> bool {
    secret.is_some_and(|secret| matches!(secret.reveal().as_str(), PLACEHOLDER | "..."))
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    bytes[..offset.min(bytes.len())].iter().filter(|b| **b == b'\n').count() + 1
}

fn line_of_field(text: &str, field: &str) -> Option<usize> {
    text.lines().position(|line| line.trim_start().starts_with(field)).map(|i| i + 1)
}

/// TOML's own words, on one line and short; values that it may quote are our own fields' and never a secret's (a secret
/// of a wrong type is refused without repeating it).
fn words(error: &toml::de::Error) -> String {
    let message: String = error.message().replace(['\n', '\r'], " ");
    message.chars().filter(|c| !c.is_control()).take(300).collect()
}
