//! Causes between this computer and the far end. Each is shown, only likely, ruled out, and not blamed for a loss at another
//! time.

use super::{Run, check, checked};
use crate::Story;

mod around;
mod beyond;
mod local;

const LOST: &str = "Everything to the far end stopped at once, TCP and UDP alike, after 10:00:20.00 UTC; this computer was awake and running";

/// One line for each drop: `plane cause owner confidence`.
fn named(run: Run, expected: &[&str]) -> Story {
    let told = checked(&run.log());
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let lines: Vec<String> = told
        .head
        .drops
        .iter()
        .map(|drop| {
            let value = serde_json::to_value(drop).expect("a drop can be written");
            ["plane", "cause", "owner", "confidence"].map(|name| word(value[name].clone())).join(" ")
        })
        .collect();
    assert_eq!(lines, expected, "\n{}", serde_json::to_string_pretty(&told.head).expect("a verdict can be written"));
    told
}

/// Both planes, the same words.
fn both(run: Run, expected: &str) -> Story {
    named(run, &[&format!("media {expected}"), &format!("signaling {expected}")])
}

fn rules_out(told: &Story, says: &str) {
    let drops = &told.head.drops;
    let found = drops.iter().flat_map(|drop| &drop.ruled_out).any(|out| out.says == says);
    assert!(found, "{says} is not among {:#?}", drops.iter().map(|drop| &drop.ruled_out).collect::<Vec<_>>());
}

fn does_not_rule_out(told: &Story, cause: crate::Cause) {
    let out = told.head.drops.iter().flat_map(|drop| &drop.ruled_out).find(|out| out.cause == cause);
    assert!(out.is_none(), "{out:?}");
}
