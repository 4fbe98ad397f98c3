//! Sleep as logind tells it, on a D-Bus of our own with python-dbusmock in logind's place: what is noted and how soon, and
//! that nothing is held back that was not asked for.
//!
//! One test, because the address of the system's D-Bus is the whole process's.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "figures, and what a skipped test lacks, are for whoever reads the run")]

use engine::{Clock, Recorder, awake, watch};
use record::{Event, Fact, Stamp, fact::Power};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use zbus::Variant as Value;

const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const OBJECT: &str = "/org/freedesktop/login1";
const MOCK: &str = "org.freedesktop.DBus.Mock";

/// The system's own, which sees Debian's packages whatever other Pythons there are.
const PYTHON: &str = "/usr/bin/python3";

/// From the emission to the stamp of the fact, for the median of ten.
const TOLD_WITHIN: Duration = Duration::from_millis(50);
/// Anything that has not happened by now will not.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn sleep_is_told_as_logind_tells_it_and_held_back_only_for_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(bus) = Bus::begin(folder.path()) else { return };
    // SAFETY: the only test of this program, and its runtime, with whatever else reads the environment, begins after.
    unsafe { std::env::set_var("DBUS_SYSTEM_BUS_ADDRESS", &bus.address) };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mock = Mock::begin().await;
        with_logind(&mock, &folder.path().join("events.jsonl")).await;
        awake_only_as_asked(&mock).await;
        mock.end().await;
        assert_eq!(blind().await, "this system has no logind to tell of sleep; sleeps are seen from the clocks alone");
        assert_eq!(not_kept_awake().await, "this system has no logind");
        drop(bus);
        assert_eq!(blind().await, "this system has no D-Bus to tell of sleep; sleeps are seen from the clocks alone");
        assert_eq!(not_kept_awake().await, "this system has no D-Bus");
    });
}

async fn with_logind(mock: &Mock, log: &Path) {
    let events = std::fs::File::create(log).expect("a log");
    let recorder = Recorder::to_file(Clock::real(), events, |error| panic!("the log is refused: {error}"));
    let mut facts = Facts(recorder.listen());
    let watching = watch::begin(&recorder);
    let delay = [("sleep".to_owned(), "Linewitness".to_owned(), "delay".to_owned())];
    mock.until_held(&delay).await;

    let mut told_after = Vec::new();
    for round in 0..5 {
        mock.close_lid(true).await;
        let emitted = mock.sleep(true).await;
        told_after.push(facts.stamp_of(&Power::AboutToSleep).await.since(emitted));
        facts.find(|fact| matches!(fact, Fact::Power(Power::Lid { closed: true, .. })).then_some(())).await;
        mock.until_held(&[]).await;
        let written = std::fs::read_to_string(log).expect("the log");
        assert_eq!(
            written.matches("about_to_sleep").count(),
            2 * round + 1,
            "on the disk before the computer may sleep"
        );

        mock.close_lid(false).await;
        let emitted = mock.sleep(false).await;
        told_after.push(facts.stamp_of(&Power::Woke).await.since(emitted));
        mock.until_held(&delay).await;
        // The next look at the lid: ten seconds apart, or with the next sleep.
        mock.sleep(true).await;
        facts.stamp_of(&Power::Lid { closed: false, found: false }).await;
        mock.sleep(false).await;
        mock.until_held(&delay).await;
    }
    told_after.sort_unstable();
    println!("from the signal to the fact: {told_after:?}");
    // A machine that builds beside the test may hold up any single one.
    assert!(told_after[told_after.len() / 2] < TOLD_WITHIN, "{told_after:?}");

    drop(watching);
    mock.until_held(&[]).await;
}

async fn awake_only_as_asked(mock: &Mock) {
    let recorder = Recorder::unwritten(Clock::real());
    let mut facts = Facts(recorder.listen());
    let keeping = tokio::spawn(awake::keep(recorder));
    facts.stamp_of(&Power::KeepingAwake).await;
    mock.until_held(&[("idle:sleep".to_owned(), "Linewitness".to_owned(), "block".to_owned())]).await;
    keeping.abort();
    mock.until_held(&[]).await;
}

/// Why the watcher of sleep cannot see.
async fn blind() -> String {
    let recorder = Recorder::unwritten(Clock::real());
    let mut facts = Facts(recorder.listen());
    let _watching = watch::begin(&recorder);
    facts
        .find(|fact| match fact {
            Fact::Blind { watcher, why } if *watcher == record::Sense::Sleep => Some(why.as_str().to_owned()),
            _ => None,
        })
        .await
        .0
}

async fn not_kept_awake() -> String {
    let recorder = Recorder::unwritten(Clock::real());
    let mut facts = Facts(recorder.listen());
    awake::keep(recorder).await;
    let says = |fact: &Fact| match fact {
        Fact::Power(Power::NotKeptAwake { says }) => Some(says.as_str().to_owned()),
        _ => None,
    };
    facts.find(says).await.0
}

