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
//!   nth            its place among the runs of the folder, which no clock can change
//!   bundled        written when the bundle is safe; holds its path. `bundled.part`: where it was about to be written
//!   offered        written when a person was told that the run broke off
//! <data folder>/bundles/         of the runs that were held in the window
//! <data folder>/calibrated.json   what the last calibration came to
//! <data folder>/calibration/runs/ its runs, until the next one
//! ```

use crate::{Clock, Recorder};
use record::{About, Log, Platform, Profile, RunId, about, bundle, log::Damage};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

mod marker;

const RUNS: &str = "runs";
const NTH: &str = "nth";
const OFFERED: &str = "offered";
pub const NAMES: &str = "names.json";
pub const DIAGNOSTICS: &str = "linewitness.log";

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
    /// What began later has a higher number, however the clock was set meanwhile. Zero: of a version that did not count.
    pub nth: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        let about = About {
            schema: about::SCHEMA.to_owned(),
            app: env!("CARGO_PKG_VERSION").into(),
            run: RunId::new(started, random()?),
            platform: platform(),
            started,
            names: None,
            members: std::collections::BTreeMap::new(),
            chain: None,
        };
        let runs = home.join(RUNS);
        let folder = runs.join(about.run.to_string());
        fs::create_dir_all(&runs)?;
        fs::create_dir(&folder)?;
        let made = make(&folder, &about, profile, highest(&runs)? + 1);
        let events = made.inspect_err(|_| {
            // Of a run that never began nothing is to be found; its removal failing changes nothing of what went wrong.
            let _ = fs::remove_dir_all(&folder);
        })?;
        sync_folder(&runs);
        let recorder = Recorder::to_file(clock, events, failed);
        Ok(Self { folder, about, recorder })
    }
}

/// All that stands in the folder before the first event; gives the log, locked.
fn make(folder: &Path, about: &About, profile: &Profile, nth: u64) -> io::Result<File> {
    write_whole(&folder.join(NTH), nth.to_string().as_bytes())?;
    write_whole(&folder.join(bundle::PROFILE), profile.without_secrets().as_bytes())?;
    let events = File::options().append(true).create_new(true).open(folder.join(bundle::EVENTS))?;
    // The lock goes with the process, however it ends; it is how another start knows that this run lives. One that looks
    // just now lets go at once.
    events.lock()?;
    // Last: without it nobody takes the folder for a run.
    write_whole(&folder.join(bundle::ABOUT), &serde_json::to_vec_pretty(about)?)?;
    sync_folder(folder);
    Ok(events)
}

fn highest(runs: &Path) -> io::Result<u64> {
    let entries = fs::read_dir(runs)?.filter_map(Result::ok);
    Ok(entries.map(|entry| nth(&entry.path())).max().unwrap_or_default())
}

