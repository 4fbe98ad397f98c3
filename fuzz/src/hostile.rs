//! One function a reader: it is given bytes that anyone may have written, and panics where a promise is broken.

use record::{Log, bundle, profile};
use std::io::Cursor;

/// A bundle opens as far as it can be read; what is wrong is said in single lines, and what was read can be written.
pub fn bundle(bytes: &[u8]) {
    match bundle::read(Cursor::new(bytes)) {
        Ok((bundle, damage)) => {
            for item in &damage {
                one_line(&item.to_string());
            }
            let numbers: Vec<u64> = bundle.log.events.iter().map(|event| event.seq).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "events out of order: {numbers:?}");
            let (again, damage) = Log::read_lines(&bundle.log.write_lines());
            assert_eq!(again, bundle.log, "a log reads otherwise than it was written");
            let only_jumps = damage.iter().all(|item| matches!(item, record::Damage::Jump { .. }));
            assert!(only_jumps, "a log just written is damaged: {damage:?}");
        }
        Err(refusal) => one_line(&refusal.to_string()),
    }
}

/// A profile is read or refused in one line that names a line of the file; what goes into a bundle is TOML again.
pub fn profile(bytes: &[u8]) {
    match profile::read(bytes) {
        Ok(profile) => {
            let shown = profile.without_secrets();
            let table: Result<toml::Table, _> = toml::from_str(&shown);
            assert!(table.is_ok(), "a profile was written as what is no TOML:\n{shown}");
            // Printing a profile for diagnostics must never be able to leak what it holds.
            let printed = format!("{profile:?}");
            for secret in [Some(&profile.signaling.token)].into_iter().flatten().flatten() {
                let secret = secret.reveal();
                // Shorter ones occur by chance in any text.
                assert!(secret.len() < 16 || !printed.contains(secret.as_str()), "the token is printed");
            }
        }
        Err(refusal) => {
            one_line(&refusal.to_string());
            let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
            assert!(refusal.line.is_none_or(|line| (1..=lines).contains(&line)), "line {:?} of {lines}", refusal.line);
        }
    }
}

/// One sentence for a person: short enough to be read, and unable to steer a terminal.
fn one_line(text: &str) {
    assert!(!text.is_empty() && text.chars().count() < 1_000, "{} characters: {text:?}", text.chars().count());
    assert!(!text.chars().any(char::is_control), "a control character in {text:?}");
}
