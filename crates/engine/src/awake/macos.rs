//! macOS: a power assertion, shown by `pmset -g assertions`.

use super::WHY;
use objc2_core_foundation::CFString;
use objc2_io_kit::{IOPMAssertionCreateWithName, IOPMAssertionRelease, kIOPMAssertionLevelOn};

pub struct Held(u32);

#[expect(clippy::unused_async, reason = "each platform file provides a future")]
pub async fn hold() -> Result<Held, String> {
    let kind = CFString::from_static_str("PreventUserIdleSystemSleep");
    let why = CFString::from_static_str(WHY);
    let mut id = 0;
    // SAFETY: both strings live during the call, and `id` is a valid place for its answer.
    let answer = unsafe { IOPMAssertionCreateWithName(Some(&kind), kIOPMAssertionLevelOn, Some(&why), &raw mut id) };
    if answer == 0 { Ok(Held(id)) } else { Err(format!("macOS refused the assertion ({answer})")) }
}

impl Drop for Held {
    fn drop(&mut self) {
        let answer = IOPMAssertionRelease(self.0);
        if answer != 0 {
            tracing::info!("macOS did not take the assertion back ({answer})");
        }
    }
}
