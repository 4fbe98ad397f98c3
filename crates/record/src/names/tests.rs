use super::*;
use crate::{
    Event, Fact, Stamp,
    fact::{Control, ControlKind, Ice, Net, Signaling, SocketPurpose, WifiLink},
    profile::{self, Address},
};

fn named(facts: impl IntoIterator<Item = Fact>, names: &mut Names) -> String {
    let event = |(seq, fact)| Event { seq: seq as u64 + 1, at: Stamp::new(0, 0, 0), fact };
    let mut log = Log { events: facts.into_iter().enumerate().map(event).collect() };
    names.log(&mut log);
    String::from_utf8(log.write_lines()).expect("text")
}

fn connecting(to: &str, proxy: Option<&str>) -> Fact {
    Signaling::Connecting { conn: 1, to: to.into(), purpose: SocketPurpose::First, proxy: proxy.map(Heard::new) }.into()
}

fn url(names: &mut Names, text: &str) -> String {
    names.url_of(text)
}

#[test]
fn the_same_value_has_the_same_name_wherever_it_stands() {
    let facts = [
        connecting("wss://far.example:7443/acme/room-12", Some("proxy.corp.example:3128")),
        Signaling::Resolved { conn: 1, addresses: vec!["203.0.113.9".parse().unwrap()], took_ms: 1.0 }.into(),
        Signaling::TcpConnected {
            conn: 1,
            local: "10.1.4.22:51544".parse().unwrap(),
            remote: "203.0.113.9:7443".parse().unwrap(),
            took_ms: 1.0,
        }
        .into(),
        Control::Asking { control: 1, kind: ControlKind::FarTcp, target: "203.0.113.9:7443".into(), rationed: false }
            .into(),
        Control::Asking {
            control: 2,
            kind: ControlKind::Dns,
            target: "far.example, of 10.1.4.1, 10.1.4.2".into(),
            rationed: false,
        }
        .into(),
        Net::Address {
            interface: "Acme VPN".into(),
            address: "10.1.4.22".parse().unwrap(),
            prefix: 24,
            temporary: false,
            found: true,
        }
        .into(),
        Ice::LocalCandidate {
            kind: crate::fact::CandidateKind::Host,
            address: "10.1.4.22:4000".into(),
            relay_by: Some("turn:far.example:3478?transport=udp".into()),
        }
        .into(),
    ];
    let mut names = Names::counted();
    let text = named(facts, &mut names);
    for part in [
        "wss://host-1.example:7443/path-1",
        "\"host-2.example:3128\"",
        "[\"public-1\"]",
        "\"private-1:51544\"",
        "\"public-1:7443\"",
        "\"host-1.example, of private-2, private-3\"",
        "\"interface-1\"",
        "\"address\":\"private-1\"",
        "\"private-1:4000\"",
        "\"turn:host-1.example:3478?transport=udp\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    for value in ["far.example", "corp", "acme", "Acme", "203.0", "10.1"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
    let map = names.map();
    let line =
        |name: &str| map.iter().find(|line| line.name == name).map(|line| (line.is.as_str(), line.what.as_str()));
    assert_eq!(line("private-1"), Some(("10.1.4.22", "private IPv4")));
    assert_eq!(line("public-1"), Some(("203.0.113.9", "public IPv4, AS unknown")));
    assert_eq!(line("host-1.example"), Some(("far.example", "host")));
    assert_eq!(line("/path-1"), Some(("/acme/room-12", "path of a URL")));
}

#[test]
fn what_is_nobodys_stays() {
    let mut names = Names::counted();
    for text in [
        "",
        "gateway",
        "dns",
        "far",
        "the root",
        "127.0.0.1:7000",
        "ws://127.0.0.1:7000/call",
        "ws://[::1]:7000/call",
        "ws://localhost:7000/lane",
        "stun:127.0.0.1:3478?transport=udp",
        "0.0.0.0",
    ] {
        assert_eq!(url(&mut names, text), text);
    }
    assert_eq!(names.map(), []);
}

#[test]
fn places_are_read_as_they_are_written() {
    let mut names = Names::counted();
    let all = [
        ("wss://user:hunter2@far.example/x?token=hunter2#y", "wss://host-1.example/path-1"),
        ("udp://198.51.100.7:7000", "udp://public-1:7000"),
        ("tcp://far.example.:7000", "tcp://host-1.example:7000"),
        ("https://FAR.example/", "https://host-1.example/"),
        ("portal:http://far.example/generate_204", "portal:http://host-1.example/path-2"),
        ("stun:[2001:db8::7]:3478", "stun:public6-1:3478"),
        ("turns:far.example:443?transport=tcp", "turns:host-1.example:443?transport=tcp"),
        ("dns:far.example", "dns:host-1.example"),
        ("fe80::1%eth0", "link-local6-1%eth0"),
        ("[2001:db8::7]:443", "public6-1:443"),
        ("2001:db8::7", "public6-1"),
        ("f3a1b2c3-uuid.local:5000", "host-2.example:5000"),
        ("what is this", "host-3.example"),
        ("javascript://x", "host-4.example"),
    ];
    for (text, name) in all {
        assert_eq!(url(&mut names, text), name, "{text}");
    }
}

#[test]
fn a_desks_key_gives_the_same_names_in_each_bundle_and_no_others() {
    let key = |text: &str| Names::with_key(&Private::new(text.to_owned()));
    let one = |names: &mut Names| url(names, "ws://10.1.4.22:7000/call");
    let (first, again, other) = (one(&mut key("desk")), one(&mut key("desk")), one(&mut key("else")));
    assert_eq!(first, again);
    assert_ne!(first, other);
    let host = first.strip_prefix("ws://").and_then(|rest| rest.strip_suffix(":7000/call")).expect("kept in shape");
    assert!(host.starts_with("private-") && host.parse::<Ip>().is_ok(), "{host}");
    let mut names = key("desk");
    assert_ne!(url(&mut names, "10.1.4.22"), url(&mut names, "10.1.4.23"));
}

#[test]
fn names_that_count_within_a_run_are_counted_also_with_a_key() {
    let wifi = |network: &str| {
        let link = WifiLink { network: network.into(), point: "point-1".into(), mhz: None, dbm: None };
        Net::Wifi { interface: "wlan0".into(), link: Some(link), found: true }.into()
    };
    let mut names = Names::with_key(&Private::new("a key".to_owned()));
    let text = named([wifi("network-1"), wifi("network-2")], &mut names);
    assert!(text.contains("\"wifi-1\"") && text.contains("\"wifi-2\"") && text.contains("\"wlan0\""), "{text}");
}

#[test]
fn a_profile_is_named_as_the_log_is() {
    let text = "name = \"Acme (far.example): 15-minute hold\"\n[signaling]\nurl = \"wss://far.example/acme?k=hunter2\"\n\
        token = \"hunter2\"\n[[ice.servers]]\nurls = [\"turn:10.0.0.9:3478\"]\nusername = \"u\"\ncredential = \"hunter2\"\n\
        [lanes]\ncontrols = [\"gateway\", \"https://other.example/\"]\nalso = [\"wss://third.example/x\"]\n\
        [share]\nnames_key = \"a key of some length\"\n";
    let mut profile = profile::read(text.as_bytes()).expect("a profile");
    let mut names = Names::counted();
    names.profile(&mut profile);
    let shown = profile.without_secrets();
    for part in [
        "Acme (host-1.example): 15-minute hold",
        "wss://host-1.example/path-1",
        "turn:private-1:3478",
        "https://host-2.example/",
        "wss://host-3.example/path-2",
        "gateway",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    for value in ["far.example", "other", "third", "10.0", "hunter2", "some length"] {
        assert!(!shown.contains(value), "{value} in {shown}");
    }
    assert_eq!(
        url(&mut names, &Address::parse("wss://far.example/acme").expect("a URL").to_string()),
        "wss://host-1.example/path-1"
    );
}
