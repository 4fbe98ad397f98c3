//! Windows: interrupt time in units of 100 ns; the "unbiased" one leaves sleep and hibernation out.

use windows_sys::Win32::System::WindowsProgramming::{QueryInterruptTimePrecise, QueryUnbiasedInterruptTimePrecise};

pub fn readings() -> (u64, u64) {
    let (mut uptime, mut awake) = (0u64, 0u64);
    // SAFETY: both calls fill the u64 they are given and cannot fail.
    unsafe {
        QueryInterruptTimePrecise(&raw mut uptime);
        QueryUnbiasedInterruptTimePrecise(&raw mut awake);
    }
    (uptime / 10, awake / 10)
}
