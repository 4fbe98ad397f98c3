//! The command as a person meets it: what it prints, what it writes, and how it ends.

mod folder;

use folder::{Desk, Said, live_log, read, until_it_holds};
use record::bundle;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// `linewitness reflect` on loopback, until it is dropped.
struct FarEnd {
    running: Child,
    at: String,
    files: [PathBuf; 2],
}

impl FarEnd {
    fn begin(desk: &Desk, args: &[&str]) -> Self {
        Self::from(desk, &mut desk.command(&[&["reflect", "--listen", "127.0.0.1:0"], args].concat()))
    }

    fn from(desk: &Desk, command: &mut Command) -> Self {
        let files = [desk.path("far-end.out"), desk.path("far-end.err")];
        let [out, err] = files.each_ref().map(|path| File::create(path).expect("writable"));
        let running = command.stdout(out).stderr(err).spawn().expect("starts");
        let mut far_end = Self { running, at: String::new(), files };
        until_it_holds(&far_end.files[0], "/call");
        let said = far_end.out();
        said.split("ws://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .expect("an address")
            .clone_into(&mut far_end.at);
        far_end
    }

    fn out(&self) -> String {
        fs::read_to_string(&self.files[0]).expect("text")
    }
    fn err(&self) -> String {
        fs::read_to_string(&self.files[1]).expect("text")
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

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
    let asked = desk.run(&["report", "call.witness", "--admin"]).out;
    assert!(
        asked.starts_with("For: The network administrator\n") && asked.contains("proxy_read_timeout 3600s"),
        "{asked}"
    );
    let whole = desk.run(&["report", "call.witness"]).out;
    assert!(whole.contains("\nDrop 1: Signaling\n") && whole.ends_with(&asked), "{whole}");
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
        Said::from(command.env("DBUS_SYSTEM_BUS_ADDRESS", &nowhere).output().expect("the program starts"))
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
    desk.run(&["check", "p.witness-profile"]).refused(&["line 3", "placeholder"]);
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

#[cfg(unix)]
#[test]
fn ctrl_c_ends_in_order_and_a_kill_is_offered_at_the_next_start() {
    let desk = Desk::new();
    let mut hold =
        desk.command(&["hold", "--for", "1h", "--out", "a.witness"]).stdout(Stdio::null()).spawn().expect("starts");
    until_it_holds(&live_log(&desk), "\"established\"");
    // SAFETY: a signal to a child of ours that has not been waited for.
    unsafe { libc::kill(hold.id() as libc::pid_t, libc::SIGINT) };
    assert_eq!(hold.wait().expect("it ends").code(), Some(0));
    let verdict: Value =
        serde_json::from_slice(&read(&desk.path("a.witness")).0.verdict.expect("there")).expect("JSON");
    assert_eq!(
        (verdict["outcome"].as_str(), verdict["drops"].as_array().map(Vec::len)),
        (Some("ended_by_user"), Some(0))
    );

    let desk = Desk::new();
    let mut hold = desk.command(&["hold", "--for", "1h"]).stdout(Stdio::null()).spawn().expect("starts");
    until_it_holds(&live_log(&desk), "\"established\"");
    hold.kill().expect("it lives");
    hold.wait().expect("it ends");
    let said = desk.run(&["hold", "--for", "1s", "--out", "b.witness"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("broke off") && said.err.contains("linewitness recover"), "{}", said.err);
    let said = desk.run(&["recover"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let name = said.out.lines().find_map(|line| line.strip_prefix("Saved as ")).expect("it says where");
    let (bundle, damage) = read(&desk.path(name));
    assert!(damage.len() <= 1, "{damage:?}");
    assert!(!bundle.log.events.is_empty());
    assert!(desk.run(&["recover"]).out.contains("nothing to recover"));
}

/// A pipe for standard output that holds one page, and its end to read from.
#[cfg(target_os = "linux")]
fn small_pipe() -> (std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
    use std::os::fd::{FromRawFd, OwnedFd};
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors into the array, which are ours alone from then on.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        assert!(libc::fcntl(ends[1], libc::F_SETPIPE_SZ, 4096) >= 4096);
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    }
}

/// Waits for the end of a child, for so many seconds at most.
#[cfg(unix)]
fn ends_within(child: &mut Child, seconds: u32) -> Option<i32> {
    for _ in 0..seconds * 20 {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().expect("it lives");
    child.wait().expect("it ends");
    panic!("it had not ended after {seconds} s");
}

#[cfg(target_os = "linux")]
#[test]
fn a_hold_whose_output_nobody_reads_holds_ends_and_writes_its_bundle() {
    for format in ["jsonl", "human"] {
        let desk = Desk::new();
        let (unread, stdout) = small_pipe();
        // The pipe is full before the first word.
        let filled = [b'x'; 4096];
        // SAFETY: as many bytes as the array has, into a pipe that has room for them.
        let written = unsafe { libc::write(std::os::fd::AsRawFd::as_raw_fd(&stdout), filled.as_ptr().cast(), 4096) };
        assert_eq!(written, 4096);
        let mut hold = desk
            .command(&["hold", "--for", "2s", "--format", format, "--out", "a.witness"])
            .stdout(stdout)
            .spawn()
            .expect("starts");
        assert_eq!(ends_within(&mut hold, 15), Some(0), "{format}");
        drop(unread);
        let (bundle, damage) = read(&desk.path("a.witness"));
        assert_eq!(damage, []);
        let verdict: Value = serde_json::from_slice(&bundle.verdict.expect("there")).expect("JSON");
        assert_eq!((verdict["outcome"].as_str(), verdict["drops"].as_array().map(Vec::len)), (Some("held"), Some(0)));
        // Nothing stood still: the call's own seconds were all counted.
        let stalled = |event: &&record::Event| {
            matches!(event.fact, record::Fact::System(record::fact::System::TicksMissed { .. }))
        };
        assert_eq!(bundle.log.events.iter().find(stalled), None, "{format}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_who_comes_late_still_gets_every_json_line() {
    use std::io::Read;
    let desk = Desk::new();
    let (late, stdout) = small_pipe();
    let mut hold = desk
        .command(&["hold", "--for", "2s", "--plain-addresses", "--format", "jsonl", "--out", "a.witness"])
        .stdout(stdout)
        .spawn()
        .expect("starts");
    std::thread::sleep(Duration::from_millis(2500));
    let mut text = String::new();
    File::from(late).read_to_string(&mut text).expect("readable");
    assert_eq!(ends_within(&mut hold, 15), Some(0));
    let (log, damage) = record::Log::read_lines(text.as_bytes());
    assert_eq!(damage, []);
    assert_eq!(log, read(&desk.path("a.witness")).0.log);
}

/// The program with a limit on the size of each file it writes, which refuses as a full disk does.
#[cfg(unix)]
fn on_a_small_disk(command: &mut Command, bytes: u64) -> &mut Command {
    use std::os::unix::process::CommandExt;
    // SAFETY: both calls are async-signal-safe and concern the child alone, before it runs.
    unsafe {
        command.pre_exec(move || {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        })
    }
}

#[cfg(unix)]
#[test]
fn a_log_that_could_not_be_written_is_told_with_what_is_missing() {
    let desk = Desk::new();
    let mut command = desk.command(&["hold", "--for", "2s", "--out", "a.witness"]);
    let said = Said::from(on_a_small_disk(&mut command, 6_000).output().expect("the program starts"));
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(!said.err.contains("nothing is lost"), "{}", said.err);
    assert!(said.err.contains("the log cannot be written"), "{}", said.err);
    let (bundle, _) = read(&desk.path("a.witness"));
    let left_out = said.err.contains("there was no room for report.html");
    assert!(left_out, "what is worth more than a page was written without it: {}", said.err);
    let kept = bundle.log.events.len();
    let told = said.err.lines().find(|line| line.contains("the bundle a.witness holds the rest")).expect("last words");
    let noted = told.split(" of ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a number of events");
    let missing = noted.parse::<usize>().expect("a number") - kept;
    assert!(missing > 0 && told.contains(&format!("{missing} of {noted} events")), "{told}; {kept} are there");
}

#[cfg(unix)]
#[test]
fn a_bundle_that_could_not_be_written_is_kept_as_a_run() {
    let desk = Desk::new();
    fs::create_dir(desk.path("gone")).expect("a folder");
    let hold = desk
        .command(&["hold", "--for", "2s", "--out", "gone/a.witness"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    until_it_holds(&live_log(&desk), "\"established\"");
    fs::remove_dir(desk.path("gone")).expect("still empty");
    let said = Said::from(hold.wait_with_output().expect("it ends"));
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("the run is kept") && !said.err.contains("missing"), "{}", said.err);
    assert_eq!(desk.run(&["recover"]).code, 0);
    assert!(desk.run(&["recover"]).out.contains("nothing to recover"));
}

#[cfg(unix)]
#[test]
fn a_far_end_tells_its_trouble_without_being_asked() {
    use std::os::unix::process::CommandExt;
    let desk = Desk::new();
    let mut command = desk.command(&["reflect", "--listen", "127.0.0.1:0"]);
    // SAFETY: one async-signal-safe call that concerns the child alone, before it runs.
    unsafe {
        command.pre_exec(|| {
            let few = libc::rlimit { rlim_cur: 24, rlim_max: 24 };
            match libc::setrlimit(libc::RLIMIT_NOFILE, &few) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    let far_end = FarEnd::from(&desk, &mut command);
    let callers: Vec<_> =
        (0..30).map(|_| std::net::TcpStream::connect(&far_end.at).expect("accepted by the kernel")).collect();
    until_it_holds(&far_end.files[1], "could not be accepted");
    drop(callers);
}

#[cfg(unix)]
#[test]
fn a_far_end_tells_of_each_call_in_two_lines() {
    let desk = Desk::new();
    let mut far_end = FarEnd::begin(&desk, &[]);
    let to = format!("ws://{}/call", far_end.at);
    let said =
        desk.run(&["hold", "--to", &to, "--for", "1s", "--only-call", "--plain-addresses", "--out", "a.witness"]);
    assert_eq!(said.code, 0, "{}", said.err);
    until_it_holds(&far_end.files[0], "ended after");
    // SAFETY: a signal to a child of ours that has not been waited for.
    unsafe { libc::kill(far_end.running.id() as libc::pid_t, libc::SIGTERM) };
    assert_eq!(ends_within(&mut far_end.running, 10), Some(0));

    let (out, call) = (far_end.out(), session(&desk.path("a.witness")));
    let lines: Vec<_> = out.lines().skip_while(|line| !line.contains("Call ")).collect();
    let [began, ended, last] = lines[..] else { panic!("{out}") };
    assert!(began.contains(&format!("Call {call} from 127.0.0.1:")) && began.ends_with("began."), "{began}");
    assert!(ended.contains(&format!("Call {call} from 127.0.0.1:")), "{ended}");
    assert!(ended.ends_with("s: the caller hung up. No drop was seen."), "{ended}");
    assert_eq!(last, "Every call has been told, and closed.");
}

/// What the far end called the call.
#[cfg(unix)]
fn session(bundle: &Path) -> String {
    use record::{Fact, fact::Signaling};
    let named = read(bundle).0.log.events.iter().find_map(|event| match &event.fact {
        Fact::Signaling(Signaling::Ready { session, .. }) => session.as_ref().map(ToString::to_string),
        _ => None,
    });
    named.expect("the session has a name")
}