struct Facts(UnboundedReceiver<Arc<Event>>);

impl Facts {
    async fn find<T>(&mut self, wanted: impl Fn(&Fact) -> Option<T>) -> (T, Stamp) {
        let looking = async {
            loop {
                let event = self.0.recv().await.expect("the recorder lives");
                if let Some(found) = wanted(&event.fact) {
                    return (found, event.at);
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("the fact comes")
    }

    async fn stamp_of(&mut self, wanted: &Power) -> Stamp {
        self.find(|fact| matches!(fact, Fact::Power(power) if power == wanted).then_some(())).await.1
    }
}

/// A D-Bus of our own, on a socket in a folder of our own.
struct Bus {
    address: String,
    _daemon: Program,
}

impl Bus {
    /// Nothing, and a loud line, where its programs are missing.
    fn begin(folder: &Path) -> Option<Self> {
        let mock = Command::new(PYTHON).args(["-c", "import dbusmock"]).stderr(Stdio::null()).status();
        let daemon = Command::new("dbus-daemon").arg("--version").stdout(Stdio::null()).status();
        if !(mock.is_ok_and(|status| status.success()) && daemon.is_ok_and(|status| status.success())) {
            // Past the test runner, which shows what a passing test prints to nobody.
            let line = b"\nSKIPPED, NOT TESTED: sleep as logind tells it; dbus-daemon or python3-dbusmock is missing\n";
            std::io::stderr().write_all(line).expect("the terminal takes it");
            return None;
        }
        let address = format!("--address=unix:path={}", folder.join("bus").display());
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address", &address])
            .stdout(Stdio::piped())
            // It says there that it may not raise its own limits.
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().expect("piped")).read_line(&mut address).expect("it says its address");
        Some(Self { address: address.trim().to_owned(), _daemon: Program(daemon) })
    }
}

/// A program that ends with the test, however that ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().expect("it is ours to end");
        self.0.wait().expect("it has ended");
    }
}

/// logind's place, taken by python-dbusmock.
struct Mock {
    bus: zbus::Connection,
    program: Program,
}

impl Mock {
    async fn begin() -> Self {
        let program = Command::new(PYTHON)
            .args(["-m", "dbusmock", "--system", "--template", "logind"])
            .stdout(Stdio::null())
            .spawn()
            .expect("python starts");
        let bus = zbus::Connection::system().await.expect("our own bus");
        let mock = Self { bus, program: Program(program) };
        let there = async {
            while mock.call(MANAGER, "ListInhibitors", &()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("the mock stands");
        // Which the template lacks.
        let lid = (MANAGER, "LidClosed", Value::from(false));
        mock.call(MOCK, "AddProperty", &lid).await.expect("it takes a property");
        mock
    }

    async fn call<B: serde::Serialize + zbus::zvariant::DynamicType>(
        &self,
        interface: &str,
        method: &str,
        body: &B,
    ) -> zbus::Result<zbus::Message> {
        self.bus.call_method(Some(LOGIND), OBJECT, Some(interface), method, body).await
    }

    /// Gives back when it was asked to emit, which is before it did.
    async fn sleep(&self, begins: bool) -> Stamp {
        let asked = Clock::real().now();
        let signal = (MANAGER, "PrepareForSleep", "b", vec![Value::from(begins)]);
        self.call(MOCK, "EmitSignal", &signal).await.expect("it emits");
        asked
    }

    async fn close_lid(&self, closed: bool) {
        let lid = std::collections::BTreeMap::from([("LidClosed", Value::from(closed))]);
        self.call(MOCK, "UpdateProperties", &(MANAGER, lid)).await.expect("it takes a property");
    }

    /// What is inhibited, by whom, and how. The end of one reaches the mock some moments later.
    async fn until_held(&self, wanted: &[(String, String, String)]) {
        let mut held = Vec::new();
        let looking = async {
            loop {
                let answer = self.call(MANAGER, "ListInhibitors", &()).await.expect("it answers");
                let list: Vec<(String, String, String, String, u32, u32)> =
                    answer.body().deserialize().expect("a list");
                held = list.into_iter().map(|(what, who, _, mode, ..)| (what, who, mode)).collect();
                if held == wanted {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, looking).await;
        assert!(seen.is_ok(), "{wanted:?} should be held, not {held:?}");
    }

    async fn end(self) {
        let Self { bus, program } = self;
        drop(program);
        // The bus notices its leaving a moment later.
        let call = || bus.call_method(Some(LOGIND), OBJECT, Some(MANAGER), "ListInhibitors", &());
        let gone = async { while call().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, gone).await.expect("the mock goes");
    }
}
