//! UDP through the box: as a NAT does, each sender has a socket of its own towards the far end.

use super::{Shared, What};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

const LARGEST: usize = 2048;

struct Flow {
    far: SocketAddr,
    socket: Arc<UdpSocket>,
    /// Ends with the flow.
    _back: JoinSet<()>,
}

pub async fn pass(near: Arc<UdpSocket>, shared: Arc<Shared>) {
    let mut flows: BTreeMap<SocketAddr, Flow> = BTreeMap::new();
    let mut buf = vec![0; LARGEST];
    loop {
        let (n, from) = match near.recv_from(&mut buf).await {
            Ok(received) => received,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        let rules = shared.rules();
        if rules.udp.out {
            shared.lost(&buf[..n]);
            continue;
        }
        let Some(far) = rules.far else { continue };
        if flows.get(&from).is_none_or(|flow| flow.far != far) {
            match open(far, from, &near, &shared).await {
                Ok(flow) => drop(flows.insert(from, flow)),
                Err(error) => {
                    tracing::warn!(%error, "the box could not open a way for UDP");
                    continue;
                }
            }
        }
        if let Some(flow) = flows.get(&from) {
            // A far end that is away refuses; the datagram is lost, as it is on any way.
            let _lost = flow.socket.send(&buf[..n]).await;
        }
    }
}

async fn open(far: SocketAddr, to: SocketAddr, near: &Arc<UdpSocket>, shared: &Arc<Shared>) -> io::Result<Flow> {
    let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
    socket.connect(far).await?;
    let mut back = JoinSet::new();
    back.spawn(hand_back(Arc::clone(&socket), Arc::clone(near), to, Arc::clone(shared)));
    Ok(Flow { far, socket, _back: back })
}

async fn hand_back(far: Arc<UdpSocket>, near: Arc<UdpSocket>, to: SocketAddr, shared: Arc<Shared>) {
    let mut buf = vec![0; LARGEST];
    loop {
        match far.recv(&mut buf).await {
            Ok(n) if shared.rules().udp.back => shared.lost(&buf[..n]),
            // A full buffer loses it, as it would on any way.
            Ok(n) => drop(near.send_to(&buf[..n], to).await),
            Err(error) => pause(&error).await,
        }
    }
}

/// A socket says so when what it sent before was refused; the next read may succeed.
async fn pause(error: &io::Error) {
    tracing::debug!(%error, "the box could not read a datagram");
    tokio::time::sleep(Duration::from_millis(1)).await;
}

impl Shared {
    /// Of the call's media the first counts; checks and lanes come between.
    fn lost(&self, datagram: &[u8]) {
        let first = |deeds: &[super::Deed]| deeds.iter().all(|deed| deed.what != What::LostMedia);
        if is_media(datagram) && first(&self.deeds.lock().expect("no holder panics")) {
            self.did(self.clock.now(), What::LostMedia);
        }
    }
}

/// RTP, told from the rest as RFC 7983 and RFC 5761 have it.
fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, kind, ..] if !(192..=223).contains(kind))
}
