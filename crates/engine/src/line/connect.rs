//! Connecting, layer by layer. Each layer has its own patience, notes its own fact, and names itself when it fails.

use super::place::Place;
use super::proxy::{self, Choice};
use super::stream::{Carrier, Watched};
use super::upgrade::Upgraded;
use super::{Target, dial, resolve, tls, trouble, upgrade};
use crate::Clock;
use record::{
    Heard, Stamp,
    fact::{ConnectStage, Trouble},
};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

pub struct Failure {
    pub stage: ConnectStage,
    pub trouble: Trouble,
    /// Since the whole attempt began.
    pub took: Duration,
}

/// One layer stands.
pub enum Layer {
    Resolved { addresses: Vec<IpAddr> },
    Tcp { local: SocketAddr, remote: SocketAddr },
    Proxy,
    Tls { version: Heard, cipher: Heard, issuer: Heard },
    WebSocket { server: Option<Heard> },
}

/// Who is told of each layer, and how long it took.
pub struct Telling<'a> {
    pub clock: &'a Clock,
    pub tell: &'a (dyn Fn(Layer, Duration) + Send + Sync),
    /// Where sockets are counted.
    pub place: Option<&'a Place>,
}

type Stopped = (ConnectStage, Trouble);

/// Up to a WebSocket.
pub async fn connect(target: &Target, proxy: &Choice, telling: &Telling<'_>) -> Result<Upgraded, Failure> {
    timed(telling, async {
        let carrier = carrier(target, proxy, telling).await?;
        let clock = Waited::from(telling);
        let asked = upgrade::upgrade(carrier, target, clock.since, || clock.so_far());
        let upgraded = within(target.patience.upgrade, &clock, asked);
        let upgraded = upgraded.await.map_err(|trouble| (ConnectStage::Upgrade, trouble))?;
        (telling.tell)(Layer::WebSocket { server: upgraded.server.clone() }, clock.so_far());
        Ok(upgraded)
    })
    .await
}

/// Up to the bytes on which a WebSocket would ride.
pub async fn bare(target: &Target, proxy: &Choice, telling: &Telling<'_>) -> Result<Carrier, Failure> {
    timed(telling, carrier(target, proxy, telling)).await
}

async fn timed<T>(telling: &Telling<'_>, steps: impl Future<Output = Result<T, Stopped>>) -> Result<T, Failure> {
    let whole = Waited::from(telling);
    steps.await.map_err(|(stage, trouble)| Failure { stage, trouble, took: whole.so_far() })
}

async fn carrier(target: &Target, proxy: &Choice, telling: &Telling<'_>) -> Result<Carrier, Stopped> {
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
            return Err((ConnectStage::Proxy, Trouble::NotUnderstood { says: says.clone().into() }));
        }
    };
    let addresses = addresses(host, port, target, telling).await.map_err(|trouble| (dns, trouble))?;
    let stream = reach(&addresses, target, telling).await.map_err(|trouble| (tcp, trouble))?;
    let mut stream = Watched::new(stream, telling.clock.clone());

    if let Choice::Through(proxy) = proxy {
        let clock = Waited::from(telling);
        let asked = proxy::connect(&mut stream, proxy, &target.url, &target.scrub, clock.since, || clock.so_far());
        within(patience.proxy, &clock, asked).await.map_err(|trouble| (ConnectStage::Proxy, trouble))?;
        (telling.tell)(Layer::Proxy, clock.so_far());
    }

    let Some(prepared) = prepared else { return Ok(Carrier::Plain(stream)) };
    let clock = Waited::from(telling);
    let secured = within(patience.tls, &clock, tls::secure(prepared, stream, || clock.so_far()))
        .await
        .map_err(|trouble| (ConnectStage::Tls, trouble))?;
    let tls::Secured { stream, version, cipher, issuer } = secured;
    (telling.tell)(Layer::Tls { version, cipher, issuer }, clock.so_far());
    Ok(Carrier::Tls(Box::new(stream.into())))
}

async fn addresses(host: &str, port: u16, target: &Target, telling: &Telling<'_>) -> Result<Vec<SocketAddr>, Trouble> {
    let clock = Waited::from(telling);
    let Some(found) = resolve::resolve(telling.place.cloned(), host, port, target.patience.dns).await? else {
        let ip = host.parse().expect("resolve found it to be an address");
        return Ok(vec![SocketAddr::new(ip, port)]);
    };
    let addresses = found.iter().map(SocketAddr::ip).collect();
    (telling.tell)(Layer::Resolved { addresses }, clock.so_far());
    Ok(found)
}

async fn reach(addresses: &[SocketAddr], target: &Target, telling: &Telling<'_>) -> Result<TcpStream, Trouble> {
    let clock = Waited::from(telling);
    let dialled = async {
        let stream = match telling.place {
            Some(place) => dial::dial_with(&place.spare, addresses).await,
            None => dial::dial(addresses).await,
        };
        stream.map_err(|error| trouble::of(&error, None, clock.so_far()))
    };
    let stream = within(target.patience.tcp, &clock, dialled).await?;
    let ends = stream.local_addr().and_then(|local| Ok((local, stream.peer_addr()?)));
    // A connection that was reset between the two calls has no ends any more.
    let (local, remote) = ends.map_err(|error| trouble::of(&error, None, clock.so_far()))?;
    (telling.tell)(Layer::Tcp { local, remote }, clock.so_far());
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
    clock: &'a Clock,
    since: Stamp,
}

impl<'a> Waited<'a> {
    fn from(telling: &Telling<'a>) -> Self {
        Self { clock: telling.clock, since: telling.clock.now() }
    }
    fn so_far(&self) -> Duration {
        self.clock.now().since(self.since)
    }
}
