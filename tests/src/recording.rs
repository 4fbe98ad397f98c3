//! Recordings: the log of a lab run and what really happened in it, kept beside the scenarios. Whatever becomes of the rules,
//! they must go on telling it as it was.

use crate::mutation::told;
use crate::scenario::{self, Scenario};
use crate::truth::Played;
use anyhow::{Context, Result, ensure};
use record::bundle;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const BUNDLE: &str = "hold.witness";
const TRUTHS: &str = "truths.json";

pub fn folder() -> PathBuf {
    scenario::folder().with_file_name("recordings")
}

/// Of a scenario that was played in `dir` and told well. An earlier recording of it goes.
pub fn keep(scenario: &Scenario, dir: &Path) -> Result<()> {
    let to = folder().join(&scenario.name);
    fs::create_dir_all(&to).with_context(|| format!("making {}", to.display()))?;
    for name in [BUNDLE, TRUTHS] {
        fs::copy(dir.join(name), to.join(name)).with_context(|| format!("keeping {name} in {}", to.display()))?;
    }
    Ok(())
}

/// All that are kept, by name, told by the rules of today.
pub fn all() -> Result<Vec<(Scenario, Played)>> {
    let scenarios = scenario::all()?;
    let folder = folder();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .with_context(|| format!("opening {}", folder.display()))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    let of = |name: &String| scenarios.iter().find(|scenario| scenario.name == *name).cloned();
    let read = |name: &String| {
        let scenario = of(name).with_context(|| format!("{name} was recorded, and is no scenario any more"))?;
        Ok((scenario, read(&folder.join(name)).with_context(|| format!("the recording {name}"))?))
    };
    names.iter().map(read).collect()
}

fn read(dir: &Path) -> Result<Played> {
    let open = |name: &str| File::open(dir.join(name)).with_context(|| format!("opening {name}"));
    let (bundle, damage) = bundle::read(open(BUNDLE)?)?;
    ensure!(damage.is_empty(), "the bundle is damaged: {damage:?}");
    let truths = serde_json::from_reader(open(TRUTHS)?).context("reading what really happened")?;
    Ok(Played { truths, verdict: told(&bundle.log)?, log: bundle.log })
}
