//! The `.witness` bundle: a zip with a few members of known names, written whole and read with suspicion.

use crate::{About, Log, about::SCHEMA, log::Damage};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Seek, Write};
use thiserror::Error;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

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
    let mut about = about.clone();
    about.members.clear();
    for (name, bytes) in members {
        debug_assert!(MEMBERS.iter().any(|(known, _)| known == name));
        zip.start_file(*name, options())?;
        zip.write_all(bytes)?;
        about.members.insert((*name).to_owned(), hex(&Sha256::digest(bytes)));
    }
    zip.start_file(ABOUT, options())?;
    zip.write_all(&serde_json::to_vec_pretty(&about)?)?;
    let packed = zip.finish()?.into_inner();
    to.write_all(&packed)?;
    to.flush()
}

fn options() -> SimpleFileOptions {
    // Level 6 packs a log twelvefold; higher levels cost seconds for a few percent. No times: the log has them.
    SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated).compression_level(Some(6))
}

/// What can be read is read; what is wrong with the rest is listed.
pub fn read(from: impl Read + Seek) -> Result<(Bundle, Vec<Damage>), Unreadable> {
    let mut zip = ZipArchive::new(from).map_err(|_| Unreadable::NotAZip)?;
    if zip.len() > MOST_MEMBERS {
        return Err(Unreadable::TooMany(zip.len()));
    }
    let mut damage: Vec<Damage> = strange(&zip).into_iter().map(|name| Damage::StrangeMember { name }).collect();

    let about_bytes = member(&mut zip, ABOUT, &mut damage);
    let about = match about_bytes.as_deref().map(serde_json::from_slice::<About>) {
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

    let hash_of = |name: &str| about.as_ref().and_then(|about| about.members.get(name)).cloned();
    let mut checked = |name: &str, damage: &mut Vec<Damage>| {
        let bytes = member(&mut zip, name, damage);
        match (&bytes, hash_of(name)) {
            (Some(bytes), Some(hash)) if hash != hex(&Sha256::digest(bytes)) => {
                damage.push(Damage::WrongHash { name: name.into() })
            }
            (None, Some(_)) => damage.push(Damage::MissingMember { name: name.into() }),
            _ => {}
        }
        bytes
    };
    let events = checked(EVENTS, &mut damage).ok_or(Unreadable::NoEvents)?;
    let verdict = checked(VERDICT, &mut damage);
    let profile = checked(PROFILE, &mut damage).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    checked(REPORT, &mut damage);

    let (log, torn) = Log::read_lines(&events);
    damage.extend(torn);
    let about = about.unwrap_or_else(|| about_from(&log));
    Ok((Bundle { about, log, verdict, profile }, damage))
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
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests;
