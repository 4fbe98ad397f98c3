//! The whole program, measured from outside as a person meets it: how long until a call stands, and what holding it costs.
//!
//! `cargo xtask bench whole`. It judges nothing; each figure stands beside its goal, under the state of the machine, for
//! a figure from a busy one says little. Linux, whose `/proc` it reads.
//!
//! `cargo xtask soak [TIME]` holds one call for that long, with all that runs beside it, and reads the same figures along
//! the way: what grows without end shows there and nowhere else.
#![expect(clippy::print_stdout, reason = "a measurement is there to be read")]

use anyhow::{Context, Result, bail, ensure};
use engine::Clock;
use record::fact::{Mark, Signaling};
use record::{Event, Fact, Stamp};
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Enough for a median that the next run repeats.
const LAUNCHES: usize = 20;
const LAUNCH_FOR: &str = "1s";
const HOLD_FOR: &str = "60s";
const BUNDLE: &str = "bench.witness";
/// How long to soak; without it these are benchmarks.
const SOAK: &str = "LINEWITNESS_SOAK";
/// So many readings of a soak, whatever its length.
const READINGS: u32 = 10;
/// By then the cost of setting up lies behind, and what is measured is holding.
const SETTLED: Duration = Duration::from_secs(5);
/// Over before the hold is, whose end costs something too.
const MEASURED: Duration = Duration::from_secs(50);
/// Of `/proc/PID/stat`: what Linux tells programs is in hundredths of a second, whatever the kernel counts in.
const TICKS_A_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    if let Some(length) = std::env::var_os(SOAK) {
        let length = record::profile::Span::parse(&length.to_string_lossy()).map_err(anyhow::Error::msg)?;
        return soak(length);
    }
    let filter: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| filter.is_empty() || filter.iter().any(|word| name.contains(word.as_str()));
    let (launching, holding) = (wanted("whole/launch"), wanted("whole/hold"));
    if !launching && !holding {
        return Ok(());
    }
    let Some((bench, _reflector)) = Bench::begin()? else { return Ok(()) };
    row("", "measured", "goal");
    if launching {
        launch(&bench)?;
    }
    if holding {
        hold(&bench)?;
    }
    Ok(())
}

struct Bench {
    program: PathBuf,
    clock: Clock,
    url: String,
}

impl Bench {
    /// With a far end that lives as long as it is kept. Nothing where this system cannot be measured.
    fn begin() -> Result<Option<(Self, Reflector)>> {
        if !cfg!(target_os = "linux") {
            println!("whole: NOT MEASURED, for it reads Linux' /proc");
            return Ok(None);
        }
        let program = program()?;
        let clock = Clock::real();
        let reflector = Reflector::start(&program)?;
        println!("\n{}", machine(clock.now())?);
        Ok(Some((Self { program, clock, url: reflector.url.clone() }, reflector)))
    }
}

/// One call for a long time. Its first reading comes when lanes and ladders have settled.
fn soak(length: record::profile::Span) -> Result<()> {
    let Some((bench, reflector)) = Bench::begin()? else { return Ok(()) };
    let step = length.get() / READINGS;
    // The hold outlasts the last reading: its end costs something too.
    let hold_for = format!("{}s", (length.get() + SETTLED * 4).as_secs());
    let mut call = Call::place(&bench, &hold_for)?;
    call.stands(&bench.clock)?;
    call.drain()?;
    std::thread::sleep(SETTLED);
    println!(
        "{:>10} {:>10} {:>10} {:>8} {:>8} {:>12} {:>14}",
        "after", "core", "memory", "files", "threads", "log", "far end"
    );
    let begin = Reading::of(&call.process, &bench.clock)?;
    let mut before = begin;
    for _ in 0..READINGS {
        std::thread::sleep(step);
        let now = Reading::of(&call.process, &bench.clock)?;
        let far = Reading::of(&reflector.process, &bench.clock)?;
        let log = call.log_bytes()?;
        println!(
            "{:>8.0} s {:>8.2} % {:>7.1} MB {:>8} {:>8} {:>9.0} B/s {:>11.1} MB",
            now.at.awake_since(begin.at).as_secs_f64(),
            now.core_since(&before),
            now.resident_mb,
            now.files,
            now.threads,
            log as f64 / now.at.awake_since(call.placed).as_secs_f64(),
            far.resident_mb,
        );
        before = now;
    }
    row("a call and all beside it: processor", &format!("{:.2} % of one core", before.core_since(&begin)), "under 4 %");
    row("memory, at its peak", &format!("{:.1} MB", before.peak_mb), "under 45 MB");
    let bundle = call.finish()?;
    row(&format!("bundle of {hold_for}"), &format!("{:.1} kB", bundle as f64 / 1e3), "");
    Ok(())
}

