//! Reports that were altered, and reports for a recipient alone.

use super::far_end::FarEnd;
use super::folder::{Desk, Said, live_log, until_it_holds};
use record::bundle;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

fn edited(bundle: &Path, member: &str, edit: impl FnOnce(String) -> String) -> Vec<u8> {
    let mut edit = Some(edit);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in [bundle::EVENTS, bundle::VERDICT, bundle::REPORT, bundle::PROFILE, bundle::ABOUT] {
        let bytes = bundle::read_member(File::open(bundle).expect("there"), name).expect(name);
        let text = String::from_utf8(bytes).expect("text");
        let text = if name == member { edit.take().expect("once")(text) } else { text };
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("a name");
        std::io::Write::write_all(&mut zip, text.as_bytes()).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

#[test]
fn verify_names_what_was_altered_and_says_what_it_cannot_know() {
    let desk = Desk::new();
    desk.run(&["hold", "--for", "1s", "--out", "a.witness"]);
    let said = desk.run(&["verify", "a.witness"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for part in [bundle::EVENTS, bundle::VERDICT, bundle::REPORT, bundle::PROFILE, bundle::ABOUT] {
        assert!(
            said.out.lines().any(|line| line.starts_with(part) && line.contains("as it was written")),
            "{}",
            said.out
        );
    }
    for part in [
        "linewitness.bundle/1",
        "events, each linked",
        "every event in it is as it was written",
        "does not show who wrote",
    ] {
        assert!(said.out.contains(part), "{part:?} is missing in {}", said.out);
    }

    let whole = desk.path("a.witness");
    let lines = |text: String, edit: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
        edit(&mut lines);
        lines.concat()
    };
    let events = |edit: &dyn Fn(&mut Vec<String>)| edited(&whole, bundle::EVENTS, |text| lines(text, edit));
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("about", edited(&whole, bundle::ABOUT, |text| text.replacen("\"os\"", " \"os\"", 1)), "about.json is not as"),
        ("verdict", edited(&whole, bundle::VERDICT, |text| text.replacen("held", "hold", 1)), "verdict.json is not as"),
        ("report", edited(&whole, bundle::REPORT, |text| text + " "), "report.html is not as"),
        ("profile", edited(&whole, bundle::PROFILE, |text| text + "#"), "profile.toml is not as"),
        (
            "value",
            events(&|lines| lines[9] = lines[9].replacen("\"uptime\":", "\"uptime\":1", 1)),
            "event 10 was altered",
        ),
        ("removed", events(&|lines| drop(lines.drain(9..12))), "3 events are missing after event 9, between "),
        (
            "put-in",
            events(&|lines| lines.insert(9, lines[3].replacen("\"seq\":4", "\"seq\":10", 1))),
            "line 10 was put in",
        ),
        ("swapped", events(&|lines| lines.swap(9, 10)), "event 10 was moved: it stands after event 11"),
        ("cut", events(&|lines| lines.truncate(12)), "the end was cut off: "),
    ];
    for (name, bytes, named) in cases {
        desk.file(&format!("{name}.witness"), bytes);
        let said = desk.run(&["verify", &format!("{name}.witness")]);
        assert_eq!(said.code, 3, "{name}: {}{}", said.out, said.err);
        assert!(said.out.contains(named) || said.out.contains("ALTERED"), "{name}: {}", said.out);
        assert!(
            said.out.contains("This bundle is not as it was written") && said.out.contains(named),
            "{name}: {}",
            said.out
        );
        let explained = desk.run(&["explain", &format!("{name}.witness")]);
        assert!(explained.out.starts_with("CAUTION") && explained.err.contains(named), "{name}: {}", explained.err);
    }
    desk.file("text.witness", "hello");
    desk.run(&["verify", "text.witness"]).refused(&["text.witness", "not a witness bundle"]);
    desk.run(&["verify", "gone.witness"]).refused(&["gone.witness", "no such file"]);
    desk.run(&["verify", "home"]).refused(&["a folder"]);
}

#[test]
fn a_bundle_for_a_recipient_is_opened_by_it_and_read_here_without() {
    let desk = Desk::new();
    let made = desk.run(&["identity", "desk.key"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let recipient = made.out.split('"').nth(1).expect("the line for a profile").to_owned();
    desk.run(&["identity", "desk.key"]).refused(&["desk.key", "nothing is overwritten"]);
    let secret = fs::read_to_string(desk.path("desk.key")).expect("text");
    assert!(secret.contains("AGE-SECRET-KEY-1") && !made.out.contains("SECRET") && !made.err.contains("SECRET"));

    let profile = format!(
        "for = \"1s\"\n[signaling]\nurl = \"ws://127.0.0.1:9/call\"\n[recovery]\npolicy = \"none\"\n[share]\nrecipient = \"{recipient}\"\n"
    );
    desk.file("p.witness-profile", &profile);
    assert!(desk.run(&["check", "p.witness-profile"]).out.contains(&format!("encrypt its report to {recipient}")));
    desk.file("taken.witness.age", "precious");
    desk.run(&["hold", "p.witness-profile", "--out", "taken.witness"])
        .refused(&["taken.witness.age", "nothing is overwritten"]);
    let said = desk.run(&["hold", "p.witness-profile", "--out", "a.witness"]);
    assert_eq!(said.code, 4, "{}{}", said.out, said.err);
    assert!(said.out.contains("Saved as a.witness.age, encrypted"), "{}", said.out);
    assert!(!desk.path("a.witness").exists(), "nothing plain lies where it is given away");

    desk.run(&["explain", "a.witness.age"]).refused(&["a.witness.age", "--identity FILE", "LINEWITNESS_IDENTITY"]);
    desk.run(&["check", "a.witness.age"]).refused(&["encrypted report"]);
    let opened = desk.run(&["explain", "a.witness.age", "--json", "--identity", "desk.key"]);
    assert_eq!(opened.code, 0, "{}", opened.err);
    let plain =
        said.out.split("To read here what is in it: ").nth(1).and_then(|rest| rest.lines().next()).expect("a path");
    assert_eq!(desk.run(&["explain", plain, "--json"]).out, opened.out, "the same, here without a key");
    let mut verify = desk.command(&["verify", "a.witness.age"]);
    let verified = Said::from(verify.env("LINEWITNESS_IDENTITY", "desk.key").output().expect("the program starts"));
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    assert_eq!(desk.run(&["report", "a.witness.age", "--identity", "desk.key", "--ticket"]).code, 0);

    let passphrase = |args: &[&str]| {
        let mut command = desk.command(args);
        Said::from(command.env("LINEWITNESS_PASSPHRASE", "correct horse").output().expect("the program starts"))
    };
    let locked = passphrase(&["identity", "locked.key", "--passphrase"]);
    assert_eq!(locked.code, 0, "{}", locked.err);
    assert!(!fs::read(desk.path("locked.key")).expect("there").windows(6).any(|part| part == b"SECRET"));
    desk.run(&["identity", "none.key", "--passphrase"]).refused(&["LINEWITNESS_PASSPHRASE"]);
    assert!(!desk.path("none.key").exists());
    let other = passphrase(&["explain", "a.witness.age", "--identity", "locked.key"]);
    other.refused(&["a.witness.age", "encrypted to somebody else"]);
    desk.run(&["explain", "a.witness.age", "--identity", "locked.key"])
        .refused(&["locked.key", "LINEWITNESS_PASSPHRASE"]);
}

#[test]
fn a_run_that_broke_off_is_recovered_for_its_recipient_alone() {
    let desk = Desk::new();
    let made = desk.run(&["identity", "desk.key"]);
    let recipient = made.out.split('"').nth(1).expect("the line for a profile");
    let far_end = FarEnd::begin(&desk, &[]);
    let url = format!("ws://{}/call", far_end.at);
    desk.file(
        "p.witness-profile",
        format!("for = \"1h\"\n[signaling]\nurl = \"{url}\"\n[share]\nrecipient = \"{recipient}\"\n"),
    );
    let mut hold = desk.command(&["hold", "p.witness-profile"]).stdout(Stdio::null()).spawn().expect("starts");
    until_it_holds(&live_log(&desk), "\"established\"");
    hold.kill().expect("it lives");
    hold.wait().expect("it ends");
    let said = desk.run(&["recover", "--out", "r.witness"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("Saved as r.witness.age") && !desk.path("r.witness").exists(), "{}", said.out);
    assert_eq!(desk.run(&["explain", "r.witness.age", "--identity", "desk.key"]).code, 0);
    assert!(desk.run(&["recover"]).out.contains("nothing to recover"));
}
