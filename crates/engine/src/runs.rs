//! The run folder: where a hold writes while it lasts, so that no crash can lose it, and where a later start finds what
//! broke off.
//!
//! ```text
//! <data folder>/runs/<run id>/
//!   about.json     who, where and when
//!   events.jsonl   the log, appended as it happens; locked while the run lives
//!   profile.toml   as used, secrets left out
//!   linewitness.log  the program's own diagnostics, which are no facts
//!   names.json     what the names in its bundle stand for; it never leaves this computer
//!   bundled        written when the bundle is safe; holds its path
//! <data folder>/bundles/         of the runs that were held in the window
//! <data folder>/calibrated.json   what the last calibration came to
//! <data folder>/calibration/runs/ its runs, until the next one
//! ```

use crate::{Clock, Recorder};
use record::{About, Log, Platform, Profile, RunId, about, bundle, log::Damage};
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

const RUNS: &str = "runs";
const BUNDLED: &str = "bundled";
pub const NAMES: &str = "names.json";
pub const DIAGNOSTICS: &str = "linewitness.log";
/// Finished runs have their bundle; their folders are kept a while for their diagnostics only.
const KEPT_FINISHED: usize = 20;

/// A run that is being recorded.
pub struct Run {
    pub folder: PathBuf,
    pub about: About,
    pub recorder: Recorder,
}

/// A run found in the folder: finished, broken off, or going on elsewhere.
#[derive(Debug)]
pub struct Found {
    pub folder: PathBuf,
    pub about: About,
    pub state: State,
}

#[derive(Debug, PartialEq, Eq)]
pub enum State {
    /// Its bundle was written.
    Bundled,
    /// It ended without a bundle: a crash, a kill, a power loss.
    BrokenOff,
    /// Another process is writing it now.
    Live,
}

/// `LINEWITNESS_HOME`, else where this system keeps a program's data.
pub fn home() -> io::Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let found = from("LINEWITNESS_HOME").or_else(|| {
        if cfg!(windows) {
            from("LOCALAPPDATA").map(|d| d.join("Linewitness"))
        } else if cfg!(target_os = "macos") {
            from("HOME").map(|d| d.join("Library/Application Support/Linewitness"))
        } else {
            from("XDG_DATA_HOME")
                .or_else(|| from("HOME").map(|d| d.join(".local/share")))
                .map(|d| d.join("linewitness"))
        }
    });
    found.ok_or_else(|| {
        io::Error::other("this account has no home folder; set LINEWITNESS_HOME to a folder that can be written")
    })
}

impl Run {
    /// Makes the folder and begins to record into it. The disk refusing later is told through `failed`.
    pub fn begin(
        home: &Path,
        profile: &Profile,
        clock: Clock,
        failed: impl Fn(&io::Error) + Send + 'static,
    ) -> io::Result<Self> {
        let started = clock.now();
        let mut random = [0; 5];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let about = About {
            schema: about::SCHEMA.to_owned(),
            app: env!("CARGO_PKG_VERSION").into(),
            run: RunId::new(started, random),
            platform: platform(),
            started,
            names: None,
            members: std::collections::BTreeMap::new(),
        };
        let folder = home.join(RUNS).join(about.run.to_string());
        fs::create_dir_all(home.join(RUNS))?;
        fs::create_dir(&folder)?;
        write_whole(&folder.join(bundle::ABOUT), &serde_json::to_vec_pretty(&about)?)?;
        write_whole(&folder.join(bundle::PROFILE), profile.without_secrets().as_bytes())?;
        let events = File::options().append(true).create_new(true).open(folder.join(bundle::EVENTS))?;
        // The lock goes with the process, however it ends; it is how another start knows that this run lives.
        events.try_lock().map_err(io::Error::from)?;
        sync_folder(&folder);
        let recorder = Recorder::to_file(clock, events, failed);
        Ok(Self { folder, about, recorder })
    }
}

/// What stands in a run folder, read as a bundle would be.
pub fn read(folder: &Path) -> io::Result<(About, Log, Option<String>, Vec<Damage>)> {
    let about = serde_json::from_slice(&fs::read(folder.join(bundle::ABOUT))?)?;
    let (log, damage) = Log::read_lines(&fs::read(folder.join(bundle::EVENTS))?);
    Ok((about, log, fs::read_to_string(folder.join(bundle::PROFILE)).ok(), damage))
}