fn launch(bench: &Bench) -> Result<()> {
    let (mut took, mut trips) = (Vec::new(), Vec::new());
    for _ in 0..LAUNCHES {
        let mut call = Call::place(bench, LAUNCH_FOR)?;
        let stands = call.stands(&bench.clock)?;
        took.push(stands.after.as_secs_f64());
        trips.push(stands.round_trip_ms);
        call.finish()?;
    }
    took.sort_by(f64::total_cmp);
    trips.sort_by(f64::total_cmp);
    let (low, median, high) = (took[0], took[LAUNCHES / 2], took[LAUNCHES - 1]);
    let trip = trips[LAUNCHES / 2];
    row(
        &format!("launch to call established, {LAUNCHES} times"),
        &format!("median {median:.3} s, {low:.3} to {high:.3}"),
        &format!("{:.3} s: 0.4 s and four round trips of {trip:.2} ms", 0.4 + 4.0 * trip / 1e3),
    );
    Ok(())
}

fn hold(bench: &Bench) -> Result<()> {
    let mut call = Call::place(bench, HOLD_FOR)?;
    call.stands(&bench.clock)?;
    call.drain()?;
    std::thread::sleep(SETTLED);
    let before = Reading::of(&call.process, &bench.clock)?;
    let log_before = call.log_bytes()?;
    std::thread::sleep(MEASURED);
    let after = Reading::of(&call.process, &bench.clock)?;
    let log_after = call.log_bytes()?;
    let bundle = call.finish()?;

    let seconds = after.at.awake_since(before.at).as_secs_f64();
    let cpu = after.core_since(&before);
    let log = (log_after - log_before) as f64 / seconds;
    let files = format!("{}, then {}", before.files, after.files);
    row("a held call: processor", &format!("{cpu:.2} % of one core"), "under 2 %");
    row("memory, at its peak", &format!("{:.1} MB", after.peak_mb), "under 30 MB");
    row("memory, at the end", &format!("{:.1} MB", after.resident_mb), "");
    row("threads", &after.threads.to_string(), "");
    row("open files", &files, "no growth");
    row("log while nothing happens", &format!("{log:.0} bytes a second"), "at most 1,000");
    row(&format!("bundle of {HOLD_FOR}"), &format!("{:.1} kB", bundle as f64 / 1e3), "");
    Ok(())
}

fn row(what: &str, measured: &str, goal: &str) {
    println!("{}", format!("{what:<40} {measured:<34} {goal}").trim_end());
}

/// When, and on how busy a machine.
fn machine(now: Stamp) -> Result<String> {
    let cores = std::thread::available_parallelism().context("counting the cores")?;
    let load = fs::read_to_string("/proc/loadavg").context("reading the load average")?;
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    Ok(format!("{}, {cores} cores, load average {}", now.wall.timestamp(), load.join(" ")))
}

/// Cargo tells a benchmark the path of its own package's programs only; this one's lies beside the benchmark's folder.
fn program() -> Result<PathBuf> {
    let myself = std::env::current_exe().context("asking for our own path")?;
    let folder = myself.ancestors().nth(2).context("cargo puts benchmarks two folders deep")?;
    let program = folder.join("linewitness");
    ensure!(
        program.is_file(),
        "{} is not there: `cargo xtask bench` builds it, and so does `cargo build --release --bin linewitness`",
        program.display()
    );
    Ok(program)
}

/// Started by us, and never left behind.
struct Process(Child);

impl Process {
    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.0.id().to_string()).join(name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            // Nothing more can be done about a failure here.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// The far end, in a process of its own, so that what it costs is not counted.
struct Reflector {
    url: String,
    process: Process,
    /// Its pipe: closed, its next word would be an error.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Reflector {
    fn start(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["reflect", "--listen", "127.0.0.1:0"]);
        let (process, mut lines) = spawn(&mut command)?;
        // It tells callers what to type, before anything else that could take long.
        let told = lines
            .by_ref()
            .take(4)
            .map_while(Result::ok)
            .find_map(|line| line.split_once("--to ").map(|(_, url)| url.to_owned()));
        let url = told.context("the reflector does not say how it is called")?;
        Ok(Self { url, process, _lines: lines })
    }
}

fn spawn(command: &mut Command) -> Result<(Process, Lines<BufReader<ChildStdout>>)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("starting linewitness")?;
    let lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
    Ok((Process(child), lines))
}

