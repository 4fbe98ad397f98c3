//! The power fails at any write. What a disk holds then is modelled: of the log any number of its last bytes are missing, or
//! zeros where the file's length was written and its content was not; of each file that is written whole, its last step did
//! not happen. From every one of those the run is found, read and made into a bundle, with all that was synced.

use engine::{
    Clock,
    runs::{self, Run, State},
};
use record::{Damage, Log, Profile, Stamp, bundle, fact::Mark, profile::Address};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

const EVENTS: u64 = 12;
/// What is written after the last sync: as many lines at least as a quiet call writes in a second.
const UNSYNCED: u64 = 3;

/// A run that ended without a word, and nobody holds any more: its log, whole.
fn broken_off(home: &Path) -> (PathBuf, Vec<u8>) {
    let clock = Clock::scripted(Stamp::new(1_795_255_200_000_000, 5_000_000, 4_000_000));
    let profile = Profile::to(Address::parse("ws://127.0.0.1:9/call").expect("a URL"));
    let run = Run::begin(home, &profile, clock.clone(), |error| panic!("{error}")).expect("a folder");
    for i in 1..=EVENTS {
        run.recorder.note(Mark::Note { text: format!("event {i}, with \"quotes\" and é").as_str().into() });
        clock.advance(Duration::from_millis(300));
    }
    run.recorder.settle().expect("a disk");
    let folder = run.folder.clone();
    let log = fs::read(folder.join(bundle::EVENTS)).expect("there");
    drop(run);
    until_it_broke_off(home);
    (folder, log)
}

/// The writer's thread ends soon after its last recorder.
fn until_it_broke_off(home: &Path) {
    for _ in 0..500 {
        if runs::list(home).expect("listed")[0].state == State::BrokenOff {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the run is still written");
}

/// Where the last lines begin that were not synced.
fn synced(log: &[u8]) -> usize {
    let ends: Vec<usize> = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    ends[(EVENTS - UNSYNCED) as usize - 1]
}

/// Reads the run as a later start does, and holds what it finds against what was safe.
fn recovered(home: &Path, folder: &Path, whole: &Log, context: &str) -> Log {
    let found = runs::list(home).expect("listed");
    assert_eq!((found.len(), found[0].state), (1, State::BrokenOff), "{context}: it is offered");
    let (about, log, profile, damage) = runs::read(folder).expect("readable");
    assert_eq!(about, found[0].about);
    assert!(profile.is_some(), "{context}");
    let safe = (EVENTS - UNSYNCED) as usize;
    assert!(log.events.len() >= safe, "{context}: {} events of {safe} that were synced", log.events.len());
    assert_eq!(log.events[..safe], whole.events[..safe], "{context}");
    assert!(log.events.iter().all(|event| whole.events.contains(event)), "{context}: nothing is made up");
    // All lines of the torn second may be unreadable, and none before it.
    assert!(damage.len() <= 2 * UNSYNCED as usize, "{context}: {damage:?}");
    log
}

#[test]
fn a_log_that_is_cut_anywhere_in_its_last_second_loses_no_more_than_that() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let (folder, bytes) = broken_off(home.path());
    let (whole, none) = Log::read_lines(&bytes);
    assert_eq!((whole.events.len() as u64, none.len()), (EVENTS, 0));
    let events = folder.join(bundle::EVENTS);
    for cut in synced(&bytes)..=bytes.len() {
        fs::write(&events, &bytes[..cut]).expect("writable");
        let log = recovered(home.path(), &folder, &whole, &format!("cut at {cut}"));
        let whole_lines = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
        // A line that lacks nothing but its end is whole as well.
        assert!(log.events.len() == whole_lines || log.events.len() == whole_lines + 1, "cut at {cut}");

        let mut zeros = bytes[..cut].to_vec();
        zeros.resize(bytes.len(), 0);
        fs::write(&events, &zeros).expect("writable");
        recovered(home.path(), &folder, &whole, &format!("zeros from {cut}"));
    }
}

/// A disk may write a later block before an earlier one.
#[test]
fn a_hole_of_zeros_in_the_last_second_costs_the_lines_that_it_touches() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let (folder, bytes) = broken_off(home.path());
    let (whole, _) = Log::read_lines(&bytes);
    let begins = synced(&bytes);
    for from in (begins..bytes.len()).step_by(7) {
        for to in [from + 1, from + 40, from + 200].map(|to| to.min(bytes.len())) {
            let mut holed = bytes.clone();
            holed[from..to].fill(0);
            fs::write(folder.join(bundle::EVENTS), &holed).expect("writable");
            recovered(home.path(), &folder, &whole, &format!("zeros from {from} to {to}"));
        }
    }
}

