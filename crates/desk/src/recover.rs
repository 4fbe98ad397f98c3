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

/// The same, for whoever tells a person of them now: from then on they go with age.
pub fn offer() -> Result<Vec<Found>, Failure> {
    let broken = broken_off()?;
    for run in &broken {
        if let Err(error) = runs::offered(run) {
            tracing::warn!("{}: {error}", run.folder.display());
        }
    }
    Ok(broken)
}

/// What came of a run that broke off.
#[derive(Debug)]
pub struct Recovered {
    pub story: Story,
    pub damage: Vec<Damage>,
    pub written: Written,
}

/// Writes its bundle to `out`, encrypted where its profile says so, and gives what it shows and what was damaged in it.
pub fn recover(run: &Found, out: &Path) -> Result<Recovered, Failure> {
    let (_, log, _, damage) = runs::read(&run.folder)
        .map_err(|error| Failure::ours(format!("{}: {}", run.folder.display(), files::why(&error))))?;
    let story = explain::story(&log);
    // A desk's key is kept nowhere, so names are counted here.
    let written = giving::write_bundle(&run.folder, &run.about, &story, files::warning(&damage).as_deref(), None, out)
        .map_err(|error| Failure::ours(format!("{}: {}", out.display(), files::why_not_written(&error))))?;
    Ok(Recovered { story, damage, written })
}

pub fn bundle_name(run: &RunId) -> PathBuf {
    PathBuf::from(format!("linewitness-{run}.witness"))
}