/// Writes the run as a bundle to `out`, which must not exist, and remembers that it was done. `told`: the members that tell
/// its story, and those that are to stand in the place of what was recorded; what they say is not ours to know.
pub fn write_bundle(folder: &Path, about: &About, told: &[(&str, &[u8])], out: &Path) -> io::Result<()> {
    let given = |name: &str| told.iter().any(|(told, _)| *told == name);
    let recorded = [bundle::EVENTS, bundle::PROFILE].into_iter().filter(|name| !given(name));
    let recorded: Vec<_> = recorded.map(|name| Ok((name, fs::read(folder.join(name))?))).collect::<io::Result<_>>()?;
    let recorded = recorded.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
    let members: Vec<_> = recorded.chain(told.iter().copied()).collect();
    let (mut file, beside) = part_of(out, about)?;
    let written = (|| {
        bundle::write(&mut file, about, &members)?;
        file.sync_all()?;
        // A hard link fails where the name is taken, so that nothing is ever overwritten; not every disk has them.
        match fs::hard_link(&beside, out) {
            Ok(()) => fs::remove_file(&beside),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            Err(_) if out.exists() => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(&beside, out),
        }
    })();
    if let Err(error) = written {
        // The half-written file is of no use to anyone; its removal failing changes nothing of the error to tell.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    let path = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    write_whole(&folder.join(BUNDLED), path.to_string_lossy().as_bytes())
}

/// A new file beside `out`. One of the same name may be left of an attempt that was killed, or be a user's own: it stays.
fn part_of(out: &Path, about: &About) -> io::Result<(File, PathBuf)> {
    const ATTEMPTS: u32 = 100;
    for attempt in 1.. {
        let beside = out.with_extension(format!("{}-{attempt}.witness-part", about.run));
        match File::options().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("the last attempt returns")
}

/// All runs of the folder, oldest first. A folder that is not a run is passed over.
pub fn list(home: &Path) -> io::Result<Vec<Found>> {
    let entries = match fs::read_dir(home.join(RUNS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(error),
    };
    let mut found: Vec<Found> = entries.filter_map(|entry| look(&entry.ok()?.path())).collect();
    found.sort_by(|a, b| (a.about.started.wall, &a.about.run).cmp(&(b.about.started.wall, &b.about.run)));
    Ok(found)
}

fn look(folder: &Path) -> Option<Found> {
    let about: About = serde_json::from_reader(BufReader::new(File::open(folder.join(bundle::ABOUT)).ok()?)).ok()?;
    let state = if folder.join(BUNDLED).exists() {
        State::Bundled
    } else {
        match File::open(folder.join(bundle::EVENTS)).ok()?.try_lock_shared() {
            Ok(()) => State::BrokenOff,
            Err(_) => State::Live,
        }
    };
    Some(Found { folder: folder.to_owned(), about, state })
}

/// Where the bundle of a finished run was written.
pub fn bundle_of(run: &Found) -> Option<PathBuf> {
    let path = fs::read_to_string(run.folder.join(BUNDLED)).ok()?;
    (run.state == State::Bundled).then(|| PathBuf::from(path))
}

/// Removes the folders of finished runs beyond the latest few. Runs that broke off are never removed here.
pub fn prune(home: &Path) -> io::Result<()> {
    let finished: Vec<Found> = list(home)?.into_iter().filter(|run| run.state == State::Bundled).collect();
    let surplus = finished.len().saturating_sub(KEPT_FINISHED);
    finished.iter().take(surplus).try_for_each(|run| fs::remove_dir_all(&run.folder))
}

/// Removes the folders of all runs that are over; for a folder of runs that are of no use once there are newer ones.
pub fn clear(home: &Path) -> io::Result<()> {
    let over = list(home)?.into_iter().filter(|run| run.state != State::Live);
    over.into_iter().try_for_each(|run| fs::remove_dir_all(&run.folder))
}

/// So that the names of new files survive a power loss too. Windows has no such act, and NTFS keeps names by itself.
fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        tracing::warn!("the run folder could not be synced: {error}");
    }
}

/// Whole or not at all, and on the disk when it returns.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("part");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn platform() -> Platform {
    Platform {
        os: std::env::consts::OS.into(),
        version: sysinfo::System::long_os_version().unwrap_or_default().as_str().into(),
        arch: std::env::consts::ARCH.into(),
        cores: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
    }
}

#[cfg(test)]
mod tests {
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
        let names = ["call.witness-part".to_owned(), format!("call.{}-1.witness-part", run.about.run)];
        for name in &names {
            fs::write(home.path().join(name), "precious").expect("writable");
        }
        write_bundle(&run.folder, &run.about, &[], &home.path().join("call.witness")).expect("a free name");
        for name in &names {
            assert_eq!(fs::read(home.path().join(name)).expect("still there"), b"precious", "{name}");
        }
        assert_eq!(fs::read_dir(home.path()).expect("readable").count(), 4, "two files, the bundle and the runs");
    }

    #[test]
    fn finished_runs_are_kept_a_while_and_broken_ones_for_ever() {
        let home = tempfile::tempdir().expect("a temporary folder");
        for i in 0..KEPT_FINISHED + 5 {
            let run = begin(home.path());
            if i != 0 {
                fs::write(run.folder.join(BUNDLED), "x").expect("writable");
            }
            run.recorder.settle().expect("a disk");
        }
        prune(home.path()).expect("pruned");
        let left = list(home.path()).expect("listed");
        assert_eq!(left.len(), KEPT_FINISHED + 1);
        assert_ne!(left[0].state, State::Bundled);
    }
}
