//! What a browser or an application wrote down of a call, as a log that is explained like any other. It holds what the dump
//! shows and not more: the moments are those of the dump's own looks, and what it cannot show is said to be not seen.
//!
//! A dump is a stranger's file. Nothing of it reaches the log but numbers, addresses, states and a few bounded words.
#![forbid(unsafe_code)]

mod facts;
mod internals;
mod rtcstats;
mod seen;
mod stats;

use record::{About, Log, Platform, RunId, about};
use thiserror::Error;

/// Of a dump that was unpacked. Eight hours of looks, one a second, are half of it.
pub const MOST: u64 = 128 * 1024 * 1024;

#[derive(Debug, Error)]
pub enum Refusal {
    #[error(
        "this is no dump that can be imported; known are those of chrome://webrtc-internals (\"Create a WebRTC-Internals dump\") and of rtcstats"
    )]
    Unknown,
    #[error(
        "this {format} dump cannot be read: {why}; it may have been cut on its way, so ask for it again, packed as it was"
    )]
    Broken { format: &'static str, why: String },
    #[error(
        "this {0} dump shows nothing of a call: on none of its connections did media arrive, and none failed. Take it while the call stands, or after it failed, with the page of the call still open"
    )]
    NoCall(&'static str),
}

/// A log and its cover sheet; `app` names this program.
#[derive(Debug)]
pub struct Imported {
    pub about: About,
    pub log: Log,
}

/// The one connection of a dump on which most media arrived. `random` becomes part of the run's name.
pub fn read(dump: &[u8], app: &str, random: [u8; 5]) -> Result<Imported, Refusal> {
    let dump = match dump.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => internals::read(dump)?,
        Some(b'[' | b'R') => rtcstats::read(dump)?,
        _ => return Err(Refusal::Unknown),
    };
    let format = dump.format;
    let log = facts::log(dump).ok_or(Refusal::NoCall(format))?;
    let started = log.events.first().map(|event| event.at).ok_or(Refusal::NoCall(format))?;
    let about = About {
        schema: about::SCHEMA.to_owned(),
        app: format!("{app}, imported from {format}").as_str().into(),
        run: RunId::new(started, random),
        platform: Platform::default(),
        started,
        chain: None,
        // A dump is somebody's own file already: what it says is said.
        names: Some(record::profile::Addresses::Plain),
        members: std::collections::BTreeMap::new(),
    };
    Ok(Imported { about, log })
}
