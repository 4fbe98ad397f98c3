//! `cargo xtask examples`: the reports in `docs/examples`, made of what the lab recorded; with `--check`, whether those that
//! are kept are still what would be made.

use crate::test::{build_program, target};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const FOLDER: &str = "docs/examples";

/// Five causes that differ, with four owners.
const RECORDINGS: [&str; 5] = [
    "nginx_drops_a_quiet_call",
    "vpn_takes_the_way_to_the_far_end",
    "udp_blocked_midway",
    "service_killed_and_started_again",
    "black_hole_of_six_seconds",
];

/// The form of a report, and what it is asked for with; `{}` is a file that it writes.
const FORMS: [(&str, &[&str]); 5] = [
    ("report.txt", &[]),
    ("admin.txt", &["--admin"]),
    ("html", &["--html", "{}"]),
    ("svg", &["--svg", "{}"]),
    ("witness-profile", &["--retest", "{}"]),
];

pub fn examples(args: &[String]) -> Result<ExitCode> {
    let status = build_program().status()?;
    ensure!(status.success(), "the program could not be built");
    if args.iter().any(|arg| arg == "--check") {
        are_as_kept()?;
        println!("{FOLDER} holds what would be made");
        return Ok(ExitCode::SUCCESS);
    }
    for (name, bytes) in made()? {
        let path = Path::new(FOLDER).join(name);
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// With the program as it was built last.
pub fn are_as_kept() -> Result<()> {
    let differs = |(name, bytes): &(String, Vec<u8>)| {
        let kept = fs::read(Path::new(FOLDER).join(name)).unwrap_or_default();
        (kept != *bytes).then(|| name.clone())
    };
    let other: Vec<String> = made()?.iter().filter_map(differs).collect();
    ensure!(other.is_empty(), "{} would be made otherwise; `cargo xtask examples` does: {other:?}", FOLDER);
    Ok(())
}

fn made() -> Result<Vec<(String, Vec<u8>)>> {
    let scratch = target().join("examples");
    fs::create_dir_all(&scratch).with_context(|| format!("making {}", scratch.display()))?;
    let mut all = Vec::new();
    for recording in RECORDINGS {
        for (form, asked) in FORMS {
            let name = format!("{recording}.{form}");
            let bytes = report(recording, asked, &scratch.join(&name)).with_context(|| name.clone())?;
            all.push((name, bytes));
        }
    }
    Ok(all)
}

/// Times of day are told in UTC, and lines are as wide as where there is no terminal.
fn report(recording: &str, asked: &[&str], scratch: &Path) -> Result<Vec<u8>> {
    let bundle: PathBuf = ["tests", "recordings", recording, "hold.witness"].iter().collect();
    // Nothing is overwritten, not even what was made here before.
    if scratch.exists() {
        fs::remove_file(scratch)?;
    }
    let program = target().join("debug").join(format!("linewitness{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(&program);
    command.arg("report").arg(&bundle).env("TZ", "UTC");
    for word in asked {
        if *word == "{}" {
            command.arg(scratch)
        } else {
            command.arg(word)
        };
    }
    let output = command.output().with_context(|| format!("starting {}", program.display()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    if asked.contains(&"{}") { Ok(fs::read(scratch)?) } else { Ok(output.stdout) }
}
