//! macOS: both clocks in Mach ticks, which are not nanoseconds on Apple silicon.

use std::sync::OnceLock;

#[repr(C)]
struct Timebase {
    numer: u32,
    denom: u32,
}

unsafe extern "C" {
    fn mach_continuous_time() -> u64;
    fn mach_absolute_time() -> u64;
    fn mach_timebase_info(info: *mut Timebase) -> i32;
}

pub fn readings() -> (u64, u64) {
    // SAFETY: neither function takes an argument or can fail.
    let (uptime, awake) = unsafe { (mach_continuous_time(), mach_absolute_time()) };
    (micros(uptime), micros(awake))
}

fn micros(ticks: u64) -> u64 {
    static RATIO: OnceLock<(u64, u64)> = OnceLock::new();
    let (numer, denom) = *RATIO.get_or_init(|| {
        let mut info = Timebase { numer: 1, denom: 1 };
        // SAFETY: `info` is a valid Timebase for the call to fill.
        let answer = unsafe { mach_timebase_info(&raw mut info) };
        assert!(answer == 0 && info.denom != 0, "macOS did not tell its timebase");
        (u64::from(info.numer), u64::from(info.denom))
    });
    // u128: ticks × 125 would overflow u64 after years of uptime.
    (u128::from(ticks) * u128::from(numer) / u128::from(denom) / 1_000) as u64
}
