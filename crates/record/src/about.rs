//! `About`: the bundle's cover sheet: what wrote it, where and when, and the hashes of the members.

use crate::{Heard, Stamp, bundle::Chain, profile::Addresses};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::collections::BTreeMap;
use std::fmt;

/// The schema this version writes. A later number after the slash is one that we may not understand.
pub const SCHEMA: &str = "linewitness.bundle/1";

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct About {
    pub schema: String,
    /// The version of the program that wrote the log.
    pub app: Heard,
    pub run: RunId,
    pub platform: Platform,
    pub started: Stamp,
    /// What stands for addresses and hosts; in a bundle of before there were names, what they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Addresses>,
    /// SHA-256 of every member, in hexadecimal; its own is of `about.json` without these letters. Empty in a run folder,
    /// where nothing is final.
    #[serde(default)]
    pub members: BTreeMap<String, String>,
    /// The head of the chain over the events, which older bundles have not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `macos` or `windows`.
    pub os: Heard,
    pub version: Heard,
    pub arch: Heard,
    pub cores: u32,
}

/// Short enough to be read out over the telephone: `20261121-1000-k7m2q`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct RunId(String);

impl RunId {
    /// From the start's wall time and some randomness. Letters that are easily confused are not used.
    pub fn new(started: Stamp, random: [u8; 5]) -> Self {
        const LETTERS: &[u8; 28] = b"abcdefghjkmnpqrstvwxyz234567";
        let tail: String = random.iter().map(|b| char::from(LETTERS[usize::from(*b) % LETTERS.len()])).collect();
        Self(format!("{}-{tail}", started.wall.timestamp().strftime("%Y%m%d-%H%M")))
    }
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(text.to_owned()))
    }
}
impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // It becomes part of file names: nothing but its own alphabet is let in.
        Self::parse(&String::deserialize(from)?).ok_or_else(|| de::Error::custom("not a run id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_is_spoken_easily_and_never_a_path() {
        let id = RunId::new(Stamp::new(1_795_255_200_000_000, 0, 0), [0, 27, 200, 5, 9]);
        assert_eq!(id.to_string(), "20261121-1000-a7efk");
        assert_eq!(RunId::parse(&id.to_string()), Some(id));
        for bad in ["", "../../etc", "A", "a b", &"x".repeat(41)] {
            assert_eq!(RunId::parse(bad), None, "{bad}");
        }
    }
}
