//! Runs that broke off before their bundle was written: which there are, and the bundle of one.

use crate::{Failure, files};
use engine::runs::{self, Found, State};
use explain::Story;
use record::{Damage, RunId};
use std::path::{Path, PathBuf};

pub fn broken_off() -> Result<Vec<Found>, Failure> {
    let home = runs::home().map_err(|error| Failure::ours(error.to_string()))?;
    let found =
        runs::list(&home).map_err(|error| Failure::ours(format!("{}: {}", home.display(), files::why(&error))))?;
    Ok(found.into_iter().filter(|run| run.state == State::BrokenOff).collect())
}

/// Writes its bundle to `out`, and gives what it shows and what was damaged in it.
pub fn recover(run: &Found, out: &Path) -> Result<(Story, Vec<Damage>), Failure> {
    let (_, log, _, damage) = runs::read(&run.folder)
        .map_err(|error| Failure::ours(format!("{}: {}", run.folder.display(), files::why(&error))))?;
    let story = explain::story(&log);
    // A desk's key is kept nowhere, so names are counted here.
    let left_out = files::write_bundle(&run.folder, &run.about, &story, files::warning(&damage).as_deref(), None, out)
        .map_err(|error| Failure::ours(format!("{}: {}", out.display(), files::why(&error))))?;
    if let Some(left_out) = left_out {
        tracing::warn!("{left_out}");
    }
    Ok((story, damage))
}

pub fn bundle_name(run: &RunId) -> PathBuf {
    PathBuf::from(format!("linewitness-{run}.witness"))
}
