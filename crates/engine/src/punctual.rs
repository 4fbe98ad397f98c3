//! Keeping this process's timers exact while a hold lasts: systems slow down a program whose window nobody looks at, and
//! a call that sends every 20 ms would look like one whose network stutters.
//!
//! | | by | otherwise |
//! |---|---|---|
//! | Linux | nothing: no program is slowed down there | |
//! | Windows | no power throttling for this process, a timer's resolution of 1 ms | timers of 15.6 ms, less processor |
//! | macOS | an `NSProcessInfo` activity, latency-critical | App Nap puts timers together |
//!
//! Sleep stays as the user has it. Where a system refuses, the log's own ticks tell of every stall.

#[cfg_attr(target_os = "macos", path = "punctual/macos.rs")]
#[cfg_attr(windows, path = "punctual/windows.rs")]
#[cfg_attr(not(any(target_os = "macos", windows)), path = "punctual/others.rs")]
mod platform;

/// Until it is dropped.
pub fn be() -> impl Send {
    platform::be()
}
