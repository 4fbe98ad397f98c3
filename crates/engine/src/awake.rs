//! Keeping this computer awake while a hold lasts: only where the profile or `--stay-awake` asks for it. Otherwise the
//! computer sleeps as it always does, which is part of what a hold is to find out.
//!
//! | | by | what it does not prevent |
//! |---|---|---|
//! | Linux | logind's `Inhibit("idle:sleep", "block")` | an empty battery; a privileged user's order; the lid, where set so |
//! | Windows | `PowerSetRequest(PowerRequestSystemRequired)` | the lid, the power button, standby on battery after a while |
//! | macOS | `IOPMAssertion` `PreventUserIdleSystemSleep` | the lid, the menu, an empty battery |
//!
//! Each platform file provides `hold() -> Result<guard, why>`, a future; the system forgets the request with the guard, and
//! with the process however that ends.

use crate::Recorder;
use record::fact::Power;

#[cfg_attr(target_os = "linux", path = "awake/linux.rs")]
#[cfg_attr(target_os = "macos", path = "awake/macos.rs")]
#[cfg_attr(windows, path = "awake/windows.rs")]
mod platform;

/// What the system shows to whoever asks why it stays awake.
const WHY: &str = "a call is being held to record when it drops";

/// Until it is dropped.
pub async fn keep(recorder: Recorder) {
    match platform::hold().await {
        Ok(_held) => {
            recorder.note(Power::KeepingAwake);
            std::future::pending::<()>().await;
        }
        Err(why) => {
            recorder.note(Power::NotKeptAwake { says: why.as_str().into() });
        }
    }
}
