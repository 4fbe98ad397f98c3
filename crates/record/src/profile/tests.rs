use super::*;

const WHOLE: &str = r#"
name = "Acme support: 15-minute hold"
for  = "15m"

[signaling]
kind = "reflector"
url  = "wss://user:hunter2@reflector.example/call?key=hunter3#x"
token = "hunter4"
heartbeat = { every = "30s", answer_within = "10s" }

[[ice.servers]]
urls = ["stun:turn.example:3478", "turns:turn.example:443?transport=tcp"]
username = "hunter5"
credential = "hunter6"
expires = 2026-11-21T12:00:00Z

[ice]
policy = "relay"

[media]
silence = "dtx"

[lanes]
bare_websocket = true
quiet_ladder = ["25s", "31s"]
controls = ["gateway", "dns"]

[recovery]
policy = "as-twilio"

[share]
recipient = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"
addresses = "plain"
"#;

#[test]
fn the_profile_in_the_bundle_is_the_one_used_without_its_secrets() {
    let profile = read(
        WHOLE
            .replace("[[ice.servers]]", "[ice]\npolicy = \"relay\"\n[[ice.servers]]")
            .replacen("[ice]\npolicy = \"relay\"\n\n[media]", "[media]", 1)
            .as_bytes(),
    )
    .expect("the whole example reads");
    assert_eq!(profile.for_, Span::seconds(900));
    let shown = profile.without_secrets();
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(!format!("{profile:?}").contains("hunter"), "{profile:?}");
    assert!(shown.contains("wss://reflector.example/call\""), "{shown}");
    assert!(shown.contains("token = \"…\"") && shown.contains("credential = \"…\""), "{shown}");
    assert!(!shown.contains("names_key"), "{shown}");
    let again = toml::from_str::<Profile>(&shown).expect("what we write we can read");
    assert_eq!(again.recovery.policy, RecoveryPolicy::AsTwilio);
    assert_eq!(again.media.silence, Silence::Dtx);
    assert_eq!(recipient_in(&shown), Ok(profile.share.recipient));
}

#[test]
fn a_recipient_that_cannot_be_read_is_never_taken_for_none() {
    assert_eq!(recipient_in("name = \"x\"\n"), Ok(None));
    for broken in ["[share]\nrecipient = \"age1x\"\n", "[share]\nrecipient = 5\n", "[share\n"] {
        assert!(recipient_in(broken).is_err(), "{broken}");
    }
}

#[test]
fn the_shortest_profile_is_a_url() {
    let profile = read(b"[signaling]\nurl = \"ws://10.0.0.2:7000/call\"\n").expect("enough");
    assert_eq!(profile, Profile::to(Address::parse("ws://10.0.0.2:7000/call").expect("a URL")));
    assert_eq!((profile.signaling.url.host(), profile.signaling.url.port()), ("10.0.0.2", 7000));
}

/// Each bad profile and what the sentence must name.
#[test]
fn every_bad_profile_gets_one_clear_sentence() {
    let url = "[signaling]\nurl = \"wss://a.example/call\"\n";
    let cases: &[(&str, &[&str])] = &[
        ("", &["signaling"]),
        ("name = 5\n[signaling]\nurl=\"ws://a\"", &["line 1", "string"]),
        ("for = \"15\"\n", &["line 1", "no unit"]),
        ("for = \"-15m\"\n", &["line 1", "negative"]),
        ("for = \"0s\"\n", &["line 1", "range"]),
        ("for = \"900h\"\n", &["line 1", "range"]),
        ("for = 15\n", &["line 1", "in quotes"]),
        ("[signaling]\nurl = \"https://a.example/call\"\n", &["line 2", "https", "wss://"]),
        ("[signaling]\nurl = \"ftp://a.example\"\n", &["line 2", "ftp"]),
        ("[signaling]\nurl = \"wss://\"\n", &["line 2", "host"]),
        ("[signaling]\nurl = \"a.example\"\n", &["line 2", "URL"]),
        ("[signaling]\nurl = \"ws://a:0/\"\n", &["line 2", "port 0"]),
        ("[signaling]\nurl = \"ws://a:99999/\"\n", &["line 2", "port"]),
        (&format!("{url}hartbeat = \"off\"\n"), &["line 3", "hartbeat"]),
        (&format!("{url}heartbeat = {{ every = \"30s\", answer_within = \"1ms\" }}\n"), &["line 3", "100ms"]),
        (&format!("{url}token = 5\n"), &["line 3", "quotes"]),
        (&format!("{url}token = \"…\"\n"), &["line 3", "Not ready", "this test logs in with a token"]),
        (
            &format!("{url}[[ice.servers]]\nurls = [\"turn:joe:hunter2@a\"]\nusername = \"a\"\ncredential = \"...\"\n"),
            &["line 6", "Not ready", "may go through turn:a: fill in"],
        ),
        (&format!("{url}[[ice.servers]]\nurls = []\n"), &["line 4", "urls"]),
        (&format!("{url}[[ice.servers]]\nurls = [\"http://a\"]\n"), &["line 4", "stun:"]),
        (&format!("{url}[[ice.servers]]\nurls = [\"turn:a\"]\n"), &["line 4", "credential"]),
        (&format!("[ice]\npolicy = \"relay\"\n{url}kind = \"janus\"\n"), &["line 2", "TURN"]),
        (&format!("{url}[[ice.servers]]\nurls = [\"turn:joe:hunter2@a\"]\n"), &["line 4", "username and credential"]),
        (&format!("{url}[[ice.servers]]\nurls = [\"stun:a:70000\"]\n"), &["line 4", "port"]),
        (&format!("{url}[[ice.servers]]\nurls = [\"stun:a?key=hunter2\"]\n"), &["line 4", "transport=udp"]),
        (&format!("{url}[[ice.servers]]\nurls = [\"stun:a\"]\nexpires = 2026-11-21\n"), &["line 5", "zone"]),
        (&format!("{url}[media]\nsilence = \"loud\"\n"), &["line 4", "loud"]),
        (&format!("{url}[recovery]\npolicy = \"as-zoom\"\n"), &["line 4", "as-zoom"]),
        (&format!("{url}[share]\nrecipient = \"age1x\"\n"), &["line 4", "share.recipient", "begins with age1"]),
        (
            &format!("{url}[share]\nrecipient = \"AGE-SECRET-KEY-1hunter2\"\n"),
            &["line 4", "share.recipient", "identity"],
        ),
        (&format!("{url}[share]\nrecipient = 5\n"), &["line 4"]),
        ("name = \"a\n", &["line 1"]),
        ("[signaling", &["line 1"]),
        ("\u{0}", &["line 1"]),
    ];
    for (text, named) in cases {
        let refusal = read(text.as_bytes()).expect_err(text).to_string();
        assert!(!refusal.contains('\n') && !refusal.contains("hunter2"), "{refusal}");
        for part in *named {
            assert!(refusal.contains(part), "{text:?} gave {refusal:?}, which does not name {part:?}");
        }
    }
    assert!(read(b"\xff\xfe").expect_err("no text").to_string().contains("UTF-8"));
    assert!(read(&vec![b' '; 300_000]).expect_err("huge").to_string().contains("too large"));
}

