//! The `.witness` bundle: a zip with a few members of known names, written whole and read with suspicion.

use crate::{About, Log, about::SCHEMA, damage::Damage};
pub use chain::{Chain, Links};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::{self, Read, Seek, Write};
use thiserror::Error;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

pub mod chain;

pub const ABOUT: &str = "about.json";
pub const EVENTS: &str = "events.jsonl";
pub const VERDICT: &str = "verdict.json";
pub const REPORT: &str = "report.html";
pub const PROFILE: &str = "profile.toml";

/// The members that may stand in a bundle, with the most that each may unpack to. A day of the densest log is under
/// 400 MB; everything else is a page. The limit is on bytes that come out, never on what the zip claims.
const MEMBERS: [(&str, u64); 5] =
    [(ABOUT, 1_000_000), (EVENTS, 400_000_000), (VERDICT, 16_000_000), (REPORT, 500_000_000), (PROFILE, 1_000_000)];
/// A bundle of ours has five members; hundreds are a trap for readers that list them.
const MOST_MEMBERS: usize = 64;

#[derive(Clone, Debug)]
pub struct Bundle {
    pub about: About,
    pub log: Log,
    /// As written by the version that made the bundle; today's rules may say something else.
    pub verdict: Option<Vec<u8>>,
    pub profile: Option<String>,
}

/// A bundle that was read to its last byte, and what each part of it showed.
#[derive(Debug)]
pub struct Verified {
    pub bundle: Bundle,
    pub damage: Vec<Damage>,
    /// Those that belong into a bundle and are there.
    pub members: Vec<Member>,
    pub links: Links,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub name: &'static str,
    pub bytes: u64,
    pub hash: Hash,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    Fits,
    Differs,
    /// `about.json` tells none, or cannot be read.
    Untold,
}

/// What of a file could not even be begun with.
#[derive(Debug, Error)]
pub enum Unreadable {
    #[error(
        "this is not a witness bundle: it is not a zip archive, or its end is missing. Ask for the file again; a mail gateway may have cut it"
    )]
    NotAZip,
    #[error("this is not a witness bundle: the archive holds no events.jsonl")]
    NoEvents,
    #[error(
        "this bundle was written by a newer Linewitness (schema {0}, and this version knows {SCHEMA}). Install the latest version to open it"
    )]
    NewerSchema(String),
    #[error("this is not a witness bundle: about.json names the schema {0}")]
    StrangeSchema(String),
    #[error("this archive holds {0} members; a witness bundle holds five at most, so it was not opened")]
    TooMany(usize),
    #[error("the file could not be read: {0}")]
    Io(#[from] io::Error),
}

/// Writes every member and `about.json`, with the hashes of the others, last.
pub fn write(mut to: impl Write, about: &About, members: &[(&str, &[u8])]) -> io::Result<()> {
    // Packed in memory, where the log lies already: an archive whose disk runs full while it is made would tell the terminal
    // so itself, in a programmer's words.
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    let mut about = About { members: Default::default(), chain: None, ..about.clone() };
    for (name, bytes) in members {
        debug_assert!(MEMBERS.iter().any(|(known, _)| known == name));
        let mut bytes = Cow::Borrowed(*bytes);
        if *name == EVENTS {
            let (linked, chain) = chain::linked(&bytes);
            (bytes, about.chain) = (Cow::Owned(linked), Some(chain));
        }
        zip.start_file(*name, options())?;
        zip.write_all(&bytes)?;
        about.members.insert((*name).to_owned(), hex(&Sha256::digest(&bytes)));
    }
    zip.start_file(ABOUT, options())?;
    zip.write_all(&with_its_own_hash(about)?)?;
    let packed = zip.finish()?.into_inner();
    to.write_all(&packed)?;
    to.flush()
}

fn options() -> SimpleFileOptions {
    // Level 6 packs a log twelvefold; higher levels cost seconds for a few percent. No times: the log has them.
    SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated).compression_level(Some(6))
}

