//! The catalogue of known limits, from `catalogue.toml`: what a measured limit is consistent with, and numbers that are
//! often repeated and wrong.

use crate::limits::{Activity, Close, IdleLimit, LifetimeLimit, UdpLimit};
use record::fact::{Opened, RungCarrier};
use serde::Deserialize;
use std::sync::OnceLock;
use std::time::Duration;

mod known;
mod settings;

pub use known::Known;
pub use settings::{SettingRow, of_cause, of_limits};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub limit: Vec<Entry>,
    pub wrong: Vec<Wrong>,
    pub setting: Vec<Setting>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub name: String,
    pub layer: Layer,
    pub kind: Kind,
    pub seconds: Seconds,
    pub counts: Counts,
    pub closes: Vec<Ending>,
    /// From how many seconds to how many.
    pub may_be: Option<[f64; 2]>,
    pub change: String,
    #[serde(default)]
    pub smallest: String,
    pub source: String,
    pub verified: bool,
    #[serde(default)]
    pub often: bool,
}

/// What causes other than limits lead to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    #[serde(rename = "for")]
    pub causes: Vec<String>,
    pub product: String,
    pub setting: String,
    pub smallest: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    pub said: String,
    pub right: String,
    pub limit_s: f64,
    pub heartbeats: [f64; 2],
    pub source: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    Websocket,
    Tcp,
    UdpOnePacket,
    UdpStream,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Idle,
    Lifetime,
}

#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Seconds {
    One(f64),
    Between([f64; 2]),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    AnyByte,
    AnyPacket,
    OurByte,
    TheirByte,
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Fin,
    Rst,
    RstAfterWord,
    CloseFrame,
    Silence,
}

/// A test reads it whole; a copy that cannot be read would only leave names out.
pub fn catalogue() -> &'static Catalogue {
    static READ: OnceLock<Catalogue> = OnceLock::new();
    READ.get_or_init(|| toml::from_str(include_str!("../catalogue.toml")).unwrap_or_default())
}

/// What it is consistent with, and how the list was narrowed; nothing where no entry fits.
pub fn idle(limit: &IdleLimit) -> Option<Known> {
    let (from, to) = limit.interval();
    // What does not understand WebSockets ends them as it ends everything.
    let layer = |layer: Layer| match limit.carrier() {
        Some(RungCarrier::Websocket) => layer == Layer::Websocket,
        Some(RungCarrier::Tcp) => layer == Layer::Tcp,
        None => matches!(layer, Layer::Websocket | Layer::Tcp),
    };
    let all = inside(from, to, |entry| entry.kind == Kind::Idle && layer(entry.layer));
    let mut narrowed_by = Vec::new();
    if let Some(close) = limit.close
        && all.iter().any(|entry| !entry.closes_so(close))
    {
        narrowed_by.push("how the connections ended");
    }
    if all.iter().any(|entry| !entry.counts.allows(&limit.activity)) {
        narrowed_by.push("what kept them");
    }
    let fits = |e: &&Entry| limit.close.is_none_or(|close| e.closes_so(close)) && e.counts.allows(&limit.activity);
    Known::of(all.into_iter().filter(fits).collect(), narrowed_by)
}

pub fn lifetime(limit: &LifetimeLimit) -> Option<Known> {
    let give = crate::limits::tolerance(limit.exact.median);
    let (from, to) = (limit.exact.median.saturating_sub(give), limit.exact.median + give);
    let all = inside(from, to, |entry| entry.kind == Kind::Lifetime);
    let fits = |e: &&Entry| limit.close.is_none_or(|close| e.closes_so(close));
    let narrowed_by = if all.iter().all(fits) { vec![] } else { vec!["how the connections ended"] };
    Known::of(all.into_iter().filter(fits).collect(), narrowed_by)
}

pub fn udp(limit: &UdpLimit) -> Option<Known> {
    let of = |entry: &Entry| match entry.layer {
        Layer::UdpOnePacket => limit.opened == Opened::OnePacket || limit.brief,
        Layer::UdpStream => limit.opened == Opened::Stream,
        Layer::Websocket | Layer::Tcp => false,
    };
    Known::of(inside(limit.over.unwrap_or_default(), limit.under, of), vec![])
}

/// The steps of a ladder are narrower than this; a wider bracket fits so much that a name in it says nothing.
const WIDEST: u32 = 2;

fn inside(from: Duration, to: Duration, kept: impl Fn(&Entry) -> bool) -> Vec<&'static Entry> {
    let narrow = to <= from.saturating_mul(WIDEST);
    let all = catalogue().limit.iter().filter(|_| narrow);
    all.filter(|entry| kept(entry) && entry.seconds.overlaps(from, to)).collect()
}

/// The number that somebody seems to have followed with this heartbeat.
pub fn wrong(heartbeat: Duration) -> Option<&'static Wrong> {
    let s = heartbeat.as_secs_f64();
    catalogue().wrong.iter().find(|wrong| wrong.heartbeats[0] <= s && s <= wrong.heartbeats[1])
}