#[test]
fn a_broken_line_with_a_secret_is_not_repeated() {
    for text in [
        "[signaling]\nurl = \"ws://a\"\ntoken = \"hunter2\n",
        "[signaling]\nurl = \"ws://a\"\ntoken = hunter2\n",
        "[signaling]\nurl = \"ws://a\"\ntoken = [\"hunter2\"]\n",
        "[signaling]\nurl = \"ws//x:hunter2@a\"\n",
        "[signaling]\nurl = \"hunter2\"\n",
    ] {
        let refusal = read(text.as_bytes()).expect_err(text).to_string();
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}

#[test]
fn a_reflector_may_hand_out_the_relays_that_a_relay_only_call_needs() {
    let profile =
        read(b"[signaling]\nurl = \"ws://a\"\n[ice]\npolicy = \"relay\"\n").expect("the welcome may bring TURN");
    assert_eq!(profile.ice.policy, IcePolicy::Relay);
}

#[test]
fn credentials_that_end_before_the_hold_are_named() {
    let text = "for = \"15m\"\n[signaling]\nurl = \"ws://a\"\n[[ice.servers]]\nurls = [\"turn:t.example\"]\n\
                username = \"hunter5\"\ncredential = \"hunter6\"\nexpires = 2026-11-21T12:00:00+01:00\n";
    let profile = read(text.as_bytes()).expect("a profile");
    let at = |text: &str| {
        let time: jiff::Timestamp = text.parse().expect("a time");
        profile.credentials_that_end_early(Wall::from_micros(time.as_microsecond()))
    };
    assert_eq!(at("2026-11-21T10:45:00Z"), Vec::<String>::new(), "they end with the hold");
    let [early] = &at("2026-11-21T10:45:01Z")[..] else { panic!("one server") };
    assert!(early.contains("turn:t.example expire at 2026-11-21T12:00:00+01:00, before this hold of 15m"), "{early}");
    let [over] = &at("2026-11-21T11:00:00Z")[..] else { panic!("one server") };
    assert!(over.contains("have expired") && !over.contains("hunter"), "{over}");
}

#[test]
fn what_the_profile_keeps_private_is_scrubbed_from_a_strangers_words() {
    let url = Address::parse("wss://user:p%40ssword@a.example/call?key=q%20uery#fragment").expect("a URL");
    let mut profile = Profile::to(url);
    profile.signaling.token = Some(Private::new("hunter4".to_owned()));
    for secret in ["user", "p%40ssword", "p@ssword", "q%20uery", "q uery", "fragment", "hunter4"] {
        assert_eq!(profile.scrub().hear(&format!("no: {secret}!")).as_str(), "no: (kept private)!", "{secret}");
    }
    assert_eq!(profile.scrub().hear("a.example/call").as_str(), "a.example/call");
}

#[test]
fn lengths_of_time_are_written_as_read() {
    for text in ["90s", "15m", "1h30m", "250ms", "1m500ms"] {
        let span = Span::parse(text).expect(text);
        assert_eq!(Span::parse(&span.to_string()), Ok(span));
    }
    assert_eq!(Span::seconds(90).to_string(), "1m30s");
}
