//! A device that keeps addresses for its inside, and forgets them after a silence.

use engine::Clock;
use record::Stamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::Mutex;

#[derive(Clone, Copy)]
pub struct Rule {
    /// How long it remembers what one packet opened, and what has seen packets both ways.
    pub one_packet: Duration,
    pub stream: Duration,
    /// What was forgotten and is opened anew gets its old port back.
    pub same_port: bool,
}

struct Mapping {
    outside: Arc<UdpSocket>,
    last: Stamp,
    answered: bool,
}

/// Stands before `far`; what its inside sends to the returned address goes there.
pub async fn stand(far: SocketAddr, rule: Rule) -> SocketAddr {
    let inside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let at = inside.local_addr().unwrap();
    tokio::spawn(async move {
        let mut mappings: BTreeMap<SocketAddr, Arc<Mutex<Mapping>>> = BTreeMap::new();
        let mut buf = [0; 2048];
        while let Ok((len, from)) = inside.recv_from(&mut buf).await {
            let known = match mappings.get(&from) {
                Some(known) if rule.same_port || !forgotten(&*known.lock().await, rule) => Some(Arc::clone(known)),
                _ => None,
            };
            let mapping = match known {
                Some(known) => known,
                None => {
                    let outside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                    let (last, answered) = (Clock::real().now(), false);
                    let anew = Arc::new(Mutex::new(Mapping { outside, last, answered }));
                    tokio::spawn(read(Arc::clone(&anew), Arc::clone(&inside), from, rule));
                    mappings.insert(from, Arc::clone(&anew));
                    anew
                }
            };
            let mut mapping = mapping.lock().await;
            mapping.answered &= !forgotten(&mapping, rule);
            mapping.last = Clock::real().now();
            let _lost = mapping.outside.send_to(&buf[..len], far).await;
        }
    });
    at
}

fn forgotten(mapping: &Mapping, rule: Rule) -> bool {
    let kept = if mapping.answered { rule.stream } else { rule.one_packet };
    Clock::real().now().since(mapping.last) > kept
}

async fn read(mapping: Arc<Mutex<Mapping>>, inside: Arc<UdpSocket>, to: SocketAddr, rule: Rule) {
    let outside = Arc::clone(&mapping.lock().await.outside);
    let mut buf = [0; 2048];
    while let Ok((len, _)) = outside.recv_from(&mut buf).await {
        let mut mapping = mapping.lock().await;
        // Whoever comes from outside after it was forgotten does not come in.
        if !forgotten(&mapping, rule) {
            mapping.answered = true;
            mapping.last = Clock::real().now();
            let _lost = inside.send_to(&buf[..len], to).await;
        }
    }
}
