//! What this computer keeps of its runs: their folders, and the bundles of those that were held in a window, until their user
//! saves them elsewhere. All of it is listed, can be deleted, and has a limit.

use crate::{Failure, files};
use engine::runs::{self, Found, State};
use record::{bundle, profile};
use serde_json::Value;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

mod entry;
mod limit;
mod removal;

pub use entry::{Entry, Told, all};
pub use limit::{KEEP, Limit, NEVER, size};
pub use removal::{delete, keep_last, prune};

/// A finished run whose bundle is still there.
#[derive(Debug)]
pub struct Kept {
    pub run: Found,
    pub name: String,
    pub bundle: PathBuf,
    /// `verdict.json`, as the version that made it worded it.
    pub verdict: Value,
}

/// Where a window puts them, which asks for no place before it holds.
pub fn folder() -> Result<PathBuf, Failure> {
    let folder = bundles(&home()?);
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::ours(format!("{}: {}", folder.display(), files::why_not_written(&error))))?;
    Ok(folder)
}

fn bundles(home: &Path) -> PathBuf {
    let folder = home.join("bundles");
    std::path::absolute(&folder).unwrap_or(folder)
}

/// What the user's own limit is, in place of ours.
pub fn limit() -> Result<Limit, Failure> {
    match std::env::var_os(KEEP).filter(|text| !text.is_empty()) {
        None => Ok(Limit::default()),
        Some(text) => Limit::parse(&text.to_string_lossy()).map_err(Failure::bad_input),
    }
}

/// The latest first.
pub fn latest(most: usize) -> Result<Vec<Kept>, Failure> {
    Ok(runs()?.into_iter().rev().filter_map(kept).take(most).collect())
}

/// The bundle of a run that is over, by the run's name.
pub fn bundle_of(run: &str) -> Option<PathBuf> {
    let found = runs().ok()?.into_iter().find(|found| found.about.run.to_string() == run);
    match found {
        Some(found) => runs::bundle_of(&found),
        // Nothing else is left of it.
        None => all().ok()?.into_iter().find(|entry| entry.run.to_string() == run)?.bundle,
    }
}

/// Removes what is left of a run that broke off.
pub fn forget(run: &str) -> Result<(), Failure> {
    let broken = |found: &Found| found.state == State::BrokenOff && found.about.run.to_string() == run;
    let Some(found) = runs()?.into_iter().find(broken) else {
        return Err(Failure::bad_input(format!("no run named {} broke off", record::Heard::new(run))));
    };
    removal::folder(&found).map(|_gone| ())
}

fn kept(run: Found) -> Option<Kept> {
    let bundle = runs::bundle_of(&run)?;
    let verdict = bundle::read_member(BufReader::new(File::open(&bundle).ok()?), bundle::VERDICT)?;
    let profile = fs::read_to_string(run.folder.join(bundle::PROFILE)).unwrap_or_default();
    let name = profile::name_in(&profile).unwrap_or_default();
    Some(Kept { name, bundle, verdict: serde_json::from_slice(&verdict).ok()?, run })
}

fn runs() -> Result<Vec<Found>, Failure> {
    let home = home()?;
    runs::list(&home).map_err(|error| Failure::ours(format!("{}: {}", home.display(), files::why(&error))))
}

fn home() -> Result<PathBuf, Failure> {
    runs::home().map_err(|error| Failure::ours(error.to_string()))
}
