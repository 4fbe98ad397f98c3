//! Reading a profile: one sentence for each thing that can be wrong with it, naming the line, and never quoting the line
//! itself, which may hold a secret.

use super::{HeartbeatChoice, Profile};
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
    for server in &profile.ice.servers {
        if server.urls.is_empty() {
            return Err(("urls", "an ICE server without urls; write urls = [\"stun:host:3478\"]".into()));
        }
        for url in &server.urls {
            let scheme = url.split(':').next().unwrap_or_default();
            let host = url.split_once(':').map_or("", |(_, rest)| rest).split(['?', '@']).next().unwrap_or_default();
            if !["stun", "stuns", "turn", "turns"].contains(&scheme) || host.is_empty() || host.starts_with('/') {
                return Err((
                    "urls",
                    "an ICE server URL looks like stun:host:3478 or turns:host:443?transport=tcp".into(),
                ));
            }
            if scheme.starts_with("turn") && (server.username.is_none() || server.credential.is_none()) {
                return Err(("urls", "a TURN server needs username and credential".into()));
            }
        }
    }
    if profile.ice.policy == super::IcePolicy::Relay
        && !profile.ice.servers.iter().flat_map(|s| &s.urls).any(|u| u.starts_with("turn"))
    {
        return Err(("policy", "ice.policy is \"relay\", and no TURN server is listed under [[ice.servers]]".into()));
    }
    Ok(())
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
