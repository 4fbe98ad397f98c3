#![cfg(unix)]
//! A process that is killed at any moment loses at most its last second: tried a hundred times on a real process.

use engine::{
    Clock,
    runs::{self, Run, State},
};
use record::{Damage, Profile, fact::Mark, profile::Address};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const HOME: &str = "LINEWITNESS_TEST_CRASH_HOME";
const KILLS: u32 = 100;

/// The process to be killed: records as fast as a busy call does, tenfold, and says the number of each event after it was
/// noted. It is this same test program, started anew.
#[test]
fn victim() {
    let Some(home) = std::env::var_os(HOME) else { return };
    let profile = Profile::to(Address::parse("ws://127.0.0.1:9/call").expect("a URL"));
    let run = Run::begin(Path::new(&home), &profile, Clock::real(), |error| panic!("{error}")).expect("a folder");
    let mut out = std::io::stdout();
    // Bounded, should the killer die first.
    for i in 0..20_000 {
        let seq = run.recorder.note(Mark::Note { text: format!("event {i}").as_str().into() });
        writeln!(out, "noted {seq}").expect("the killer listens");
        std::thread::sleep(Duration::from_micros(500));
    }
}

#[test]
fn a_hundred_kills_lose_at_most_a_second_each_and_every_run_is_offered() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let (mut torn, mut behind) = (0, Vec::new());
    for kill in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let live_for = Duration::from_micros(1_000 + (random >> 33) % 120_000);
        let told = killed_after(home.path(), live_for);

        let found = runs::list(home.path()).expect("listed");
        assert_eq!(found.len() as u32, kill + 1, "every killed run is found");
        let latest = found.last().expect("one at least");
        assert_eq!(latest.state, State::BrokenOff, "and offered");
        let (_, log, _, damage) = runs::read(&latest.folder).expect("the log opens");
        match damage.as_slice() {
            [] => {}
            [Damage::TornEnd { .. }] => torn += 1,
            other => panic!("kill {kill}: {other:?}"),
        }
        // What was told in the last second may be missing; the victim tells up to 2,000 events a second.
        let written = log.events.last().map_or(0, |event| event.seq);
        assert!(told <= written + 2_000, "kill {kill}: told {told}, written {written}");
        behind.push(told.saturating_sub(written));
    }
    // Lines are written as they are noted: nothing but the event in flight is missing, unless the computer had no time for
    // whoever writes just then.
    behind.sort_unstable();
    let (usual, most) = (behind[behind.len() / 2], behind[behind.len() - 1]);
    assert!(usual <= 20, "the log lags behind: by {usual} events at half of the kills, by {most} at most");
    eprintln!("{KILLS} kills, {torn} torn last lines, {most} events behind at most");
}

/// Starts a victim, lets it record for a while and kills it; the number of the last event it told.
fn killed_after(home: &Path, live_for: Duration) -> u64 {
    let mut victim = Command::new(std::env::current_exe().expect("this test is a program"))
        .args(["--exact", "victim", "--nocapture", "--test-threads=1"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program starts again");
    let mut lines = BufReader::new(victim.stdout.take().expect("piped")).lines();
    let mut told = 0;
    let number = |line: &str| line.rsplit_once("noted ").and_then(|(_, n)| n.parse::<u64>().ok());
    // The clock of its life starts with its first event; before that there is no run to lose.
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some(n) = number(&line) {
            told = n;
            break;
        }
    }
    assert!(told > 0, "the victim never recorded anything");
    let pid = victim.id();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(live_for);
        // SAFETY: a signal to a child of ours that has not been waited for, so the pid is still its own.
        unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) }
    });
    for line in lines.map_while(Result::ok) {
        told = number(&line).unwrap_or(told);
    }
    killer.join().expect("the killer only sleeps and kills");
    victim.wait().expect("it has ended");
    told
}
