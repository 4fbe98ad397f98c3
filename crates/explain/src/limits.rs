//! Limits: how long a connection may be quiet, or stand, before something on the way ends it. Found from the lanes beside
//! the call, and pure: what lived, what died, after which silence and at which age.
//!
//! A limit is an interval: the longest silence below it that was survived, and the shortest that was not. Where the end
//! itself was seen while the connection was silent, the limit is known as exactly as it repeats. Ends that fit a moment
//! of the day and neither silence nor age were an outage, and are no limit.

use crate::Timeline;
use record::{
    Seq,
    fact::{RungCarrier, Side},
};
use std::time::Duration;

mod activity;
mod close;
pub mod coverage;
mod idle;
mod lifetime;
mod outcome;
mod together;
mod udp;

pub use activity::Activity;
pub(crate) use close::says_idle;
pub use close::{Close, Who};
pub use udp::{CameBack, UdpLimit};

#[derive(Debug, Default)]
pub struct Limits {
    pub idle: Vec<IdleLimit>,
    pub unclear: Vec<Unclear>,
    pub lifetime: Vec<LifetimeLimit>,
    pub udp: Vec<UdpLimit>,
}

/// How long a TCP connection to a host may be quiet.
#[derive(Clone, PartialEq, Debug)]
pub struct IdleLimit {
    pub host: String,
    /// The longest silence below the limit that was survived.
    pub over: Option<Duration>,
    /// The shortest silence that was not.
    pub under: Duration,
    pub exact: Option<Exact>,
    pub died: Vec<Seq>,
    pub lived: Vec<Seq>,
    pub close: Option<Close>,
    pub who: Who,
    pub activity: Activity,
    /// It does not hold for everything.
    pub only: Option<Only>,
}

/// What of a connection a limit holds for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Only {
    /// Only what this side says after the silence is lost; the other's first word still crosses.
    Said(Side),
    /// Only such connections are ended.
    On(RungCarrier),
    /// Such connections are ended after so long, and others after another silence.
    Each(RungCarrier),
}

/// From ends that were seen at their own moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Exact {
    pub median: Duration,
    pub spread: Duration,
    pub count: usize,
}

/// Outcomes that no single idle limit explains.
#[derive(Clone, PartialEq, Debug)]
pub struct Unclear {
    pub host: String,
    /// The shortest silence that was not survived.
    pub died: Duration,
    pub against: Against,
}

/// What speaks against one limit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Against {
    /// A longer silence was survived.
    Lived(Duration),
    /// Others ended after another silence, this the longest.
    Ended(Duration),
}

/// How old a connection to a host becomes, however busy.
#[derive(Clone, PartialEq, Debug)]
pub struct LifetimeLimit {
    pub host: String,
    pub exact: Exact,
    pub close: Option<Close>,
    pub who: Who,
    /// The ends of lanes among them; the others are the call's own connections, one after the other.
    pub lanes: Vec<Seq>,
    /// They ended at steady intervals and none of another age lived through one: what is done by the clock looks the same.
    pub every: Option<Duration>,
}

impl IdleLimit {
    /// Where the limit lies: the exact one with its spread, or between what was survived and what was not.
    pub fn interval(&self) -> (Duration, Duration) {
        match self.exact {
            Some(exact) => {
                let give = tolerance(exact.median).max(exact.spread);
                (exact.median.saturating_sub(give), exact.median + give)
            }
            None => (self.over.unwrap_or_default(), self.under),
        }
    }
    /// What alone it holds for, of what connections travel in.
    pub fn carrier(&self) -> Option<RungCarrier> {
        match self.only {
            Some(Only::On(carrier) | Only::Each(carrier)) => Some(carrier),
            Some(Only::Said(_)) | None => None,
        }
    }
    /// The safe side of it.
    pub fn least(&self) -> Duration {
        self.exact.map_or(self.over.unwrap_or(self.under), |exact| exact.median.saturating_sub(exact.spread))
    }
}

/// Two lengths are the same within this: a second, because proxies look at their timers once a second, and one part in
/// fifty for those that look less often.
pub fn tolerance(length: Duration) -> Duration {
    Duration::from_secs(1).max(length / 50)
}

pub fn same(a: Duration, b: Duration) -> bool {
    a.abs_diff(b) <= tolerance(a.max(b))
}

/// The middle one, with how far the furthest lie apart; nothing where they are not the same length.
pub fn exact(lengths: impl IntoIterator<Item = Duration>) -> Option<Exact> {
    let mut lengths: Vec<Duration> = lengths.into_iter().collect();
    lengths.sort_unstable();
    let (first, last) = (*lengths.first()?, *lengths.last()?);
    let median = lengths[lengths.len() / 2];
    same(first, last).then_some(Exact { median, spread: last - first, count: lengths.len() })
}

pub fn find(timeline: &Timeline) -> Limits {
    let ends = together::sorted(timeline);
    let lifetime = lifetime::find(timeline, &ends);
    let mut limits = Limits { lifetime, udp: udp::find(timeline, &ends), ..Limits::default() };
    for host in outcome::by_host(timeline, &ends) {
        for found in idle::find(timeline, &host) {
            match found {
                // What lives no longer than that when it is busy does not die of silence.
                Ok(limit) if limits.lifetime_of(&host.name).is_some_and(|l| same(l.exact.median, limit.under)) => {}
                Ok(limit) => limits.idle.push(limit),
                Err(unclear) => limits.unclear.push(unclear),
            }
        }
    }
    limits
}

impl Limits {
    /// That a call meets: its signaling is a WebSocket.
    pub fn idle_of(&self, host: &str) -> Option<&IdleLimit> {
        self.of_websockets().find(|limit| limit.host == host)
    }
    pub fn lifetime_of(&self, host: &str) -> Option<&LifetimeLimit> {
        self.lifetime.iter().find(|limit| limit.host == host)
    }
    pub fn shortest_idle(&self) -> Option<&IdleLimit> {
        self.of_websockets().min_by_key(|limit| limit.least())
    }
    fn of_websockets(&self) -> impl Iterator<Item = &IdleLimit> {
        self.idle.iter().filter(|limit| limit.carrier() != Some(RungCarrier::Tcp))
    }
}
