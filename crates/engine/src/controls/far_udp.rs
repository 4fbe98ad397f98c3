//! The far end over UDP: the reflector's echo, once a second over one kept socket, with where it saw us.

use super::driver::{Asker, News};
use super::known::{FarEnd, Known};
use super::letters::{Letters, unguessable};
use super::place::Place;
use super::seen_as::SeenAs;
use crate::Recorder;
use record::wire::datagram::{Datagram, FromClient, FromFar, Key};
use record::wire::{LaneGate, Sealed};
use record::{Heard, Said};
use std::net::SocketAddr;
use tokio::sync::watch;

pub struct FarUdpAsker {
    recorder: Recorder,
    known: watch::Receiver<Known>,
    gate: watch::Receiver<Option<LaneGate>>,
    /// Where signaling goes by a proxy: datagrams go past it, as the call's own do.
    behind_proxy: Option<Place>,
    way: Option<Way>,
    letters: Letters<u64>,
    failed: Option<Said>,
    seen_as: SeenAs,
}

/// Everything that an echo takes.
struct Way {
    ticket: Sealed,
    key: Key,
    at: SocketAddr,
}

impl FarUdpAsker {
    pub fn new(
        recorder: Recorder,
        known: watch::Receiver<Known>,
        gate: watch::Receiver<Option<LaneGate>>,
        behind_proxy: Option<Place>,
    ) -> std::io::Result<Self> {
        let letters = Letters::open()?;
        let seen_as = SeenAs::default();
        Ok(Self { recorder, known, gate, behind_proxy, way: None, letters, failed: None, seen_as })
    }

    /// The address that signaling reached: another one of the same name may be another machine.
    fn now(&self) -> Option<(Sealed, SocketAddr)> {
        let gate = self.gate.borrow();
        let gate = gate.as_ref()?;
        let ip = match self.known.borrow().far.as_ref()? {
            FarEnd::At(at) => at.ip(),
            FarEnd::Behind(_) => self.behind_proxy.as_ref()?.addresses().first()?.ip(),
        };
        Some((gate.ticket.clone(), SocketAddr::new(ip, gate.udp?)))
    }

    fn seen(&mut self, seen: SocketAddr) {
        let Some(at) = self.way.as_ref().map(|way| way.at) else { return };
        if !self.seen_as.is_new(at, seen, self.recorder.now()) {
            return;
        }
        // Without a way there is no address of ours; the next answer tries again.
        if let Ok(local) = self.letters.local(at) {
            self.seen_as.note(&self.recorder, &Heard::new(&at.to_string()), at, local, seen);
        }
    }
}

impl Asker for FarUdpAsker {
    async fn put(&mut self, attempt: u64) {
        let Some(way) = &self.way else { return };
        let nonce = u64::from_be_bytes(unguessable());
        let echo = way.key.seal(Datagram { nonce, lane: 0, say: FromClient::Echo });
        self.failed = self.letters.send(attempt, nonce, &echo, &[way.at]).await.err();
    }

    async fn news(&mut self) -> News {
        if let Some(says) = self.failed.take() {
            return News::Failed(says.into());
        }
        loop {
            let now = self.now();
            if now.as_ref().map(|(ticket, at)| (ticket, at)) != self.way.as_ref().map(|way| (&way.ticket, &way.at)) {
                let of = |(ticket, at): (Sealed, _)| Way { key: Key::of(ticket.0.reveal()), ticket, at };
                self.way = now.map(of);
                return News::Target(self.way.as_ref().map(|way| Heard::new(&way.at.to_string())));
            }
            let way = self.way.as_ref();
            let read = |bytes: &[u8], from: SocketAddr| {
                let way = way.filter(|way| way.at == from)?;
                match way.key.open(bytes)? {
                    Datagram { nonce, say: FromFar::Echo { seen, .. }, .. } => Some((nonce, seen)),
                    _ => None,
                }
            };
            tokio::select! {
                (attempt, seen) = self.letters.next(read) => {
                    self.seen(seen);
                    return News::Answer(attempt);
                }
                Ok(()) = self.known.changed() => {}
                Ok(()) = self.gate.changed() => {}
            }
        }
    }
}
