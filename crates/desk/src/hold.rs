//! A hold from its preparation to its bundle. The screen of whoever shows it listens at the recorder.

use crate::{Failure, files, foresight, giving, kept, recover};
use engine::{
    Clock, Recorder, calibration, plan,
    runs::{self, Run},
    session,
};
use explain::Story;
use record::{
    Profile, RunId, Seq, bundle,
    fact::{Calibrated, EndedBy, Mark, Plan},
};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

/// What was asked for, checked as far as it can be without doing it.
#[derive(Debug)]
pub struct Prepared {
    pub profile: Profile,
    pub plan: Plan,
}

/// A run that is recorded and not yet held.
pub struct Hold {
    run: Run,
    prepared: Prepared,
    home: PathBuf,
    /// Of all runs that this computer keeps.
    limit: kept::Limit,
}

/// How a hold ended, and what it left.
#[derive(Debug)]
pub struct Ended {
    /// Nothing where not even the run's own folder could be read again.
    pub story: Option<Story>,
    /// Where the bundle is that can be read here, or why there is none.
    pub bundle: Result<PathBuf, Failure>,
    /// The file to give away: the bundle itself, unless the profile has it encrypted.
    pub given: Option<PathBuf>,
    /// What else went wrong, though there is a bundle.
    pub but: Option<Failure>,
    /// What of older runs had to go, in words.
    pub removed: Option<String>,
}

impl Prepared {
    /// `named`: as the user knows the profile, for the sentence of what is wrong with it.
    pub fn of(profile: Profile, self_test: bool, named: Option<&str>) -> Result<Self, Failure> {
        let plan = plan::plan(&profile, self_test).map_err(|error| {
            let name = named.map(|named| format!("{named}: ")).unwrap_or_default();
            Failure::bad_input(format!("{name}{error}"))
        })?;
        Ok(Self { profile, plan })
    }

    /// What can be told before it begins that will go wrong in it, a sentence each.
    pub fn will_go_wrong(&self) -> Vec<String> {
        self.profile.credentials_that_end_early(Clock::real().now().wall)
    }
}

impl Hold {
    /// Makes the run's folder. `disk_refuses` hears of it when the log cannot be written any more; the call goes on.
    pub fn begin(prepared: Prepared, disk_refuses: impl Fn(String) + Send + 'static) -> Result<Self, Failure> {
        let home = runs::home().map_err(|error| Failure::ours(error.to_string()))?;
        let limit = kept::limit()?;
        let refused = move |error: &io::Error| {
            disk_refuses(format!(
                "the log cannot be written ({}); the call goes on, but the bundle will lack what is not written",
                files::why(error)
            ));
        };
        let run = Run::begin(&home, &prepared.profile, Clock::real(), refused).map_err(|error| {
            let (folder, why) = (home.display(), files::why_not_written(&error));
            Failure::ours(format!(
                "{folder}: a run cannot be recorded here: {why}; set LINEWITNESS_HOME to a folder that can be written"
            ))
        })?;
        Ok(Self { run, prepared, home, limit })
    }

    pub fn plan(&self) -> &Plan {
        &self.prepared.plan
    }
    pub fn recorder(&self) -> Recorder {
        self.run.recorder.clone()
    }
    pub fn run(&self) -> &RunId {
        &self.run.about.run
    }
    pub fn keeps_awake(&self) -> bool {
        self.prepared.profile.stays_awake()
    }
    pub fn folder(&self) -> &Path {
        &self.run.folder
    }
    /// The file into which the recorder writes.
    pub fn log(&self) -> PathBuf {
        self.run.folder.join(bundle::EVENTS)
    }
    pub fn bundle_name(&self) -> PathBuf {
        recover::bundle_name(&self.run.about.run)
    }

    /// Until its time is over, it cannot go on, or `stop` resolves.
    pub async fn hold(&self, stop: impl Future<Output = ()> + Send) -> EndedBy {
        let recorder = self.recorder();
        let foretelling = tokio::spawn(foresight::watch(recorder.clone()));
        let calibrated = note_calibration(calibration::kept(&self.home), recorder.clone());
        let (profile, plan) = (self.prepared.profile.clone(), self.prepared.plan.clone());
        let ((), by) = tokio::join!(calibrated, session::hold(profile, plan, recorder, stop));
        foretelling.abort();
        // It may be in the middle of a note, and the bundle is made of all that was noted.
        let _ended = foretelling.await;
        by
    }

    /// Writes the bundle.
    pub fn end(self, by: &EndedBy, out: &Path) -> Ended {
        let noted = self.run.recorder.noted();
        // What is on the disk is worth a bundle even where the disk refused the rest.
        let refused = self.run.recorder.settle().err();
        let missing = |log: &record::Log| missing(noted, log.events.len() as u64, refused.as_ref());
        let not_bundled = |error: &io::Error, missing: Option<String>| {
            let but = missing.map(|says| format!("; and {says}")).unwrap_or_default();
            Failure::ours(format!(
                "the bundle could not be written ({}); the run is kept, and `linewitness recover {} --out FILE` writes it elsewhere{but}",
                files::why(error),
                self.run.about.run
            ))
        };
        let unbundled = |story, why| Ended { story, bundle: Err(why), given: None, but: None, removed: None };
        let (about, log) = match runs::read(&self.run.folder) {
            Ok((about, log, _, _)) => (about, log),
            Err(error) => return unbundled(None, not_bundled(&error, None)),
        };
        let (story, missing) = (explain::story(&log), missing(&log));
        let key = self.prepared.profile.share.names_key.as_ref();
        let written = match giving::write_bundle(&self.run.folder, &about, &story, missing.as_deref(), key, out) {
            Ok(written) => written,
            // The hours are over whatever the disk says; what they showed is told all the same.
            Err(error) => return unbundled(Some(story), not_bundled(&error, missing)),
        };
        let out = written.given;
        let removed = kept::prune(self.limit, self.run.recorder.now().wall).unwrap_or_else(|failure| {
            tracing::warn!("older runs could not be cleared away: {failure}");
            None
        });
        let but = match (by, missing) {
            (EndedBy::Fault { says }, _) => {
                Some(format!("{says}; the bundle {} holds what came before", out.display()))
            }
            (_, Some(missing)) => Some(format!("{missing}; the bundle {} holds the rest", out.display())),
            (_, None) => None,
        };
        let but = but.into_iter().chain(written.not_done).reduce(|but, also| format!("{but}; {also}"));
        Ended { story: Some(story), bundle: Ok(written.plain), given: Some(out), but: but.map(Failure::ours), removed }
    }
}

/// Once the hold has begun: that is always its first event.
async fn note_calibration(calibrated: Option<Calibrated>, recorder: Recorder) {
    let Some(calibrated) = calibrated else { return };
    if recorder.listen().recv().await.is_some() {
        recorder.note(Mark::Calibrated(calibrated));
    }
}

/// What the log lacks of all that was noted, in words; the events themselves are counted, whatever the disk answered.
fn missing(noted: Seq, written: u64, refused: Option<&io::Error>) -> Option<String> {
    let missing = noted.saturating_sub(written);
    match refused {
        None if missing == 0 => None,
        None => Some(format!("{missing} of {noted} events could not be written to the log and are lost")),
        Some(error) => {
            let why = files::why(error);
            Some(format!("the log could not be written to its end ({why}); {missing} of {noted} events are missing"))
        }
    }
}
