//! Runs that broke off before their bundle was written: which there are, and the bundle of one.

use crate::{
    Failure, files,
    giving::{self, Written},
};
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

/// Writes its bundle to `out`, encrypted where its profile says so, and gives what it shows, what was damaged in it, and where
/// the file is.
pub fn recover(run: &Found, out: &Path) -> Result<(Story, Vec<Damage>, Written), Failure> {
    let (_, log, _, damage) = runs::read(&run.folder)
        .map_err(|error| Failure::ours(format!("{}: {}", run.folder.display(), files::why(&error))))?;
    let story = explain::story(&log);
    let written = giving::write_bundle(&run.folder, &run.about, &story, files::warning(&damage).as_deref(), out)
        .map_err(|error| Failure::ours(format!("{}: {}", out.display(), files::why(&error))))?;
    if let Some(left_out) = written.left_out {
        tracing::warn!("{left_out}");
    }
    Ok((story, damage, written))
}

pub fn bundle_name(run: &RunId) -> PathBuf {
    PathBuf::from(format!("linewitness-{run}.witness"))
}
