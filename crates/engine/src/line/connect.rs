//! Connecting, layer by layer. Each layer has its own patience, notes its own fact, and names itself when it fails.

use super::proxy::{self, Choice};
use super::stream::{Carrier, Watched};
use super::upgrade::Upgraded;
use super::{At, Target, dial, resolve, tls, trouble, upgrade};
use record::{
    Stamp,
    fact::{ConnectStage, Signaling, Trouble},
    millis,
};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

pub struct Failure {
    pub stage: ConnectStage,
    pub trouble: Trouble,
    /// Since the whole attempt began.
    pub took: Duration,
}

pub async fn connect(target: &Target, proxy: &Choice, at: &At) -> Result<Upgraded, Failure> {
    let began = at.recorder.now();
    layers(target, proxy, at).await.map_err(|(stage, trouble)| Failure {
        stage,
        trouble,
        took: at.recorder.now().since(began),
    })
}

async fn layers(target: &Target, proxy: &Choice, at: &At) -> Result<Upgraded, (ConnectStage, Trouble)> {
    let At { conn, recorder } = at;
    let conn = *conn;
    let patience = &target.patience;
    // What is wrong with the profile's certificates shows before anything is sent.
    let prepared = if target.url.is_tls() {
        let prepared = tls::prepare(target.url.host(), target.extra_ca.clone()).await;
        Some(prepared.map_err(|trouble| (ConnectStage::Tls, trouble))?)
    } else {
        None
    };

    // With a proxy, its own name and port are the first to be reached, and its failures are failures of the proxy.
    let (host, port, dns, tcp) = match proxy {
        Choice::Direct => (target.url.host(), target.url.port(), ConnectStage::Dns, ConnectStage::Tcp),
        Choice::Through(proxy) => (proxy.host.as_str(), proxy.port, ConnectStage::Proxy, ConnectStage::Proxy),
        Choice::Unusable { says } => {
            return Err((ConnectStage::Proxy, Trouble::NotUnderstood { says: says.clone() }));
        }
    };
    let addresses = addresses(host, port, target, at).await.map_err(|trouble| (dns, trouble))?;
    let stream = reach(&addresses, target, at).await.map_err(|trouble| (tcp, trouble))?;
    let mut stream = Watched::new(stream, recorder.clock().clone());

    if let Choice::Through(proxy) = proxy {
        let clock = Waited::from(at);
        let asked = proxy::connect(&mut stream, proxy, &target.url, &target.scrub, recorder.now(), || clock.so_far());
        within(patience.proxy, &clock, asked).await.map_err(|trouble| (ConnectStage::Proxy, trouble))?;
        recorder.note(Signaling::ProxyOpened { conn, took_ms: millis(clock.so_far()) });
    }

    let carrier = match prepared {
        None => Carrier::Plain(stream),
        Some(prepared) => {
            let clock = Waited::from(at);
            let secured = within(patience.tls, &clock, tls::secure(prepared, stream, || clock.so_far()))
                .await
                .map_err(|trouble| (ConnectStage::Tls, trouble))?;
            let tls::Secured { stream, version, cipher, issuer } = secured;
            recorder.note(Signaling::TlsReady { conn, version, cipher, issuer, took_ms: millis(clock.so_far()) });
            Carrier::Tls(Box::new(stream.into()))
        }
    };

    let clock = Waited::from(at);
    let asked = upgrade::upgrade(carrier, target, recorder.now(), || clock.so_far());
    let upgraded = within(patience.upgrade, &clock, asked).await.map_err(|trouble| (ConnectStage::Upgrade, trouble))?;
    recorder.note(Signaling::Upgraded { conn, server: upgraded.server.clone(), took_ms: millis(clock.so_far()) });
    Ok(upgraded)
}

async fn addresses(host: &str, port: u16, target: &Target, at: &At) -> Result<Vec<SocketAddr>, Trouble> {
    let clock = Waited::from(at);
    let Some(found) = resolve::resolve(host, port, target.patience.dns).await? else {
        let ip = host.parse().expect("resolve found it to be an address");
        return Ok(vec![SocketAddr::new(ip, port)]);
    };
    let addresses = found.iter().map(SocketAddr::ip).collect();
    at.recorder.note(Signaling::Resolved { conn: at.conn, addresses, took_ms: millis(clock.so_far()) });
    Ok(found)
}

async fn reach(addresses: &[SocketAddr], target: &Target, at: &At) -> Result<TcpStream, Trouble> {
    let clock = Waited::from(at);
    let dialled = async { dial::dial(addresses).await.map_err(|error| trouble::of(&error, None, clock.so_far())) };
    let stream = within(target.patience.tcp, &clock, dialled).await?;
    let ends = stream.local_addr().and_then(|local| Ok((local, stream.peer_addr()?)));
    // A connection that was reset between the two calls has no ends any more.
    let (local, remote) = ends.map_err(|error| trouble::of(&error, None, clock.so_far()))?;
    at.recorder.note(Signaling::TcpConnected { conn: at.conn, local, remote, took_ms: millis(clock.so_far()) });
    Ok(stream)
}

async fn within<T>(
    patience: Duration,
    clock: &Waited<'_>,
    step: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(patience, Box::pin(step)).await {
        Ok(done) => done,
        Err(_) => Err(trouble::no_answer(clock.so_far())),
    }
}

struct Waited<'a> {
    at: &'a At,
    since: Stamp,
}

impl<'a> Waited<'a> {
    fn from(at: &'a At) -> Self {
        Self { at, since: at.recorder.now() }
    }
    fn so_far(&self) -> Duration {
        self.at.recorder.now().since(self.since)
    }
}
