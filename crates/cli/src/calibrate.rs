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

use crate::{args, exit, files, logging, runtime, say, say::Failure, stop};
use engine::{Clock, calibration, runs};
use faults::{FAULTS, Fault};
use judged::{Calibration, Judged};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
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
    let told = |done: usize, judged: &Judged| {
        if !args.json {
            say::raw(&words::one(done, FAULTS.len(), judged, say::width()));
        }
    };
    let all = runtime()?.block_on(async {
        tokio::select! {
            all = play_all(&logs, told) => Ok(all),
            () = stop::asked() => Err(Failure::ours("ended before it was done; nothing is kept of it")),
        }
    })?;
    let ended = clock.now();
    let result = Calibration::of(all, ended.wall, ended.since(began));
    calibration::keep(&home, &result.to_keep()).map_err(unwritable)?;
    match args.json {
        true => say::line(serde_json::to_string_pretty(&result).expect("text and numbers, which JSON can write")),
        false => say::raw(&words::closing(&result, say::width())),
    }
    Ok(ExitCode::from(if result.is_right() { exit::HELD } else { exit::DROPPED }))
}

/// In the order of the list, whichever ends first.
async fn play_all(logs: &Path, told: impl Fn(usize, &Judged)) -> Vec<Judged> {
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
    while let Some(played) = playing.join_next().await {
        done += 1;
        match played {
            Ok((number, judged)) => {
                told(done, &judged);
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
