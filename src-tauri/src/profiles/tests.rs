use super::*;
use std::collections::BTreeMap;

/// The form as it stands before anything is typed, with these.
fn draft(kind: &str, values: &[(&str, &str)]) -> Draft {
    let kinds = form().kinds;
    let fields = &kinds.iter().find(|known| known.id == kind).expect("a known kind").fields;
    let mut all: BTreeMap<String, String> =
        fields.iter().map(|field| (field.id.clone(), field.default.clone())).collect();
    all.extend(values.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())));
    Draft { kind: kind.into(), values: all }
}

const URL: (&str, &str) = ("url", "wss://far.example/call");

#[test]
fn each_provider_has_a_form_whose_first_look_lacks_only_the_address() {
    for kind in form().kinds {
        let check = check(&draft(&kind.id, &[]));
        let wrong: Vec<_> = check.wrong.iter().map(|wrong| wrong.field.as_deref()).collect();
        assert_eq!(wrong, [Some("url")], "{check:?}");
        assert_eq!(check.says, "1 thing to mend.");
        assert!(super::check(&draft(&kind.id, &[URL])).wrong.is_empty());
    }
}

#[test]
fn what_is_not_said_is_what_a_profile_means_without_it() {
    let (toml, readers) = file(&draft("reflector", &[URL])).expect("it is ready");
    assert_eq!(readers, crate::saving::Readers::Usual);
    assert_eq!(
        toml,
        "for = \"15m\"\nstay_awake = true\n\n[signaling]\nkind = \"reflector\"\nurl = \"wss://far.example/call\"\n"
    );
    let profile = profile::read(toml.as_bytes()).expect("a profile");
    assert_eq!(profile.lanes, record::profile::Lanes::default());
}

#[test]
fn all_that_the_form_asks_reaches_the_profile() {
    let said = draft(
        "janus",
        &[
            URL,
            ("name", "Acme \"four\" hours\nof it"),
            ("token", "hunter2"),
            ("for", "4h"),
            ("heartbeat", "off"),
            ("stay_awake", ""),
            ("silence", "dtx"),
            ("policy", "relay"),
            ("servers", "stun:stun.example\nturns:turn.example:443?transport=tcp\n\n"),
            ("username", "acme"),
            ("credential", "hunter3"),
            ("bare_websocket", ""),
            ("quiet_ladder", ""),
            ("udp_ladder", "31s"),
            ("controls", "gateway\ndns:acme.example"),
            ("also", "wss://other.example/"),
            ("recovery", "as-twilio"),
        ],
    );
    let profile = profile::read(file(&said).expect("it is ready").0.as_bytes()).expect("a profile");
    assert_eq!((profile.name.as_str(), profile.signaling.kind.as_str()), ("Acme \"four\" hours\nof it", "janus"));
    assert_eq!((profile.for_.to_string().as_str(), profile.stay_awake), ("4h", Some(false)));
    assert_eq!(profile.signaling.token.as_ref().map(|t| t.reveal().as_str()), Some("hunter2"));
    assert_eq!((profile.ice.servers.len(), profile.ice.policy), (2, record::profile::IcePolicy::Relay));
    assert!(profile.ice.servers[0].credential.is_none() && profile.ice.servers[1].credential.is_some());
    assert!(profile.signaling.heartbeat.planned().is_none() && !profile.lanes.bare_websocket && profile.lanes.talking);
    assert_eq!((profile.lanes.quiet_ladder.len(), profile.lanes.udp_ladder.len()), (0, 1));
    assert_eq!((profile.lanes.controls.len(), profile.lanes.also.len()), (2, 1));
    assert_eq!(profile.recovery.policy, record::profile::RecoveryPolicy::AsTwilio);
    let checked = check(&said);
    assert!(!format!("{checked:?}").contains("hunter"), "{checked:?}");
    assert!(
        checked.toml.contains("# token: kept private")
            && checked.notes.iter().any(|note| note.contains("It holds a token"))
    );
    assert!(link(&said).expect_err("it holds secrets").says.contains("send the profile as a file"));
}

#[test]
fn what_is_wrong_is_said_beside_its_field() {
    for (field, value) in [
        ("url", "http://far.example/"),
        ("for", "15"),
        ("heartbeat", "often"),
        ("servers", "turn:turn.example"),
        ("quiet_ladder", "61s\nlong"),
        ("controls", "nonsense"),
        ("silence", "loud"),
        ("also", "ftp://x"),
    ] {
        let check = check(&draft("reflector", &[URL, (field, value)]));
        let [wrong] = check.wrong.as_slice() else { panic!("{field}: {check:?}") };
        assert_eq!(wrong.field.as_deref(), Some(field), "{wrong:?}");
        assert!(check.will.is_empty() && !check.toml.is_empty());
    }
}

#[test]
fn a_link_of_the_form_is_read_as_what_was_typed() {
    let said = draft("reflector", &[URL, ("name", "Acme"), ("for", "1h30m")]);
    let profile = crate::link::read(&link(&said).expect("no secret")).expect("readable");
    assert_eq!(profile, profile::read(file(&said).expect("ready").0.as_bytes()).expect("a profile"));
}

#[test]
fn a_page_that_sends_nonsense_is_answered() {
    let nonsense = Draft { kind: "\"]\n".into(), values: BTreeMap::from([("url".into(), "x".repeat(100_000))]) };
    assert!(check(&nonsense).wrong.len() >= 2);
}
