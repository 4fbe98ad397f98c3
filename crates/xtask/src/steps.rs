//! `Steps`: named steps in order, each timed, their output let through as it comes, and a table at the end.

use crate::tally::Tally;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub struct Steps {
    done: Vec<Done>,
}

#[derive(Debug)]
struct Done {
    name: &'static str,
    tally: Tally,
    took: Duration,
    remark: &'static str,
}

impl Steps {
    /// A check that passes or fails as a whole.
    pub fn check(&mut self, name: &'static str, check: impl FnOnce() -> Result<()>) {
        let start = begin(name);
        let tally = match check() {
            Ok(()) => Tally::passed_one(),
            Err(error) => {
                eprintln!("{name}: {error:#}");
                Tally::failed_one()
            }
        };
        self.end(name, tally, start, "");
    }

    /// A check by one command.
    pub fn command(&mut self, name: &'static str, command: &mut Command) {
        self.check(name, || {
            let status = command.status().with_context(|| format!("starting {}", shown(command)))?;
            anyhow::ensure!(status.success(), "{} ended with {status}", shown(command));
            Ok(())
        });
    }

    /// A run of tests, which counts as many as it says. A run that fails before it can say counts as one failed, and so
    /// does one that says nothing: no tests is no success.
    pub fn tests(&mut self, name: &'static str, command: &mut Command) {
        let start = begin(name);
        let tally = match counted(command) {
            Ok((tally, success)) if tally.total() > 0 && success == (tally.failed == 0) => tally,
            Ok((mut tally, success)) => {
                let how = if success { "ran no test" } else { "failed beside its tests (see above)" };
                eprintln!("{name}: {} {how}", shown(command));
                tally += Tally::failed_one();
                tally
            }
            Err(error) => {
                eprintln!("{name}: {error:#}");
                Tally::failed_one()
            }
        };
        self.end(name, tally, start, "");
    }

    pub fn skip(&mut self, name: &'static str, why: &str) {
        let start = begin(name);
        eprintln!("*** {name} IS SKIPPED: {why} ***");
        self.end(name, Tally::skipped_one(), start, "skipped, see above");
    }

    /// The table, and the plain closing line that says it all.
    pub fn close(self) -> ExitCode {
        let mut sum = Tally::default();
        println!("\n{:<12} {:>8} {:>8} {:>8} {:>9}", "step", "passed", "failed", "skipped", "time");
        for Done { name, tally, took, remark } in &self.done {
            sum += *tally;
            let Tally { passed, failed, skipped } = tally;
            println!("{name:<12} {passed:>8} {failed:>8} {skipped:>8} {:>8.1}s  {remark}", took.as_secs_f64());
        }
        let total: Duration = self.done.iter().map(|done| done.took).sum();
        println!("{:<39} {:>8.1}s\n", "all", total.as_secs_f64());
        println!("{sum}");
        if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn end(&mut self, name: &'static str, tally: Tally, start: Instant, remark: &'static str) {
        let took = now() - start;
        println!("==> {name}: {tally}, {:.1} s", took.as_secs_f64());
        self.done.push(Done { name, tally, took, remark });
    }
}

/// As a person would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words: Vec<_> = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn begin(name: &str) -> Instant {
    println!("\n==> {name}");
    now()
}

/// Runs it, lets its output through line by line, and adds up its closing lines.
fn counted(command: &mut Command) -> Result<(Tally, bool)> {
    let started = command.stdout(Stdio::piped()).spawn();
    let mut child = started.with_context(|| format!("starting {}", shown(command)))?;
    let output = child.stdout.take().context("its output is piped")?;
    let mut sum = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("reading its output")?;
        // A test may print anything, also what is not UTF-8.
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some(tally) = Tally::of(&line) {
            sum += tally;
        }
    }
    let status = child.wait().context("waiting for it")?;
    Ok((sum, status.success()))
}

#[expect(clippy::disallowed_methods, reason = "the time that a step took is no evidence of anything")]
fn now() -> Instant {
    Instant::now()
}
