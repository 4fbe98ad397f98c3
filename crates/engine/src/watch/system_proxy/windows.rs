//! Windows: the proxy of the user's Internet settings.

use super::{Setting, settings::Settings};
use record::profile::Address;
use std::io;
use windows_sys::Win32::Foundation::GlobalFree;
use windows_sys::Win32::Networking::WinHttp::{
    WINHTTP_CURRENT_USER_IE_PROXY_CONFIG, WinHttpGetIEProxyConfigForCurrentUser,
};

/// Longer lists of exceptions than this are cut: no administrator reads them either.
const LONGEST: usize = 32 * 1024;

pub fn read(to: &Address) -> Result<Setting, String> {
    let mut config = WINHTTP_CURRENT_USER_IE_PROXY_CONFIG::default();
    // SAFETY: `config` is a valid place for the answer.
    if unsafe { WinHttpGetIEProxyConfigForCurrentUser(&raw mut config) } == 0 {
        return Err(format!("Windows does not tell the user's proxy settings ({})", io::Error::last_os_error()));
    }
    // SAFETY: each is null or a string that the call above allocated for us, and is taken once.
    let (script, proxy, bypass) =
        unsafe { (take(config.lpszAutoConfigUrl), take(config.lpszProxy), take(config.lpszProxyBypass)) };
    Ok(Settings::of_windows(&proxy, &bypass, !script.is_empty()).of_far_end(to))
}

/// # Safety
/// `text` must be null, or a string that ends with a zero and is ours to free.
unsafe fn take(text: *mut u16) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the string ends with a zero, and nothing behind it is read.
    let length = (0..LONGEST).find(|at| unsafe { *text.add(*at) } == 0).unwrap_or(LONGEST);
    // SAFETY: so many characters were just read.
    let copy = String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) });
    // SAFETY: WinHTTP allocates these with GlobalAlloc and leaves them to the caller.
    unsafe { GlobalFree(text.cast()) };
    copy
}