/// `about.json`, which tells its own hash as well: that of itself without those letters.
fn with_its_own_hash(mut about: About) -> io::Result<Vec<u8>> {
    about.members.insert(ABOUT.to_owned(), String::new());
    let hash = hex(&Sha256::digest(serde_json::to_vec_pretty(&about)?));
    about.members.insert(ABOUT.to_owned(), hash);
    Ok(serde_json::to_vec_pretty(&about)?)
}

/// What can be read is read; what is wrong with the rest is listed.
pub fn read(from: impl Read + Seek) -> Result<(Bundle, Vec<Damage>), Unreadable> {
    verify(from).map(|verified| (verified.bundle, verified.damage))
}

/// As `read`, with what each member showed.
pub fn verify(from: impl Read + Seek) -> Result<Verified, Unreadable> {
    let mut zip = ZipArchive::new(from).map_err(|_| Unreadable::NotAZip)?;
    if zip.len() > MOST_MEMBERS {
        return Err(Unreadable::TooMany(zip.len()));
    }
    let mut damage: Vec<Damage> = strange(&zip).into_iter().map(|name| Damage::StrangeMember { name }).collect();

    let about_bytes = member(&mut zip, ABOUT, &mut damage);
    let about = about_bytes.as_deref().map(serde_json::from_slice::<About>);
    let about = match about {
        Some(Ok(about)) => Some(about),
        Some(Err(error)) => {
            damage.push(Damage::BadMember {
                name: ABOUT.into(),
                why: format!("not valid at line {} column {}", error.line(), error.column()),
            });
            schema_alone(about_bytes.as_deref().unwrap_or_default())?;
            None
        }
        None => {
            damage.push(Damage::MissingMember { name: ABOUT.into() });
            None
        }
    };
    if let Some(about) = &about {
        known(&about.schema)?;
    }

    let mut members = Vec::new();
    let mut checked = |name: &'static str, bytes: Option<&[u8]>, damage: &mut Vec<Damage>| {
        let told = about.as_ref().and_then(|about| about.members.get(name));
        match (bytes, told) {
            (Some(bytes), told) => {
                let hash = told.map_or(Hash::Untold, |told| hash_of(name, bytes, told));
                if hash == Hash::Differs {
                    damage.push(Damage::WrongHash { name: name.into() });
                }
                members.push(Member { name, bytes: bytes.len() as u64, hash });
            }
            (None, Some(_)) => damage.push(Damage::MissingMember { name: name.into() }),
            (None, None) => {}
        }
    };
    checked(ABOUT, about_bytes.as_deref(), &mut damage);
    let mut open = |name: &'static str, damage: &mut Vec<Damage>| {
        let bytes = member(&mut zip, name, damage);
        checked(name, bytes.as_deref(), damage);
        bytes
    };
    let events = open(EVENTS, &mut damage).ok_or(Unreadable::NoEvents)?;
    let verdict = open(VERDICT, &mut damage);
    open(REPORT, &mut damage);
    let profile = open(PROFILE, &mut damage).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());

    let (log, torn) = Log::read_lines(&events);
    let (links, broken) = match &about {
        Some(about) => chain::check(&events, Some(about.chain.as_ref())),
        None => chain::check(&events, None),
    };
    // Where the links tell what is missing or was moved, they tell it better than the numbers.
    let better_told =
        |item: &Damage| matches!(item, Damage::Missing { .. } | Damage::Moved { .. } | Damage::PutIn { .. });
    let told = broken.iter().any(better_told);
    damage.extend(torn.into_iter().filter(|item| !told || !matches!(item, Damage::Jump { .. })));
    damage.extend(broken);
    let about = about.unwrap_or_else(|| about_from(&log));
    Ok(Verified { bundle: Bundle { about, log, verdict, profile }, damage, members, links })
}

