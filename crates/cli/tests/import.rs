//! A browser's dump becomes a bundle that every reader opens.

mod folder;

use folder::{Desk, read};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

fn dump(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/imports").join(name)
}

#[test]
fn a_dump_becomes_a_bundle_that_says_where_it_is_from() {
    let desk = Desk::new();
    let lost = dump("internals-lost.gz");
    let lost = lost.to_str().expect("text");
    let said = desk.run(&["import", lost, "--out", "lost.witness"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("imported") && said.out.contains("Saved as lost.witness"), "{}", said.out);
    assert!(said.err.contains("a dump of webrtc-internals, made by Mozilla"), "{}", said.err);

    let (bundle, damage) = read(&desk.path("lost.witness"));
    assert_eq!(damage, []);
    assert!(bundle.about.app.as_str().ends_with("imported from webrtc-internals"), "{}", bundle.about.app);
    let written: Value = serde_json::from_slice(&bundle.verdict.expect("there")).expect("JSON");
    assert_eq!(written["drops"][0]["confidence"], "not_proven");
    let again = desk.run(&["explain", "lost.witness", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&again.out).expect("JSON"), written);
    let explained = desk.run(&["explain", "lost.witness"]).out;
    for part in ["not watched by Linewitness", "sleep could not be seen", "imported from webrtc-internals"] {
        let words = explained.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(part), "{part:?} is missing in {explained}");
    }
    assert!(desk.run(&["report", "lost.witness", "--ticket"]).out.contains("imported"));
    assert!(!desk.path("home").exists(), "an import is no run of this computer's");
    desk.run(&["import", lost, "--out", "lost.witness"]).refused(&["lost.witness", "nothing is overwritten"]);

    let packed = fs::read(dump("rtcstats-lost.gz")).expect("there");
    desk.file("named.txt", &packed);
    let said = desk.run(&["import", "named.txt"]);
    assert_eq!(said.code, 0, "by its content, not by its name: {}", said.err);
    assert!(said.err.contains("1 further connection"), "{}", said.err);
    let made = fs::read_dir(desk.path("")).expect("there").filter_map(Result::ok).map(|file| file.file_name());
    assert!(made.filter(|name| name.to_string_lossy().ends_with(".witness")).count() == 2);
}

#[test]
fn what_is_no_dump_is_refused_and_named() {
    let desk = Desk::new();
    desk.run(&["import", "missing.txt"]).refused(&["missing.txt", "no such file"]);
    desk.file("text.txt", "hello");
    desk.run(&["import", "text.txt"]).refused(&["text.txt", "no dump"]);
    let packed = fs::read(dump("internals-lost.gz")).expect("there");
    desk.file("cut.gz", &packed[..packed.len() / 2]);
    desk.run(&["import", "cut.gz"]).refused(&["cut.gz", "breaks off"]);
    desk.run(&["import", "."]).refused(&["folder"]);
    // A small file that unpacks to more than any dump.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..200 {
        bomb.write_all(&[b' '; 1_000_000]).expect("memory");
    }
    desk.file("bomb.gz", bomb.finish().expect("memory"));
    desk.run(&["import", "bomb.gz"]).refused(&["bomb.gz", "more than"]);
}
