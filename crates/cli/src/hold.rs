//! `linewitness hold`: prepare, hold, write the bundle, say what happened.

use crate::{
    args::{Format, Hold},
    exit, files, foresight,
    live::Screen,
    logging, recover, runtime, say,
    say::Failure,
    stop,
};
use engine::{
    Clock, Recorder, calibration, plan,
    runs::{self, Run},
    session,
};
use record::{
    Private, Profile, Seq, bundle,
    fact::{Calibrated, EndedBy, Mark, Plan},
    profile::{Address, Lanes},
};
use std::path::PathBuf;
use std::process::ExitCode;

/// What was asked for, checked as far as it can be without doing it.
struct Prepared {
    profile: Profile,
    plan: Plan,
    out: Option<PathBuf>,
}

pub fn run(args: Hold) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    runtime.block_on(async {
        // The far end of a self-test lives exactly as long as the hold.
        let (far_end, self_test) = match args.profile.is_none() && args.to.is_none() {
            true => (Some(SelfTest::begin().await?), true),
            false => (None, false),
        };
        let prepared = prepare(&args, far_end.as_ref().map(|far| far.address.clone()), self_test)?;
        let code = hold(prepared, &args).await;
        if let Some(far_end) = far_end {
            far_end.end().await;
        }
        code
    })
}

fn prepare(args: &Hold, own_far_end: Option<Address>, self_test: bool) -> Result<Prepared, Failure> {
    let mut profile = match (&args.profile, own_far_end.or_else(|| args.to.clone())) {
        (Some(path), None) => files::profile(path)?,
        (None, Some(url)) => Profile::to(url),
        (Some(path), Some(url)) => {
            let mut profile = files::profile(path)?;
            let own = &profile.signaling.url;
            if profile.signaling.token.is_some() && (own.host(), own.port()) != (url.host(), url.port()) {
                return Err(Failure::bad_input(format!(
                    "{}: the profile's token belongs to {own}, and --to would send it to {url}; change the url in the profile, or take its token out",
                    path.display()
                )));
            }
            profile.signaling.url = url;
            profile
        }
        (None, None) => unreachable!("without either, the far end is our own"),
    };
    if let Some(length) = args.for_ {
        profile.for_ = length;
    }
    profile.stay_awake |= args.stay_awake;
    if args.only_call {
        profile.lanes = Lanes::none();
    }
    if let Some(ca) = &args.ca {
        profile.signaling.ca = Some(files::pem(ca)?);
    }
    if args.profile.is_none()
        && let Some(token) = std::env::var("LINEWITNESS_TOKEN").ok().filter(|token| !token.is_empty())
    {
        profile.signaling.token = Some(Private::new(token));
    }
    let plan = plan::plan(&profile, self_test).map_err(|error| {
        let name = args.profile.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default();
        Failure::bad_input(format!("{name}{error}"))
    })?;
    let out = args.out.clone().map(files::free).transpose()?;
    files::writable(out.as_deref())?;
    Ok(Prepared { profile, plan, out })
}

async fn hold(prepared: Prepared, args: &Hold) -> Result<ExitCode, Failure> {
    let home = runs::home().map_err(|error| Failure::ours(error.to_string()))?;
    offer_broken_runs();
    for says in prepared.profile.credentials_that_end_early(Clock::real().now().wall) {
        say::aside(format_args!("Note: {says}."));
    }
    let run = Run::begin(&home, &prepared.profile, Clock::real(), |error| {
        let says = format!(
            "linewitness: the log cannot be written ({}); the call goes on, but the bundle will lack what is not written",
            files::why(error)
        );
        // A terminal that was stopped must not stop the log's thread as well.
        std::thread::spawn(move || say::aside(says));
    })
    .map_err(|error| {
        let folder = home.display();
        Failure::ours(format!("{folder}: a run cannot be recorded here: {}; set LINEWITNESS_HOME to a folder that can be written", files::why(&error)))
    })?;
    logging::begin(Some(&run.folder.join(runs::DIAGNOSTICS)), args.verbose);

    let log = run.folder.join(bundle::EVENTS);
    let mut screen = Screen::begin(args.format, &prepared.plan, run.recorder.clone(), log)
        .map_err(|error| Failure::ours(format!("the system gave us no thread to show anything with: {error}")))?;
    let foretelling = tokio::spawn(foresight::watch(run.recorder.clone()));
    let calibrated = note_calibration(calibration::kept(&home), run.recorder.clone());
    let holding = session::hold(prepared.profile, prepared.plan, run.recorder.clone(), stop::asked());
    let ((), by) = tokio::join!(calibrated, holding);
    foretelling.abort();
    // It may be in the middle of a note, and the bundle is made of all that was noted.
    let _ended = foretelling.await;
    // The bundle first: whoever does not read what is shown must not keep it from being written.
    let noted = screen.last_fact().await;
    let (words, code) = match finish(&run, &by, noted, prepared.out, args.format) {
        Ok(Finished { words, code }) => (words, code),
        Err(failure) => (None, Err(failure)),
    };
    screen.end(words).await;
    code
}

