use super::*;
use record::fact::{EndedBy, Mark};

fn begin(home: &Path) -> Run {
    let profile = Profile::to(record::profile::Address::parse("ws://127.0.0.1:1/call").expect("a URL"));
    Run::begin(home, &profile, Clock::real(), |error| panic!("{error}")).expect("a writable folder")
}

#[test]
fn a_run_lives_while_it_is_recorded_and_is_offered_when_it_broke_off() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let run = begin(home.path());
    run.recorder.note(Mark::Note { text: "one".into() });
    assert_eq!(list(home.path()).expect("listed")[0].state, State::Live);
    run.recorder.settle().expect("a disk");
    drop(run);
    // The writer thread ends with its last recorder, and its lock with it.
    for _ in 0..100 {
        if list(home.path()).expect("listed")[0].state == State::BrokenOff {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let found = list(home.path()).expect("listed").remove(0);
    assert_eq!(found.state, State::BrokenOff);
    let (_, log, profile, damage) = read(&found.folder).expect("readable");
    assert_eq!((log.events.len(), damage.len()), (1, 0));
    assert!(profile.expect("there").contains("ws://127.0.0.1:1/call"));
}

#[test]
fn a_bundle_is_written_once_and_overwrites_nothing() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let run = begin(home.path());
    run.recorder.note(Mark::Ended { by: EndedBy::User });
    run.recorder.settle().expect("a disk");
    let out = home.path().join("a file with Ünïcode.witness");
    fs::write(&out, "precious").expect("writable");
    let error = write_bundle(&run.folder, &run.about, &[], &out).expect_err("the name is taken");
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&out).expect("still there"), b"precious");

    let out = home.path().join("new.witness");
    write_bundle(&run.folder, &run.about, &[], &out).expect("a free name");
    let (bundle, damage) = bundle::read(File::open(&out).expect("there")).expect("a bundle");
    assert_eq!((bundle.log.events.len(), damage.len()), (1, 0));
    assert_eq!(list(home.path()).expect("listed")[0].state, State::Bundled);
    assert_eq!(fs::read_dir(home.path()).expect("readable").count(), 3, "no half-written file is left");
}

#[test]
fn a_file_beside_the_bundle_is_never_touched() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let run = begin(home.path());
    run.recorder.note(Mark::Ended { by: EndedBy::User });
    run.recorder.settle().expect("a disk");
    let names = ["call.witness-part".to_owned(), format!("{}-1.witness-part", run.about.run)];
    for name in &names {
        fs::write(home.path().join(name), "precious").expect("writable");
    }
    write_bundle(&run.folder, &run.about, &[], &home.path().join("call.witness")).expect("a free name");
    for name in &names {
        assert_eq!(fs::read(home.path().join(name)).expect("still there"), b"precious", "{name}");
    }
    assert_eq!(fs::read_dir(home.path()).expect("readable").count(), 4, "two files, the bundle and the runs");
}

fn at(wall_s: i64) -> Clock {
    Clock::scripted(record::Stamp::new(wall_s * 1_000_000, 1_000_000, 1_000_000))
}

fn begin_by(home: &Path, clock: Clock) -> Run {
    let profile = Profile::to(record::profile::Address::parse("ws://127.0.0.1:1/call").expect("a URL"));
    Run::begin(home, &profile, clock, |error| panic!("{error}")).expect("a writable folder")
}

