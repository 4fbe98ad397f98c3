//! What goes: asked for by name, by number, or because of the limit.

use super::limit::{Goes, Limit, Weighed, size};
use super::{Entry, all, home};
use crate::{Failure, files};
use engine::runs::{self, Found, State};
use record::{Heard, Wall};
use std::fs;
use std::path::PathBuf;

/// One run, whatever became of it, unless it goes on. Gives its bundle where that lies elsewhere, for it stays.
pub fn delete(run: &str) -> Result<Option<PathBuf>, Failure> {
    let Some(entry) = all()?.into_iter().find(|entry| entry.run.to_string() == run) else {
        let shown = Heard::new(run);
        return Err(Failure::bad_input(format!("no run is named {shown}; `linewitness runs` lists all that are kept")));
    };
    match entry.state {
        State::Live => Err(goes_on(run)),
        _ if !remove(&entry)? => Err(goes_on(run)),
        _ => Ok(entry.bundle.filter(|_| !entry.is_ours)),
    }
}

fn goes_on(run: &str) -> Failure {
    Failure::bad_input(format!("run {run} goes on; end it first, then delete it"))
}

/// All runs that have their bundle, but for the last so many. Gives what was removed, in words.
pub fn keep_last(runs: usize) -> Result<Option<String>, Failure> {
    let mut over: Vec<Entry> = all()?.into_iter().filter(|entry| entry.state == State::Bundled).collect();
    over.truncate(over.len().saturating_sub(runs));
    removed(&over)
}

/// What is more than `limit`. Gives what was removed, in words.
pub fn prune(limit: Limit, now: Wall) -> Result<Option<String>, Failure> {
    runs::sweep(&home()?).map_err(|error| Failure::ours(files::why(&error)))?;
    let mut entries = all()?;
    let weighed: Vec<Weighed> = entries.iter().map(weigh).collect();
    let mut going = limit.surplus(&weighed, now);
    going.sort_unstable();
    let over: Vec<Entry> = going.into_iter().rev().map(|place| entries.remove(place)).collect();
    let removed = removed(&over)?;
    Ok(removed.map(|says| format!("{says}: the limit is {limit}, and {} sets another", super::KEEP)))
}

fn weigh(entry: &Entry) -> Weighed {
    let goes = match entry.state {
        State::Bundled => Goes::WithAgeOrSize,
        State::BrokenOff if entry.found.as_ref().is_some_and(runs::was_offered) => Goes::WithAge,
        State::BrokenOff | State::Live => Goes::Never,
    };
    Weighed { started: entry.started, bytes: entry.bytes, goes }
}

fn removed(over: &[Entry]) -> Result<Option<String>, Failure> {
    let (mut count, mut bytes) = (0, 0);
    for entry in over {
        if remove(entry)? {
            count += 1;
            bytes += entry.bytes;
        }
    }
    let runs = if count == 1 { "1 older run was".into() } else { format!("{count} older runs were") };
    Ok((count > 0).then(|| format!("{runs} removed ({})", size(bytes))))
}

/// Gives whether it is gone.
fn remove(entry: &Entry) -> Result<bool, Failure> {
    if let Some(found) = &entry.found
        && !folder(found)?
    {
        return Ok(false);
    }
    if let Some(bundle) = entry.bundle.as_ref().filter(|_| entry.is_ours) {
        fs::remove_file(bundle).map_err(|error| {
            Failure::ours(format!("{} could not be removed: {}", bundle.display(), files::why(&error)))
        })?;
    }
    Ok(true)
}

pub(super) fn folder(found: &Found) -> Result<bool, Failure> {
    runs::remove(found).map_err(|error| {
        Failure::ours(format!("{} could not be removed: {}", found.folder.display(), files::why(&error)))
    })
}