/// Once the hold has begun: that is always its first event.
async fn note_calibration(calibrated: Option<Calibrated>, recorder: Recorder) {
    let Some(calibrated) = calibrated else { return };
    if recorder.listen().recv().await.is_some() {
        recorder.note(Mark::Calibrated(calibrated));
    }
}

struct Finished {
    /// For a person to read.
    words: Option<String>,
    /// The verdict's, unless something of our own went wrong.
    code: Result<ExitCode, Failure>,
}

/// The bundle and the last words. `noted` is how many events the whole log has.
fn finish(run: &Run, by: &EndedBy, noted: Seq, out: Option<PathBuf>, format: Format) -> Result<Finished, Failure> {
    // What is on the disk is worth a bundle even where the disk refused the rest.
    let refused = run.recorder.settle().err();
    let read = runs::read(&run.folder);
    let missing = match &read {
        Ok((_, log, _, _)) => missing(noted, log.events.len() as u64, refused.as_ref()),
        Err(_) => None,
    };
    let not_bundled = |error: &std::io::Error| {
        let but = missing.as_ref().map(|says| format!("; and {says}")).unwrap_or_default();
        Failure::ours(format!(
            "the bundle could not be written ({}); the run is kept, and `linewitness recover {} --out FILE` writes it elsewhere{but}",
            files::why(error),
            run.about.run
        ))
    };
    let (about, log, _, _) = read.map_err(|error| not_bundled(&error))?;
    let story = explain::story(&log);
    let text = || explain::report::text(&story, &jiff::tz::TimeZone::system(), say::width());
    let out = out.unwrap_or_else(|| recover::bundle_name(&run.about.run));
    if let Err(error) = runs::write_bundle(&run.folder, &about, files::verdict_json(&story).as_bytes(), &out) {
        // The hours are over whatever the disk says; what they showed is told all the same.
        let words = (format == Format::Human).then(|| format!("{}\n", text()));
        return Ok(Finished { words, code: Err(not_bundled(&error)) });
    }
    if let Some(Err(error)) = run.folder.parent().and_then(std::path::Path::parent).map(runs::prune) {
        tracing::warn!("older runs could not be cleared away: {error}");
    }
    let words = (format == Format::Human).then(|| format!("{}\nSaved as {}\n", text(), out.display()));
    let code = match (by, missing) {
        (EndedBy::Fault { says }, _) => {
            Err(Failure::ours(format!("{says}; the bundle {} holds what came before", out.display())))
        }
        (_, Some(missing)) => Err(Failure::ours(format!("{missing}; the bundle {} holds the rest", out.display()))),
        (_, None) => Ok(ExitCode::from(match story.head.outcome {
            explain::Outcome::NotEstablished => exit::NOT_ESTABLISHED,
            _ if !story.head.drops.is_empty() => exit::DROPPED,
            _ => exit::HELD,
        })),
    };
    Ok(Finished { words, code })
}

/// What the log lacks of all that was noted, in words; the events themselves are counted, whatever the disk answered.
fn missing(noted: Seq, written: u64, refused: Option<&std::io::Error>) -> Option<String> {
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

fn offer_broken_runs() {
    // What an earlier run left must never keep a new one from starting.
    let Ok(broken) = recover::broken_off() else { return };
    for run in broken {
        let started = run.about.started.wall.timestamp().to_zoned(jiff::tz::TimeZone::system());
        say::aside(format_args!(
            "A run of {} broke off before its bundle was written. To get the bundle: linewitness recover {}",
            started.strftime("%-d %B, %H:%M"),
            run.about.run
        ));
    }
}

/// A far end of our own on loopback.
struct SelfTest {
    address: Address,
    stop: tokio::sync::oneshot::Sender<()>,
    done: tokio::task::JoinHandle<()>,
}

impl SelfTest {
    async fn begin() -> Result<Self, Failure> {
        let far = reflector::Reflector::bind(reflector::Settings::on_loopback())
            .await
            .map_err(|error| Failure::ours(format!("the far end for the self-test could not be started: {error:#}")))?;
        let address = Address::parse(&format!("ws://{}/call", far.local_addr())).expect("a socket address makes a URL");
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let done = tokio::spawn(async move {
            let _ = far
                .run(async {
                    // Dropped or told: either way it is over.
                    let _ = stopped.await;
                })
                .await;
        });
        Ok(Self { address, stop, done })
    }

    async fn end(self) {
        let _ = self.stop.send(());
        // It has no caller any more; a second is plenty, and leaving is safe.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), self.done).await;
    }
}
