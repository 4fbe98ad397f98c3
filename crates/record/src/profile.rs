//! `Profile`: what a support desk prepares and an end user runs: where to call, for how long, and how.
//!
//! Reading is strict: an unknown field is refused by name, because a misspelt `heartbeat` would silently test something
//! else. Secrets are `Private`, so the profile that goes into a bundle is this one, serialised.

use crate::{Private, Scrub, Wall};
use serde::{Deserialize, Serialize, Serializer};

mod address;
mod control_target;
mod ice_url;
mod lanes;
mod read;
mod recipient;
mod span;

pub use address::Address;
pub use control_target::ControlTarget;
pub use ice_url::{IceScheme, IceTransport, IceUrl};
pub use lanes::{Lanes, MOST_ALSO, MOST_RUNGS};
pub use read::{Refusal, name_in, read, recipient_in, shown};
pub use recipient::Recipient;
pub use span::Span;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    #[serde(default)]
    pub name: String,
    #[serde(rename = "for", default = "five_minutes")]
    pub for_: Span,
    /// Ask the system not to sleep while the hold lasts, or on purpose not: then the computer does as it always does, and
    /// that is seen. Unsaid, it is for whoever holds: the terminal does not ask, the window does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay_awake: Option<bool>,
    pub signaling: Signaling,
    #[serde(default)]
    pub ice: Ice,
    #[serde(default)]
    pub media: Media,
    #[serde(default)]
    pub lanes: Lanes,
    #[serde(default)]
    pub recovery: Recovery,
    #[serde(default)]
    pub share: Share,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signaling {
    /// An adapter's id; which ones there are, the engine knows.
    #[serde(default = "reflector")]
    pub kind: String,
    pub url: Address,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "left_out")]
    pub token: Option<Private<String>>,
    /// When the token ends, where its maker knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_expires: Option<toml::value::Datetime>,
    /// A certificate authority of the far end's own: PEM text, or the path of a PEM file beside the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    #[serde(default)]
    pub heartbeat: HeartbeatChoice,
}

/// `heartbeat = "off"`, or how often and how long to wait for the answer.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeartbeatChoice {
    Off(Off),
    On(Heartbeat),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    Off,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    pub every: Span,
    #[serde(default = "five_seconds")]
    pub answer_within: Span,
}

/// Five seconds finds a dead socket within six and costs 12 packets a minute. It also keeps proxies with short idle
/// limits from closing: that is what the bare lane is for.
impl Default for HeartbeatChoice {
    fn default() -> Self {
        Self::On(Heartbeat { every: five_seconds(), answer_within: five_seconds() })
    }
}

impl HeartbeatChoice {
    /// As the log words it.
    pub fn planned(self) -> Option<crate::fact::Heartbeat> {
        let Self::On(heartbeat) = self else { return None };
        Some(crate::fact::Heartbeat {
            every_ms: crate::millis(heartbeat.every.get()),
            answer_within_ms: crate::millis(heartbeat.answer_within.get()),
        })
    }
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ice {
    pub policy: IcePolicy,
    pub servers: Vec<IceServer>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IcePolicy {
    #[default]
    All,
    Relay,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    pub urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "left_out")]
    pub username: Option<Private<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "left_out")]
    pub credential: Option<Private<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<toml::value::Datetime>,
}

impl IceServer {
    /// When its credentials end; nothing where the profile does not say, or not as a time with its zone.
    pub fn ends(&self) -> Option<Wall> {
        wall(self.expires.as_ref()?)
    }
}

impl Signaling {
    /// When the token ends; nothing where the profile does not say, or not as a time with its zone.
    pub fn token_ends(&self) -> Option<Wall> {
        wall(self.token_expires.as_ref()?)
    }
}

/// What stands where a secret goes: in examples, in a bundle, and in a retest until it is filled in.
pub const PLACEHOLDER: &str = "…";

/// Begins the name of a profile that tries a report again.
pub const RETEST: &str = "Retest: ";

/// That there was one is told, and nothing of it.
fn left_out<S: Serializer>(_secret: &Option<Private<String>>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(PLACEHOLDER)
}

