//! `Hold`: the real `linewitness` holding a call in the client's namespace, and `Told`: everything it said of it.

use crate::{Program, World, secrets, verdict, verdict::Verdict, world::wait_until};
use anyhow::{Context, Result, bail, ensure};
use record::bundle::{self, Bundle};
use record::fact::{Action, Control, ControlKind, Ice, Mark, Move, Signaling};
use record::{Event, Fact};
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

pub struct Hold {
    pub program: Program,
    bundle: PathBuf,
    /// Where its run is kept.
    home: PathBuf,
}

/// What a hold left behind, read and checked for form.
pub struct Told {
    pub exit: i32,
    pub bundle: Bundle,
    pub verdict: Verdict,
    pub stderr: String,
}

/// From launch to the first echoed packet; on a machine busy with other stories still far from this.
const SET_UP: Duration = Duration::from_secs(15);
/// What a hold may take beyond its time, for setting up and for the end in order.
const OVER_TIME: Duration = Duration::from_secs(25);

impl Hold {
    /// `args` are those after `hold`; where to and for how long are the caller's.
    pub fn start(world: &World, name: &str, args: &[&str]) -> Result<Self> {
        Self::start_by(world, &[], name, args)
    }

    /// Started by another program, which is given with its own arguments and replaces itself by the hold: `env`, `setpriv`.
    pub fn start_by(world: &World, by: &[&str], name: &str, args: &[&str]) -> Result<Self> {
        let bundle = world.dir.join(format!("{name}.witness"));
        let out = bundle.to_str().context("the lab's folder has a plain name")?;
        let all = [by, &[binary()?, "hold"], args, &["--plain-addresses", "--out", out, "--format", "jsonl"]].concat();
        let program = Program::start(world, &world.client, name, all[0], &all[1..])?;
        Ok(Self { program, bundle, home: world.dir.join(crate::program::HOME) })
    }

    /// As `start`, and waits until the call stands.
    pub fn established(world: &World, name: &str, args: &[&str]) -> Result<Self> {
        Self::established_by(world, &[], name, args)
    }

    /// As `start_by`, and waits until the call stands.
    pub fn established_by(world: &World, by: &[&str], name: &str, args: &[&str]) -> Result<Self> {
        let mut hold = Self::start_by(world, by, name, args)?;
        hold.stands()?;
        Ok(hold)
    }

    /// Waits until the call stands, and gives the event that says so.
    pub fn stands(&mut self) -> Result<Event> {
        self.sees("the call is established", SET_UP, |fact| matches!(fact, Fact::Mark(Mark::Established { .. })))
    }

