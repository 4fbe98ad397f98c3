//! A device that keeps addresses for its inside, and forgets them after a silence.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::Instant;

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
    last: Instant,
    answered: bool,
}

/// Stands before `far`; what its inside sends to the returned address goes there.
pub async fn stand(far: SocketAddr, rule: Rule) -> SocketAddr {
    let inside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let at = inside.local_addr().unwrap();
    tokio::spawn(async move {
        let mut mappings: BTreeMap<SocketAddr, (Arc<tokio::sync::Mutex<Mapping>>, tokio::task::JoinHandle<()>)> =
            BTreeMap::new();
        let mut buf = [0; 2048];
        while let Ok((len, from)) = inside.recv_from(&mut buf).await {
            if let Some((mapping, reading)) = mappings.get(&from)
                && forgotten(&*mapping.lock().await, rule)
                && !rule.same_port
            {
                reading.abort();
                mappings.remove(&from);
            }
            if !mappings.contains_key(&from) {
                let outside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                let mapping = Mapping { outside: Arc::clone(&outside), last: Instant::now(), answered: false };
                let mapping = Arc::new(tokio::sync::Mutex::new(mapping));
                let reading = tokio::spawn(read(outside, Arc::clone(&mapping), Arc::clone(&inside), from, rule));
                mappings.insert(from, (mapping, reading));
            }
            let mut mapping = mappings[&from].0.lock().await;
            mapping.answered &= !forgotten(&mapping, rule);
            mapping.last = Instant::now();
            let _lost = mapping.outside.send_to(&buf[..len], far).await;
        }
    });
    at
}

fn forgotten(mapping: &Mapping, rule: Rule) -> bool {
    let kept = if mapping.answered { rule.stream } else { rule.one_packet };
    mapping.last.elapsed() > kept
}

async fn read(
    outside: Arc<UdpSocket>,
    mapping: Arc<tokio::sync::Mutex<Mapping>>,
    inside: Arc<UdpSocket>,
    to: SocketAddr,
    rule: Rule,
) {
    let mut buf = [0; 2048];
    while let Ok((len, _)) = outside.recv_from(&mut buf).await {
        let mut mapping = mapping.lock().await;
        // Whoever comes from outside after it was forgotten does not come in.
        if !forgotten(&mapping, rule) {
            mapping.answered = true;
            mapping.last = Instant::now();
            let _lost = inside.send_to(&buf[..len], to).await;
        }
    }
}
