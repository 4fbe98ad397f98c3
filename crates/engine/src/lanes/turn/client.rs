//! A TURN client (RFC 8656) of one allocation and one peer.
//!
//! By hand and not the stack's: that one hides refreshes, refusals and their codes, which are what a lane is held for.

use super::carrier::Carrier;
use crate::Recorder;
use crate::call::wire::{self, Class, Kind, Stun, attribute, method};
use crate::lanes::stun::{self, Id, Signature};
use crate::line::trouble;
use record::{Private, Scrub, Stamp, fact::Trouble, millis};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub struct Client {
    pub carrier: Carrier,
    credentials: Credentials,
    signature: Option<Signature>,
    /// A channel is of one peer for ten minutes, so another peer gets another one.
    channel: u16,
    peer: Option<SocketAddr>,
    recorder: Recorder,
    pub last_in: Stamp,
    pub last_out: Stamp,
}

#[derive(Clone, PartialEq)]
pub struct Credentials {
    pub username: Private<String>,
    pub password: Private<String>,
}

impl Credentials {
    fn scrub(&self) -> Scrub {
        Scrub::new([&self.username, &self.password].map(|secret| secret.reveal().clone()))
    }
}

/// Of a success or an error, to a request of ours.
struct Answer {
    id: Id,
    bytes: Vec<u8>,
}

impl Answer {
    fn stun(&self) -> Stun<'_> {
        stun::answer_to(&self.id, &self.bytes).expect("it was let in as just that")
    }
}

pub struct Allocation {
    pub relayed: SocketAddr,
    pub lifetime: Duration,
}

/// Over UDP a request is said again after each of these; over a stream the first try is the only one, with all their time.
const TRIES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_millis(1000), Duration::from_millis(2000), Duration::from_millis(2500)];

/// The range of channel numbers that clients may choose from.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x4fff;
const UDP: u8 = 17;

/// What a server grants where it does not say, and bounds for what it does.
const LIFETIME: Duration = Duration::from_secs(600);
const LIFETIMES: std::ops::RangeInclusive<u32> = 10..=86_400;

mod more {
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub const CHANNEL_NUMBER: u16 = 0x000c;
    pub const REQUESTED_FAMILY: u16 = 0x0017;
}

const UNAUTHORIZED: u16 = 401;
const STALE_NONCE: u16 = 438;

impl Client {
    pub fn new(carrier: Carrier, credentials: Credentials, recorder: Recorder) -> Self {
        let now = recorder.now();
        Self {
            carrier,
            credentials,
            signature: None,
            channel: *CHANNELS.start(),
            peer: None,
            recorder,
            last_in: now,
            last_out: now,
        }
    }

    /// A relayed address that can reach a peer of this family.
    pub async fn allocate(&mut self, ipv6: bool) -> Result<Allocation, Trouble> {
        let mut wanted = vec![(more::REQUESTED_TRANSPORT, vec![UDP, 0, 0, 0])];
        if ipv6 {
            wanted.push((more::REQUESTED_FAMILY, vec![2, 0, 0, 0]));
        }
        let answer = self.request(method::ALLOCATE, |_| wanted.clone()).await?;
        let stun = answer.stun();
        let Some(relayed) = stun.xor_address(attribute::XOR_RELAYED_ADDRESS) else {
            return Err(Trouble::NotUnderstood { says: "it granted a relay and did not say where".into() });
        };
        Ok(Allocation { relayed, lifetime: lifetime(&stun) })
    }

    pub async fn refresh(&mut self) -> Result<Duration, Trouble> {
        let answer = self.request(method::REFRESH, |_| vec![]).await?;
        Ok(lifetime(&answer.stun()))
    }

    /// Lets this peer in and gives it our channel; for ten minutes, and the permission for five.
    pub async fn bind(&mut self, peer: SocketAddr) -> Result<(), Trouble> {
        if self.peer.replace(peer).is_some_and(|before| before != peer) {
            self.channel = if self.channel == *CHANNELS.end() { *CHANNELS.start() } else { self.channel + 1 };
        }
        let number = [self.channel.to_be_bytes(), [0; 2]].concat();
        let asked =
            |id: &Id| vec![(more::CHANNEL_NUMBER, number.clone()), (more::XOR_PEER_ADDRESS, xor_address(peer, id))];
        self.request(method::CHANNEL_BIND, asked).await.map(drop)
    }

    /// Gives the allocation back. A stream that is closed before the answer came would reset it, and the server take that
    /// for a failure; nobody waits for it longer.
    pub async fn let_go(&mut self) {
        const ANSWERED_WITHIN: Duration = Duration::from_millis(100);
        let (Some(signature), Ok(id)) = (&self.signature, stun::new_id()) else { return };
        let Some(frame) = signature.request(method::REFRESH, id, &[(attribute::LIFETIME, vec![0; 4])]) else { return };
        if let Err(error) = self.carrier.send(frame).await {
            return tracing::debug!(%error, "a relay was not given back; its server ends it by itself");
        }
        let _answered = tokio::time::timeout(ANSWERED_WITHIN, self.answer_to(id)).await;
    }

