//! Offers: holds that could be begun, in plain words, and what each of them would do.

use crate::wire::{Failure, Offer, OfferFrom};
use desk::hold::Prepared;
use record::profile::{Address, ControlTarget, IceUrl, Profile, Span};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is held once an offer is taken up.
#[derive(Clone)]
pub enum What {
    /// A call to this computer itself.
    SelfTest { length: Span },
    Profile {
        profile: Box<Profile>,
        /// As its user knows it: a file's name.
        named: Option<String>,
    },
}

/// Those that were made lately; a page shows one at a time.
#[derive(Default)]
pub struct Offers(Mutex<(u64, Vec<(String, What)>)>);

const KEPT: usize = 16;
const SELF_TEST: &str = "Self-test";
const RECORDS: &str = "When connections end, networks change or the computer sleeps; addresses and names of servers. It stays on this computer.";
const NEVER: &str = "No sound, no screen, no passwords.";
/// Shorter ones are for tests; a longer one shows nothing more of this computer.
const SELF_TEST_MINUTES: std::ops::RangeInclusive<f64> = 0.02..=24.0 * 60.0;

impl What {
    pub fn self_test(minutes: f64) -> Result<Self, Failure> {
        if !SELF_TEST_MINUTES.contains(&minutes) {
            return Err(Failure { says: "a self-test lasts between a second and a day".into() });
        }
        let length = Span::parse(&format!("{}ms", (minutes * 60e3).round())).map_err(|says| Failure { says })?;
        Ok(Self::SelfTest { length })
    }

    /// `far_end`: of a self-test, where it listens.
    pub fn prepared(self, far_end: Option<Address>) -> Result<Prepared, desk::Failure> {
        let (mut profile, self_test, named) = match self {
            Self::SelfTest { length } => {
                let anywhere = || Address::parse("ws://127.0.0.1/call").expect("it is one");
                let profile =
                    Profile { name: SELF_TEST.into(), for_: length, ..Profile::to(far_end.unwrap_or_else(anywhere)) };
                (profile, true, None)
            }
            Self::Profile { profile, named } => (*profile, false, named),
        };
        // Whoever holds in a window has closed no lid on purpose, unless the profile says that sleep is what is tested.
        profile.stay_awake.get_or_insert(true);
        Prepared::of(profile, self_test, named.as_deref())
    }
}

impl Offers {
    pub fn make(&self, what: What, from: OfferFrom, source: Option<String>) -> Result<Offer, Failure> {
        let prepared = what.clone().prepared(None)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let id = format!("offer-{}", kept.0);
        if kept.1.len() == KEPT {
            kept.1.remove(0);
        }
        kept.1.push((id.clone(), what));
        Ok(offer(id, from, source, &prepared))
    }

    pub fn take(&self, id: &str) -> Result<What, Failure> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.1.iter().find(|(known, _)| known == id).map(|(_, what)| what.clone());
        found.ok_or_else(|| Failure { says: "this test is not known any more; open its file or its link again".into() })
    }
}

fn offer(id: String, from: OfferFrom, source: Option<String>, prepared: &Prepared) -> Offer {
    let Prepared { profile, plan } = prepared;
    let beside = plan.beside.clone().unwrap_or_default();
    let quiet = beside.quiet_ladder_s.len() + beside.udp_ladder_s.len() + usize::from(beside.bare_websocket);
    let beside = match quiet {
        0 => String::new(),
        1 => ", with a quiet connection beside it".into(),
        n => format!(", with {n} quiet connections beside it"),
    };
    let host = record::Heard::new(profile.signaling.url.host());
    let tests = match from {
        OfferFrom::SelfTest => {
            format!("One silent call from this computer to itself{beside}. It says nothing of any network.")
        }
        OfferFrom::File | OfferFrom::Link | OfferFrom::Retest => {
            format!("One silent call to {host}, kept open{beside}.{}", also_asked(profile))
        }
    };
    let awake = profile.stays_awake();
    let meanwhile = match awake {
        true => "Keep working, and keep the lid open.",
        false => "Keep working as usual; if the computer sleeps, that is tested too.",
    };
    let name = match (from, plan.name.as_str()) {
        (OfferFrom::SelfTest, _) => SELF_TEST.to_owned(),
        (_, "") => format!("A call to {host}"),
        (_, name) => name.to_owned(),
    };
    let sentence = |says: String| format!("{}.", capital(&says));
    Offer {
        id,
        name,
        from,
        source: source.map(|source| record::Heard::new(&source).to_string()),
        tests,
        lasts: format!("{}. {meanwhile}", length(profile.for_.get())),
        records: RECORDS.into(),
        never: NEVER.into(),
        keeps_awake: awake,
        notes: prepared.will_go_wrong().into_iter().map(sentence).collect(),
        planned_s: plan.planned_s,
        needs_consent: matches!(from, OfferFrom::Link | OfferFrom::Retest),
    }
}

