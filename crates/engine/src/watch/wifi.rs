//! The radio link: to which network and access point, on which frequency, how strong.
//!
//! *Seen*: a connection, its loss, a roam to another access point, as the system says it; the signal every ten seconds
//! while connected, noted when it moved. Each platform's file says where a permission is needed.
//! *Not seen*: interference, retries and airtime; a connection of other programs' own (Wi-Fi Direct); why the access point
//! let go.
//!
//! The names of networks and the hardware addresses of access points say where somebody lives. They stay in this file:
//! a fact holds `network-1` and `point-2`, by order of first sight.
//!
//! Each platform file provides `Radio`:
//! - `open()`, from which on nothing is missed; `None` while the computer has no Wi-Fi at all,
//! - `told().await`, what the system says,
//! - `look()`, every interface and its link.

use super::{Watcher, Watching};
use crate::Recorder;
use record::fact::{LinkKind, Net, WifiLink};
use record::{Event, Fact, Heard};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;

#[cfg_attr(target_os = "linux", path = "wifi/linux.rs")]
#[cfg_attr(target_os = "macos", path = "wifi/macos.rs")]
#[cfg_attr(windows, path = "wifi/windows.rs")]
mod platform;

pub const WATCHER: Watcher = Watcher { id: record::Sense::Wifi, run };

const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// The signal of a computer that stands still wavers by two or three.
const MOVED_DB: u32 = 5;
/// Of networks and of access points each. A hall has dozens.
const MOST_NAMES: usize = 1000;

/// What the system says of one interface.
#[derive(Clone, PartialEq, Debug)]
struct Sight {
    interface: String,
    link: Option<RawLink>,
}

#[derive(Clone, PartialEq, Debug)]
struct RawLink {
    network: Vec<u8>,
    point: [u8; 6],
    mhz: Option<u32>,
    dbm: Option<i32>,
}

#[allow(dead_code, reason = "macOS does not say when it is lost")]
enum Told {
    /// It lost its link. A new one may stand by the time we look, and the loss would not show.
    Left(String),
    /// Something changed.
    Look,
}

enum Wake {
    Told(Result<Vec<Told>, String>),
    Sample,
}

fn run(recorder: Recorder) -> Watching {
    let interfaces = Interfaces { heard: recorder.listen(), seen: false };
    Box::pin(async move {
        match follow(&recorder, interfaces).await {
            Ok(never) => match never {},
            Err(why) => why,
        }
    })
}

async fn follow(recorder: &Recorder, mut interfaces: Interfaces) -> Result<Infallible, String> {
    let mut radio = loop {
        match platform::Radio::open(interfaces.seen)? {
            Some(radio) => break radio,
            None => interfaces.wait_for_wifi().await,
        }
    };
    let mut memory = Memory::default();
    let mut sample = tokio::time::interval(SAMPLE_EVERY);
    sample.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let wake = tokio::select! {
            told = radio.told() => Wake::Told(told),
            // The first tick comes at once and is the first look.
            _ = sample.tick(), if memory.may_change_unsaid() => Wake::Sample,
            () = interfaces.ignore() => continue,
        };
        if let Wake::Told(told) = wake {
            for told in told? {
                if let Told::Left(interface) = told {
                    note(recorder, memory.see(Sight { interface, link: None }));
                }
            }
        }
        note(recorder, memory.look(radio.look()?));
    }
}

fn note(recorder: &Recorder, facts: impl IntoIterator<Item = Net>) {
    for fact in facts {
        recorder.note(fact);
    }
}

/// Hears from the network watcher whether there is Wi-Fi.
struct Interfaces {
    heard: UnboundedReceiver<Arc<Event>>,
    seen: bool,
}

impl Interfaces {
    async fn wait_for_wifi(&mut self) {
        while let Some(event) = self.heard.recv().await {
            if let Fact::Net(Net::Link { kind: LinkKind::Wifi, .. }) = &event.fact {
                self.seen = true;
                return;
            }
        }
        pending().await
    }

    /// What is not heard any more must not pile up.
    async fn ignore(&mut self) {
        while self.heard.recv().await.is_some() {}
        pending().await
    }
}

/// What was noted last, and which name stands for what.
#[derive(Default)]
struct Memory {
    looked: bool,
    links: BTreeMap<String, Option<WifiLink>>,
    networks: Names<Vec<u8>>,
    points: Names<[u8; 6]>,
}

impl Memory {
    /// Before the first look, and while a signal can waver.
    fn may_change_unsaid(&self) -> bool {
        !self.looked || self.links.values().any(Option::is_some)
    }

    fn look(&mut self, sights: Vec<Sight>) -> Vec<Net> {
        let gone: Vec<_> =
            self.links.keys().filter(|name| !sights.iter().any(|sight| &sight.interface == *name)).cloned().collect();
        let mut facts = Vec::new();
        for interface in gone {
            facts.extend(self.see(Sight { interface: interface.clone(), link: None }));
            self.links.remove(&interface);
        }
        facts.extend(sights.into_iter().filter_map(|sight| self.see(sight)));
        self.looked = true;
        facts
    }

    fn see(&mut self, Sight { interface, link }: Sight) -> Option<Net> {
        let link = link.map(|raw| WifiLink {
            network: self.networks.of(raw.network, "network"),
            point: self.points.of(raw.point, "point"),
            mhz: raw.mhz,
            dbm: raw.dbm,
        });
        let before = self.links.get(&interface);
        if before.is_some_and(|before| is_the_same(before.as_ref(), link.as_ref())) {
            return None;
        }
        let found = before.is_none() && !self.looked;
        let name = Heard::new(&interface);
        self.links.insert(interface, link.clone());
        Some(Net::Wifi { interface: name, link, found })
    }
}

