//! One fault, played: a far end, the box before it, and a real hold through the box.

use super::between::{Between, Deed};
use super::faults::{Breaks, Fault};
use anyhow::Context;
use desk::foresight;
use engine::{
    Clock, Recorder, plan,
    runs::{self, Run},
    session,
};
use record::{
    Fact, Log, Profile,
    fact::Mark,
    profile::{Address, ControlTarget, IceUrl, Lanes},
};
use reflector::{Reflector, Settings};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// From the first media to the fault: what is alive is to be seen alive.
const ALIVE_FIRST: Duration = Duration::from_millis(2_500);
/// A service that is started anew is away for as long.
const AWAY: Duration = Duration::from_millis(1_000);

pub struct Played {
    pub log: Log,
    pub deeds: Vec<Deed>,
    /// Where its log is kept.
    pub folder: PathBuf,
}

pub async fn play(fault: &Fault, home: &Path) -> anyhow::Result<Played> {
    let between = Between::begin(Clock::real()).await.context("no sockets on loopback")?;
    let mut settings = Settings::on_loopback();
    settings.udp_through = Some(between.udp.port());
    (fault.far_end)(&mut settings);
    let mut far_end = FarEnd::begin(&settings, &between).await?;
    let profile = profile(fault, &between)?;
    let plan = plan::plan(&profile, true)?;
    let run = Run::begin(home, &profile, Clock::real(), |error| tracing::warn!(%error, "a log could not be written"))
        .with_context(|| format!("{}: a run cannot be recorded here", home.display()))?;

    let foretelling = tokio::spawn(foresight::watch(run.recorder.clone()));
    let hold = session::hold(profile, plan, run.recorder.clone(), std::future::pending());
    let broken = async {
        let broken = break_it(fault.breaks, &settings, &between, &mut far_end, &run.recorder).await;
        // The hold goes on; a fault that could not be made ends it.
        if broken.is_ok() { std::future::pending().await } else { broken }
    };
    let played = tokio::select! {
        _by = hold => Ok(()),
        broken = broken => broken,
    };
    foretelling.abort();
    // It may be in the middle of a note.
    let _ended = foretelling.await;
    played?;
    run.recorder.settle().context("the log could not be written")?;
    let (_, log, _, _) = runs::read(&run.folder).context("the log cannot be read")?;
    Ok(Played { log, deeds: between.deeds(), folder: run.folder })
}

fn profile(fault: &Fault, between: &Between) -> anyhow::Result<Profile> {
    let url = format!("ws://{}/call", between.tcp);
    let stun = format!("stun:{}", between.stun);
    let mut profile = Profile::to(Address::parse(&url).map_err(anyhow::Error::msg)?);
    profile.name = format!("calibrate: {}", fault.id);
    profile.for_ = fault.hold;
    profile.lanes = Lanes::none();
    (fault.profile)(&mut profile);
    let stun = IceUrl::parse(&stun).map_err(anyhow::Error::msg)?;
    profile.lanes.controls = vec![ControlTarget::Far, ControlTarget::Stun(stun)];
    Ok(profile)
}

async fn break_it(
    breaks: Breaks,
    settings: &Settings,
    between: &Between,
    far_end: &mut FarEnd,
    recorder: &Recorder,
) -> anyhow::Result<()> {
    match breaks {
        Breaks::Nothing | Breaks::FarEnd => return Ok(()),
        // Devices have their limits from the beginning.
        Breaks::Quiet(most) => between.rule(|rules| rules.quiet_for = Some(most)),
        Breaks::Old(most) => between.rule(|rules| rules.age = Some(most)),
        _ => {}
    }
    stands(recorder).await;
    tokio::time::sleep(ALIVE_FIRST).await;
    match breaks {
        Breaks::Signaling(end) => between.end_signaling(end),
        Breaks::Udp(losing) => between.rule(|rules| rules.udp = losing),
        Breaks::Restart => {
            far_end.stop(between).await;
            tokio::time::sleep(AWAY).await;
            *far_end = FarEnd::begin(settings, between).await?;
        }
        Breaks::Nothing | Breaks::FarEnd | Breaks::Quiet(_) | Breaks::Old(_) => {}
    }
    Ok(())
}

async fn stands(recorder: &Recorder) {
    let mut events = recorder.listen();
    while let Some(event) = events.recv().await {
        if matches!(event.fact, Fact::Mark(Mark::Established { .. })) {
            return;
        }
    }
}

/// The embedded reflector, behind the box. It ends by being dropped, or in order.
struct FarEnd {
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl FarEnd {
    async fn begin(settings: &Settings, between: &Between) -> anyhow::Result<Self> {
        let reflector = Reflector::bind(settings.clone()).await.context("the far end could not be started")?;
        let at = reflector.local_addr();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            // Dropped or told: either way it is over.
            let report = reflector.run(async { drop(stopped.await) }).await;
            tracing::debug!(?report, "the far end has ended");
        });
        between.rule(|rules| rules.far = Some(at));
        Ok(Self { stop: Some(stop), running })
    }

    /// In order, as a service manager does it.
    async fn stop(&mut self, between: &Between) {
        drop(self.stop.take());
        if let Err(error) = (&mut self.running).await {
            tracing::error!(%error, "the far end failed");
        }
        between.rule(|rules| rules.far = None);
    }
}
