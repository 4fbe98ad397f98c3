//! The UDP flows of all calls: what is answered to a datagram, and when a late word is due. Pure: stamps and datagrams in,
//! datagrams out.

use super::desk::{Desk, Desks};
use record::wire::datagram::{
    Datagram, FromClient, FromFar, Key, LATE_TIMES, LONGEST_SILENCE, MOST_FLOWS, Name, SIZE, Say, name_of,
};
use record::{Stamp, fact::LaneSight, millis};
use ring::hmac;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// `W` is the way back: the socket that a datagram came in by.
pub struct Flows<W> {
    /// What passes are made with; of this run alone.
    secret: hmac::Key,
    calls: BTreeMap<Name, OfCall<W>>,
}

struct OfCall<W> {
    key: Arc<Key>,
    desk: Desk,
    flows: BTreeMap<u32, Flow<W>>,
    /// Lanes that stood once: a `stand` that somebody kept and sends again begins nothing.
    used: BTreeSet<u32>,
    allowance: Allowance,
}

struct Flow<W> {
    nonce: u64,
    from: SocketAddr,
    way: W,
    /// The last datagram either way.
    last: Stamp,
    /// When the first late word is due.
    due: Stamp,
    said: usize,
    /// The first word of the client's after the silence, and how long that had been.
    heard: Option<Duration>,
}

pub struct Outgoing<W> {
    pub way: W,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

/// When the late word is said, after it was due.
const LATE_AT: [Duration; LATE_TIMES] = [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(900)];

/// A client waits two seconds for the late word and asks some times more; then nobody needs the flow.
const KEPT_AFTER: Duration = Duration::from_secs(20);

/// Of all calls together.
const MOST_IN_ALL: usize = 4096;

/// Of one call from beginning to end: a rung a minute for a whole day.
const MOST_USED: usize = 1500;

impl<W: Clone> Flows<W> {
    pub fn new(secret: hmac::Key) -> Self {
        Self { secret, calls: BTreeMap::new() }
    }

    /// The answer, which leaves by the way the datagram came.
    pub fn handle(&mut self, now: Stamp, from: SocketAddr, way: &W, bytes: &[u8], desks: &Desks) -> Option<Vec<u8>> {
        let name = name_of(bytes)?;
        let (key, desk) = desks.find_by_name(&name)?;
        let asked: Datagram<FromClient> = key.open(bytes)?;
        let full = self.calls.values().map(|call| call.flows.len()).sum::<usize>() >= MOST_IN_ALL;
        let pass = self.pass(&name, from.ip());
        let call = self.calls.entry(name).or_insert_with(|| OfCall::new(key, desk, now));
        if !call.allowance.take(now) {
            return None;
        }
        let Datagram { nonce, lane, say } = asked;
        let say = match say {
            FromClient::Echo => FromFar::Echo { seen: from, pass },
            FromClient::Stand { pass: shown, .. } if shown != pass => FromFar::Unknown,
            FromClient::Stand { speak_after_ms, answer, .. } => {
                let flow = Flow {
                    nonce,
                    from,
                    way: way.clone(),
                    last: now,
                    due: now.plus(Duration::from_millis(speak_after_ms.into())),
                    said: 0,
                    heard: None,
                };
                match call.stand(lane, flow, now, full) {
                    true if answer => FromFar::Standing { seen: from },
                    true => return None,
                    false => FromFar::Unknown,
                }
            }
            FromClient::Word => call.word(lane, nonce, from, now),
        };
        Some(call.seal(nonce, lane, say))
    }

    /// The late words whose time has come. What belongs to calls that are over is forgotten.
    pub fn due(&mut self, now: Stamp, desks: &Desks) -> Vec<Outgoing<W>> {
        self.calls.retain(|name, _| desks.find_by_name(name).is_some());
        let mut out = vec![];
        for call in self.calls.values_mut() {
            let OfCall { key, desk, flows, .. } = call;
            flows.retain(|_, flow| now.since(flow.due) < KEPT_AFTER);
            for (lane, flow) in flows {
                let Some(at) = flow.says_at() else { continue };
                if now < at {
                    continue;
                }
                let quiet = now.since(flow.last);
                if flow.said == 0 {
                    desk.saw(*lane, now, LaneSight::Spoke { quiet_ms: millis(quiet) });
                }
                flow.said += 1;
                let bytes = seal(key, flow.nonce, *lane, FromFar::Late { quiet_ms: whole_ms(quiet) });
                out.push(Outgoing { way: flow.way.clone(), to: flow.from, bytes });
            }
        }
        out
    }

