//! One run in the list of what is kept.

use super::{bundles, home, runs};
use crate::{Failure, recover::bundle_name};
use engine::runs::{self as folders, Found, State};
use record::{About, Heard, RunId, Wall, bundle};
use serde_json::Value;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Entry {
    pub run: RunId,
    pub started: Wall,
    pub state: State,
    /// Where its bundle is, if it is there.
    pub bundle: Option<PathBuf>,
    /// What it takes of this program's own folders.
    pub bytes: u64,
    /// Absent where nothing but the bundle is left.
    pub(super) found: Option<Found>,
    /// The bundle lies where this program put it unasked.
    pub(super) is_ours: bool,
}

/// The outcome in the words of whoever wrote it last.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    pub held_s: f64,
    pub headline: Heard,
}

/// Everything that is kept, in the order in which it began.
pub fn all() -> Result<Vec<Entry>, Failure> {
    let ours = bundles(&home()?);
    let found = runs()?;
    let known = |run: &RunId| found.iter().any(|found| found.about.run == *run);
    // Of versions that cleared the folders of runs away, and not their bundles.
    let mut entries: Vec<Entry> = left_in(&ours).filter(|entry| !known(&entry.run)).collect();
    entries.sort_by(|a, b| (a.started, &a.run).cmp(&(b.started, &b.run)));
    entries.extend(found.into_iter().map(|found| Entry::of(found, &ours)));
    Ok(entries)
}

impl Entry {
    fn of(found: Found, ours: &Path) -> Self {
        let bundle = folders::bundle_of(&found).filter(|bundle| bundle.is_file());
        let is_ours = bundle.as_ref().is_some_and(|bundle| *bundle == ours.join(bundle_name(&found.about.run)));
        let of_bundle = bundle.as_ref().filter(|_| is_ours).map_or(0, |bundle| length(bundle));
        Self {
            run: found.about.run.clone(),
            started: found.about.started.wall,
            state: found.state,
            bundle,
            bytes: folders::size(&found) + of_bundle,
            found: Some(found),
            is_ours,
        }
    }

    /// A bundle that lies where a window puts them.
    fn of_bundle(path: PathBuf) -> Option<Self> {
        let about: About = serde_json::from_slice(&member(&path, bundle::ABOUT)?).ok()?;
        // By another name, somebody else has put it there.
        (path.file_name()? == bundle_name(&about.run).as_os_str()).then(|| Self {
            run: about.run,
            started: about.started.wall,
            state: State::Bundled,
            bytes: length(&path),
            bundle: Some(path),
            found: None,
            is_ours: true,
        })
    }

    /// From the bundle, which is soon read; where there is none, from the whole log. Nothing of a run that goes on.
    pub fn told(&self) -> Option<Told> {
        if self.state == State::Live {
            return None;
        }
        self.told_by_bundle().or_else(|| {
            let (_, log, _, _) = folders::read(&self.found.as_ref()?.folder).ok()?;
            let head = explain::story(&log).head;
            Some(Told { held_s: head.held_s, headline: Heard::new(&head.headline) })
        })
    }

    /// As its profile calls it; nothing where it has no name.
    pub fn name(&self) -> String {
        let profile = self.found.as_ref().and_then(|found| fs::read_to_string(found.folder.join(bundle::PROFILE)).ok());
        profile.and_then(|profile| record::profile::name_in(&profile)).unwrap_or_default()
    }

    /// `verdict.json` of its bundle, as the version that made it worded it.
    pub fn verdict(&self) -> Option<Value> {
        serde_json::from_slice(&member(self.bundle.as_ref()?, bundle::VERDICT)?).ok()
    }

    fn told_by_bundle(&self) -> Option<Told> {
        let verdict = self.verdict()?;
        Some(Told { held_s: verdict["held_s"].as_f64()?, headline: Heard::new(verdict["headline"].as_str()?) })
    }
}

fn left_in(ours: &Path) -> impl Iterator<Item = Entry> {
    let files = fs::read_dir(ours).into_iter().flatten().filter_map(Result::ok);
    files.filter_map(|file| Entry::of_bundle(file.path()))
}

fn member(bundle: &Path, name: &str) -> Option<Vec<u8>> {
    bundle::read_member(BufReader::new(File::open(bundle).ok()?), name)
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}
