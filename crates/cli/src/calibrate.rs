//! `linewitness calibrate`: breaks connections of this computer's own in known ways, each through a real hold, and says
//! which were named rightly.
//!
//! ```text
//! faults  what is done ─▶ stage  far end · box between · hold ─▶ judged  verdict against the box's stamps ─▶ words
//! ```

mod between;
mod faults;
mod judged;
mod stage;
mod words;

use crate::{args, exit, say};
use desk::{Failure, files, logging, runtime, stop};
use engine::{Clock, calibration, runs};
use faults::{FAULTS, Fault};
use judged::{Calibration, Judged};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Each is a whole call. With more of them side by side a slow computer would be what is measured.
const AT_ONCE: usize = 4;

pub fn run(args: &args::Calibrate) -> Result<ExitCode, Failure> {
    logging::begin(None, args.verbose);
    let home = runs::home().map_err(|error| Failure::ours(error.to_string()))?;
    let unwritable = |error: std::io::Error| {
        let (folder, why) = (home.display(), files::why(&error));
        Failure::ours(format!("{folder}: {why}; set LINEWITNESS_HOME to a folder that can be written"))
    };
    let logs = home.join("calibration");
    runs::clear(&logs).map_err(unwritable)?;
    if !args.json {
        say::raw(&words::opening(say::width()));
    }
    let clock = Clock::real();
    let began = clock.now();
    let live = !args.json && std::io::stdout().is_terminal();
    let clear = if live { "\r\x1b[K" } else { "" };
    let told = |done: usize, judged: Option<&Judged>| match judged {
        Some(judged) if !args.json => {
            say::raw(&format!("{clear}{}", words::one(done, FAULTS.len(), judged, say::width())));
        }
        None if live => {
            let gone = clock.now().since(began).as_secs();
            say::raw(&format!("{clear}{done} of {} are done, after {gone} s", FAULTS.len()));
        }
        _ => {}
    };
    let all = runtime()?.block_on(async {
        tokio::select! {
            all = play_all(&logs, told) => Ok(all),
            () = stop::asked() => Err(Failure::ours("ended before it was done; nothing is kept of it")),
        }
    });
    say::raw(clear);
    let all = all?;
    let ended = clock.now();
    let result = Calibration::of(all, ended.wall, ended.since(began));
    calibration::keep(&home, &result.to_keep()).map_err(unwritable)?;
    match args.json {
        true => say::line(serde_json::to_string_pretty(&result).expect("text and numbers, which JSON can write")),
        false => say::raw(&words::closing(&result, say::width())),
    }
    Ok(ExitCode::from(if result.is_right() { exit::HELD } else { exit::DROPPED }))
}

/// In the order of the list, whichever ends first. `told` hears how many are done, each second and with each that is.
async fn play_all(logs: &Path, told: impl Fn(usize, Option<&Judged>)) -> Vec<Judged> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut playing = JoinSet::new();
    for (number, fault) in FAULTS.iter().enumerate() {
        let (places, logs) = (Arc::clone(&places), logs.to_owned());
        playing.spawn(async move {
            let _place = places.acquire().await.expect("nobody closes it");
            (number, play(fault, &logs).await)
        });
    }
    let mut all: Vec<Option<Judged>> = FAULTS.iter().map(|_| None).collect();
    let mut done = 0;
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        let played = tokio::select! {
            played = playing.join_next() => played,
            _ = seconds.tick() => {
                told(done, None);
                continue;
            }
        };
        let Some(played) = played else { break };
        done += 1;
        match played {
            Ok((number, judged)) => {
                told(done, Some(&judged));
                all[number] = Some(judged);
            }
            Err(error) => tracing::error!(%error, "a fault failed by our own"),
        }
    }
    let failed = |fault| Judged::not_played(fault, "this program failed at it");
    FAULTS.iter().zip(all).map(|(fault, judged)| judged.unwrap_or_else(|| failed(fault))).collect()
}

async fn play(fault: &'static Fault, logs: &Path) -> Judged {
    match stage::play(fault, logs).await {
        Ok(played) => Judged {
            log: Some(played.folder),
            ..judged::judge(fault, &explain::story(&played.log).head, &played.deeds)
        },
        Err(error) => Judged::not_played(fault, &format!("{error:#}")),
    }
}
