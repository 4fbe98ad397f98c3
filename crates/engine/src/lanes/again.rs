//! `Again`: when a lane that ended is opened anew. Ends at the same age, again and again, are the evidence; so many of them
//! are enough.

use super::street::{Street, Waits};
use record::Fact;
use std::time::Duration;
use tokio::sync::watch;

const MOST: u32 = 200;
/// A lane that stood for so long has shown something, and the next one need not wait.
const LONG: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct Again {
    waits: Waits,
    times: u32,
}

impl Again {
    /// Waits its turn. Not where the hold ends meanwhile, or enough is enough.
    pub async fn may(&mut self, stood_for: Duration, street: &Street, stop: &mut watch::Receiver<bool>) -> bool {
        self.times += 1;
        if self.times == MOST {
            let why = format!("a lane ended {MOST} times and is not opened any more");
            street.ground.recorder.note(Fact::Blind { watcher: record::Sense::Lanes, why: why.as_str().into() });
            return false;
        }
        if stood_for >= LONG {
            self.waits = Waits::default();
        }
        tokio::select! {
            () = tokio::time::sleep(self.waits.another()) => true,
            () = super::told(stop) => false,
        }
    }
}
