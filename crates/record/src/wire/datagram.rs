//! The datagrams of UDP lanes, which share the reflector's port number.
//!
//! ```text
//! client                                  reflector
//! echo ────────────────────────────────▶
//!      ◀──────────────────────────────── echo (where it saw us, and a pass for that address)
//! stand (pass, silence, answer or not) ─▶
//!      ◀──────────────────────────────── standing (only where asked for)
//!              …the silence…
//!      ◀──────────────────────────────── late (the far end speaks first; said up to three times)
//! word ────────────────────────────────▶ (the answer to it, or our own word where none came)
//!      ◀──────────────────────────────── word (where it saw us now, and whether it spoke)
//! ```
//!
//! Whoever listens on an open UDP port can be used against others. So: every datagram carries a MAC under a key made of the
//! lanes' ticket; what is answered to one in all is no longer than what came; and the late word goes only to an address
//! that has shown by its pass that it receives what we send there.

use ring::hmac;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Of every datagram but `stand`.
pub const SIZE: usize = 88;
/// As long as all that it can bring about: an answer and three times the late word.
pub const STAND_SIZE: usize = (1 + LATE_TIMES) * SIZE;
/// One packet may be lost, and three hardly.
pub const LATE_TIMES: usize = 3;
/// A far end keeps no promise for longer.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(15 * 60);
/// Flows that wait for their late word, of one call at once.
pub const MOST_FLOWS: usize = 24;

/// The first byte lies outside those of STUN, ZRTP, DTLS, TURN channels and RTP (RFC 7983), so that a port shared with a
/// call's media can tell them apart. The third is the version.
const MAGIC: [u8; 3] = [0xf1, b'L', 1];

const NAME_AT: usize = 4;
const NONCE_AT: usize = 12;
const LANE_AT: usize = 20;
const MS_AT: usize = 24;
const PLACE_AT: usize = 28;
const PASS_AT: usize = 48;
const TAG_AT: usize = 56;

/// Whose datagram it is, without telling the ticket.
pub type Name = [u8; 8];

