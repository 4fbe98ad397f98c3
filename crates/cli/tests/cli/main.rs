//! The command as a person meets it: what it prints, what it writes, and how it ends.

#[path = "../folder/mod.rs"]
mod folder;

mod far_end;
mod sealed;
#[cfg(unix)]
mod trouble;

use far_end::FarEnd;
use folder::{Desk, live_log, read, until_it_holds};
use record::bundle;
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

#[test]
fn a_self_test_is_held_and_every_reader_says_the_same() {
    let desk = Desk::new();
    let said = desk.run(&["hold", "--for", "2s", "--out", "call.witness"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("Self-test") && said.out.contains("Saved as call.witness"), "{}", said.out);

    let (bundle, damage) = read(&desk.path("call.witness"));
    assert_eq!(damage, []);
    let written: Value = serde_json::from_slice(&bundle.verdict.expect("there")).expect("JSON");
    assert_eq!(
        (written["schema"].as_str(), written["outcome"].as_str()),
        (Some("linewitness.verdict/1"), Some("held"))
    );
    assert!(written["held_s"].as_f64().expect("a number") >= 2.0, "{written}");

    let again = desk.run(&["explain", "call.witness", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&again.out).expect("JSON"), written, "re-explained, the same");
    let folder = live_log(&desk).parent().expect("a run folder").to_owned();
    let live = desk.run(&["explain", folder.to_str().expect("text"), "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&live.out).expect("JSON"), written, "and from the run folder");

    let headline = written["headline"].as_str().expect("text");
    let ticket = desk.run(&["report", "call.witness", "--ticket"]).out;
    assert!(ticket.contains(headline.split(';').next().expect("a part")), "{ticket}");
    desk.run(&["report", "call.witness", "--retest", "after.witness-profile"]).refused(&["call.witness", "self-test"]);
    let drawn = desk.run(&["report", "call.witness", "--svg", "line.svg"]);
    assert_eq!(drawn.code, 0, "{}", drawn.err);
    assert!(fs::read_to_string(desk.path("line.svg")).expect("drawn").starts_with("<svg"));
    desk.run(&["report", "call.witness", "--svg", "line.svg"]).refused(&["line.svg", "nothing is overwritten"]);

    let page = desk.run(&["report", "call.witness", "--html", "page.html"]);
    assert_eq!(page.code, 0, "{}", page.err);
    let file = File::open(desk.path("call.witness")).expect("the bundle");
    let within = record::bundle::read_member(file, record::bundle::REPORT).expect("the report is in the bundle");
    assert_eq!(fs::read(desk.path("page.html")).expect("written"), within, "of the same log the same page");
}

#[test]
fn a_loss_has_a_page_for_an_administrator_and_a_retest_that_can_be_checked_at_once() {
    let desk = Desk::new();
    let recorded = "../../tests/recordings/nginx_drops_a_quiet_call/hold.witness";
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(recorded), desk.path("call.witness")).expect("it is kept");
    let said = desk.run(&["report", "call.witness", "--admin"]).out;
    // An earlier version recorded it, which named another owner.
    let (replaced, asked) = said.split_once('\n').expect("lines");
    assert!(replaced.starts_with("The page inside this file was made by another version"), "{replaced}");
    assert!(
        asked.starts_with("For: Whoever runs the proxy in front of the service at ")
            && asked.contains("proxy_read_timeout 3600s"),
        "{asked}"
    );
    let whole = desk.run(&["report", "call.witness"]).out;
    assert!(whole.contains("\nDrop 1: Signaling\n") && whole.ends_with(asked), "{whole}");
    let retest = ["report", "call.witness", "--retest", "after.witness-profile"];
    let written = desk.run(&retest);
    assert!(
        written.code == 0 && written.out.is_empty() && written.err.contains("Mended if all 4 connections"),
        "{}",
        written.err
    );
    let checked = desk.run(&["check", "after.witness-profile"]);
    assert!(checked.code == 0 && checked.out.contains("50 s"), "{}{}", checked.out, checked.err);
    desk.run(&retest).refused(&["after.witness-profile", "nothing is overwritten"]);
}

#[test]
fn a_retest_that_must_go_by_a_relay_is_held_once_its_password_is_filled_in() {
    let desk = Desk::new();
    let recorded = "../../tests/recordings/relay_dies/hold.witness";
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(recorded), desk.path("call.witness")).expect("it is kept");
    let written = desk.run(&["report", "call.witness", "--retest", "after.witness-profile"]);
    assert_eq!(written.code, 0, "{}", written.err);
    let says = "Not ready: this retest must go through turn:";
    let opens = "open after.witness-profile and let it run 60 s. Send back the new report. Mended if";
    assert!(written.err.contains(says) && written.err.contains(opens), "{}", written.err);
    for command in ["check", "hold"] {
        desk.run(&[command, "after.witness-profile"]).refused(&["after.witness-profile", says, "password first"]);
    }
    let text = fs::read_to_string(desk.path("after.witness-profile")).expect("written");
    desk.file("filled.witness-profile", text.replace("\"…\"", "\"x\""));
    let checked = desk.run(&["check", "filled.witness-profile"]);
    assert!(checked.code == 0 && checked.out.contains("all media through its TURN servers"), "{}", checked.out);
}

#[test]
fn json_lines_are_the_log_and_nothing_else() {
    let desk = Desk::new();
    let said = desk.run(&["hold", "--for", "1s", "--plain-addresses", "--format", "jsonl", "--out", "a.witness"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let (log, damage) = record::Log::read_lines(said.out.as_bytes());
    assert_eq!(damage, []);
    assert_eq!(log, read(&desk.path("a.witness")).0.log);
}

/// A D-Bus that is not there stands for a system that cannot be asked: the wish is told, and the hold goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_computer_is_kept_awake_only_where_that_is_asked_for() {
    let desk = Desk::new();
    let nowhere = format!("unix:path={}", desk.path("no-bus").display());
    let held = |args: &[&str]| {
        let mut command = desk.command(&[&["hold", "--for", "1s", "--format", "jsonl"], args].concat());
        folder::Said::from(command.env("DBUS_SYSTEM_BUS_ADDRESS", &nowhere).output().expect("the program starts"))
    };
    let asked = held(&["--stay-awake"]);
    assert_eq!(asked.code, 0, "{}", asked.err);
    assert!(asked.out.contains(r#""not_kept_awake":{"says":"this system has no D-Bus"}"#), "{}", asked.out);
    assert!(!held(&[]).out.contains("_awake"), "nothing is asked for");
}

#[test]
fn nothing_is_overwritten_and_that_is_said_before_the_call() {
    let desk = Desk::new();
    let precious = desk.file("precious.witness", "precious");
    desk.run(&["hold", "--for", "1h", "--out", "precious.witness"])
        .refused(&["precious.witness", "nothing is overwritten"]);
    assert_eq!(fs::read(precious).expect("there"), b"precious");
    desk.run(&["hold", "--for", "1h", "--out", "no/such/a.witness"]).refused(&["no such folder"]);
}

#[test]
fn bad_arguments_and_profiles_are_refused_with_their_mend() {
    let desk = Desk::new();
    desk.run(&["hodl"]).refused(&["hodl", "hold"]);
    desk.run(&["hold", "--for", "15"]).refused(&["no unit", "15m"]);
    desk.run(&["hold", "--to", "https://a.example/call"]).refused(&["https", "wss://"]);
    desk.run(&["hold", "missing.witness-profile"]).refused(&["missing.witness-profile", "no such file"]);
    desk.file("bad.witness-profile", "[signaling]\nurl = \"wss://a.example\"\nhartbeat = \"off\"\n");
    desk.run(&["hold", "bad.witness-profile"]).refused(&["bad.witness-profile", "line 3", "hartbeat"]);
    desk.file("kind.witness-profile", "[signaling]\nkind = \"carrier-pigeon\"\nurl = \"wss://a.example\"\n");
    desk.run(&["check", "kind.witness-profile"]).refused(&["carrier-pigeon", "reflector", "janus"]);
    desk.file("enc.witness-profile", "[signaling]\nurl = \"wss://a.example\"\n[share]\nrecipient = \"age1x\"\n");
    desk.run(&["hold", "enc.witness-profile"]).refused(&["line 4", "share.recipient", "begins with age1"]);
    desk.file("ca.witness-profile", "[signaling]\nurl = \"wss://a.example\"\nca = \"gone.pem\"\n");
    desk.run(&["hold", "ca.witness-profile"]).refused(&["gone.pem"]);
    assert!(!desk.path("home/runs").exists(), "a refused start leaves no run behind");
}

#[test]
fn a_profiles_token_goes_to_its_own_far_end_and_nowhere_else() {
    let desk = Desk::new();
    desk.file("t.witness-profile", "[signaling]\nurl = \"ws://127.0.0.1:9/call\"\ntoken = \"hunter2\"\n");
    let said = desk.run(&["hold", "t.witness-profile", "--to", "ws://127.0.0.1:10/call"]);
    said.refused(&["t.witness-profile", "token", "127.0.0.1:10"]);
    assert!(!said.err.contains("hunter2"), "{}", said.err);
    desk.file("p.witness-profile", "[signaling]\nurl = \"ws://127.0.0.1:9/call\"\ntoken = \"…\"\n");
    desk.run(&["check", "p.witness-profile"]).refused(&["line 3", "Not ready", "token"]);
}

#[test]
fn bad_bundles_are_refused_or_opened_as_far_as_they_can_be_read() {
    let desk = Desk::new();
    desk.run(&["hold", "--for", "1s", "--out", "a.witness"]);
    let whole = fs::read(desk.path("a.witness")).expect("there");
    desk.file("cut.witness", &whole[..whole.len() / 2]);
    desk.run(&["explain", "cut.witness"]).refused(&["cut.witness", "not a witness bundle"]);
    desk.run(&["explain", "nothing.witness"]).refused(&["nothing.witness", "no such file"]);
    desk.file("text.witness", "hello");
    desk.run(&["report", "text.witness", "--ticket"]).refused(&["text.witness"]);

    let folder = live_log(&desk).parent().expect("a folder").to_owned();
    let mut log = fs::read(folder.join(bundle::EVENTS)).expect("there");
    log.truncate(log.len() - 10);
    fs::write(folder.join(bundle::EVENTS), log).expect("writable");
    let said = desk.run(&["explain", folder.to_str().expect("text")]);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("breaks off"), "{}", said.err);
    assert!(said.out.starts_with("CAUTION"), "{}", said.out);
    assert!(said.out.contains("breaks off"), "the verdict knows that the end is missing: {}", said.out);
}

/// Opens it as a zip, gives one member to `edit`, and writes it again with everything else as it was.

#[test]
fn nobody_there_is_exit_code_4_with_a_bundle() {
    let desk = Desk::new();
    // Port 9 of loopback: nobody listens, and the answer is at once.
    let profile = "[signaling]\nurl = \"ws://127.0.0.1:9/call\"\n[recovery]\npolicy = \"none\"\n";
    desk.file("p.witness-profile", profile);
    let said = desk.run(&["hold", "p.witness-profile", "--for", "5s", "--out", "a.witness"]);
    assert_eq!(said.code, 4, "{}{}", said.out, said.err);
    let verdict: Value =
        serde_json::from_slice(&read(&desk.path("a.witness")).0.verdict.expect("there")).expect("JSON");
    assert_eq!(verdict["outcome"], "not_established");
    assert_eq!(verdict["drops"][0]["cause"], "handshake_failed");
    assert_eq!(verdict["drops"][0]["measured"]["stage"], "tcp");
}

#[test]
fn a_profile_is_checked_in_words_and_its_secrets_stay_out_of_them() {
    let desk = Desk::new();
    desk.file(
        "p.witness-profile",
        "name = \"Acme\"\nfor = \"15m\"\n[signaling]\nurl = \"wss://u:hunter2@a.example/call?k=hunter3\"\ntoken = \"hunter4\"\n\
         [[ice.servers]]\nurls = [\"turn:t.example:3478\"]\nusername = \"hunter5\"\ncredential = \"hunter6\"\n[lanes]\nbare_websocket = true\n",
    );
    let said = desk.run(&["check", "p.witness-profile"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for part in [
        "Acme",
        "15 min",
        "over WebSocket, TLS and its TURN server",
        "wss://a.example/call",
        "heartbeat every 5 s",
        "It cannot test",
        "Beside the call it will",
    ] {
        assert!(said.out.contains(part), "{part:?} is missing in {}", said.out);
    }
    assert!(!said.out.contains("hunter"), "{}", said.out);
}

#[test]
fn credentials_that_end_before_the_hold_are_told_before_it() {
    let desk = Desk::new();
    let profile = |name: &str, year: u32| {
        let text = format!(
            "for = \"1s\"\n[signaling]\nurl = \"ws://127.0.0.1:9/call\"\n[[ice.servers]]\n\
             urls = [\"turn:t.example:3478\"]\nusername = \"u\"\ncredential = \"c\"\nexpires = {year}-01-01T00:00:00Z\n"
        );
        desk.file(name, text);
    };
    profile("ended.witness-profile", 2020);
    profile("lasting.witness-profile", 2999);
    for (name, told) in [("ended.witness-profile", true), ("lasting.witness-profile", false)] {
        let says = |text: &str| text.contains("turn:t.example:3478") && text.contains("2020-01-01T00:00:00Z");
        let said = desk.run(&["check", name]);
        assert_eq!((said.code, says(&said.out)), (0, told), "{}{}", said.out, said.err);
    }
    let err = File::create(desk.path("err")).expect("writable");
    let mut hold =
        desk.command(&["hold", "ended.witness-profile"]).stderr(err).stdout(Stdio::null()).spawn().expect("starts");
    until_it_holds(&desk.path("err"), "turn:t.example:3478");
    hold.kill().expect("it lives");
    hold.wait().expect("it ends");
}

/// Every byte that two programs write during a hold with secrets in every place that takes one: where the far end is there
/// and wants them, and where nobody is.
#[test]
fn no_secret_reaches_a_file_or_the_terminal() {
    let desk = Desk::new();
    let far_end = FarEnd::begin(&desk, &["--token", "hunter4", "-vv"]);
    for (at, code) in [(far_end.at.as_str(), 0), ("127.0.0.1:9", 4)] {
        let profile = format!(
            "for = \"1s\"\n[signaling]\nurl = \"ws://u:hunter2@{at}/call?k=hunter3\"\ntoken = \"hunter4\"\n\
             [[ice.servers]]\nurls = [\"turn:127.0.0.1:9\"]\nusername = \"hunter5\"\ncredential = \"hunter6\"\n\
             [recovery]\npolicy = \"none\"\n"
        );
        desk.file("p.witness-profile", profile);
        let said = desk.run(&["hold", "p.witness-profile", "-vv", "--out", &format!("{code}.witness")]);
        assert_eq!(said.code, code, "{}", said.err);
        assert!(!said.out.contains("hunter") && !said.err.contains("hunter"), "{}{}", said.out, said.err);
        let (bundle, _) = read(&desk.path(&format!("{code}.witness")));
        let mut texts =
            vec![String::from_utf8(bundle.log.write_lines()).expect("text"), bundle.profile.expect("there")];
        texts.push(String::from_utf8(bundle.verdict.expect("there")).expect("text"));
        let folder = live_log(&desk).parent().expect("a folder").to_owned();
        for entry in fs::read_dir(&folder).expect("readable") {
            let content = fs::read(entry.expect("readable").path()).expect("readable");
            texts.push(String::from_utf8_lossy(&content).into_owned());
        }
        fs::remove_dir_all(folder).expect("the run is over");
        texts.extend([far_end.out(), far_end.err()]);
        assert!(texts.len() >= 8, "there was something to search");
        for text in texts {
            assert!(!text.contains("hunter"), "{text}");
        }
    }
    assert!(far_end.err().contains("hello"), "the far end told what it could: {}", far_end.err());
}
