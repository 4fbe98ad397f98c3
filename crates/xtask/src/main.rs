//! `cargo xtask`: the project's own commands, so that nobody has to remember the steps behind them.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's output is its use")]

mod bench;
mod browser;
mod check_os;
mod e2e;
mod examples;
mod fuzz;
mod lab;
mod node;
mod package;
mod packages;
mod run;
mod steps;
mod tally;
mod test;
mod ui;

use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  run [--headless] [-- ARGS]
                   build Linewitness and open its window; without a display, or where none is wanted, hold a
                   20-second call to this computer itself; or run `linewitness ARGS`
  test             everything that continuous integration runs
  ui               only the window's page, into ui/dist; whatever compiles the window needs it first
  package          what people install, for this system: on Linux .deb and .rpm
  lab [FILTER] [--seed N] [--repeat N] [--at-a-time N]
                   only the lab: real faults in network namespaces (Linux), scored; each scenario N times, with N seeds
  lab --without-injectors
                   the lab checked: each scenario without each of its faults, which must then be told wrongly
  browser [FILTER] the lab's faults beside a page in Chromium, both in one table (Linux)
  e2e [PATTERN]    only the window's tests in the program itself, on a display of their own (Linux)
  bench [FILTER]   the benchmarks, in release
  soak [TIME]      one call with all that runs beside it for 10 minutes, or as long as given: cost and growth
  examples [--check]
                   the reports in docs/examples, made anew of what the lab recorded; or only whether they are up to date
  check-os         type-checks and lints the code for Windows and macOS, from Linux
  fuzz [TARGET] [SECONDS]
                   each fuzz target, or the one named, for 60 seconds, or as many as given

run, test, lab, browser, e2e and package install what system packages are missing on Debian and Ubuntu, and say which and why.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // Every path below is from the workspace's root, wherever the command was given.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("xtask lies in crates/");
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("cannot enter {}: {error}", root.display());
        return ExitCode::FAILURE;
    }
    let rest = args.get(1..).unwrap_or_default();
    let done = match args.first().map(String::as_str) {
        // Of any command: none is begun by somebody who asks what it does.
        _ if args.iter().take_while(|arg| *arg != "--").any(|arg| matches!(arg.as_str(), "help" | "--help" | "-h")) => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some("run") => run::run(rest),
        Some("test") => test::test(),
        Some("ui") => ui::ui(),
        Some("package") => package::package(rest),
        Some("e2e") => e2e::e2e(rest),
        Some("lab") => lab::lab(rest),
        Some("browser") => browser::browser(rest),
        Some("bench") => bench::bench(rest),
        Some("soak") => bench::soak(rest),
        Some("examples") => examples::examples(rest),
        Some("check-os") => check_os::check_os(),
        Some("fuzz") => fuzz::fuzz(rest),
        None => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => {
            eprintln!("there is no command {other}\n\n{HELP}");
            Ok(ExitCode::from(2))
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("\n{error:#}");
        ExitCode::FAILURE
    })
}