fn is_the_same(before: Option<&WifiLink>, after: Option<&WifiLink>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => {
            let still = match (before.dbm, after.dbm) {
                (Some(before), Some(after)) => before.abs_diff(after) < MOVED_DB,
                // A sample without a signal says nothing of it.
                (_, after) => after.is_none(),
            };
            still && (&before.network, &before.point, before.mhz) == (&after.network, &after.point, after.mhz)
        }
        (before, after) => before.is_none() && after.is_none(),
    }
}

struct Names<T>(BTreeMap<T, usize>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> Names<T> {
    fn of(&mut self, thing: T, word: &str) -> Heard {
        let next = self.0.len() + 1;
        let number = match self.0.get(&thing) {
            Some(number) => *number,
            None if next > MOST_NAMES => return Heard::new(&format!("{word}-over-{MOST_NAMES}")),
            None => *self.0.entry(thing).or_insert(next),
        };
        Heard::new(&format!("{word}-{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(network: &str, point: u8, mhz: u32, dbm: i32) -> Sight {
        let link = RawLink { network: network.into(), point: [point; 6], mhz: Some(mhz), dbm: Some(dbm) };
        Sight { interface: "wlan0".into(), link: Some(link) }
    }
    fn off() -> Sight {
        Sight { interface: "wlan0".into(), link: None }
    }
    fn told(facts: impl IntoIterator<Item = Net>) -> Vec<String> {
        let told = |fact| match fact {
            Net::Wifi { link: Some(link), found, .. } => {
                let signal = link.dbm.map_or("?".to_owned(), |dbm| dbm.to_string());
                format!("{} {} {:?} {signal}{}", link.network, link.point, link.mhz, if found { " found" } else { "" })
            }
            Net::Wifi { link: None, found, .. } => format!("off{}", if found { " found" } else { "" }),
            other => format!("{other:?}"),
        };
        facts.into_iter().map(told).collect()
    }

    #[test]
    fn a_days_wifi_is_told_without_its_names() {
        let mut memory = Memory::default();
        assert_eq!(
            told(memory.look(vec![on("Smith family", 1, 5180, -50)])),
            ["network-1 point-1 Some(5180) -50 found"]
        );
        assert!(memory.look(vec![on("Smith family", 1, 5180, -54)]).is_empty(), "it wavers");
        assert_eq!(told(memory.look(vec![on("Smith family", 1, 5180, -55)])), ["network-1 point-1 Some(5180) -55"]);
        assert_eq!(told(memory.look(vec![on("Smith family", 2, 2412, -55)])), ["network-1 point-2 Some(2412) -55"]);
        assert_eq!(told(memory.see(off())), ["off"]);
        assert!(memory.look(vec![off()]).is_empty());
        assert_eq!(told(memory.look(vec![on("Guests", 2, 2412, -55)])), ["network-2 point-2 Some(2412) -55"]);
        assert_eq!(told(memory.look(vec![on("Smith family", 1, 5180, -55)])), ["network-1 point-1 Some(5180) -55"]);
    }

    #[test]
    fn a_loss_that_was_over_when_we_looked_is_told_all_the_same() {
        let mut memory = Memory::default();
        memory.look(vec![on("home", 1, 5180, -50)]);
        let facts: Vec<_> = memory.see(off()).into_iter().chain(memory.look(vec![on("home", 1, 5180, -50)])).collect();
        assert_eq!(told(facts), ["off", "network-1 point-1 Some(5180) -50"]);
    }

    #[test]
    fn an_interface_that_is_pulled_out_is_off_and_sampling_ends() {
        let mut memory = Memory::default();
        assert!(memory.may_change_unsaid(), "the first look is due");
        assert!(memory.look(vec![]).is_empty());
        assert!(!memory.may_change_unsaid());
        memory.look(vec![on("home", 1, 5180, -50)]);
        assert!(memory.may_change_unsaid());
        assert_eq!(told(memory.look(vec![])), ["off"]);
        assert!(!memory.may_change_unsaid());
    }

    #[test]
    fn a_sample_without_a_signal_changes_nothing_and_one_with_it_does() {
        let mut memory = Memory::default();
        let quiet = |point| {
            let RawLink { network, mhz, .. } = on("home", point, 5180, 0).link.expect("on");
            vec![Sight {
                interface: "wlan0".into(),
                link: Some(RawLink { network, point: [point; 6], mhz, dbm: None }),
            }]
        };
        memory.look(vec![on("home", 1, 5180, -50)]);
        assert!(memory.look(quiet(1)).is_empty());
        assert_eq!(told(memory.look(quiet(2))), ["network-1 point-2 Some(5180) ?"]);
        assert_eq!(told(memory.look(vec![on("home", 2, 5180, -60)])), ["network-1 point-2 Some(5180) -60"]);
    }

    #[test]
    fn pseudonyms_are_bounded() {
        let mut names = Names::default();
        for number in 0..2 * MOST_NAMES {
            names.of(number, "point");
        }
        assert_eq!(names.of(0, "point"), "point-1".into());
        assert_eq!(names.of(3 * MOST_NAMES, "point"), "point-over-1000".into());
        assert_eq!(names.0.len(), MOST_NAMES);
    }
}
