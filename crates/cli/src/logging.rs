//! The program's own diagnostics: into the run folder, and with `-v` to standard error; where there is no run, warnings
//! always to standard error. They are no facts and never enter the log or the bundle.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// To `file`, and to standard error as loudly as `-v` was said.
pub fn begin(file: Option<&Path>, verbose: u8) {
    let terminal = match verbose {
        // Without a file the terminal is the only place where trouble can be read.
        0 if file.is_none() => LevelFilter::WARN,
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let to_file = file.and_then(|path| File::create(path).ok()).map(|file| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .with_filter(targets(LevelFilter::INFO))
    });
    let to_terminal = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(targets(terminal));
    // A second beginning in one process happens in tests alone; the first one stays.
    let _ = tracing_subscriber::registry().with(to_file).with(to_terminal).try_init();
}

/// Ours as asked; of the libraries only warnings, and of the noisy ones nothing.
fn targets(ours: LevelFilter) -> Targets {
    let libraries = ours.min(LevelFilter::WARN);
    let noisy = engine::call::NOISY_LOG_TARGETS.iter().map(|target| (*target, LevelFilter::OFF));
    Targets::new()
        .with_targets(noisy)
        .with_default(libraries)
        .with_target("linewitness", ours)
        .with_target("engine", ours)
        .with_target("reflector", ours)
}