fn wall(written: &toml::value::Datetime) -> Option<Wall> {
    let written: jiff::Timestamp = written.to_string().parse().ok()?;
    Some(Wall::from_micros(written.as_microsecond()))
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    pub silence: Silence,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// Silent Opus frames, 50 packets a second: a muted caller.
    #[default]
    Frames,
    /// Comfort noise, two and a half packets a second: a caller whose SDK saves bandwidth.
    Dtx,
    /// A call without any media packet.
    None,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recovery {
    pub policy: RecoveryPolicy,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryPolicy {
    /// Tries for as long as the hold lasts.
    #[default]
    Patient,
    None,
    AsTwilio,
    AsTelnyx,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Share {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Addresses>,
    /// With it, the same address has the same name in each bundle of this desk. Whoever has it can tell addresses from
    /// names, by trying them all.
    #[serde(skip_serializing)]
    pub names_key: Option<Private<String>>,
}

/// What stands in a bundle for addresses, hosts, networks and sessions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addresses {
    #[default]
    Pseudonyms,
    Plain,
}

impl Profile {
    /// What `hold --to URL` without a profile means.
    pub fn to(url: Address) -> Self {
        Self {
            name: String::new(),
            for_: five_minutes(),
            stay_awake: None,
            signaling: Signaling {
                kind: reflector(),
                url,
                token: None,
                token_expires: None,
                ca: None,
                heartbeat: HeartbeatChoice::default(),
            },
            ice: Ice::default(),
            media: Media::default(),
            lanes: Lanes::default(),
            recovery: Recovery::default(),
            share: Share::default(),
        }
    }

    pub fn stays_awake(&self) -> bool {
        self.stay_awake.unwrap_or(false)
    }

    /// A sentence for each ICE server whose credentials end before a hold that begins now does.
    pub fn credentials_that_end_early(&self, now: Wall) -> Vec<String> {
        let held_until = now.micros().saturating_add(self.for_.get().as_micros() as i64);
        let ends_early = |server: &IceServer| {
            let ends = server.ends().filter(|ends| ends.micros() < held_until)?;
            let names: Vec<_> = server.urls.iter().map(|url| address::without_user_and_query(url)).collect();
            let (names, written) = (names.join(", "), server.expires.as_ref()?);
            Some(if ends <= now {
                format!("the credentials of {names} have expired at {written}; ask for new ones before this hold")
            } else {
                format!("the credentials of {names} expire at {written}, before this hold of {} ends", self.for_)
            })
        };
        self.ice.servers.iter().filter_map(ends_early).collect()
    }

    /// What is kept out of the words of strangers: the token, and all of the URL that is not shown.
    pub fn scrub(&self) -> Scrub {
        let token = self.signaling.token.iter().map(|token| token.reveal().clone());
        let others = self.lanes.also.iter().flat_map(Address::secrets);
        Scrub::new(token.chain(self.signaling.url.secrets()).chain(others))
    }

    /// As used, a placeholder for each secret: the bundle's `profile.toml`.
    pub fn without_secrets(&self) -> String {
        let mut shown = self.clone();
        // A CA given by path says where it lay on the maker's machine; given as text it is public.
        shown.signaling.ca = shown.signaling.ca.as_deref().and_then(certificates_in);
        for server in &mut shown.ice.servers {
            for url in &mut server.urls {
                *url = address::without_user_and_query(url);
            }
        }
        toml::to_string(&shown).expect("every part of a profile has a form in TOML")
    }
}

/// Of PEM text the certificates alone: a file that holds one may hold its private key as well.
pub fn certificates_in(pem: &str) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let blocks = pem.split(BEGIN).skip(1).filter_map(|rest| Some(rest.split_once(END)?.0));
    let blocks: Vec<String> = blocks.map(|block| format!("{BEGIN}{block}{END}\n")).collect();
    (!blocks.is_empty()).then(|| blocks.concat())
}

fn reflector() -> String {
    "reflector".to_owned()
}
fn five_minutes() -> Span {
    Span::seconds(300)
}
fn five_seconds() -> Span {
    Span::seconds(5)
}

#[cfg(test)]
mod tests;
