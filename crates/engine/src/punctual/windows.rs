//! Windows 10 and 11: both requests are this process's own, and end with it.

use std::io;
use windows_sys::Win32::Media::{timeBeginPeriod, timeEndPeriod};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, PROCESS_POWER_THROTTLING_CURRENT_VERSION, PROCESS_POWER_THROTTLING_EXECUTION_SPEED,
    PROCESS_POWER_THROTTLING_IGNORE_TIMER_RESOLUTION, PROCESS_POWER_THROTTLING_STATE, ProcessPowerThrottling,
    SetProcessInformation,
};

/// In milliseconds; the shortest that every machine grants.
const RESOLUTION: u32 = 1;

pub struct Punctual;

pub fn be() -> Punctual {
    // Taken under control and left off. Windows before 11 knows the first alone, and refuses both together.
    throttle(PROCESS_POWER_THROTTLING_EXECUTION_SPEED);
    throttle(PROCESS_POWER_THROTTLING_EXECUTION_SPEED | PROCESS_POWER_THROTTLING_IGNORE_TIMER_RESOLUTION);
    // SAFETY: it takes a number; each call is answered by one of `timeEndPeriod`.
    let refused = unsafe { timeBeginPeriod(RESOLUTION) };
    if refused != 0 {
        tracing::info!("Windows grants no timers of {RESOLUTION} ms ({refused})");
    }
    Punctual
}

impl Drop for Punctual {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { timeEndPeriod(RESOLUTION) };
        // Back to what Windows itself thinks best.
        throttle(0);
    }
}

fn throttle(controlled: u32) {
    let state = PROCESS_POWER_THROTTLING_STATE {
        Version: PROCESS_POWER_THROTTLING_CURRENT_VERSION,
        ControlMask: controlled,
        StateMask: 0,
    };
    // SAFETY: `state` is valid during the call, and its size is told.
    let done = unsafe {
        SetProcessInformation(
            GetCurrentProcess(),
            ProcessPowerThrottling,
            (&raw const state).cast(),
            size_of::<PROCESS_POWER_THROTTLING_STATE>() as u32,
        )
    };
    if done == 0 {
        tracing::info!("Windows may slow this process down: {}", io::Error::last_os_error());
    }
}