    /// When to look again.
    pub fn next(&self) -> Option<Stamp> {
        let flows = self.calls.values().flat_map(|call| call.flows.values());
        flows.map(|flow| flow.says_at().unwrap_or_else(|| flow.due.plus(KEPT_AFTER))).min()
    }

    /// For an address and not for a port, because each rung of a ladder has a port of its own.
    fn pass(&self, name: &Name, ip: IpAddr) -> u64 {
        let mut mac = hmac::Context::with_key(&self.secret);
        mac.update(name);
        match ip.to_canonical() {
            IpAddr::V4(v4) => mac.update(&v4.octets()),
            IpAddr::V6(v6) => mac.update(&v6.octets()),
        }
        let tag = mac.sign();
        u64::from_be_bytes(tag.as_ref()[..8].try_into().expect("a SHA-256 is longer"))
    }
}

impl<W> OfCall<W> {
    fn new(key: Arc<Key>, desk: Desk, now: Stamp) -> Self {
        Self { key, desk, flows: BTreeMap::new(), used: BTreeSet::new(), allowance: Allowance::new(now) }
    }

    fn seal(&self, nonce: u64, lane: u32, say: FromFar) -> Vec<u8> {
        seal(&self.key, nonce, lane, say)
    }

    /// Whether the flow stands: now, or since the same datagram came a first time.
    fn stand(&mut self, lane: u32, flow: Flow<W>, now: Stamp, full: bool) -> bool {
        if let Some(standing) = self.flows.get(&lane) {
            return standing.nonce == flow.nonce && standing.from == flow.from;
        }
        let too_long = flow.due.since(now) > LONGEST_SILENCE;
        let waiting = self.flows.values().filter(|flow| flow.heard.is_none()).count();
        let no_room = full || waiting >= MOST_FLOWS || self.used.len() >= MOST_USED;
        if too_long || no_room || !self.used.insert(lane) {
            return false;
        }
        self.desk.saw(lane, now, LaneSight::Stood { from: flow.from });
        self.flows.insert(lane, flow);
        true
    }

    /// An answer to the late word repeats its number; any other is a word of the client's own.
    fn word(&mut self, lane: u32, nonce: u64, seen: SocketAddr, now: Stamp) -> FromFar {
        let Some(flow) = self.flows.get_mut(&lane) else { return FromFar::Unknown };
        let quiet = match flow.heard {
            Some(quiet) => quiet,
            None => {
                let quiet = now.since(flow.last);
                if nonce != flow.nonce {
                    self.desk.saw(lane, now, LaneSight::Heard { quiet_ms: millis(quiet) });
                }
                flow.heard = Some(quiet);
                quiet
            }
        };
        FromFar::Word { seen, quiet_ms: whole_ms(quiet), spoke: flow.said > 0 }
    }
}

impl<W> Flow<W> {
    /// Nothing once the client was heard, or all was said.
    fn says_at(&self) -> Option<Stamp> {
        let after = LATE_AT.get(self.said).filter(|_| self.heard.is_none())?;
        Some(self.due.plus(*after))
    }
}

fn seal(key: &Key, nonce: u64, lane: u32, say: impl Say) -> Vec<u8> {
    let bytes = key.seal(Datagram { nonce, lane, say });
    debug_assert_eq!(bytes.len(), SIZE, "no answer is longer");
    bytes
}

fn whole_ms(d: Duration) -> u32 {
    u32::try_from(d.as_millis()).unwrap_or(u32::MAX)
}

/// How many datagrams of one call are answered: a ladder begins with a hundred at once, and all lanes together say one or
/// two a second. Whoever recorded some and sends them again gets no more than this.
struct Allowance {
    left: f64,
    at: Stamp,
}

impl Allowance {
    const MOST: f64 = 250.0;
    const A_SECOND: f64 = 25.0;

    fn new(now: Stamp) -> Self {
        Self { left: Self::MOST, at: now }
    }

    fn take(&mut self, now: Stamp) -> bool {
        let gained = now.since(self.at).as_secs_f64() * Self::A_SECOND;
        self.left = (self.left + gained).min(Self::MOST);
        self.at = now;
        let enough = self.left >= 1.0;
        self.left -= f64::from(u8::from(enough));
        enough
    }
}

#[cfg(test)]
mod tests;
