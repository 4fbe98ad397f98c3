//! UDP beside the calls: echo and late words, on the number of the reflector's own TCP port.
//!
//! One socket for each address at which calls arrive, so that an answer leaves from where the question came to.

use super::desk::Desks;
use super::flows::Flows;
use crate::mux::{Arrived, Mux};
use engine::Clock;
use ring::{hmac, rand::SystemRandom};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;

pub struct Udp {
    mux: Arc<Mux>,
    /// It ends by being dropped.
    _serving: JoinSet<()>,
}

/// Datagrams that wait to be answered; more come only in a flood.
pub const WAITING: usize = 256;

/// Calls that are over are forgotten within this time.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// Opens it now, where it is clear at which address; where calls may arrive at several, this only asks whether it is free.
pub fn try_port(mux: &Mux, listening: SocketAddr) -> io::Result<()> {
    match listening.ip().is_unspecified() {
        true => std::net::UdpSocket::bind(listening).map(drop),
        false => mux.open(listening.ip().to_canonical()),
    }
}

impl Udp {
    /// `arrived` is the other end of what the mux was given.
    pub fn begin(mux: Arc<Mux>, arrived: Receiver<Arrived>, desks: Arc<Desks>, clock: Clock) -> anyhow::Result<Self> {
        let secret = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
        let mut serving = JoinSet::new();
        serving.spawn(serve(arrived, Flows::new(secret), desks, clock));
        Ok(Self { mux, _serving: serving })
    }

    /// The port, where callers who reached us at this address can use it.
    pub fn open_at(&self, address: IpAddr) -> io::Result<u16> {
        self.mux.open(address.to_canonical())?;
        Ok(self.mux.port())
    }

    /// For callers whom a proxy or a NAT brings to an address that is not the one they know us by.
    pub fn open_everywhere(&self) -> io::Result<u16> {
        let interfaces = rtc::shared::ifaces::ifaces()?;
        let addresses = interfaces.iter().filter_map(|interface| interface.addr).map(|at: SocketAddr| at.ip());
        let mut opened = Err(io::ErrorKind::AddrNotAvailable.into());
        for address in addresses.filter(|ip| !is_link_local(*ip)) {
            opened = self.open_at(address).or(opened);
        }
        opened
    }
}

/// Such an address means something on one link only, and cannot be bound without naming it.
fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

async fn serve(mut arrived: Receiver<Arrived>, mut flows: Flows<crate::mux::Way>, desks: Arc<Desks>, clock: Clock) {
    loop {
        let now = clock.now();
        let wait = flows.next().map_or(LOOK_AT_LEAST_EVERY, |at| at.since(now)).min(LOOK_AT_LEAST_EVERY);
        tokio::select! {
            datagram = arrived.recv() => {
                let Some(Arrived { way, from, datagram }) = datagram else { return };
                if let Some(answer) = flows.handle(clock.now(), from, &way, &datagram, &desks) {
                    way.send(from, &answer);
                }
            }
            () = tokio::time::sleep(wait) => {
                for word in flows.due(clock.now(), &desks) {
                    word.way.send(word.to, &word.bytes);
                }
            }
        }
    }
}