/// Both ends make it of the same ticket.
pub struct Key {
    name: Name,
    mac: hmac::Key,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<S> {
    /// Chosen anew for each question; an answer repeats it.
    pub nonce: u64,
    /// Zero where no lane is meant.
    pub lane: u32,
    pub say: S,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FromClient {
    Echo,
    Stand { speak_after_ms: u32, answer: bool, pass: u64 },
    Word,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FromFar {
    Echo {
        seen: SocketAddr,
        /// For this address, whatever the port.
        pass: u64,
    },
    Standing {
        seen: SocketAddr,
    },
    /// It speaks first, `quiet_ms` after the last datagram of this flow either way.
    Late {
        quiet_ms: u32,
    },
    /// `spoke`: it has said its late word before, and had heard nothing for `quiet_ms`.
    Word {
        seen: SocketAddr,
        quiet_ms: u32,
        spoke: bool,
    },
    /// It knows no such flow, or would not begin one.
    Unknown,
}

/// What one side says, as the fields of the one layout.
pub trait Say: Sized {
    fn write(self) -> Fields;
    fn read(fields: &Fields) -> Option<Self>;
}

#[derive(Default)]
pub struct Fields {
    kind: u8,
    ms: u32,
    place: Option<SocketAddr>,
    pass: u64,
}

/// Each number means one thing whichever side says it, so that a datagram sent back to its maker is not understood.
mod kind {
    pub const ECHO: u8 = 1;
    pub const STAND: u8 = 2;
    pub const STAND_QUIETLY: u8 = 3;
    pub const WORD: u8 = 4;
    pub const ECHOED: u8 = 129;
    pub const STANDING: u8 = 130;
    pub const LATE: u8 = 131;
    pub const HEARD: u8 = 132;
    pub const HEARD_AFTER_LATE: u8 = 133;
    pub const UNKNOWN: u8 = 134;
}

impl Say for FromClient {
    fn write(self) -> Fields {
        match self {
            Self::Echo => Fields { kind: kind::ECHO, ..Fields::default() },
            Self::Stand { speak_after_ms: ms, answer, pass } => {
                let kind = if answer { kind::STAND } else { kind::STAND_QUIETLY };
                Fields { kind, ms, pass, ..Fields::default() }
            }
            Self::Word => Fields { kind: kind::WORD, ..Fields::default() },
        }
    }
    fn read(fields: &Fields) -> Option<Self> {
        match fields.kind {
            kind::ECHO => Some(Self::Echo),
            kind::STAND | kind::STAND_QUIETLY => {
                Some(Self::Stand { speak_after_ms: fields.ms, answer: fields.kind == kind::STAND, pass: fields.pass })
            }
            kind::WORD => Some(Self::Word),
            _ => None,
        }
    }
}

impl Say for FromFar {
    fn write(self) -> Fields {
        match self {
            Self::Echo { seen, pass } => Fields { kind: kind::ECHOED, place: Some(seen), pass, ms: 0 },
            Self::Standing { seen } => Fields { kind: kind::STANDING, place: Some(seen), ..Fields::default() },
            Self::Late { quiet_ms: ms } => Fields { kind: kind::LATE, ms, ..Fields::default() },
            Self::Word { seen, quiet_ms: ms, spoke } => {
                let kind = if spoke { kind::HEARD_AFTER_LATE } else { kind::HEARD };
                Fields { kind, ms, place: Some(seen), pass: 0 }
            }
            Self::Unknown => Fields { kind: kind::UNKNOWN, ..Fields::default() },
        }
    }
    fn read(fields: &Fields) -> Option<Self> {
        Some(match fields.kind {
            kind::ECHOED => Self::Echo { seen: fields.place?, pass: fields.pass },
            kind::STANDING => Self::Standing { seen: fields.place? },
            kind::LATE => Self::Late { quiet_ms: fields.ms },
            kind::HEARD | kind::HEARD_AFTER_LATE => {
                let spoke = fields.kind == kind::HEARD_AFTER_LATE;
                Self::Word { seen: fields.place?, quiet_ms: fields.ms, spoke }
            }
            kind::UNKNOWN => Self::Unknown,
            _ => return None,
        })
    }
}

/// Whether a shared port's datagram is meant for lanes at all.
pub fn is_ours(datagram: &[u8]) -> bool {
    datagram.starts_with(&MAGIC)
}

/// Under which name the key is to be found.
pub fn name_of(datagram: &[u8]) -> Option<Name> {
    (is_ours(datagram)).then(|| part(datagram, NAME_AT)).flatten()
}

impl Key {
    pub fn of(ticket: &str) -> Self {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, ticket.as_bytes());
        let whole = hmac::sign(&mac, b"the name of a caller's datagrams");
        let name = part(whole.as_ref(), 0).expect("a SHA-256 is longer");
        Self { name, mac }
    }

    pub fn name(&self) -> Name {
        self.name
    }

    pub fn seal<S: Say>(&self, datagram: Datagram<S>) -> Vec<u8> {
        let Datagram { nonce, lane, say } = datagram;
        let fields = say.write();
        let mut bytes = vec![0; size(fields.kind)];
        bytes[..3].copy_from_slice(&MAGIC);
        bytes[3] = fields.kind;
        bytes[NAME_AT..NONCE_AT].copy_from_slice(&self.name);
        bytes[NONCE_AT..LANE_AT].copy_from_slice(&nonce.to_be_bytes());
        bytes[LANE_AT..MS_AT].copy_from_slice(&lane.to_be_bytes());
        bytes[MS_AT..PLACE_AT].copy_from_slice(&fields.ms.to_be_bytes());
        bytes[PLACE_AT..PASS_AT].copy_from_slice(&written(fields.place));
        bytes[PASS_AT..TAG_AT].copy_from_slice(&fields.pass.to_be_bytes());
        let tag = hmac::sign(&self.mac, &bytes[..TAG_AT]);
        bytes[TAG_AT..SIZE].copy_from_slice(tag.as_ref());
        bytes
    }

    /// What the other side said; nothing where it was not said under this key, or is not of its very length.
    pub fn open<S: Say>(&self, bytes: &[u8]) -> Option<Datagram<S>> {
        if name_of(bytes)? != self.name || bytes.len() != size(bytes[3]) {
            return None;
        }
        hmac::verify(&self.mac, &bytes[..TAG_AT], &bytes[TAG_AT..SIZE]).ok()?;
        let fields = Fields {
            kind: bytes[3],
            ms: u32::from_be_bytes(part(bytes, MS_AT)?),
            place: read(part(bytes, PLACE_AT)?),
            pass: u64::from_be_bytes(part(bytes, PASS_AT)?),
        };
        let nonce = u64::from_be_bytes(part(bytes, NONCE_AT)?);
        let lane = u32::from_be_bytes(part(bytes, LANE_AT)?);
        Some(Datagram { nonce, lane, say: S::read(&fields)? })
    }
}

fn size(kind: u8) -> usize {
    if matches!(kind, kind::STAND | kind::STAND_QUIETLY) { STAND_SIZE } else { SIZE }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

const PLACE: usize = PASS_AT - PLACE_AT;

/// Every bit turned over: some routers look for their own addresses in what they carry, and put others there.
fn written(place: Option<SocketAddr>) -> [u8; PLACE] {
    let Some(place) = place else { return [0; PLACE] };
    let ip = match place.ip() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    let mut bytes = [0; PLACE];
    bytes[..16].copy_from_slice(&ip.octets());
    bytes[16..18].copy_from_slice(&place.port().to_be_bytes());
    bytes.map(|byte| !byte)
}

fn read(bytes: [u8; PLACE]) -> Option<SocketAddr> {
    if bytes == [0; PLACE] {
        return None;
    }
    let bytes = bytes.map(|byte| !byte);
    let ip = Ipv6Addr::from(part::<16>(&bytes, 0)?).to_canonical();
    Some(SocketAddr::new(ip, u16::from_be_bytes(part(&bytes, 16)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACES: [&str; 2] = ["203.0.113.9:54321", "[2001:db8::1]:1"];

    fn there_and_back<S: Say + Copy + PartialEq + std::fmt::Debug>(say: S, length: usize) {
        let key = Key::of("open sesame");
        let datagram = Datagram { nonce: 0x0123_4567_89ab_cdef, lane: 7, say };
        let bytes = key.seal(datagram);
        assert_eq!(bytes.len(), length);
        assert_eq!(name_of(&bytes), Some(key.name()));
        assert_eq!(key.open::<S>(&bytes), Some(datagram));
        assert_eq!(Key::of("open sesam").open::<S>(&bytes), None);
        for at in 0..SIZE {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 1;
            assert_eq!(key.open::<S>(&spoilt), None, "byte {at}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(key.open::<S>(&bytes[..cut]), None, "cut at {cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(key.open::<S>(&longer), None);
    }

    #[test]
    fn each_word_crosses_and_nothing_that_was_touched_does() {
        there_and_back(FromClient::Echo, SIZE);
        there_and_back(FromClient::Stand { speak_after_ms: 61_000, answer: true, pass: 9 }, STAND_SIZE);
        there_and_back(FromClient::Stand { speak_after_ms: u32::MAX, answer: false, pass: u64::MAX }, STAND_SIZE);
        there_and_back(FromClient::Word, SIZE);
        for seen in PLACES.map(|place| place.parse().unwrap()) {
            there_and_back(FromFar::Echo { seen, pass: 5 }, SIZE);
            there_and_back(FromFar::Standing { seen }, SIZE);
            there_and_back(FromFar::Word { seen, quiet_ms: 1, spoke: true }, SIZE);
            there_and_back(FromFar::Word { seen, quiet_ms: 0, spoke: false }, SIZE);
        }
        there_and_back(FromFar::Late { quiet_ms: 61_000 }, SIZE);
        there_and_back(FromFar::Unknown, SIZE);
    }

    #[test]
    fn a_datagram_sent_back_to_its_maker_says_nothing() {
        let key = Key::of("t");
        let asked = key.seal(Datagram { nonce: 1, lane: 1, say: FromClient::Echo });
        assert_eq!(key.open::<FromFar>(&asked), None);
        let told = key.seal(Datagram { nonce: 1, lane: 1, say: FromFar::Late { quiet_ms: 1 } });
        assert_eq!(key.open::<FromClient>(&told), None);
    }

    #[test]
    fn an_address_does_not_stand_there_as_it_is() {
        let seen: SocketAddr = PLACES[0].parse().unwrap();
        let bytes = Key::of("t").seal(Datagram { nonce: 1, lane: 1, say: FromFar::Standing { seen } });
        assert!(!bytes.windows(4).any(|four| four == [203, 0, 113, 9]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(tail in prop::collection::vec(any::<u8>(), 0..400), ours: bool) {
            let bytes = if ours { [&MAGIC[..], &tail].concat() } else { tail };
            let key = Key::of("t");
            prop_assert!(key.open::<FromClient>(&bytes).is_none());
            prop_assert!(key.open::<FromFar>(&bytes).is_none());
        }
    }
}
