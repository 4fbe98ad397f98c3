//! The disk is full, or read-only: at the start, in the middle, while the bundle is written, while it is noted that there is
//! one. A disk of some kilobytes stands in for it, which no other program sees.
#![cfg(target_os = "linux")]

use anyhow::{Context, Result, bail, ensure};
use linewitness_lab::{Program, Story, World, hold, world::wait_until};
use record::{Damage, Fact, Log, Names, bundle, fact::System};
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "a_disk_that_is_full_from_the_start_is_told_and_nothing_is_left", needs: &[], tell: at_the_start },
    Story { name: "a_disk_that_fills_and_is_emptied_costs_no_event", needs: &[], tell: for_a_while },
    Story { name: "a_disk_that_fills_leaves_a_bundle_elsewhere_and_the_run", needs: &[], tell: until_the_end },
    Story { name: "a_disk_without_room_for_the_bundle_keeps_the_run", needs: &[], tell: for_the_bundle },
    Story { name: "a_disk_that_is_read_only_is_told_before_the_call", needs: &[], tell: read_only },
];

/// What a hold of some seconds takes beside its time.
const OVER_TIME: Duration = Duration::from_secs(20);

fn at_the_start(world: &World) -> Result<()> {
    on_a_disk_of(world, 64 * 1024, |disk| {
        disk.fill()?;
        let said = Said::of(held(world, "hold", &disk.at, "2s", &world.dir.join("a.witness"))?)?;
        said.is(1, &["a run cannot be recorded here: the disk is full", "LINEWITNESS_HOME"])?;
        ensure!(runs(&disk.at)?.is_empty(), "a run that never began left {:?}", runs(&disk.at)?);
        Ok(())
    })
}

fn for_a_while(world: &World) -> Result<()> {
    on_a_disk_of(world, 4 * 1024 * 1024, |disk| {
        let out = world.dir.join("a.witness");
        let hold = held(world, "hold", &disk.at, "15s", &out)?;
        stands(&disk.at)?;
        disk.fill()?;
        wait_until("the log is refused", Duration::from_secs(10), || {
            Ok(fs::read_to_string(&hold.stderr)?.contains("the log cannot be written (the disk is full)"))
        })?;
        disk.empty()?;
        Said::of(hold)?.is(0, &[])?;
        let (bundle, damage) = bundle::read(File::open(&out)?)?;
        ensure!(damage.is_empty(), "nothing is missing, and yet: {damage:?}");
        let failing = |fact: &Fact| matches!(fact, Fact::System(System::RecordFailing { .. }));
        let told = bundle.log.events.iter().filter(|event| failing(&event.fact)).count();
        ensure!(told == 1, "that the disk refused is told {told} times in the log");
        Ok(())
    })
}

fn until_the_end(world: &World) -> Result<()> {
    on_a_disk_of(world, 4 * 1024 * 1024, |disk| {
        let out = world.dir.join("a.witness");
        let hold = held(world, "hold", &disk.at, "12s", &out)?;
        stands(&disk.at)?;
        disk.fill()?;
        let said = Said::of(hold)?;
        said.is(1, &["the disk is full", "events are missing", "a.witness holds the rest", "will be offered again"])?;
        let (bundle, damage) = bundle::read(File::open(&out)?)?;
        ensure!(damage.iter().all(|d| matches!(d, Damage::TornEnd { .. })), "of what was written: {damage:?}");
        ensure!(!bundle.log.events.is_empty(), "the bundle holds what came before");

        disk.empty()?;
        let run = runs(&disk.at)?.pop().context("the run is kept")?;
        let listed = Said::of(asked(world, "runs", &disk.at, &["runs"])?)?;
        listed.is(0, &[])?;
        ensure!(listed.out.contains(&format!("linewitness recover {run}")), "it is offered: {}", listed.out);
        let again = world.dir.join("again.witness");
        let again_at = again.to_str().context("a plain name")?;
        Said::of(asked(world, "recover", &disk.at, &["recover", &run, "--out", again_at])?)?.is(0, &[])?;
        ensure!(bundle::read(File::open(again)?)?.0.log == bundle.log, "recovered, it is the same");
        Ok(())
    })
}

fn for_the_bundle(world: &World) -> Result<()> {
    on_a_disk_of(world, 4 * 1024 * 1024, |disk| {
        let home = world.dir.join("home");
        let out = disk.at.join("a.witness");
        let hold = held(world, "hold", &home, "4s", &out)?;
        stands(&home)?;
        disk.fill()?;
        let said = Said::of(hold)?;
        let run = runs(&home)?.pop().context("the run is kept")?;
        said.is(1, &["the bundle could not be written (the disk is full)", &format!("linewitness recover {run}")])?;
        ensure!(fs::read_dir(&disk.at)?.count() == 1, "a half-written bundle is left");
        let mut whole = log(&home, &run)?;
        Names::counted().log(&mut whole);

        // Room for what happened, and none for the page that tells it.
        disk.leave(40 * 1024)?;
        let at = out.to_str().context("a plain name")?;
        let said = Said::of(asked(world, "recover", &home, &["recover", &run, "--out", at])?)?;
        said.is(0, &["there was no room for report.html"])?;
        let (bundle, damage) = bundle::read(File::open(&out)?)?;
        ensure!(damage.is_empty() && bundle.log == whole, "all that happened is in it: {damage:?}");
        let said = Said::of(asked(world, "again", &home, &["recover"])?)?;
        ensure!(said.out.contains("nothing to recover"), "{}", said.out);
        Ok(())
    })
}

