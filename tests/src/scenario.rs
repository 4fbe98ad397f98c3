//! `Scenario`: a story with its ending, as a file tells it. It says what the world is, what is broken and when, and what
//! must be said of that; it knows nothing of who plays it.

pub mod deed;
pub mod ending;
pub mod world;

pub use deed::Deed;
pub use ending::Ending;
pub use world::World;

use anyhow::{Context, Result, ensure};
use record::profile::Span;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's own, without folder and ending.
    #[serde(skip)]
    pub name: String,
    /// One sentence, for whoever reads the table.
    pub story: String,
    /// Not told as it should be yet, and why: it is played all the same, and its failure is told and fails nobody. Whoever
    /// mends it takes this away.
    #[serde(default)]
    pub open: Option<String>,
    /// Where it cannot be played, and why.
    #[serde(default)]
    pub not_in: Vec<NotIn>,
    #[serde(default)]
    pub world: World,
    pub run: Run,
    /// In order of time.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
    #[serde(rename = "expect")]
    pub ending: Ending,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotIn {
    pub runner: Runner,
    pub because: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runner {
    /// Scripted clocks and a network that is computed.
    Sim,
    /// The real kernel and real programs.
    Netns,
}

/// The hold, as its profile and its arguments say.
#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    #[serde(rename = "for")]
    pub length: Span,
    /// Lines of the profile's `[signaling]`, as a support desk would write them: `heartbeat = "off"`.
    #[serde(default)]
    pub signaling: toml::Table,
    /// Sections of the profile: `lanes`, `media`, `ice`, `recovery`.
    #[serde(flatten)]
    pub sections: toml::Table,
}

const SECTIONS: [&str; 4] = ["lanes", "media", "ice", "recovery"];

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Since the call stands.
    pub at: Span,
    /// A seed moves it by up to so much, and what follows with it: so a fault meets every phase of a heartbeat.
    #[serde(default)]
    pub sway: Option<Span>,
    #[serde(rename = "do")]
    pub deed: Deed,
    /// Until it is undone; without it, it lasts.
    #[serde(default, rename = "for")]
    pub lasts: Option<Span>,
}

/// The same for the same seed, and nothing else is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64: plain, and well spread also for seeds that lie side by side.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below one.
    pub fn fraction(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for n in (1..list.len()).rev() {
            list.swap(n, (self.throw() % (n as u64 + 1)) as usize);
        }
    }
}

impl Scenario {
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let mut scenario: Self = toml::from_str(text)?;
        scenario.name = name.to_owned();
        scenario.check()?;
        Ok(scenario)
    }

    /// What no parser sees.
    fn check(&self) -> Result<()> {
        ensure!(self.story.ends_with('.'), "a story is a sentence");
        for name in self.run.sections.keys() {
            ensure!(SECTIONS.contains(&name.as_str()), "{name} is no section of a profile that a scenario may write");
        }
        ensure!(self.steps.is_sorted_by_key(|step| step.at.get()), "steps stand in order of time");
        for step in &self.steps {
            let last = step.at.get() + step.sway.map_or(Duration::ZERO, Span::get);
            ensure!(last < self.run.length.get(), "a step at {} lies beyond the hold", step.at);
            ensure!(step.lasts.is_none() || step.deed.can_be_undone(), "{:?} cannot be undone", step.deed);
        }
        self.ending.check(self.steps.len())
    }

    /// Nothing is broken, or nothing that matters.
    pub fn is_null(&self) -> bool {
        self.ending.drops.is_empty() && self.ending.outcome == ending::Outcome::Held
    }

    /// Its media leaves longer gaps than a call with audio has.
    pub fn is_sparse(&self) -> bool {
        let silence = self.run.sections.get("media").and_then(|media| media.get("silence"));
        silence.and_then(toml::Value::as_str).is_some_and(|silence| silence != "frames")
    }

    pub fn is_played_in(&self, runner: Runner) -> bool {
        self.not_in.iter().all(|not| not.runner != runner)
    }

    /// When each step begins, with these dice.
    pub fn times(&self, dice: &mut Dice) -> Vec<Duration> {
        let mut moved = Duration::ZERO;
        let swayed = self.steps.iter().map(|step| {
            moved += step.sway.map_or(Duration::ZERO, |sway| sway.get().mul_f64(dice.fraction()));
            step.at.get() + moved
        });
        swayed.collect()
    }
}

/// All of them, by name.
pub fn all() -> Result<Vec<Scenario>> {
    let folder = folder();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("opening {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Result<Scenario> {
    let name = file.file_stem().context("a file has a name")?.to_string_lossy();
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    Scenario::parse(&name, &text).with_context(|| format!("{}", file.display()))
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_scenario() {
        let all = all().unwrap_or_else(|error| panic!("{error:#}"));
        assert!(!all.is_empty());
        for scenario in &all {
            assert!(
                [Runner::Sim, Runner::Netns].into_iter().any(|runner| scenario.is_played_in(runner)),
                "{} is played nowhere",
                scenario.name
            );
        }
    }

    #[test]
    fn the_same_seed_moves_the_steps_alike_and_another_otherwise() {
        let text = "story = \"A.\"\n[run]\nfor = \"30s\"\n[[step]]\nat = \"5s\"\nsway = \"5s\"\ndo = \"link_down\"\n\
                    [[step]]\nat = \"8s\"\ndo = { loss = { percent = 5 } }\n[expect]\noutcome = \"held\"\n";
        let scenario = Scenario::parse("a", text).expect("a test's own file");
        let times = |seed| scenario.times(&mut Dice::new(seed));
        assert_eq!(times(7), times(7));
        assert_ne!(times(7), times(8));
        for seed in 0..100 {
            let [first, second] = times(seed)[..] else { panic!("two steps") };
            assert!(first >= Duration::from_secs(5) && first < Duration::from_secs(10));
            assert!((second - first).abs_diff(Duration::from_secs(3)) < Duration::from_micros(1), "moved together");
        }
    }

    #[test]
    fn a_file_that_contradicts_itself_is_refused() {
        let refused = |text: &str| Scenario::parse("a", text).expect_err("it contradicts itself").to_string();
        let head = "story = \"A.\"\n[run]\nfor = \"30s\"\n";
        let late = "[[step]]\nat = \"31s\"\ndo = \"link_down\"\n[expect]\noutcome = \"held\"\n";
        assert!(refused(&format!("{head}{late}")).contains("beyond the hold"));
        assert!(refused(&format!("{head}[expect]\noutcome = \"dropped\"\n")).contains("says which"));
        let timed = "[expect]\noutcome = \"dropped\"\n[[expect.drop]]\nplane = \"media\"\ncause = \"slept\"\n\
                     owner = \"this_computer\"\nconfidence = \"shown\"\nonset_within = \"25ms\"\n";
        assert!(refused(&format!("{head}{timed}")).contains("without a truth"));
        assert!(refused(&format!("{head}[expect]\noutcome = \"held\"\nwish = 1\n")).contains("wish"));
        let misspelt = "media = { silence = \"none\" }\nlane = { quiet_ladder = [] }\n[expect]\noutcome = \"held\"\n";
        assert!(refused(&format!("{head}{misspelt}")).contains("lane is no section"));
    }
}