impl Entry {
    fn closes_so(&self, close: Close) -> bool {
        self.closes.contains(&Ending::of(close))
    }

    /// As it usually does.
    fn mostly_closes_so(&self, close: Close) -> bool {
        self.closes.first() == Some(&Ending::of(close))
    }

    /// Somebody may have set it to a moment between these.
    fn may_be_set_to(&self, (from, to): (Duration, Duration)) -> bool {
        let [least, most] = self.may_be.unwrap_or([0.0, f64::INFINITY]);
        !self.change.is_empty() && least <= to.as_secs_f64() && from.as_secs_f64() <= most
    }
}

impl Ending {
    fn of(close: Close) -> Self {
        match close {
            Close::Fin => Self::Fin,
            Close::Reset => Self::Rst,
            Close::ResetAtWord => Self::RstAfterWord,
            Close::CloseFrame(_) => Self::CloseFrame,
            Close::Silence => Self::Silence,
        }
    }
}

impl Counts {
    /// Nothing that was tried contradicts it.
    fn allows(self, seen: &Activity) -> bool {
        let expected = match self {
            Self::AnyByte => [true, true, false],
            Self::AnyPacket => [true, true, true],
            Self::OurByte => [true, false, false],
            Self::TheirByte => [false, true, false],
            Self::Nothing => [false, false, false],
        };
        let tried = [seen.by_us, seen.by_them, seen.by_keepalive];
        tried.iter().zip(expected).all(|(tried, expected)| tried.is_none_or(|tried| tried == expected))
    }
}

impl Seconds {
    fn ends(self) -> (f64, f64) {
        match self {
            Self::One(s) => (s, s),
            Self::Between([from, to]) => (from, to),
        }
    }
    fn overlaps(self, from: Duration, to: Duration) -> bool {
        let (least, most) = self.ends();
        least <= to.as_secs_f64() && from.as_secs_f64() <= most
    }
    fn words(self) -> String {
        match self.ends() {
            (a, b) if a == b => format!("{a:.0} s"),
            (a, b) => format!("{a:.0} to {b:.0} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_reads_whole_and_each_entry_says_what_a_person_needs() {
        let read: Catalogue = toml::from_str(include_str!("../catalogue.toml")).expect("it is our own");
        assert!(read.limit.len() > 50 && !read.wrong.is_empty(), "{}", read.limit.len());
        for entry in &read.limit {
            let (least, most) = entry.seconds.ends();
            assert!(least >= 1.0 && least <= most, "{}", entry.name);
            assert!(!entry.closes.is_empty() && !entry.source.is_empty(), "{}", entry.name);
            assert!(!entry.name.contains(',') && !entry.name.contains(';'), "names stand in lists: {}", entry.name);
            assert_eq!(entry.kind == Kind::Lifetime, entry.counts == Counts::Nothing, "{}", entry.name);
            assert!(entry.verified || !entry.source.contains("measured"), "{}", entry.name);
            assert!(!entry.verified || !entry.source.contains("secondary"), "{}", entry.name);
        }
        let mut names: Vec<&str> = read.limit.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "a name twice");
        for entry in read.limit.iter().filter(|entry| entry.change.is_empty()) {
            let smallest = &entry.smallest;
            assert!(
                smallest.is_empty() || smallest.starts_with("fixed") || smallest.starts_with("a heartbeat"),
                "{}",
                entry.name
            );
        }
        for wrong in &read.wrong {
            assert!(wrong.heartbeats[0] > wrong.limit_s && wrong.heartbeats[0] < wrong.heartbeats[1], "{}", wrong.said);
            assert!(!wrong.source.is_empty() && !wrong.right.is_empty());
        }
    }

    #[test]
    fn a_bracket_that_fits_anything_names_nothing() {
        let seconds = Duration::from_secs;
        assert!(!inside(seconds(31), seconds(61), |_| true).is_empty(), "a step of the ladder");
        assert!(inside(seconds(2), seconds(40), |_| true).is_empty());
        assert!(inside(Duration::ZERO, seconds(61), |_| true).is_empty(), "open below: every shorter one fits");
    }

    #[test]
    fn the_corrected_numbers_stand_and_not_those_of_the_blogs() {
        let seconds = |name: &str| {
            let entry = catalogue().limit.iter().find(|entry| entry.name.starts_with(name));
            entry.unwrap_or_else(|| panic!("{name}")).seconds.ends().0
        };
        assert_eq!(seconds("AWS Application Load Balancer"), 60.0);
        assert_eq!(seconds("AWS Network Load Balancer over TCP"), 350.0);
        assert_eq!(seconds("AWS API Gateway WebSocket duration"), 7200.0);
        assert_eq!(seconds("Azure Load Balancer"), 240.0);
        assert_eq!(seconds("Google classic"), 30.0);
        assert!(wrong(Duration::from_secs(300)).expect("followed a blog").right.starts_with("60 s"));
        assert!(wrong(Duration::from_secs(25)).is_none());
    }
}