/// Whom else a profile makes this computer ask: whoever agrees to it agrees to that too.
fn also_asked(profile: &Profile) -> String {
    const MOST: usize = 6;
    let controls = profile.lanes.controls.iter().filter_map(|target| match target {
        ControlTarget::Gateway | ControlTarget::Dns(_) | ControlTarget::Far => None,
        ControlTarget::Https(url) | ControlTarget::Portal(url) => url.host_str().map(str::to_owned),
        ControlTarget::Stun(url) => Some(url.host.clone()),
    });
    let also = profile.lanes.also.iter().map(|url| url.host().to_owned());
    let servers = profile.ice.servers.iter().flat_map(|server| &server.urls);
    let servers = servers.filter_map(|url| Some(IceUrl::parse(url).ok()?.host));
    let own = profile.signaling.url.host();
    let others: BTreeSet<String> = controls.chain(also).chain(servers).filter(|host| host != own).collect();
    let named: Vec<String> = others.iter().take(MOST).map(|host| record::Heard::new(host).to_string()).collect();
    match (named.len(), others.len() - named.len()) {
        (0, _) => String::new(),
        (_, 0) => format!(" It asks {} too.", named.join(", ")),
        (_, more) => format!(" It asks {} and {more} more too.", named.join(", ")),
    }
}

/// As a person says it: "15 minutes", "4 hours", "1 hour 30 minutes".
pub fn length(length: Duration) -> String {
    let s = length.as_secs();
    let count = |n: u64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    match (s / 3600, s % 3600 / 60, s % 60) {
        _ if s < 120 && s != 60 => count(s.max(1), "second"),
        (0, minutes, 0) => count(minutes, "minute"),
        (0, minutes, seconds) => format!("{} {}", count(minutes, "minute"), count(seconds, "second")),
        (hours, 0, _) => count(hours, "hour"),
        (hours, minutes, _) => format!("{} {}", count(hours, "hour"), count(minutes, "minute")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_test_is_offered_in_plain_words() {
        let offer = Offers::default()
            .make(What::self_test(2.0).expect("two minutes"), OfferFrom::SelfTest, None)
            .expect("it can be held");
        assert_eq!(offer.lasts, "2 minutes. Keep working, and keep the lid open.");
        assert!(offer.tests.starts_with("One silent call from this computer to itself"), "{}", offer.tests);
        assert!(offer.keeps_awake && !offer.needs_consent);
    }

    #[test]
    fn a_profile_that_tests_sleep_does_not_keep_awake() {
        let read = |text: &str| Box::new(record::profile::read(text.as_bytes()).expect("a profile"));
        let awake = |text: &str| {
            let what = What::Profile { profile: read(text), named: None };
            Offers::default().make(what, OfferFrom::File, None).expect("it can be held").keeps_awake
        };
        assert!(awake("[signaling]\nurl = \"wss://far.example/call\""));
        assert!(!awake("stay_awake = false\n[signaling]\nurl = \"wss://far.example/call\""));
    }

    #[test]
    fn whoever_agrees_to_a_call_is_told_whom_else_it_asks() {
        let text = r#"
            [signaling]
            url = "wss://far.example/call"
            [[ice.servers]]
            urls = ["turn:relay.example:3478"]
            username = "acme"
            credential = "hunter2"
            [lanes]
            controls = ["gateway", "far", "https://192.0.2.1/", "portal:http://portal.example/"]
            also = ["wss://far.example/other", "wss://other.example/"]
        "#;
        let profile = Box::new(record::profile::read(text.as_bytes()).expect("a profile"));
        let what = What::Profile { profile, named: None };
        let offer = Offers::default().make(what, OfferFrom::Link, None).expect("it can be held");
        let others = "It asks 192.0.2.1, other.example, portal.example, relay.example too.";
        assert!(offer.tests.ends_with(others), "{}", offer.tests);
    }

    #[test]
    fn lengths_are_said_as_people_say_them() {
        let said = |s| length(Duration::from_secs(s));
        assert_eq!(
            [said(1), said(60), said(90), said(120), said(150)].join(", "),
            "1 second, 1 minute, 90 seconds, 2 minutes, 2 minutes 30 seconds"
        );
        assert_eq!(
            [said(900), said(3600), said(5400), said(4 * 3600)].join(", "),
            "15 minutes, 1 hour, 1 hour 30 minutes, 4 hours"
        );
    }

    #[test]
    fn what_was_never_offered_is_not_held() {
        let Err(failure) = Offers::default().take("offer-1") else { panic!("nothing was offered") };
        assert!(failure.says.contains("not known any more"), "{}", failure.says);
        assert!(What::self_test(f64::NAN).is_err() && What::self_test(-1.0).is_err() && What::self_test(1e9).is_err());
    }
}
