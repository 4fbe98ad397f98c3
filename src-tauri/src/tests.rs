//! What tests of several files share, and that the lists of commands agree.

use crate::names::COMMANDS;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("src-tauri lies in the workspace")
}

/// A bundle that the lab made.
pub fn recording(name: &str) -> PathBuf {
    root().join("tests/recordings").join(name).join("hold.witness")
}

/// A bundle whose every text is an attack on whoever shows it.
pub fn hostile() -> PathBuf {
    root().join("tests/bundles/hostile.witness")
}

/// What a browser wrote down of a call.
pub fn dump(name: &str) -> PathBuf {
    root().join("tests/imports").join(name)
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_command_is_declared_handled_and_allowed() {
    let source = include_str!("lib.rs");
    let handled = source.split("generate_handler![").nth(1).and_then(|rest| rest.split(']').next()).expect("there");
    let handled = handled.split(',').filter_map(|name| name.trim().strip_prefix("commands::"));
    assert_eq!(set(handled), set(COMMANDS.iter().copied()));

    let capability: serde_json::Value =
        serde_json::from_str(include_str!("../capabilities/main.json")).expect("a capability file");
    let allowed = capability["permissions"].as_array().expect("a list").iter().filter_map(|name| name.as_str());
    let allowed: BTreeSet<String> = allowed
        .filter(|name| !name.contains(':'))
        .map(|name| name.trim_start_matches("allow-").replace('-', "_"))
        .collect();
    assert_eq!(allowed, set(COMMANDS.iter().copied()));
}

/// `ipc.ts` has a line for each, as `name: [arguments, answer];`.
#[test]
fn the_page_asks_for_no_other_commands() {
    let path = root().join("ui/src/ipc.ts");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let commands = text.split("interface Commands {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("there");
    let asked = commands.lines().filter_map(|line| line.trim().split_once(": [")).map(|(name, _)| name);
    assert_eq!(set(asked), set(COMMANDS.iter().copied()));
}
