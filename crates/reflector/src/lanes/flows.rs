//! The UDP flows of all calls: what is answered to a datagram, and when a late word is due. Pure: stamps and datagrams in,
//! datagrams out.

use super::desk::{Desk, Desks};
use engine::line::allowance::Allowance;
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
    /// When each flow wants to be looked at: one entry for one flow.
    timetable: BTreeSet<Entry>,
}

type Entry = (Stamp, Name, u32);

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

/// Datagrams of one call that are answered: a ladder begins with a hundred at once, and all lanes together say one or two a
/// second. Whoever recorded some and sends them again gets no more than this.
const MOST_ANSWERED: f64 = 250.0;
const ANSWERED_A_SECOND: f64 = 25.0;

/// A client waits two seconds for the late word and asks some times more; then nobody needs the flow.
const KEPT_AFTER: Duration = Duration::from_secs(20);

/// Of all calls together.
const MOST_IN_ALL: usize = 4096;

/// Of one call from beginning to end: a rung a minute for a whole day.
const MOST_USED: usize = 1500;

impl<W: Clone> Flows<W> {
    pub fn new(secret: hmac::Key) -> Self {
        Self { secret, calls: BTreeMap::new(), timetable: BTreeSet::new() }
    }

    /// The answer, which leaves by the way the datagram came.
    pub fn handle(&mut self, now: Stamp, from: SocketAddr, way: &W, bytes: &[u8], desks: &Desks) -> Option<Vec<u8>> {
        let name = name_of(bytes)?;
        let (key, desk) = desks.find_by_name(&name)?;
        let asked: Datagram<FromClient> = key.open(bytes)?;
        let full = self.timetable.len() >= MOST_IN_ALL;
        let pass = self.pass(&name, from.ip());
        let call = self.calls.entry(name).or_insert_with(|| OfCall::new(key, desk, now));
        if !call.allowance.take(1.0, now) {
            return None;
        }
        let Datagram { nonce, lane, say } = asked;
        let before = call.next_of(lane);
        let say = match say {
            FromClient::Echo => FromFar::Echo { seen: from, pass },
            FromClient::Stand { pass: shown, .. } if shown != pass => FromFar::Unknown,
            FromClient::Stand { speak_after_ms, .. } => {
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
                    true => FromFar::Standing { seen: from },
                    false => FromFar::Unknown,
                }
            }
            FromClient::Word => call.word(lane, nonce, from, now),
        };
        let after = call.next_of(lane);
        let quietly = matches!(asked.say, FromClient::Stand { answer: false, .. });
        let answer = match say {
            FromFar::Standing { .. } if quietly => None,
            say => Some(call.seal(nonce, lane, say)),
        };
        if before != after {
            before.map(|at| self.timetable.remove(&(at, name, lane)));
            self.timetable.extend(after.map(|at| (at, name, lane)));
        }
        answer
    }

    /// The late words whose time has come. What belongs to calls that are over is forgotten.
    pub fn due(&mut self, now: Stamp, desks: &Desks) -> Vec<Outgoing<W>> {
        self.calls.retain(|name, _| desks.find_by_name(name).is_some());
        self.timetable.retain(|(_, name, _)| self.calls.contains_key(name));
        let mut out = vec![];
        while let Some(entry) = self.timetable.first().copied().filter(|(at, ..)| *at <= now) {
            self.timetable.remove(&entry);
            let (_, name, lane) = entry;
            let Some(call) = self.calls.get_mut(&name) else { continue };
            out.extend(call.look(lane, now));
            self.timetable.extend(call.next_of(lane).map(|at| (at, name, lane)));
        }
        out
    }

    /// When to look again.
    pub fn next(&self) -> Option<Stamp> {
        self.timetable.first().map(|(at, ..)| *at)
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
        Self {
            key,
            desk,
            flows: BTreeMap::new(),
            used: BTreeSet::new(),
            allowance: Allowance::new(MOST_ANSWERED, ANSWERED_A_SECOND, now),
        }
    }

    fn next_of(&self, lane: u32) -> Option<Stamp> {
        self.flows.get(&lane).map(Flow::next)
    }

    /// The late word, if it is time for it; a flow that nobody needs any more is forgotten.
    fn look(&mut self, lane: u32, now: Stamp) -> Option<Outgoing<W>>
    where
        W: Clone,
    {
        let flow = self.flows.get_mut(&lane)?;
        if flow.says_at().is_none_or(|at| now < at) {
            if now.since(flow.due) >= KEPT_AFTER {
                self.flows.remove(&lane);
            }
            return None;
        }
        let quiet = now.since(flow.last);
        if flow.said == 0 {
            self.desk.saw(lane, now, LaneSight::Spoke { quiet_ms: millis(quiet) });
        }
        flow.said += 1;
        let bytes = seal(&self.key, flow.nonce, lane, FromFar::Late { quiet_ms: whole_ms(quiet) });
        Some(Outgoing { way: flow.way.clone(), to: flow.from, bytes })
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
        self.desk.saw(lane, now, LaneSight::Stood { from: flow.from.into() });
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

    /// When it says something, or else may be forgotten.
    fn next(&self) -> Stamp {
        self.says_at().unwrap_or_else(|| self.due.plus(KEPT_AFTER))
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

#[cfg(test)]
mod tests;
