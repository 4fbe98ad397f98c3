//! What the names in a bundle stand for, where it was recorded.

use crate::{Failure, files, sealed, shared};
use engine::runs::{self, Found};
use record::{About, Heard, RunId, bundle, names::Named, profile::Addresses};
use std::fs::{self, File};
use std::io::BufReader;
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
pub(crate) fn is_bundle_of(run: &Found, path: &Path) -> bool {
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
        None if sealed::is_encrypted(bundle) => Err(Failure::bad_input(format!(
            "{name}: this report is encrypted; name its run, which `linewitness runs` lists where it was recorded"
        ))),
        None => Err(Failure::bad_input(format!(
            "{name}: this is not a witness bundle that can be read here; name its run, as the report does"
        ))),
    }
}

fn read(run: &Found) -> Result<Vec<Named>, Failure> {
    let id = &run.about.run;
    match shared::map(&run.folder) {
        Ok(Some(map)) => Ok(map),
        Ok(None) => Err(Failure::bad_input(format!(
            "run {id}: its bundle says addresses and hosts as they are; there is nothing to translate"
        ))),
        Err(error) => {
            let (folder, why) = (run.folder.display(), files::why(&error));
            Err(Failure::ours(format!("{folder}: what the names of run {id} stand for cannot be read ({why})")))
        }
    }
}
