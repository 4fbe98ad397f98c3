//! Watchers: what this computer does while the call stands. Each sees one thing, notes it as it happens, and says `Blind`
//! where it cannot see.

use crate::Recorder;
use record::{Fact, Sense};
use std::future::Future;
use std::pin::Pin;
use tokio::task::JoinSet;

#[cfg(windows)]
mod adapters;
mod memory;
#[cfg(target_os = "linux")]
mod netlink;
pub(crate) mod network;
mod power;
mod resolvers;
mod system_proxy;
mod wifi;

#[derive(Debug)]
pub struct Watcher {
    pub id: Sense,
    /// Runs until it is dropped. Coming back means that it cannot see, or no longer; the text says why.
    pub run: fn(Recorder) -> Watching,
}

pub type Watching = Pin<Box<dyn Future<Output = String> + Send>>;

/// Which watchers there are.
pub const ALL: &[&Watcher] = &[
    // This computer itself.
    &power::SLEEP,
    &power::SUPPLY,
    &memory::WATCHER,
    &system_proxy::WATCHER,
    // Those who listen to the network's facts before it tells them.
    &wifi::WATCHER,
    &resolvers::WATCHER,
    &network::WATCHER,
];

/// Starts all of them; they end when the set is dropped. Facts that one watcher needs of another, or of the call, it hears
/// through the recorder, so whoever listens is started before whoever tells.
pub fn begin(recorder: &Recorder) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for watcher in ALL {
        let watching = (watcher.run)(recorder.clone());
        let recorder = recorder.clone();
        tasks.spawn(async move {
            let why = watching.await;
            recorder.note(Fact::Blind { watcher: watcher.id, why: why.as_str().into() });
        });
    }
    tasks
}
