//! Where the far end is: the address that the signaling connection reached, which is where its UDP port is too.
//!
//! Behind an HTTP proxy that connection reaches the proxy; then the far end's name is looked up.

use super::ground::Ground;
use super::sockets::Sockets;
use crate::line::resolve;
use record::{Event, Fact, fact::Signaling};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

/// Begins to listen at once, so that it misses nothing of a call that is placed afterwards. It ends when nobody wants to
/// know any more.
pub fn follow(ground: &Ground) -> watch::Receiver<Option<IpAddr>> {
    let (told, address) = watch::channel(None);
    let url = &ground.profile.signaling.url;
    let (host, port) = (url.host().to_owned(), url.port());
    let facts = ground.recorder.listen();
    let sockets = ground.sockets.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = told.closed() => {}
            () = learn(facts, &host, port, &sockets, &told) => {}
        }
    });
    address
}

/// The same patience as for the call's own look-up would hold up the lanes and nothing else.
const RESOLVED_WITHIN: Duration = Duration::from_secs(5);

async fn learn(
    mut facts: UnboundedReceiver<Arc<Event>>,
    host: &str,
    port: u16,
    sockets: &Sockets,
    told: &watch::Sender<Option<IpAddr>>,
) {
    let mut proxied = false;
    while let Some(event) = facts.recv().await {
        let found = match &event.fact {
            Fact::Signaling(Signaling::Connecting { proxy, .. }) => {
                proxied = proxy.is_some();
                continue;
            }
            Fact::Signaling(Signaling::TcpConnected { remote, .. }) if !proxied => match remote.ip().plain() {
                Some(found) => found,
                None => continue,
            },
            Fact::Signaling(Signaling::Upgraded { .. }) if proxied => match look_up(host, port, sockets).await {
                Some(found) => found,
                // A name that only the proxy can look up leads nowhere without it.
                None => continue,
            },
            _ => continue,
        };
        told.send_if_modified(|before| before.replace(found) != Some(found));
    }
}

async fn look_up(host: &str, port: u16, sockets: &Sockets) -> Option<IpAddr> {
    let place = sockets.passing().await;
    match resolve::resolve(place, host, port, RESOLVED_WITHIN).await.ok()? {
        Some(found) => found.first().map(|at| at.ip()),
        None => host.parse().ok(),
    }
}