    pub async fn send(&mut self, data: &[u8]) -> io::Result<()> {
        let mut frame = self.channel.to_be_bytes().to_vec();
        frame.extend(u16::try_from(data.len()).map_err(|_| io::ErrorKind::InvalidInput)?.to_be_bytes());
        frame.extend(data);
        self.carrier.send(frame).await?;
        self.last_out = self.recorder.now();
        Ok(())
    }

    /// The next data of our peer. May be dropped while it waits, without loss.
    pub async fn data(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let frame = self.receive().await?;
            if let (Kind::Channel(data), true) = (wire::look(&frame), frame.starts_with(&self.channel.to_be_bytes())) {
                return Ok(data.to_vec());
            }
        }
    }

    async fn receive(&mut self) -> io::Result<Vec<u8>> {
        let frame = self.carrier.receive().await?;
        self.last_in = self.recorder.now();
        Ok(frame)
    }

    /// Answers the server's challenge: the first one, and each time its nonce has become stale. A second challenge to
    /// what was just signed is the refusal.
    async fn request(
        &mut self,
        method: u16,
        attributes: impl Fn(&Id) -> Vec<(u16, Vec<u8>)>,
    ) -> Result<Answer, Trouble> {
        const CHALLENGES: u32 = 2;
        let mut challenges = 0;
        loop {
            let id = new_id(&self.recorder)?;
            let answer = Answer { id, bytes: self.exchange(method, id, &attributes(&id)).await? };
            let stun = answer.stun();
            if stun.class == Class::Success {
                return match self.signature.as_ref().is_none_or(|signature| signature.verifies(&answer.bytes)) {
                    true => Ok(answer),
                    false => Err(Trouble::NotUnderstood { says: "its answer is not signed with our password".into() }),
                };
            }
            let challenged = match stun.error() {
                Some((UNAUTHORIZED, _)) => self.signature.is_none(),
                Some((STALE_NONCE, _)) => challenges < CHALLENGES,
                _ => false,
            };
            let Credentials { username, password } = &self.credentials;
            let signature = Signature::of(&stun, username.reveal(), password.reveal());
            if !challenged || signature.is_none() {
                return Err(stun::refusal(&stun, &self.credentials.scrub()));
            }
            self.signature = signature;
            challenges += 1;
        }
    }

    async fn exchange(&mut self, method: u16, id: Id, attributes: &[(u16, Vec<u8>)]) -> Result<Vec<u8>, Trouble> {
        let began = self.recorder.now();
        let frame = match &self.signature {
            None => stun::request(method, id, attributes),
            Some(signature) => signature
                .request(method, id, attributes)
                .ok_or_else(|| Trouble::Local { errno: None, says: "the request could not be signed".into() })?,
        };
        let whole = [TRIES.iter().sum()];
        let tries: &[Duration] = if self.carrier.is_stream() { &whole } else { &TRIES };
        let waited = |client: &Self| client.recorder.now().since(began);
        let mut refused = None;
        for wait in tries {
            let sent = self.carrier.send(frame.clone()).await;
            self.last_out = self.recorder.now();
            let answered = match sent {
                Ok(()) => tokio::time::timeout(*wait, self.answer_to(id)).await,
                Err(error) => Ok(Err(error)),
            };
            match answered {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if self.carrier.is_stream() => return Err(trouble::of(&error, None, waited(self))),
                // A datagram that our system could not send, or that nobody took: the next may fare better.
                Ok(Err(error)) => {
                    refused = Some(error);
                    tokio::time::sleep(*wait).await;
                }
                Err(_) => {}
            }
        }
        Err(match refused {
            Some(error) => trouble::of(&error, None, waited(self)),
            None => Trouble::NoAnswer { waited_ms: millis(waited(self)) },
        })
    }

    async fn answer_to(&mut self, id: Id) -> io::Result<Vec<u8>> {
        loop {
            let frame = self.receive().await?;
            if stun::answer_to(&id, &frame).is_some() {
                return Ok(frame);
            }
        }
    }
}

fn new_id(recorder: &Recorder) -> Result<Id, Trouble> {
    let began = recorder.now();
    stun::new_id().map_err(|error| trouble::of(&error, None, recorder.now().since(began)))
}

fn lifetime(stun: &Stun<'_>) -> Duration {
    let granted = stun.lifetime().map(|s| s.clamp(*LIFETIMES.start(), *LIFETIMES.end()));
    granted.map_or(LIFETIME, |s| Duration::from_secs(s.into()))
}

fn xor_address(address: SocketAddr, id: &Id) -> Vec<u8> {
    let cookie = wire::COOKIE;
    let mask = [&cookie[..], id].concat();
    let (family, ip) = match address.ip() {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    let port = address.port().to_be_bytes();
    let mut bytes = vec![0, family, port[0] ^ cookie[0], port[1] ^ cookie[1]];
    bytes.extend(ip.iter().zip(mask).map(|(plain, mask)| plain ^ mask));
    bytes
}
