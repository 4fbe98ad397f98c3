//! macOS: an activity, shown by `pmset -g assertions` only where it keeps the system awake, which this one does not.

use objc2::{rc::Retained, runtime::NSObjectProtocol, runtime::ProtocolObject};
use objc2_foundation::{NSActivityOptions, NSProcessInfo, NSString};

pub struct Activity(Retained<ProtocolObject<dyn NSObjectProtocol>>);

// SAFETY: the activity is only handed back to NSProcessInfo, which any thread may call.
unsafe impl Send for Activity {}

pub fn be() -> Activity {
    let options = NSActivityOptions::UserInitiatedAllowingIdleSystemSleep | NSActivityOptions::LatencyCritical;
    let why = NSString::from_str("a call is being held, and its packets are timed");
    Activity(NSProcessInfo::processInfo().beginActivityWithOptions_reason(options, &why))
}

impl Drop for Activity {
    fn drop(&mut self) {
        // SAFETY: it is what `beginActivityWithOptions_reason` gave, and is given back once.
        unsafe { NSProcessInfo::processInfo().endActivity(&self.0) };
    }
}
