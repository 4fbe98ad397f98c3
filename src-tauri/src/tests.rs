//! What tests of several files share, and that the lists of commands agree.

use crate::names::COMMANDS;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("src-tauri lies in the workspace")
}

/// A bundle that the lab made.
pub fn recording(name: &str) -> PathBuf {
    root().join("tests/recordings").join(name).join("hold.witness")
}

/// A bundle whose every text is an attack on whoever shows it.
pub fn hostile(folder: &Path) -> PathBuf {
    let script = "</script><script>alert(1)</script><img src=x onerror=alert(1)>../../etc/passwd\u{202e}\u{1b}[2J";
    let (mut log, original) = (String::new(), File::open(recording("idler_drops_a_quiet_call")).expect("there"));
    let (bundle, _) = record::bundle::read(original).expect("a bundle");
    for event in bundle.log.events.iter().take(200) {
        let line = String::from_utf8(record::log::line(event)).expect("JSON");
        log.push_str(&line.replace("ws://", &serde_json::json!(script).to_string().replace('"', "")));
    }
    let note = serde_json::json!({"mark": {"note": {"text": script.repeat(5_000)}}});
    let mut last = serde_json::to_value(&bundle.log.events[199]).expect("JSON");
    last["seq"] = 201.into();
    last["fact"] = note;
    log.push_str(&format!("{last}\n"));
    let mut about = bundle.about;
    about.app = script.into();
    let path = folder.join("hostile <b>.witness");
    let members: [(&str, &[u8]); 2] = [("events.jsonl", log.as_bytes()), ("verdict.json", b"{\"headline\": 3}")];
    record::bundle::write(File::create(&path).expect("writable"), &about, &members).expect("written");
    // One byte of the archive's middle is another, as after a bad disk.
    let mut bytes = fs::read(&path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&path, bytes).expect("writable");
    path
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