fn read_only(world: &World) -> Result<()> {
    on_a_disk_of(world, 64 * 1024, |disk| {
        disk.protect()?;
        let elsewhere = world.dir.join("a.witness");
        let said = Said::of(held(world, "home", &disk.at, "2s", &elsewhere)?)?;
        said.is(1, &["a run cannot be recorded here: the disk is read-only"])?;
        let home = world.dir.join("home");
        let said = Said::of(held(world, "out", &home, "2s", &disk.at.join("a.witness"))?)?;
        said.is(2, &["the bundle could not be written here (the disk is read-only)"])?;
        ensure!(!elsewhere.exists() && !home.join("runs").exists(), "nothing began");
        Ok(())
    })
}

/// `linewitness hold`, to itself. With all that runs beside the call, whose log fills a page of the disk in some seconds.
fn held(world: &World, name: &str, home: &Path, how_long: &str, out: &Path) -> Result<Program> {
    let out = out.to_str().context("the lab's folder has a plain name")?;
    asked(world, name, home, &["hold", "--for", how_long, "--out", out])
}

fn asked(world: &World, name: &str, home: &Path, args: &[&str]) -> Result<Program> {
    let home = format!("LINEWITNESS_HOME={}", home.display());
    Program::start(world, &world.client, name, "env", &[&[home.as_str(), hold::binary()?], args].concat())
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn of(mut program: Program) -> Result<Self> {
        let code = program.wait(OVER_TIME)?.code();
        Ok(Self { code, out: fs::read_to_string(&program.stdout)?, err: fs::read_to_string(&program.stderr)? })
    }

    fn is(&self, code: i32, told: &[&str]) -> Result<()> {
        ensure!(self.code == Some(code), "it ended with {:?} and not {code}: {}{}", self.code, self.err, self.out);
        for told in told {
            ensure!(self.err.contains(told), "it does not say {told:?}: {}", self.err);
        }
        Ok(())
    }
}

fn runs(home: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(home.join("runs")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn log(home: &Path, run: &str) -> Result<Log> {
    Ok(Log::read_lines(&fs::read(home.join("runs").join(run).join(bundle::EVENTS))?).0)
}

/// Waits until the call of the one run stands.
fn stands(home: &Path) -> Result<()> {
    wait_until("the call stands", OVER_TIME, || {
        let Some(run) = runs(home)?.pop() else { return Ok(false) };
        let log = fs::read_to_string(home.join("runs").join(run).join(bundle::EVENTS)).unwrap_or_default();
        Ok(log.contains("\"established\""))
    })
}

struct Disk {
    at: PathBuf,
}

/// For the time of `f`, which runs on a thread that sees a disk of that size where others see an empty folder.
fn on_a_disk_of(world: &World, bytes: u32, f: impl FnOnce(&Disk) -> Result<()> + Send) -> Result<()> {
    let disk = Disk { at: world.dir.join("disk") };
    fs::create_dir_all(&disk.at)?;
    let on_it = || {
        own_mounts()?;
        mount(&disk.at, &format!("size={bytes}"), 0)?;
        f(&disk)
    };
    thread::scope(|scope| scope.spawn(on_it).join()).unwrap_or_else(|_| bail!("a step on the small disk panicked"))
}

impl Disk {
    /// To the last byte.
    fn fill(&self) -> Result<()> {
        let mut filler = File::options().create(true).append(true).open(self.at.join("filler"))?;
        loop {
            match filler.write(&[0; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("filling the disk"),
            }
        }
    }

    fn empty(&self) -> Result<()> {
        fs::remove_file(self.at.join("filler")).context("emptying the disk")
    }

    /// Makes so much room on a full disk.
    fn leave(&self, bytes: u64) -> Result<()> {
        let filler = File::options().write(true).open(self.at.join("filler"))?;
        Ok(filler.set_len(filler.metadata()?.len() - bytes)?)
    }

    fn protect(&self) -> Result<()> {
        mount(&self.at, "", libc::MS_REMOUNT | libc::MS_RDONLY)
    }
}

/// From here on the calling thread, and what it starts, have mounts that no other sees.
fn own_mounts() -> Result<()> {
    let nothing = std::ptr::null();
    // SAFETY: the first changes this thread alone; the texts of the second end with a zero byte, and it may be given null.
    let done = unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(c"none".as_ptr(), c"/".as_ptr(), nothing, libc::MS_REC | libc::MS_PRIVATE, nothing.cast())
                == 0
    };
    if !done {
        return Err(std::io::Error::last_os_error()).context("making mounts of a thread's own");
    }
    Ok(())
}

fn mount(at: &Path, options: &str, flags: libc::c_ulong) -> Result<()> {
    let place = CString::new(at.as_os_str().as_bytes())?;
    let options = CString::new(options)?;
    // SAFETY: each pointer is to a text that ends with a zero byte and outlives the call.
    let code =
        unsafe { libc::mount(c"tmpfs".as_ptr(), place.as_ptr(), c"tmpfs".as_ptr(), flags, options.as_ptr().cast()) };
    if code != 0 {
        return Err(std::io::Error::last_os_error()).with_context(|| format!("mounting {}", at.display()));
    }
    Ok(())
}
