//! Linux: both clocks from `clock_gettime`, which the kernel answers without a system call.

pub fn readings() -> (u64, u64) {
    // In this order, so that a machine that never slept never shows more time awake than up.
    let awake = read(libc::CLOCK_MONOTONIC);
    (read(libc::CLOCK_BOOTTIME), awake)
}

fn read(which: libc::clockid_t) -> u64 {
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `at` is a valid timespec for the call to fill, and both clocks exist on every kernel Rust supports.
    let answer = unsafe { libc::clock_gettime(which, &raw mut at) };
    assert_eq!(answer, 0, "this kernel has no clock {which}");
    at.tv_sec as u64 * 1_000_000 + at.tv_nsec as u64 / 1_000
}
