//! The stage: plays the scenarios and tells the stories, a few at a time, and counts how they ended, in the words of cargo's
//! own test runs.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the lab's test runner, and its output is its use"
)]

use crate::judge::{Judged, Label, judge};
use crate::scenario::{Deed, Dice, Runner, Scenario};
use crate::score::{Run, Score, report};
use crate::{World, mutation, netns, recording, rights, world};
use anyhow::{Result, anyhow};
use engine::Clock;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy)]
pub struct Story {
    pub name: &'static str,
    /// Programs that are not ours and without which it cannot be told, with the packages that have them; or a device, with
    /// the kernel's module.
    pub needs: &'static [(&'static str, &'static str)],
    pub tell: fn(&World) -> Result<()>,
}

/// A story or a scenario: what is played in a folder of its own.
pub struct Piece {
    name: String,
    needs: Vec<(&'static str, &'static str)>,
    /// Why it may fail.
    open: Option<String>,
    perform: Perform,
}

type Perform = Box<dyn Fn(&Path) -> Performed + Send + Sync>;

struct Performed {
    well: Result<()>,
    /// Of a scenario, for the score.
    run: Option<Run>,
}

impl From<Story> for Piece {
    fn from(story: Story) -> Self {
        let tell = move |dir: &Path| (story.tell)(&World::new(dir)?);
        let perform = Box::new(move |dir: &Path| Performed { well: tell(dir), run: None });
        Self { name: story.name.to_owned(), needs: story.needs.to_vec(), open: None, perform }
    }
}

impl Piece {
    /// Well played when what was said of it is right.
    pub fn of(scenario: Scenario, seed: u64, record: bool) -> Self {
        let (name, needs) = (format!("{}.{seed}", scenario.name), netns::cast::needs(&scenario));
        let (open, shown) = (scenario.open.clone(), name.clone());
        let perform = move |dir: &Path| {
            let played = netns::play(&scenario, seed, dir);
            let run = Run::of(&scenario, Runner::Netns, seed, &played);
            run.judged.rows.iter().for_each(|row| println!("  {shown}: {}", row.line()));
            let well = played.and_then(|played| {
                anyhow::ensure!(run.judged.is_well(), "{}\n{}", ill(&run.judged), played.verdict.summary());
                if record { recording::keep(&scenario, dir) } else { Ok(()) }
            });
            Performed { well, run: Some(run) }
        };
        Self { name, needs, open, perform: Box::new(perform) }
    }
}

impl Piece {
    /// The checker checked: well played when the story is then told wrongly, and it could be played at all.
    pub fn without(scenario: &Scenario, kind: Deed, seed: u64) -> Option<Self> {
        let idle = mutation::without(scenario, kind)?;
        let (name, needs) =
            (format!("{}.without.{}", scenario.name, mutation::injector(kind)), netns::cast::needs(&idle));
        let perform = move |dir: &Path| {
            let well = netns::play(&idle, seed, dir).and_then(|played| {
                anyhow::ensure!(!judge(&idle, &played).is_well(), "NOTHING WAS DONE, AND NOBODY NOTICES");
                Ok(())
            });
            Performed { well, run: None }
        };
        Some(Self { name, needs, open: None, perform: Box::new(perform) })
    }
}

fn ill(judged: &Judged) -> String {
    let rows = judged.rows.iter().filter(|row| row.label != Label::Exact).map(|row| row.line());
    rows.chain(judged.complaints.iter().cloned()).collect::<Vec<_>>().join("\n")
}

/// They mostly wait: eight use a quarter of two cores. Six leave room for what else a machine does.
pub const AT_A_TIME: usize = 6;
/// One in so many may fail at first and be heard again, alone: what is promised is not perfection but 98 of 100, on a
/// machine that others use. What was said and is not so has no second hearing.
const HEARD_AGAIN: usize = 50;
/// The longest story is 70 s of real time; past this something hangs.
const LIMIT: Duration = Duration::from_secs(180);

enum Ended {
    Well,
    Ill(String),
    Untold(String),
}

struct Report {
    name: String,
    ended: Ended,
    /// Two of what was heard again.
    runs: Vec<Run>,
    took: Duration,
}

impl Report {
    fn untold(name: String, why: String) -> Self {
        Self { name, ended: Ended::Untold(why), runs: Vec::new(), took: Duration::ZERO }
    }
}

