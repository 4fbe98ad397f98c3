//! The web proxy that the system's own settings name for the far end.
//!
//! | | *Seen* | *Not seen* |
//! |---|---|---|
//! | Linux | the environment that this program was started with | settings of the desktop, `/etc/environment` |
//! | Windows | the user's Internet settings | whether automatic detection (WPAD) finds a script |
//! | macOS | the settings of the network in use | SOCKS proxies, exceptions written as address ranges |
//!
//! Looked at when the first connection begins and every 30 seconds after, and told when it changed. A script is not run.
//! A proxy's user and password stay where they are. Each platform file provides `read(&Address) -> Result<Setting, String>`.

use super::Watcher;
use crate::Recorder;
use record::{
    Event, Fact, Heard,
    fact::{Net, Signaling},
    profile::Address,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;

#[cfg_attr(target_os = "linux", path = "system_proxy/linux.rs")]
#[cfg_attr(target_os = "macos", path = "system_proxy/macos.rs")]
#[cfg_attr(windows, path = "system_proxy/windows.rs")]
mod platform;
#[cfg(any(windows, target_os = "macos", test))]
mod settings;

pub const WATCHER: Watcher = Watcher {
    id: record::Sense::SystemProxy,
    run: |recorder| {
        let heard = recorder.listen();
        Box::pin(watch(recorder, heard))
    },
};

const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What the system would do with a web request to the far end.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Setting {
    /// Host and port.
    proxy: Option<Heard>,
    /// A script decides.
    script: bool,
}

async fn watch(recorder: Recorder, heard: UnboundedReceiver<Arc<Event>>) -> String {
    let Some(far_end) = far_end(heard).await else { return "the far end's address is not known".into() };
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<Setting> = None;
    loop {
        looks.tick().await;
        let to = far_end.clone();
        // The system may ask other processes for it.
        let now = match tokio::task::spawn_blocking(move || platform::read(&to)).await {
            Ok(Ok(now)) => now,
            Ok(Err(why)) => return why,
            Err(error) => return format!("reading the settings failed ({error})"),
        };
        if told.as_ref() != Some(&now) {
            let Setting { proxy, script } = now.clone();
            recorder.note(Net::SystemProxy { proxy, script, found: told.is_none() });
            told = Some(now);
        }
    }
}

/// As the first connection names it.
async fn far_end(mut heard: UnboundedReceiver<Arc<Event>>) -> Option<Address> {
    loop {
        if let Fact::Signaling(Signaling::Connecting { to, .. }) = &heard.recv().await?.fact {
            return Address::parse(to.as_str()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;
    use record::fact::SocketPurpose;

    #[tokio::test]
    async fn it_is_looked_at_when_the_far_end_is_known() {
        let recorder = Recorder::unwritten(Clock::real());
        let mut heard = recorder.listen();
        let watching = tokio::spawn((WATCHER.run)(recorder.clone()));
        let to = "ws://127.0.0.1:7000/call".into();
        recorder.note(Signaling::Connecting { conn: 1, to, purpose: SocketPurpose::First, proxy: None });
        let told = tokio::time::timeout(Duration::from_secs(5), async {
            loop {
                if let Fact::Net(fact) = &heard.recv().await.unwrap().fact {
                    return fact.clone();
                }
            }
        });
        assert_eq!(
            told.await.expect("told"),
            Net::SystemProxy { proxy: None, script: false, found: true },
            "nobody's proxy leads to this computer itself"
        );
        watching.abort();
    }
}
