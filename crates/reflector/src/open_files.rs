//! How many sockets this process may have. Many systems begin with 1024 and allow far more to whoever asks.

/// Asks for all that is allowed, and says how many that are. Nothing where the system has no such limit.
#[cfg(unix)]
pub fn raise() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes one `rlimit`, which is what it is given.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return None;
    }
    let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
    // SAFETY: the call only reads the `rlimit` it is given.
    let granted = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0;
    // macOS allows no end of them and then refuses that very number: what there was is what there is.
    Some(if granted { raised.rlim_cur } else { limit.rlim_cur })
}

#[cfg(not(unix))]
pub const fn raise() -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    #[test]
    fn what_is_allowed_is_taken() {
        let first = super::raise().expect("every Unix has this limit");
        assert!(first >= 256, "{first}");
        assert_eq!(super::raise(), Some(first));
    }
}