    /// Events as printed so far; a line still being written is left for the next look.
    pub fn events(&self) -> Result<Vec<Event>> {
        let text = std::fs::read_to_string(&self.program.stdout).context("reading what the hold printed")?;
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        whole
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("--format jsonl printed {line:?}")))
            .collect()
    }

    /// Waits until a fact of the kind was printed, and gives the first.
    pub fn sees(&mut self, what: &str, limit: Duration, kind: impl Fn(&Fact) -> bool) -> Result<Event> {
        let mut found = None;
        wait_until(what, limit, || {
            found = self.events()?.into_iter().find(|event| kind(&event.fact));
            if found.is_none() {
                self.program.check_alive()?;
            }
            Ok(found.is_some())
        })
        .with_context(|| self.program.last_words())?;
        found.context("it was found")
    }

    /// The client's end of the signaling connection in use.
    pub fn signaling_port(&self) -> Result<u16> {
        self.latest("TCP connection", |fact| match fact {
            Fact::Signaling(Signaling::TcpConnected { local, .. }) => Some(local.port()),
            _ => None,
        })
    }

    /// The client's end of the pair that carries the media.
    pub fn media_address(&self) -> Result<SocketAddr> {
        self.latest("selected pair", |fact| match fact {
            Fact::Ice(Ice::Pair { local, .. }) => local.plain(),
            _ => None,
        })
    }

    fn latest<T>(&self, what: &str, pick: impl Fn(&Fact) -> Option<T>) -> Result<T> {
        let events = self.events()?;
        events.iter().rev().find_map(|event| pick(&event.fact)).with_context(|| format!("no {what} in the log so far"))
    }

    /// Until the hold ends by itself within its planned time, and everything it says is read.
    pub fn finish(self, planned: Duration) -> Result<Told> {
        self.wait_then_read(planned + OVER_TIME)
    }

    /// Ctrl-C, as a terminal sends it.
    pub fn interrupt(self) -> Result<Told> {
        self.program.signal(libc::SIGINT)?;
        self.wait_then_read(OVER_TIME)
    }

    fn wait_then_read(mut self, limit: Duration) -> Result<Told> {
        let status = self.program.wait(limit)?;
        let exit = match (status.code(), status.signal()) {
            (Some(code), _) => code,
            (None, signal) => bail!("linewitness died of signal {signal:?}. {}", self.program.last_words()),
        };
        let told = self.read(exit).with_context(|| self.program.last_words())?;
        let printed = self.events()?;
        ensure!(
            printed == told.bundle.log.events,
            "the {} events printed and the {} in the bundle differ",
            printed.len(),
            told.bundle.log.events.len()
        );
        Ok(told)
    }

    fn read(&self, exit: i32) -> Result<Told> {
        let path = self.bundle.display();
        let file = File::open(&self.bundle).with_context(|| format!("exit code {exit}, and no bundle at {path}"))?;
        let (bundle, damage) = bundle::read(file).with_context(|| format!("opening {path}"))?;
        ensure!(damage.is_empty(), "a bundle just written is damaged: {damage:?}");
        let written = bundle.verdict.as_deref().context("the bundle holds no verdict.json")?;
        let verdict = Verdict::read(written)?;
        let events = &bundle.log.events;
        let ends = (events.first().map(|e| &e.fact), events.last().map(|e| &e.fact));
        ensure!(
            matches!(ends, (Some(Fact::Mark(Mark::Started(_))), Some(Fact::Mark(Mark::Ended { .. })))),
            "a whole log begins with its start and ends with its end; this one has {ends:?}"
        );
        verdict.check_form(events.len() as u64).with_context(|| verdict.summary())?;
        explained_alike(&self.bundle, written)?;
        secrets::none_in(&self.home, &self.bundle, &[&self.program.stdout, &self.program.stderr])?;
        let stderr = std::fs::read(&self.program.stderr).unwrap_or_default();
        Ok(Told { exit, bundle, verdict, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }
}

/// There is one path from events to a verdict: explaining the bundle must say what the run itself said.
fn explained_alike(bundle: &std::path::Path, written: &[u8]) -> Result<()> {
    let done = std::process::Command::new(binary()?)
        .arg("explain")
        .arg(bundle)
        .arg("--json")
        .output()
        .context("starting linewitness explain")?;
    ensure!(done.status.success(), "linewitness explain failed: {}", String::from_utf8_lossy(&done.stderr));
    let again: serde_json::Value = serde_json::from_slice(&done.stdout).context("explain --json printed no JSON")?;
    let written: serde_json::Value = serde_json::from_slice(written).context("verdict.json is no JSON")?;
    ensure!(again == written, "explained again, the bundle says something else:\n{again:#}\nand not\n{written:#}");
    Ok(())
}

impl Told {
    /// Runs checks and puts the whole verdict beside whatever fails.
    pub fn expect(&self, checks: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        checks(self).with_context(|| format!("exit code {}; the verdict: {}", self.exit, self.verdict.summary()))
    }

    pub fn ended(&self, outcome: &str, exit: i32) -> Result<()> {
        ensure!(self.verdict.outcome == outcome, "expected the outcome {outcome}, it is {}", self.verdict.outcome);
        ensure!(self.exit == exit, "expected exit code {exit}, it is {}", self.exit);
        Ok(())
    }

    /// Every drop is of that cause, and each plane has one if it is named.
    pub fn all_are(&self, planes: &[&str], cause: &str, owner: &str, confidence: &str) -> Result<()> {
        for plane in planes {
            ensure!(!self.verdict.on(plane).is_empty(), "expected a drop of {plane}");
        }
        self.verdict.drops.iter().try_for_each(|drop| drop.is(cause, owner, confidence))
    }

    /// The verdict on it stands on an event of that kind, among others.
    pub fn rests_on(&self, drop: &verdict::Drop, what: &str, kind: impl Fn(&Fact) -> bool) -> Result<()> {
        let cited = |event: &&Event| drop.because.iter().any(|because| because.seq == event.seq);
        let found = self.bundle.log.events.iter().filter(cited).any(|event| kind(&event.fact));
        ensure!(found, "{} {}: the evidence does not hold {what}: {:?}", drop.plane, drop.cause, drop.because);
        Ok(())
    }

    /// The verdict stands on what a control of that kind did.
    pub fn rests_on_control(&self, drop: &verdict::Drop, kind: ControlKind) -> Result<()> {
        let events = &self.bundle.log.events;
        let asked = |number: u32| {
            events.iter().any(|event| {
                matches!(&event.fact, Fact::Control(Control::Asking { control, kind: of, .. }) if (*control, *of) == (number, kind))
            })
        };
        self.rests_on(drop, &format!("the control {kind:?}"), |fact| match fact {
            Fact::Control(
                Control::Sample { control, .. } | Control::Silent { control, .. } | Control::Back { control, .. },
            ) => asked(*control),
            _ => false,
        })
    }

    /// The call that was placed is the call that was held: nothing was dialled anew.
    pub fn same_call(&self) -> Result<()> {
        let anew = self.count(|fact| matches!(fact, Fact::Action(Action::Began { step: Move::NewCall, .. })));
        ensure!(anew == 0, "a new call was placed where the old one could be recovered");
        Ok(())
    }

    /// A control of that kind was asked, and answered all through.
    pub fn answered(&self, kind: ControlKind) -> Result<()> {
        let controls: Vec<u32> = self.facts(|fact| match fact {
            Fact::Control(Control::Asking { control, kind: of, .. }) if *of == kind => Some(*control),
            _ => None,
        });
        let answered: u32 = self
            .facts(|fact| match fact {
                Fact::Control(Control::Sample { control, answered, .. }) if controls.contains(control) => {
                    Some(*answered)
                }
                _ => None,
            })
            .iter()
            .sum();
        let silent = self
            .count(|fact| matches!(fact, Fact::Control(Control::Silent { control, .. }) if controls.contains(control)));
        ensure!(
            answered > 0 && silent == 0,
            "the control {kind:?} answered {answered} times and fell silent {silent} times"
        );
        Ok(())
    }

    fn facts<T>(&self, pick: impl Fn(&Fact) -> Option<T>) -> Vec<T> {
        self.bundle.log.events.iter().filter_map(|event| pick(&event.fact)).collect()
    }

    pub fn count(&self, kind: impl Fn(&Fact) -> bool) -> usize {
        self.bundle.log.events.iter().filter(|event| kind(&event.fact)).count()
    }
}

/// A profile to the reflector with these lines in its `[signaling]`, and these sections after it.
pub fn profile(world: &World, signaling: &str, sections: &str) -> Result<String> {
    profile_to(world, &crate::far::reflector::url(), signaling, sections)
}

/// As `profile`, to where the reflector is reached otherwise: by name, or through a proxy.
pub fn profile_to(world: &World, url: &str, signaling: &str, sections: &str) -> Result<String> {
    let path = world.dir.join("hold.witness-profile");
    let url = secrets::url(url);
    let text = format!("name = \"Lab\"\n[signaling]\nurl = \"{url}\"\n{signaling}\n{sections}\n");
    std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(path.to_string_lossy().into_owned())
}

/// The program under test, which the build put beside the lab's own.
pub fn binary() -> Result<&'static str> {
    static PATH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let path = PATH.get_or_init(|| {
        let target = crate::stage::target_folder();
        target.join("linewitness").to_string_lossy().into_owned()
    });
    ensure!(
        std::path::Path::new(path).is_file(),
        "{path} is not there: `cargo xtask lab` builds it, and so does `cargo build -p linewitness-cli`"
    );
    Ok(path)
}
