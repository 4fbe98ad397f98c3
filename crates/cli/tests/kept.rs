//! Runs that this computer keeps: two at once, those that broke off, what is listed and what goes.

mod folder;

use folder::{Desk, Said, live_log, read, until_it_holds};
use record::bundle;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

/// Held until it is dropped.
struct Holding(Child);

impl Holding {
    fn begin(desk: &Desk, args: &[&str]) -> Self {
        let args = [&["hold", "--only-call"], args].concat();
        Self(desk.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"))
    }
    fn ends(&mut self) -> Option<i32> {
        self.0.wait().expect("it ends").code()
    }
    fn kill(&mut self) {
        self.0.kill().expect("it lives");
        self.0.wait().expect("it ends");
    }
}
impl Drop for Holding {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn held(desk: &Desk, args: &[&str]) -> Said {
    let said = desk.run(&[&["hold", "--only-call", "--for", "1s"], args].concat());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    said
}

/// The names of the runs that are listed, in their order.
fn listed(desk: &Desk) -> Vec<String> {
    let said = desk.run(&["runs"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let first_lines = said.out.lines().filter(|line| line.contains("   20"));
    first_lines.map(|line| line.split(' ').next().expect("a name").to_owned()).collect()
}

fn folders(desk: &Desk) -> usize {
    fs::read_dir(desk.path("home/runs")).expect("there").count()
}

/// A hold that is killed while its call stands, as the `nth` run of its desk.
fn broken_off(desk: &Desk, nth: usize) {
    let mut holding = Holding::begin(desk, &["--for", "1h"]);
    let stands = |folder: PathBuf| {
        fs::read_to_string(folder.join(bundle::EVENTS)).is_ok_and(|log| log.contains("\"established\""))
    };
    for _ in 0..200 {
        let runs = fs::read_dir(desk.path("home/runs")).into_iter().flatten();
        if runs.filter(|run| run.as_ref().is_ok_and(|run| stands(run.path()))).count() == nth {
            return holding.kill();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the call never stood");
}

#[test]
fn a_run_that_goes_on_is_nobody_elses_to_recover_or_remove() {
    let desk = Desk::new();
    let mut first = Holding::begin(&desk, &["--for", "1h"]);
    let log = live_log(&desk);
    until_it_holds(&log, "\"established\"");
    let run = log.parent().and_then(|folder| folder.file_name()).expect("a run").to_str().expect("text").to_owned();

    // Another whole hold beside it, which also clears away what is too much.
    let keep_nothing = desk
        .command(&["hold", "--only-call", "--for", "1s", "--out", "second.witness"])
        .env("LINEWITNESS_KEEP", "0kB,0d")
        .output();
    let second = Said::from(keep_nothing.expect("the program starts"));
    assert_eq!(second.code, 0, "{}", second.err);
    assert!(!second.err.contains("broke off"), "a run that goes on is not offered: {}", second.err);
    assert_eq!(read(&desk.path("second.witness")).1, [], "each has a folder and a log of its own");

    assert!(desk.run(&["recover"]).out.contains("nothing to recover"));
    desk.run(&["recover", &run]).refused(&[&run, "broke off"]);
    desk.run(&["runs", "--delete", &run]).refused(&[&run, "goes on"]);
    assert!(desk.run(&["runs", "--keep", "0"]).out.contains("1 older run was removed"));
    let said = desk.run(&["runs"]);
    assert!(said.out.starts_with(&run) && said.out.contains("running"), "{}", said.out);
    assert_eq!(folders(&desk), 1);

    // It has lost nothing by that.
    first.kill();
    let said = desk.run(&["recover", &run, "--out", "first.witness"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let (bundle, _) = read(&desk.path("first.witness"));
    assert_eq!(bundle.log.events.first().map(|event| event.seq), Some(1));
    desk.run(&["recover", &run]).refused(&[&run]);
}

#[test]
fn two_holds_at_once_are_two_runs() {
    let desk = Desk::new();
    let mut both: Vec<Holding> = ["a.witness", "b.witness", "c.witness", "d.witness"]
        .map(|out| Holding::begin(&desk, &["--for", "2s", "--out", out]))
        .into();
    for holding in &mut both {
        assert_eq!(holding.ends(), Some(0));
    }
    let runs: Vec<String> =
        ["a", "b", "c", "d"].map(|name| read(&desk.path(&format!("{name}.witness"))).0.about.run.to_string()).into();
    let mut listed = listed(&desk);
    assert_eq!(listed.len(), 4);
    assert!(runs.iter().all(|run| listed.contains(run)), "{runs:?} {listed:?}");
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), 4);
}

#[test]
fn a_run_that_cannot_be_recovered_here_keeps_no_other_from_it() {
    let desk = Desk::new();
    broken_off(&desk, 1);
    broken_off(&desk, 2);
    let runs = listed(&desk);
    assert_eq!(runs.len(), 2);
    desk.file(&format!("linewitness-{}.witness", runs[0]), "precious");
    let said = desk.run(&["recover"]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.err.contains("nothing is overwritten"), "{}", said.err);
    assert_eq!(read(&desk.path(&format!("linewitness-{}.witness", runs[1]))).0.about.run.to_string(), runs[1]);
    assert_eq!(desk.run(&["recover", "--out", "other.witness"]).code, 0);
    assert!(desk.run(&["recover"]).out.contains("nothing to recover"));
}

#[test]
fn runs_are_listed_with_what_became_of_them_and_removed_by_name_and_number() {
    let desk = Desk::new();
    assert!(desk.run(&["runs"]).out.contains("No runs are kept"));
    for n in 0..3 {
        held(&desk, &["--out", &format!("{n}.witness")]);
    }
    broken_off(&desk, 4);
    let runs = listed(&desk);
    assert_eq!(runs.len(), 4, "in the order in which they began");
    let said = desk.run(&["runs"]).out;
    for n in 0..3 {
        let path = desk.path(&format!("{n}.witness"));
        let path = path.canonicalize().unwrap_or(path);
        assert!(said.contains(path.to_str().expect("text")), "{} is not in {said}", path.display());
    }
    assert!(said.contains(&format!("linewitness recover {}", runs[3])), "{said}");
    assert!(said.contains("4 runs") && said.contains("500 MB and 90 days"), "{said}");

    fs::remove_file(desk.path("1.witness")).expect("there");
    let gone = desk.run(&["runs"]).out;
    assert!(gone.contains("not where it was saved"), "{gone}");
    assert_eq!(gone.lines().filter(|line| line.contains("on record") || line.contains("Held")).count(), 4, "{gone}");

    let said = desk.run(&["runs", "--delete", &runs[0], "--delete", &runs[3]]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("0.witness"), "a bundle that was saved elsewhere stays: {}", said.out);
    assert!(desk.path("0.witness").exists());
    assert_eq!(listed(&desk), runs[1..3]);
    desk.run(&["runs", "--delete", &runs[0]]).refused(&[&runs[0]]);
    desk.run(&["runs", "--delete", "../../etc"]).refused(&["no run is named"]);
    assert!(desk.run(&["runs", "--keep", "1"]).out.contains("1 older run was removed"));
    assert_eq!(listed(&desk), runs[2..3]);
}

#[test]
fn what_is_over_the_limit_goes_at_the_end_of_a_hold_and_is_told_in_a_line() {
    let desk = Desk::new();
    let hold = |keep: &str| {
        let mut command = desk.command(&["hold", "--only-call", "--for", "1s"]);
        Said::from(command.env("LINEWITNESS_KEEP", keep).output().expect("the program starts"))
    };
    let refused = hold("5 bananas");
    refused.refused(&["LINEWITNESS_KEEP", "5 bananas", "500MB,90d"]);
    assert!(!desk.path("home/runs").exists(), "before the call, not after it");
    // As left by a window: its bundles lie beside the runs.
    for _ in 0..2 {
        hold("all");
    }
    fs::create_dir(desk.path("home/bundles")).expect("new");
    let runs = listed(&desk);
    for run in &runs {
        let name = format!("linewitness-{run}.witness");
        let ours = desk.path("home/bundles").join(&name);
        fs::rename(desk.path(&name), &ours).expect("moved");
        fs::write(desk.path("home/runs").join(run).join("bundled"), ours.to_str().expect("text")).expect("writable");
    }
    for _ in 0..3 {
        assert!(!hold("0kB").err.contains("removed"), "never the last five");
    }
    assert!(hold("0kB").err.contains("removed"), "the sixth");
    let said = hold("0kB");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(listed(&desk).len(), 5);
    assert!(runs.iter().all(|run| !listed(&desk).contains(run)));
    assert_eq!(fs::read_dir(desk.path("home/bundles")).expect("there").count(), 0);
    let line = said.err.lines().find(|line| line.contains("removed")).expect("it is said");
    assert!(line.contains("1 older run was removed") && line.contains("LINEWITNESS_KEEP"), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_may_have_any_name_that_the_system_lets_it_have() {
    use std::os::unix::ffi::OsStringExt;
    let desk = Desk::new();
    let bytes = |bytes: &[u8]| std::ffi::OsString::from_vec(bytes.to_vec());
    for (home, out) in [
        (bytes(b"home \xff\xfe"), bytes(b"a \xc3\x28 b.witness")),
        (bytes("家 🏠 \u{202e}".as_bytes()), bytes("звонок \u{301}\n.witness".as_bytes())),
    ] {
        let with_home = |args: &[&std::ffi::OsStr]| {
            let mut command = desk.command(&[]);
            command.args(args).env("LINEWITNESS_HOME", desk.path("").join(&home));
            Said::from(command.output().expect("the program starts"))
        };
        let said = with_home(
            &["hold", "--only-call", "--for", "1s", "--out"]
                .map(str::as_ref)
                .into_iter()
                .chain([&*out])
                .collect::<Vec<_>>(),
        );
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        assert_eq!(with_home(&["explain".as_ref(), &out]).code, 0);
        let said = with_home(&["runs".as_ref()]);
        assert!(said.out.contains("saved as") && said.out.contains("1 run,"), "{}", said.out);
        assert!(with_home(&["recover".as_ref()]).out.contains("nothing to recover"));
    }
}
