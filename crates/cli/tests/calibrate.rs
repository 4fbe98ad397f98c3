//! `linewitness calibrate`, whole, as a person runs it; and what the next hold makes of it.

use record::{Fact, bundle, fact::Mark};
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

fn run(desk: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linewitness"));
    command.args(args).current_dir(desk).env("LINEWITNESS_HOME", desk.join("home"));
    for name in
        ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "LINEWITNESS_TOKEN"]
    {
        command.env_remove(name);
    }
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn nine_known_faults_are_named_in_a_minute_and_the_next_hold_says_so() {
    let desk = tempfile::tempdir().expect("a temporary folder");
    let said = run(desk.path(), &["calibrate", "--json"]);
    let (out, err) = (text(&said.stdout), text(&said.stderr));
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    let wrong: Vec<&Value> =
        told["faults"].as_array().expect("a list").iter().filter(|fault| fault["right"] != true).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((said.status.code(), &told["named"], &told["of"]), (Some(0), &9.into(), &9.into()), "{err}");
    assert_eq!((&told["held"], &told["missed"]), (&true.into(), &Value::Array(vec![])));
    assert!(told["took_s"].as_f64().expect("a number") < 60.0, "{}", told["took_s"]);

    let held = run(desk.path(), &["hold", "--for", "1s", "--only-call", "--out", "call.witness"]);
    assert_eq!(held.status.code(), Some(0), "{}", text(&held.stderr));
    let (bundle, _) = bundle::read(File::open(desk.path().join("call.witness")).expect("there")).expect("a bundle");
    let events = &bundle.log.events;
    assert!(matches!(events[0].fact, Fact::Mark(Mark::Started(_))));
    let noted = events.iter().filter_map(|event| match &event.fact {
        Fact::Mark(Mark::Calibrated(calibrated)) => Some(calibrated),
        _ => None,
    });
    let noted: Vec<_> = noted.collect();
    assert_eq!(noted.len(), 1);
    assert_eq!((noted[0].named, noted[0].of, noted[0].held), (9, 9, true));
    let ticket = text(&run(desk.path(), &["report", "call.witness", "--ticket"]).stdout);
    assert!(ticket.contains("This computer's Linewitness named 9 of 9 known faults on "), "{ticket}");
}

#[test]
fn a_calibration_that_cannot_be_kept_says_so_before_it_begins() {
    let desk = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(desk.path().join("home"), "a file, and no folder").expect("writable");
    let said = run(desk.path(), &["calibrate"]);
    let err = text(&said.stderr);
    assert_eq!(said.status.code(), Some(1), "{err}");
    assert!(err.contains("home") && err.contains("set LINEWITNESS_HOME"), "{err}");
}
