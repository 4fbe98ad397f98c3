//! Windows: a power request, shown by `powercfg /requests`.

use super::WHY;
use std::io;
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Power::{
    PowerClearRequest, PowerCreateRequest, PowerRequestSystemRequired, PowerSetRequest,
};
use windows_sys::Win32::System::SystemServices::DIAGNOSTIC_REASON_VERSION;
use windows_sys::Win32::System::Threading::{POWER_REQUEST_CONTEXT_SIMPLE_STRING, REASON_CONTEXT, REASON_CONTEXT_0};

/// The handle as a number, because it is only ever handed back.
pub struct Held(isize);

#[expect(clippy::unused_async, reason = "each platform file provides a future")]
pub async fn hold() -> Result<Held, String> {
    let mut why: Vec<u16> = WHY.encode_utf16().chain([0]).collect();
    let context = REASON_CONTEXT {
        Version: DIAGNOSTIC_REASON_VERSION,
        Flags: POWER_REQUEST_CONTEXT_SIMPLE_STRING,
        Reason: REASON_CONTEXT_0 { SimpleReasonString: why.as_mut_ptr() },
    };
    // SAFETY: `context` and the string it names are valid during the call, which copies them.
    let request = unsafe { PowerCreateRequest(&raw const context) };
    if request.is_null() || request == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error().to_string());
    }
    let held = Held(request as isize);
    // SAFETY: the request was just created.
    if unsafe { PowerSetRequest(request, PowerRequestSystemRequired) } == 0 {
        return Err(io::Error::last_os_error().to_string());
    }
    Ok(held)
}

impl Drop for Held {
    fn drop(&mut self) {
        let request = self.0 as HANDLE;
        // SAFETY: the request is ours and is given up here, once. Clearing one that was never set does nothing.
        unsafe {
            PowerClearRequest(request, PowerRequestSystemRequired);
            CloseHandle(request);
        }
    }
}
