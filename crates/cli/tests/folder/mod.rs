//! The command in a folder of its own, and what it said.
#![allow(dead_code, reason = "each test program uses its part of this")]

use record::bundle;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// A folder of its own for each test, with the program's data in it.
pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).expect("writable");
        self.path(name)
    }
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linewitness"));
        command.args(args).current_dir(self.0.path()).env("LINEWITNESS_HOME", self.path("home"));
        for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        for ours in ["TOKEN", "KEEP", "IDENTITY", "PASSPHRASE"] {
            command.env_remove(format!("LINEWITNESS_{ours}"));
        }
        command
    }
    pub fn run(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).output().expect("the program starts"))
    }
}

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Said {
    #[track_caller]
    pub fn refused(&self, named: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        for part in named {
            assert!(self.err.contains(part), "{:?} does not name {part:?}", self.err);
        }
    }
}

pub fn read(path: &Path) -> (bundle::Bundle, Vec<record::Damage>) {
    bundle::read(File::open(path).expect("a bundle is there")).expect("it opens")
}

/// Waits until `path` holds `text`, for ten seconds at most.
pub fn until_it_holds(path: &Path, text: &str) {
    for _ in 0..200 {
        if fs::read_to_string(path).is_ok_and(|content| content.contains(text)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} never held {text:?}", path.display());
}

/// The log of the one run that lives in `home`.
pub fn live_log(desk: &Desk) -> PathBuf {
    for _ in 0..200 {
        if let Some(run) = fs::read_dir(desk.path("home/runs")).ok().and_then(|mut runs| runs.next()) {
            return run.expect("readable").path().join(bundle::EVENTS);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no run began");
}
