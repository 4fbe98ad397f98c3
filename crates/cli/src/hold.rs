//! `linewitness hold`: prepare, hold, write the bundle, say what happened.

use crate::{
    args::{self, Format},
    exit,
    live::Screen,
    say,
};
use desk::{
    Failure, SelfTest, files, giving,
    hold::{Ended, Hold, Prepared},
    logging, recover, runtime, stop,
};
use engine::runs;
use record::{
    Private, Profile,
    profile::{Address, Addresses, Lanes},
};
use std::process::ExitCode;

pub fn run(args: args::Hold) -> Result<ExitCode, Failure> {
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

fn prepare(args: &args::Hold, own_far_end: Option<Address>, self_test: bool) -> Result<Prepared, Failure> {
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
    if args.stay_awake {
        profile.stay_awake = Some(true);
    }
    if args.plain_addresses {
        profile.share.addresses = Some(Addresses::Plain);
    }
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
    let named = args.profile.as_ref().map(|path| path.display().to_string());
    Prepared::of(profile, self_test, named.as_deref())
}

async fn hold(prepared: Prepared, args: &args::Hold) -> Result<ExitCode, Failure> {
    // Whether a bundle can be written is known before hours of holding, not after.
    let out = args.out.clone().map(|out| files::free(giving::name(out, &prepared.profile))).transpose()?;
    files::writable(out.as_deref())?;
    offer_broken_runs();
    for says in prepared.will_go_wrong() {
        say::aside(format_args!("Note: {says}."));
    }
    let hold = Hold::begin(prepared, |says| {
        // A terminal that was stopped must not stop the log's thread as well.
        std::thread::spawn(move || say::aside(format_args!("linewitness: {says}")));
    })?;
    logging::begin(Some(&hold.folder().join(runs::DIAGNOSTICS)), args.verbose);
    let screen = Screen::begin(args.format, hold.plan(), hold.recorder(), hold.log())
        .map_err(|error| Failure::ours(format!("the system gave us no thread to show anything with: {error}")))?;
    let by = hold.hold(stop::asked()).await;
    let out = out.unwrap_or_else(|| hold.bundle_name());
    // The bundle first: whoever does not read what is shown must not keep it from being written.
    let ended = hold.end(&by, &out);
    let words = (args.format == Format::Human).then(|| words(&ended)).flatten();
    screen.end(words).await;
    if let Some(removed) = &ended.removed {
        say::aside(format_args!("{removed}."));
    }
    code(ended)
}

/// For a person to read.
fn words(ended: &Ended) -> Option<String> {
    let text = explain::report::text(ended.story.as_ref()?, &jiff::tz::TimeZone::system(), say::width());
    Some(match (&ended.bundle, &ended.given) {
        (Ok(plain), Some(given)) if plain != given => format!(
            "{text}\nSaved as {}, encrypted for its recipient. To read here what is in it: {}\n",
            given.display(),
            plain.display()
        ),
        (Ok(_), Some(given)) => format!("{text}\nSaved as {}\n", given.display()),
        _ => format!("{text}\n"),
    })
}

/// The verdict's, unless something of our own went wrong.
fn code(ended: Ended) -> Result<ExitCode, Failure> {
    ended.bundle?;
    match (ended.but, ended.story) {
        (Some(failure), _) => Err(failure),
        (None, Some(story)) if story.head.outcome == explain::Outcome::NotEstablished => {
            Ok(ExitCode::from(exit::NOT_ESTABLISHED))
        }
        (None, Some(story)) if !story.head.drops.is_empty() => Ok(ExitCode::from(exit::DROPPED)),
        (None, _) => Ok(ExitCode::from(exit::HELD)),
    }
}

fn offer_broken_runs() {
    // What an earlier run left must never keep a new one from starting.
    let Ok(broken) = recover::offer() else { return };
    for run in broken {
        let started = run.about.started.wall.timestamp().to_zoned(jiff::tz::TimeZone::system());
        say::aside(format_args!(
            "A run of {} broke off before its bundle was written. To get the bundle: linewitness recover {}",
            started.strftime("%-d %B, %H:%M"),
            run.about.run
        ));
    }
}