/// What may lie in the folder, and beside the bundle, after a power loss while the bundle was written.
#[test]
fn a_bundle_that_was_being_written_is_written_again_and_one_that_was_written_is_found() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let (folder, bytes) = broken_off(home.path());
    let (whole, _) = Log::read_lines(&bytes);
    let about = runs::list(home.path()).expect("listed").remove(0).about;
    let [marker, part] = ["bundled", "bundled.part"].map(|name| folder.join(name));
    let out = |n: u32| home.path().join(format!("call-{n}.witness"));
    let half_written = |n: u32| out(n).with_file_name(format!("{}-1.witness-part", about.run));
    let write = |path: &Path, bytes: &[u8]| fs::write(path, bytes).expect("writable");
    let path = |n: u32| out(n).to_str().expect("text").as_bytes().to_vec();

    // Nothing of it, an empty promise, a whole promise, an empty marker; with a half-written bundle and without.
    let left: [&dyn Fn(u32); 5] =
        [&|_| {}, &|_| write(&part, b""), &|n| write(&part, &path(n)), &|n| write(&part, &path(n)[..3]), &|_| {
            write(&marker, b"")
        }];
    for (n, leave) in (0..).zip(left.iter().chain(&left)) {
        leave(n);
        if n >= 5 {
            write(&half_written(n), &bytes[..100]);
        }
        recovered(home.path(), &folder, &whole, &format!("case {n}"));
        assert!(runs::write_bundle(&folder, &about, &[], &out(n)).expect("written").is_none(), "case {n}");
        let (bundle, damage) = bundle::read(File::open(out(n)).expect("there")).expect("a bundle");
        assert_eq!((bundle.log, damage), (whole.clone(), vec![]), "case {n}");
        let found = runs::list(home.path()).expect("listed").remove(0);
        assert_eq!((found.state, runs::bundle_of(&found)), (State::Bundled, Some(out(n))), "case {n}");

        // The bundle has its name and the marker has not.
        fs::rename(&marker, &part).expect("there");
        let found = runs::list(home.path()).expect("listed").remove(0);
        assert_eq!((found.state, runs::bundle_of(&found)), (State::Bundled, Some(out(n))), "case {n}");
        for left in [&marker, &part, &half_written(n)] {
            if left.exists() {
                fs::remove_file(left).expect("removable");
            }
        }
    }
}

/// Before its first event a run has nothing to lose; what it left must not keep the next start from finding others.
#[test]
fn a_run_that_was_cut_short_while_it_began_stands_in_nobodys_way() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let (folder, _) = broken_off(home.path());
    let steps = ["nth", bundle::PROFILE, bundle::EVENTS, bundle::ABOUT];
    for done in 0..=steps.len() {
        let begun = home.path().join("runs/20261121-1000-zzzzz");
        fs::create_dir(&begun).expect("made");
        for name in &steps[..done] {
            fs::copy(folder.join(name), begun.join(name)).expect("copied");
        }
        if done >= 3 {
            fs::write(begun.join(bundle::EVENTS), "").expect("writable");
        }
        let found = runs::list(home.path()).expect("listed");
        assert_eq!(found.len(), if done == steps.len() { 2 } else { 1 }, "{done} files of it");
        if let Some(found) = found.iter().find(|run| run.folder == begun) {
            let (_, log, _, damage) = runs::read(&found.folder).expect("readable");
            assert_eq!((log.events.len(), damage), (0, Vec::<Damage>::new()));
        }
        fs::remove_dir_all(begun).expect("removable");
    }
}
