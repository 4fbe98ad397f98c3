//! The program's own diagnostics: into the run folder, and with `-v` to standard error; where there is no run, warnings
//! always to standard error. They are no facts and never enter the log or the bundle.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// The run that goes on, of which a window has one after another.
static FILE: Mutex<Option<File>> = Mutex::new(None);

/// To `file`, and to standard error as loudly as `-v` was said.
pub fn begin(file: Option<&Path>, verbose: u8) {
    let terminal = match verbose {
        // Without a file the terminal is the only place where trouble can be read.
        0 if file.is_none() => LevelFilter::WARN,
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    turn_to(file);
    let to_file = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(|| ToFile)
        .with_filter(targets(LevelFilter::INFO));
    let to_terminal = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(targets(terminal));
    // A second beginning in one process happens in tests alone; the first one stays.
    let _ = tracing_subscriber::registry().with(to_file).with(to_terminal).try_init();
}

/// From now on into this file, or into none.
pub fn turn_to(file: Option<&Path>) {
    *current() = file.and_then(|path| File::create(path).ok());
}

/// A writer that panicked left the file as it was.
fn current() -> MutexGuard<'static, Option<File>> {
    FILE.lock().unwrap_or_else(PoisonError::into_inner)
}

struct ToFile;

impl Write for ToFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        current().as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))
    }
    fn flush(&mut self) -> io::Result<()> {
        current().as_mut().map_or(Ok(()), File::flush)
    }
}

/// Ours as asked; of the libraries only warnings, and of the noisy ones nothing.
fn targets(ours: LevelFilter) -> Targets {
    let libraries = ours.min(LevelFilter::WARN);
    let noisy = engine::call::NOISY_LOG_TARGETS.iter().map(|target| (*target, LevelFilter::OFF));
    let of_ours = ["cli", "desk", "engine", "reflector", "window"].map(|target| (target, ours));
    Targets::new().with_targets(noisy).with_default(libraries).with_targets(of_ours)
}