/// `linewitness hold` in a process and a home of its own.
struct Call {
    placed: Stamp,
    process: Process,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    home: TempDir,
}

struct Stands {
    after: Duration,
    /// Of one TCP handshake.
    round_trip_ms: f64,
}

impl Call {
    fn place(bench: &Bench, how_long: &str) -> Result<Self> {
        // Beside the build and not in /tmp, which may be memory: the log is to be written to a disk.
        let home = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).context("making a home for the call")?;
        let mut command = Command::new(&bench.program);
        command.args(["hold", "--to", &bench.url, "--for", how_long, "--format", "jsonl", "--out", BUNDLE]);
        command.env("LINEWITNESS_HOME", home.path()).env_remove("LINEWITNESS_TOKEN").current_dir(&home);
        let placed = bench.clock.now();
        let (process, lines) = spawn(&mut command)?;
        Ok(Self { placed, process, lines: Some(lines), home })
    }

    /// Reads what it prints until it says that the call is established.
    fn stands(&mut self, clock: &Clock) -> Result<Stands> {
        let mut round_trip_ms = None;
        for line in self.lines.as_mut().context("its output is still ours")? {
            let event: Event = serde_json::from_str(&line?).context("reading an event")?;
            match event.fact {
                Fact::Signaling(Signaling::TcpConnected { took_ms, .. }) => round_trip_ms = Some(took_ms),
                Fact::Mark(Mark::Established { .. }) => {
                    let round_trip_ms = round_trip_ms.context("established without a TCP connection")?;
                    return Ok(Stands { after: clock.now().awake_since(self.placed), round_trip_ms });
                }
                _ => {}
            }
        }
        bail!("the call ended without having been established")
    }

    /// Lets it print on, unread.
    fn drain(&mut self) -> Result<()> {
        let lines = self.lines.take().context("its output is still ours")?;
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(())
    }

    /// Waits for its end, which must be a good one, and gives the size of the bundle.
    fn finish(mut self) -> Result<u64> {
        if self.lines.is_some() {
            self.drain()?;
        }
        let status = self.process.0.wait().context("waiting for the hold")?;
        if !status.success() {
            // What it holds is the only witness of what went wrong.
            let kept = self.home.keep().join(BUNDLE);
            bail!("nothing was broken, and yet the hold ended with {status}; see {}", kept.display());
        }
        Ok(fs::metadata(self.home.path().join(BUNDLE)).context("looking at the bundle")?.len())
    }

    fn log_bytes(&self) -> Result<u64> {
        Ok(fs::metadata(self.log()?).context("looking at the log")?.len())
    }

    fn log(&self) -> Result<PathBuf> {
        let runs = self.home.path().join("runs");
        let run = fs::read_dir(&runs).context("looking for the run")?.next().context("there is no run")??;
        Ok(run.path().join("events.jsonl"))
    }
}

/// What the kernel says of a process.
#[derive(Clone, Copy)]
struct Reading {
    at: Stamp,
    cpu_s: f64,
    peak_mb: f64,
    resident_mb: f64,
    threads: u64,
    files: usize,
}

impl Reading {
    /// In percent of one core.
    fn core_since(&self, before: &Self) -> f64 {
        (self.cpu_s - before.cpu_s) / self.at.awake_since(before.at).as_secs_f64() * 100.0
    }

    fn of(process: &Process, clock: &Clock) -> Result<Self> {
        let read = |name| fs::read_to_string(process.proc(name)).with_context(|| format!("reading its {name}"));
        let (stat, status) = (read("stat")?, read("status")?);
        // The name in brackets may hold anything; from the state behind it, user and system time stand 12th and 13th.
        let fields = stat.rsplit_once(')').context("an unknown kernel")?.1.split_whitespace().skip(11).take(2);
        let ticks = fields.map(|ticks| ticks.parse::<u64>().context("an unknown kernel")).sum::<Result<u64>>()?;
        let figure = |key| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).context("an unknown kernel")?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        // The kernel's kB are of 1,024 bytes.
        let megabytes = |key| figure(key).map(|kb| kb as f64 * 1_024.0 / 1e6);
        Ok(Self {
            at: clock.now(),
            cpu_s: ticks as f64 / TICKS_A_SECOND,
            peak_mb: megabytes("VmHWM:")?,
            resident_mb: megabytes("VmRSS:")?,
            threads: figure("Threads:")?,
            files: fs::read_dir(process.proc("fd")).context("counting its open files")?.count(),
        })
    }
}
