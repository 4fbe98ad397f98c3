//! Another server over UDP: STUN binding requests over one kept socket, with the public address it has there.

use super::driver::{Asker, News};
use super::letters::{Letters, unguessable};
use super::place::Place;
use super::seen_as::SeenAs;
use crate::Recorder;
use crate::call::wire::{self, Class, Kind, attribute, method};
use record::{Heard, Said, Stamp, profile::IceUrl};
use std::net::SocketAddr;
use std::time::Duration;

pub struct StunAsker {
    recorder: Recorder,
    name: Heard,
    place: Place,
    /// Kept as long as it answers: behind some routers each server sees another address of ours, and that is no change.
    server: Option<SocketAddr>,
    last_ok: Stamp,
    letters: Letters<[u8; 12]>,
    failed: Option<Said>,
    seen_as: SeenAs,
}

/// By then it is said to be silent, and another address of the same name is worth a try.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5);

impl StunAsker {
    pub fn new(recorder: Recorder, url: &IceUrl) -> std::io::Result<Self> {
        Ok(Self {
            last_ok: recorder.now(),
            recorder,
            name: shown(url),
            place: Place::keep(&url.host, url.port),
            server: None,
            letters: Letters::open()?,
            failed: None,
            seen_as: SeenAs::default(),
        })
    }

    /// Public addresses of IPv4 are those that change.
    fn choose(&mut self, now: Stamp) {
        let all = self.place.addresses();
        if self.server.is_some() && now.since(self.last_ok) < GIVE_UP_AFTER {
            return;
        }
        self.last_ok = now;
        let mut in_turn: Vec<SocketAddr> = all.iter().copied().filter(SocketAddr::is_ipv4).collect();
        in_turn.extend(all.iter().filter(|at| at.is_ipv6()));
        let after = self.server.and_then(|server| in_turn.iter().position(|at| *at == server)).map_or(0, |at| at + 1);
        self.server = in_turn.get(after).or(in_turn.first()).copied().or(self.server);
    }

    fn seen(&mut self, server: SocketAddr, public: SocketAddr) {
        if !self.seen_as.is_new(server, public, self.recorder.now()) {
            return;
        }
        // Without a way there is no address of ours; the next answer tries again.
        if let Ok(local) = self.letters.local(server) {
            self.seen_as.note(&self.recorder, &self.name, server, local, public);
        }
    }
}

pub fn shown(url: &IceUrl) -> Heard {
    Heard::new(&format!("stun:{}", url.place()))
}

impl Asker for StunAsker {
    async fn put(&mut self, attempt: u64) {
        self.choose(self.recorder.now());
        let id = unguessable();
        self.failed = match self.server {
            Some(server) => self.letters.send(attempt, id, &request(id), &[server]).await.err(),
            None => Some("its name has no address so far".into()),
        };
    }

    async fn news(&mut self) -> News {
        if let Some(says) = self.failed.take() {
            return News::Failed(says.into());
        }
        let Some(server) = self.server else { return std::future::pending().await };
        let read = |bytes: &[u8], from: SocketAddr| if from == server { answer(bytes) } else { None };
        let (attempt, answer) = self.letters.next(read).await;
        match answer {
            Ok(public) => {
                self.last_ok = self.recorder.now();
                self.seen(server, public);
                News::Answer(attempt)
            }
            Err(says) => News::Failed(says.into()),
        }
    }
}

fn request(id: [u8; 12]) -> Vec<u8> {
    let mut message = method::BINDING.to_be_bytes().to_vec();
    message.extend([0, 0]);
    message.extend(wire::COOKIE);
    message.extend(id);
    message
}

/// The address as it was seen, or the refusal.
fn answer(bytes: &[u8]) -> Option<([u8; 12], Result<SocketAddr, Said>)> {
    let Kind::Stun(stun) = wire::look(bytes) else { return None };
    if stun.method != method::BINDING {
        return None;
    }
    let told = match stun.class {
        Class::Success => Ok(stun.xor_address(attribute::XOR_MAPPED_ADDRESS)?),
        Class::Error => {
            let (code, reason) = stun.error()?;
            Err(Said::new(&format!("it refused: {code} {reason}")))
        }
        Class::Request | Class::Indication => return None,
    };
    Some((stun.id, told))
}