fn nth(folder: &Path) -> u64 {
    fs::read_to_string(folder.join(NTH)).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// What sets the name of a run apart from one of the same minute.
pub fn random() -> io::Result<[u8; 5]> {
    let mut random = [0; 5];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(random)
}

/// What stands in a run folder, read as a bundle would be.
pub fn read(folder: &Path) -> io::Result<(About, Log, Option<String>, Vec<Damage>)> {
    let about = serde_json::from_slice(&fs::read(folder.join(bundle::ABOUT))?)?;
    let (log, damage) = Log::read_lines(&fs::read(folder.join(bundle::EVENTS))?);
    Ok((about, log, fs::read_to_string(folder.join(bundle::PROFILE)).ok(), damage))
}

/// Writes the run as a bundle to `out`, which must not exist, and remembers that it was done. `told`: the members that tell
/// its story, and those that are to stand in the place of what was recorded; what they say is not ours to know. Gives why it could not be remembered: the bundle is there all the same, and
/// the run will be offered again.
pub fn write_bundle(folder: &Path, about: &About, told: &[(&str, &[u8])], out: &Path) -> io::Result<Option<io::Error>> {
    let given = |name: &str| told.iter().any(|(told, _)| *told == name);
    let recorded = [bundle::EVENTS, bundle::PROFILE].into_iter().filter(|name| !given(name));
    let recorded: Vec<_> = recorded.map(|name| Ok((name, fs::read(folder.join(name))?))).collect::<io::Result<_>>()?;
    let recorded = recorded.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
    let members: Vec<_> = recorded.chain(told.iter().copied()).collect();
    // While there is room for a line: the bundle may take the last of it. Where there is none even now, the bundle may yet
    // go to another disk.
    let promised = marker::promise(folder, out);
    write_new(&about.run, out, |file| bundle::write(file, about, &members))?;
    Ok(promised.or_else(|_| marker::promise(folder, out)).and_then(|()| marker::keep(folder)).err())
}

/// A file of this run at `out`, which must not exist: whole, or not at all.
pub fn write_new(run: &RunId, out: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let (mut file, beside) = part_of(out, run)?;
    let written = (|| {
        write(&mut file)?;
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
    // Its name is on the disk before anybody says that it is there.
    sync_folder(out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")));
    Ok(())
}

/// A new file beside `out`. One of the same name may be left of an attempt that was killed, or be a user's own: it stays.
fn part_of(out: &Path, run: &RunId) -> io::Result<(File, PathBuf)> {
    const ATTEMPTS: u32 = 100;
    for attempt in 1.. {
        // A name of its own and not a longer one of `out`, which may be as long as the system lets it.
        let beside = out.with_file_name(format!("{run}-{attempt}.witness-part"));
        match File::options().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("the last attempt returns")
}

/// All runs of the folder, in the order in which they began. A folder that is not a run is passed over.
pub fn list(home: &Path) -> io::Result<Vec<Found>> {
    let entries = match fs::read_dir(home.join(RUNS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(error),
    };
    let mut found: Vec<Found> = entries.filter_map(|entry| look(&entry.ok()?.path())).collect();
    let place = |run: &Found| (run.nth, run.about.started.wall, run.about.run.clone());
    found.sort_by_cached_key(place);
    Ok(found)
}

fn look(folder: &Path) -> Option<Found> {
    // What is being removed has a name that no run has.
    RunId::parse(folder.file_name()?.to_str()?)?;
    let about: About = serde_json::from_slice(&fs::read(folder.join(bundle::ABOUT)).ok()?).ok()?;
    let state = match marker::bundle_of(folder, &about) {
        Some(_) => State::Bundled,
        None if is_written(folder)? => State::Live,
        None => State::BrokenOff,
    };
    Some(Found { folder: folder.to_owned(), about, state, nth: nth(folder) })
}

/// Whether a process holds its log; nothing where there is none.
fn is_written(folder: &Path) -> Option<bool> {
    let events = File::open(folder.join(bundle::EVENTS)).ok()?;
    Some(events.try_lock_shared().is_err())
}

/// Where the bundle of a finished run was written.
pub fn bundle_of(run: &Found) -> Option<PathBuf> {
    marker::bundle_of(&run.folder, &run.about)
}

/// Its bundle was not given away after all.
pub fn forget_bundle(folder: &Path) -> io::Result<()> {
    marker::forget(folder)
}

/// A person was told that this run broke off.
pub fn offered(run: &Found) -> io::Result<()> {
    fs::write(run.folder.join(OFFERED), "")
}

pub fn was_offered(run: &Found) -> bool {
    run.folder.join(OFFERED).exists()
}

/// What its folder takes of the disk.
pub fn size(run: &Found) -> u64 {
    let files = fs::read_dir(&run.folder).into_iter().flatten().filter_map(Result::ok);
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// Removes the folder of a run that is over, and leaves one that is being written. Gives whether it is gone.
pub fn remove(run: &Found) -> io::Result<bool> {
    if is_written(&run.folder) == Some(true) {
        return Ok(false);
    }
    // First out of the list, then off the disk: a removal that is cut short must not leave what looks like a broken run.
    let going = run.folder.with_extension(GOING);
    fs::rename(&run.folder, &going)?;
    fs::remove_dir_all(&going)?;
    Ok(true)
}
/// No run's name has a dot.
const GOING: &str = "going";

/// What was left of removals that were cut short.
pub fn sweep(home: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(home.join(RUNS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let left = entries.filter_map(Result::ok).map(|entry| entry.path());
    left.filter(|path| path.extension().is_some_and(|end| end == GOING)).try_for_each(fs::remove_dir_all)
}

/// Removes the folders of all runs that are over; for a folder of runs that are of no use once there are newer ones.
pub fn clear(home: &Path) -> io::Result<()> {
    sweep(home)?;
    list(home)?.iter().try_for_each(|run| remove(run).map(|_gone| ()))
}

/// So that the names of new files survive a power loss too. Windows has no such act, and NTFS keeps names by itself.
fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        tracing::warn!("{} could not be synced: {error}", folder.display());
    }
}

/// Whole or not at all, and on the disk when it returns. For this account alone to read; on Windows that is for the folder
/// to say.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_beside(path, bytes)?;
    fs::rename(beside(path), path)
}

/// On the disk, and not yet under its name.
fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(beside(path))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("part")
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
mod tests;
