//! What the names in a bundle stand for, where it was recorded.

use crate::{Failure, files};
use engine::runs::{self, Found};
use record::{About, Heard, RunId, bundle, names::Named, profile::Addresses};
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::Path;

/// Of a bundle, or of a run by its name.
pub fn of(what: &Path) -> Result<Vec<Named>, Failure> {
    let name = Heard::new(&what.to_string_lossy());
    let home = runs::home().map_err(|error| Failure::ours(error.to_string()))?;
    let all =
        runs::list(&home).map_err(|error| Failure::ours(format!("{}: {}", home.display(), files::why(&error))))?;
    if let Some(run) = all.iter().find(|run| is_bundle_of(run, what)) {
        return read(run);
    }
    let run = if what.exists() { run_in(what)? } else { RunId::parse(name.as_str()) };
    let Some(run) = run else { return Err(Failure::bad_input(format!("{name}: there is no such file or run"))) };
    match all.iter().find(|found| found.about.run == run) {
        Some(found) => read(found),
        None => Err(Failure::bad_input(format!(
            "{name}: run {run} was not recorded on this computer; what its names stand for is kept by the computer that recorded it, where `linewitness map {run}` shows it"
        ))),
    }
}

/// Also where the file cannot be opened here: this computer knows where it has written it.
fn is_bundle_of(run: &Found, path: &Path) -> bool {
    let same = |bundle: &Path| Some(fs::canonicalize(bundle).ok()? == fs::canonicalize(path).ok()?);
    runs::bundle_of(run).and_then(|bundle| same(&bundle)).unwrap_or(false)
}

fn run_in(bundle: &Path) -> Result<Option<RunId>, Failure> {
    let name = bundle.display();
    let file = File::open(bundle).map_err(|error| Failure::bad_input(format!("{name}: {}", files::why(&error))))?;
    let about = bundle::read_member(BufReader::new(file), bundle::ABOUT)
        .and_then(|about| serde_json::from_slice::<About>(&about).ok());
    match about {
        Some(about) if about.names == Some(Addresses::Plain) => Err(Failure::bad_input(format!(
            "{name}: this bundle says addresses and hosts as they are; there is nothing to translate"
        ))),
        Some(about) => Ok(Some(about.run)),
        None => Err(Failure::bad_input(format!(
            "{name}: this is not a witness bundle that can be read here; name its run, as the report does"
        ))),
    }
}

fn read(run: &Found) -> Result<Vec<Named>, Failure> {
    let (path, id) = (run.folder.join(runs::NAMES), &run.about.run);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|_| Failure::ours(format!("{}: this is not a map of names any more", path.display()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::bad_input(format!(
            "run {id} has no map: its bundle, if there is one, says addresses and hosts as they are"
        ))),
        Err(error) => Err(Failure::ours(format!("{}: {}", path.display(), files::why(&error)))),
    }
}