#[test]
fn runs_stand_in_the_order_in_which_they_began_however_the_clock_is_set() {
    let home = tempfile::tempdir().expect("a temporary folder");
    const NOW: i64 = 1_795_255_200;
    // Set back by a year, then to where a flat battery leaves it, then into the future, then right again.
    let walls = [NOW, NOW - 31_536_000, 0, NOW + 2_000_000_000, NOW + 60];
    let runs: Vec<Run> = walls.map(|wall| begin_by(home.path(), at(wall))).into();
    let began: Vec<&RunId> = runs.iter().map(|run| &run.about.run).collect();
    let found = list(home.path()).expect("listed");
    assert_eq!(found.iter().map(|run| &run.about.run).collect::<Vec<_>>(), began);
    assert_eq!(found.iter().map(|run| run.nth).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_clock_that_is_set_back_during_a_run_costs_no_event() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let clock = at(1_795_255_200);
    let run = begin_by(home.path(), clock.clone());
    run.recorder.note(Mark::Note { text: "before".into() });
    clock.step_wall(-86_400_000_000);
    clock.advance(std::time::Duration::from_secs(1));
    run.recorder.note(Mark::Note { text: "after".into() });
    run.recorder.settle().expect("a disk");
    let (_, log, _, damage) = read(&run.folder).expect("readable");
    assert_eq!((log.events.len(), damage.len()), (2, 0));
    let (before, after) = (log.events[0].at, log.events[1].at);
    assert!(after.wall < before.wall && after > before, "order is that of the clock nobody sets");
    let out = home.path().join("a.witness");
    assert!(write_bundle(&run.folder, &run.about, &[], &out).expect("written").is_none());
    assert_eq!(bundle::read(File::open(&out).expect("there")).expect("a bundle").0.log, log);
}

/// What a power loss may leave of the marker, and of the bundle that it speaks of.
#[test]
fn a_marker_counts_where_it_says_something_and_a_promise_where_it_was_kept() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let run = begin(home.path());
    run.recorder.note(Mark::Ended { by: EndedBy::User });
    run.recorder.settle().expect("a disk");
    let out = home.path().join("call.witness");
    write_bundle(&run.folder, &run.about, &[], &out).expect("a free name");
    let marker = run.folder.join("bundled");
    let (about, folder) = (run.about.clone(), run.folder.clone());
    drop(run);
    let bundled = || marker::bundle_of(&folder, &about);
    assert_eq!(bundled().as_deref(), Some(&*out));

    fs::write(&marker, "").expect("writable");
    assert_eq!(bundled(), None, "an empty marker");
    fs::remove_file(&marker).expect("there");
    assert_eq!(bundled(), None, "no marker");
    marker::promise(&folder, &out).expect("a disk");
    assert_eq!(bundled().as_deref(), Some(&*out), "promised, and it is there");
    fs::write(&out, "somebody else's").expect("writable");
    assert_eq!(bundled(), None, "promised, and another file lies there");
    fs::remove_file(&out).expect("there");
    assert_eq!(bundled(), None, "promised, and nothing lies there");
}

#[cfg(target_os = "linux")]
#[test]
fn a_bundle_may_have_any_name_that_the_system_lets_it_have() {
    use std::os::unix::ffi::OsStringExt;
    let home = tempfile::tempdir().expect("a temporary folder");
    let longest = format!("{}.witness", "x".repeat(255 - ".witness".len()));
    let bytes = std::ffi::OsString::from_vec(b"not \xff\xfe text.witness".to_vec());
    for name in [longest.into(), bytes, "\u{202e}caf\u{e9} \u{1f4de}\n.witness".into()] {
        let run = begin(home.path());
        run.recorder.note(Mark::Ended { by: EndedBy::User });
        run.recorder.settle().expect("a disk");
        let out = home.path().join(&name);
        assert!(write_bundle(&run.folder, &run.about, &[], &out).expect("written").is_none());
        let found = list(home.path()).expect("listed").pop().expect("the latest");
        assert_eq!(bundle_of(&found), Some(out), "{name:?}");
    }
}

#[test]
fn a_run_that_is_written_is_not_removed_and_one_whose_removal_was_cut_short_is_no_run() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let run = begin(home.path());
    let found = list(home.path()).expect("listed").remove(0);
    assert!(!remove(&found).expect("asked"), "it lives");
    clear(home.path()).expect("cleared");
    assert!(run.folder.exists());
    fs::rename(&run.folder, run.folder.with_extension(GOING)).expect("renamed");
    assert_eq!(list(home.path()).expect("listed").len(), 0);
    sweep(home.path()).expect("swept");
    assert_eq!(fs::read_dir(home.path().join(RUNS)).expect("there").count(), 0);
}

#[test]
fn a_run_that_cannot_begin_leaves_nothing() {
    let home = tempfile::tempdir().expect("a temporary folder");
    fs::write(home.path().join(RUNS), "a file where a folder should be").expect("writable");
    let profile = Profile::to(record::profile::Address::parse("ws://127.0.0.1:1/call").expect("a URL"));
    assert!(Run::begin(home.path(), &profile, Clock::real(), |error| panic!("{error}")).is_err());
    assert_eq!(fs::read_dir(home.path()).expect("readable").count(), 1);
}
