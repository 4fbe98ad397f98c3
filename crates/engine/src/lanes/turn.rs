//! TURN lanes: an allocation of their own over UDP, TCP and TLS, with an echo through it.
//!
//! The echo goes to the reflector's UDP port by the relay. Where there is none, or the relay will not reach it, the answers
//! to refreshes are the signs of life.

use super::far;
use super::ground::Ground;
use super::sockets::Place;
use super::{plan, told};
use carrier::Carrier;
use client::Credentials;
use record::{
    Private,
    fact::{ConnectStage, Lane, Manner, Trouble, TurnTransport},
    millis,
    profile::{IceScheme, IceServer, IceTransport, IceUrl},
};
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::watch;

mod carrier;
mod client;
mod held;

/// A call's own relay is asked fifty times a second; this many are enough to tell within seconds that it is gone.
const EVERY: Duration = Duration::from_secs(5);

/// After an end, and after a failure; doubled each time up to the last.
const AGAIN_AFTER_END: Duration = Duration::from_secs(2);
const AGAIN_AFTER_FAILURE: Duration = Duration::from_secs(30);
const AGAIN_AT_MOST: Duration = Duration::from_secs(600);

/// For the far end's address, whose family the relayed one must be of. A call that takes longer to get there has other
/// troubles, and the lane shows what it can.
const FAR_WITHIN: Duration = Duration::from_secs(5);

/// Until `stop` says so; then in order. What it must hear of the call it listens for from this moment.
pub fn run(ground: Ground, stop: watch::Receiver<bool>) -> impl Future<Output = ()> + Send {
    run_every(EVERY, ground, stop)
}

fn run_every(every: Duration, ground: Ground, stop: watch::Receiver<bool>) -> impl Future<Output = ()> + Send {
    let far = far::follow(&ground);
    async move {
        if !ground.profile.lanes.talking {
            return;
        }
        let keep = |transport| keep(transport, every, ground.clone(), far.clone(), stop.clone());
        tokio::join!(keep(TurnTransport::Udp), keep(TurnTransport::Tcp), keep(TurnTransport::Tls));
    }
}

#[derive(Clone, PartialEq)]
struct Server {
    url: IceUrl,
    credentials: Credentials,
}

/// The first server of this kind, with the credentials that were last told for it: a far end renews them.
fn choose(servers: &[IceServer], transport: TurnTransport) -> Option<Server> {
    let of_kind = |url: &IceUrl| {
        matches!(
            (transport, url.scheme, url.transport),
            (TurnTransport::Udp, IceScheme::Turn, IceTransport::Udp)
                | (TurnTransport::Tcp, IceScheme::Turn, IceTransport::Tcp)
                | (TurnTransport::Tls, IceScheme::Turns, IceTransport::Tcp)
        )
    };
    let known = servers.iter().flat_map(|server| {
        let credentials = server.username.clone().zip(server.credential.clone());
        let urls = server.urls.iter().filter_map(|url| IceUrl::parse(url).ok()).filter(of_kind);
        urls.filter_map(move |url| {
            let (username, password): (Private<String>, Private<String>) = credentials.clone()?;
            Some(Server { url, credentials: Credentials { username, password } })
        })
    });
    let known: Vec<Server> = known.collect();
    let first = known.first()?;
    known.iter().rev().find(|server| server.url == first.url).cloned()
}

/// One lane after another, as long as the hold lasts.
async fn keep(
    transport: TurnTransport,
    every: Duration,
    mut ground: Ground,
    mut far: watch::Receiver<Option<IpAddr>>,
    mut stop: watch::Receiver<bool>,
) {
    if plan::far_end_holds_lanes(&ground.profile) {
        tokio::select! {
            biased;
            () = told(&mut stop) => return,
            _known = tokio::time::timeout(FAR_WITHIN, far.wait_for(Option::is_some)) => {}
        }
    }
    let mut again = AGAIN_AFTER_END;
    loop {
        let server = choose(&ground.ice_servers.borrow_and_update(), transport);
        let Some(server) = server else {
            tokio::select! {
                biased;
                () = told(&mut stop) => return,
                Ok(()) = ground.ice_servers.changed() => continue,
                else => return,
            }
        };
        let stood = hold(transport, every, &server, &ground, &far, &mut stop).await;
        if *stop.borrow() {
            return;
        }
        again = match stood {
            true => AGAIN_AFTER_END,
            false => (2 * again).clamp(AGAIN_AFTER_FAILURE, AGAIN_AT_MOST),
        };
        tokio::select! {
            biased;
            () = told(&mut stop) => return,
            () = tokio::time::sleep(again) => {}
            // Other credentials, or another server, may fare better.
            Ok(()) = renewed(&mut ground.ice_servers, &server, transport) => {}
        }
    }
}

async fn renewed(
    servers: &mut watch::Receiver<Vec<IceServer>>,
    server: &Server,
    transport: TurnTransport,
) -> Result<(), watch::error::RecvError> {
    servers.wait_for(|servers| choose(servers, transport).as_ref() != Some(server)).await.map(drop)
}

/// Whether it stood.
async fn hold(
    transport: TurnTransport,
    every: Duration,
    server: &Server,
    ground: &Ground,
    far: &watch::Receiver<Option<IpAddr>>,
    stop: &mut watch::Receiver<bool>,
) -> bool {
    let place = tokio::select! {
        biased;
        () = told(stop) => return false,
        place = ground.sockets.talking() => place,
    };
    let lane = ground.number();
    let manner = Manner::Turn { transport, every_ms: millis(every) };
    ground.recorder.note(Lane::Opening { lane, manner, to: server.url.to_string().as_str().into() });
    let began = ground.recorder.now();
    let opened = tokio::select! {
        biased;
        () = told(stop) => {
            ground.recorder.note(Lane::Done { lane });
            return false;
        }
        opened = open(transport, server, lane, &place, ground, far) => opened,
    };
    match opened {
        Ok(mut held) => {
            held.stands(began);
            held.run(every, stop).await;
            true
        }
        Err((stage, trouble)) => {
            let took_ms = millis(ground.recorder.now().since(began));
            ground.recorder.note(Lane::Failed { lane, stage, trouble, took_ms });
            false
        }
    }
}

async fn open<'a>(
    transport: TurnTransport,
    server: &Server,
    lane: u32,
    place: &Place,
    ground: &'a Ground,
    far: &watch::Receiver<Option<IpAddr>>,
) -> Result<held::Held<'a>, (ConnectStage, Trouble)> {
    let IceUrl { host, port, .. } = &server.url;
    let extra_ca = ground.profile.signaling.ca.clone();
    let carrier: Carrier = carrier::open(transport, host, *port, extra_ca, place, &ground.recorder).await?;
    let mut client = client::Client::new(carrier, server.credentials.clone(), ground.recorder.clone());
    let ipv6 = matches!(*far.borrow(), Some(IpAddr::V6(_)));
    let allocation = client.allocate(ipv6).await.map_err(|trouble| match trouble {
        // Over UDP this was the first packet.
        Trouble::NoAnswer { .. } | Trouble::Refused if transport == TurnTransport::Udp => (ConnectStage::Udp, trouble),
        _ => (ConnectStage::Login, trouble),
    })?;
    Ok(held::Held::new(lane, client, allocation, ground, far.clone()))
}

#[cfg(test)]
mod tests;