fn hash_of(name: &str, bytes: &[u8], told: &str) -> Hash {
    let without_its_own;
    let bytes = match name {
        ABOUT => {
            without_its_own = String::from_utf8_lossy(bytes).replace(told, "");
            without_its_own.as_bytes()
        }
        _ => bytes,
    };
    if told == hex(&Sha256::digest(bytes)) { Hash::Fits } else { Hash::Differs }
}

/// One member alone, as it was written; nothing where it cannot be read whole. Of a list of bundles this is soon read.
pub fn read_member(from: impl Read + Seek, name: &str) -> Option<Vec<u8>> {
    let mut zip = ZipArchive::new(from).ok()?;
    let mut damage = Vec::new();
    member(&mut zip, name, &mut damage).filter(|_| damage.is_empty())
}

/// What lies in the archive beside the members of a bundle, up to a few; nobody opens it.
pub fn strangers(from: impl Read + Seek) -> Vec<String> {
    let Ok(zip) = ZipArchive::new(from) else { return Vec::new() };
    strange(&zip).into_iter().take(MOST_MEMBERS).collect()
}

fn strange(zip: &ZipArchive<impl Read + Seek>) -> Vec<String> {
    let names = zip.file_names().map(|name| name.unwrap_or_else(|_| "a member with an unreadable name".into()));
    let mut names: Vec<String> = names
        .filter(|name| !MEMBERS.iter().any(|(known, _)| known == name))
        .map(|name| crate::Heard::new(&name).to_string())
        .collect();
    names.sort();
    names
}

/// A member's bytes, up to its limit; a failure on the way is listed and what came before it is kept.
fn member(zip: &mut ZipArchive<impl Read + Seek>, name: &str, damage: &mut Vec<Damage>) -> Option<Vec<u8>> {
    let limit = MEMBERS.iter().find(|(known, _)| *known == name).map_or(0, |(_, limit)| *limit);
    let file = match zip.by_name(name) {
        Ok(file) => file,
        Err(zip::result::ZipError::FileNotFound) => return None,
        Err(error) => {
            damage.push(Damage::BadMember { name: name.into(), why: error.to_string() });
            return None;
        }
    };
    let mut bytes = Vec::new();
    if let Err(error) = file.take(limit + 1).read_to_end(&mut bytes) {
        damage.push(Damage::BadMember { name: name.into(), why: error.to_string() });
    }
    if bytes.len() as u64 > limit {
        bytes.truncate(limit as usize);
        damage.push(Damage::TooLarge { name: name.into(), limit });
    }
    Some(bytes)
}

fn known(schema: &str) -> Result<(), Unreadable> {
    let shown = || crate::Heard::new(schema).to_string();
    match schema.split_once('/') {
        Some(("linewitness.bundle", "1")) => Ok(()),
        Some(("linewitness.bundle", n)) if n.parse::<u32>().is_ok_and(|n| n > 1) => {
            Err(Unreadable::NewerSchema(shown()))
        }
        _ => Err(Unreadable::StrangeSchema(shown())),
    }
}

/// An about.json that we cannot read whole may still say that a newer version wrote it.
fn schema_alone(bytes: &[u8]) -> Result<(), Unreadable> {
    match serde_json::from_slice::<serde_json::Value>(bytes).ok().as_ref().and_then(|about| about["schema"].as_str()) {
        Some(schema) => known(schema),
        None => Ok(()),
    }
}

/// For a bundle whose cover sheet is lost: what the events themselves tell.
fn about_from(log: &Log) -> About {
    let started = log.events.first().map_or_else(|| crate::Stamp::new(0, 0, 0), |event| event.at);
    About {
        schema: SCHEMA.into(),
        app: crate::Heard::default(),
        run: crate::RunId::new(started, [0; 5]),
        platform: crate::Platform::default(),
        started,
        names: None,
        members: std::collections::BTreeMap::new(),
        chain: None,
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests;