/// `filter`: only those whose name contains one of these. The seed gives the order.
pub fn main(mut pieces: Vec<Piece>, filter: &[String], seed: u64, at_a_time: usize) -> ExitCode {
    let all = pieces.len();
    pieces.retain(|piece| filter.is_empty() || filter.iter().any(|f| piece.name.contains(f)));
    Dice::new(seed).shuffle(&mut pieces);
    let told = pieces;
    let left_out = all - told.len();
    // Perhaps starts this program anew, so it comes before the first word.
    let allowed = rights::ensure();
    println!("\nrunning {} tests, by the seed {seed}", told.len());
    let start = Clock::real().now();

    let reports = match allowed {
        Ok(()) => {
            world::sweep();
            let told: Vec<_> = told.into_iter().map(Arc::new).collect();
            let mut reports = tell_all(&told, at_a_time);
            hear_again(&mut reports, &told);
            reports
        }
        Err(why) => {
            eprintln!("\n*** THE LAB IS SKIPPED: {why}. Nothing about real networks was tested. Run it as root. ***\n");
            let skipped = |piece: Piece| Report::untold(piece.name, why.clone());
            told.into_iter().map(skipped).inspect(print).collect()
        }
    };

    score(&reports, seed);
    let ill: Vec<&Report> = reports.iter().filter(|r| matches!(r.ended, Ended::Ill(_))).collect();
    if !ill.is_empty() {
        println!("\nfailures:");
        for report in &ill {
            let Ended::Ill(why) = &report.ended else { continue };
            println!("\n---- {} ----\n{why}\nIts files: {}", report.name, folder(&report.name).display());
        }
    }
    let well = reports.iter().filter(|r| matches!(r.ended, Ended::Well)).count();
    let untold = reports.len() - well - ill.len();
    println!(
        "\ntest result: {}. {well} passed; {} failed; {untold} ignored; 0 measured; {left_out} filtered out; \
         finished in {:.2}s\n",
        if ill.is_empty() { "ok" } else { "FAILED" },
        ill.len(),
        Clock::real().now().since(start).as_secs_f64()
    );
    if ill.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// Printed, and left beside what everybody wrote.
fn score(reports: &[Report], seed: u64) {
    let runs: Vec<Run> = reports.iter().flat_map(|report| report.runs.clone()).collect();
    if runs.is_empty() {
        return;
    }
    println!("\n{}", Score::of(&runs));
    let file = folder("score.json");
    match report::write(&file, &runs, seed) {
        Ok(()) => println!("All of it as JSON: {}", file.display()),
        Err(error) => eprintln!("\n*** the score could not be written: {error:#} ***"),
    }
}

fn tell_all(pieces: &[Arc<Piece>], at_a_time: usize) -> Vec<Report> {
    let left = Mutex::new(pieces.iter());
    let (to, from) = channel();
    let mut reports = Vec::with_capacity(pieces.len());
    std::thread::scope(|scope| {
        for _ in 0..at_a_time.min(pieces.len()) {
            let (to, left) = (to.clone(), &left);
            scope.spawn(move || {
                loop {
                    let Some(piece) = left.lock().expect("no holder panics").next() else { return };
                    // The receiver waits for every piece.
                    let _ = to.send(tell(piece, folder(&piece.name)));
                }
            });
        }
        drop(to);
        for report in from {
            print(&report);
            reports.push(report);
        }
    });
    reports
}

/// What failed is played once more with nothing beside it, if few failed; both runs count in the score.
fn hear_again(reports: &mut [Report], pieces: &[Arc<Piece>]) {
    let ill: Vec<&mut Report> = reports.iter_mut().filter(|report| matches!(report.ended, Ended::Ill(_))).collect();
    if ill.is_empty() || ill.len() > pieces.len().div_ceil(HEARD_AGAIN) {
        return;
    }
    for first in ill {
        let Ended::Ill(why) = &first.ended else { continue };
        if first.runs.iter().any(Run::says_what_is_not_so) {
            continue;
        }
        let Some(piece) = pieces.iter().find(|piece| piece.name == first.name) else { continue };
        eprintln!("\n*** {} FAILED AND IS HEARD AGAIN, ALONE ***\n{why}\n", first.name);
        let again = tell(piece, folder(&format!("{}.again", piece.name)));
        print(&again);
        first.runs.extend(again.runs);
        first.took += again.took;
        if matches!(again.ended, Ended::Well) {
            first.ended = Ended::Well;
        }
    }
}

fn tell(piece: &Arc<Piece>, folder: PathBuf) -> Report {
    let (name, open) = (piece.name.clone(), piece.open.clone());
    for (program, package) in &piece.needs {
        let missing = match program.starts_with('/') {
            true => (!rights::may_open(program))
                .then(|| format!("{program}, of the kernel's module {package}, may not be opened here")),
            false => rights::program(program)
                .is_none()
                .then(|| format!("{program} is not installed; the package {package} has it")),
        };
        if let Some(why) = missing {
            eprintln!("\n*** {name} IS SKIPPED: {why} ***\n");
            return Report::untold(name, why);
        }
    }
    let start = Clock::real().now();
    let (to, from) = channel();
    let performed = piece.clone();
    std::thread::spawn(move || {
        // Past the limit nobody listens any more, and that was reported.
        let _ = to.send(perform(&performed, &folder));
    });
    let hung = |_| Performed { well: Err(anyhow!("not over after {LIMIT:?}")), run: None };
    let Performed { well, run } = from.recv_timeout(LIMIT).unwrap_or_else(hung);
    let ended = match (well, open) {
        (Ok(()), _) => Ended::Well,
        (Err(why), Some(open)) => {
            eprintln!("\n*** {name} IS TOLD WRONGLY, which is known: {open} ***\n{why:#}\n");
            Ended::Untold(format!("known to be told wrongly: {open}"))
        }
        (Err(why), None) => Ended::Ill(format!("{why:#}")),
    };
    Report { name, ended, runs: run.into_iter().collect(), took: Clock::real().now().since(start) }
}

fn perform(piece: &Piece, folder: &Path) -> Performed {
    catch_unwind(AssertUnwindSafe(|| (piece.perform)(folder))).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Performed { well: Err(anyhow!("panicked: {}", words.unwrap_or("without words"))), run: None }
    })
}

fn print(report: &Report) {
    let (word, aside) = match &report.ended {
        Ended::Well => ("ok", String::new()),
        Ended::Ill(_) => ("FAILED", String::new()),
        Ended::Untold(why) => ("ignored", format!(", {why}")),
    };
    println!("test {} ... {word}{aside} <{:.1}s>", report.name, report.took.as_secs_f64());
}

/// Where a story's logs, settings and bundles are left.
fn folder(name: &str) -> PathBuf {
    target_folder().with_file_name("lab").join(name)
}

/// `target/debug`, in whose `deps` the lab itself lies.
pub fn target_folder() -> PathBuf {
    let myself = std::env::current_exe().expect("a running program has a path");
    myself.parent().and_then(Path::parent).expect("cargo puts tests two folders deep").to_owned()
}
