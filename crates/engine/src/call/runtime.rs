//! The runtime handed to the WebRTC stack: tokio, with UDP sockets of our own making, and a word when the stack's driver
//! ends.
//!
//! The stack's driver waits for names itself and reads no packet meanwhile. So a name is waited for shortly, and what it
//! stood for before serves when the resolver is silent.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

use super::socket::PlainSocket;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Puts something around each socket the stack opens, such as a tap.
pub type Wrap = dyn Fn(PlainSocket) -> Arc<dyn AsyncUdpSocket> + Send + Sync;
type Tell = dyn Fn(&str, Resolved<'_>) + Send + Sync;
type Addresses = io::Result<Vec<SocketAddr>>;
type Ended = dyn Fn() + Send + Sync;

/// What became of a name.
#[derive(Clone, Copy, Debug)]
pub enum Resolved<'a> {
    Now(&'a [SocketAddr]),
    /// Not now, for this reason; its addresses of before are used.
    Before(&'a io::Error),
    Not(&'a io::Error),
}

/// A resolver that works answers within a few round trips. Every moment longer is one in which the stack takes no packet.
const NAME_WITHIN: Duration = Duration::from_secs(1);
/// Before the call there are no packets to miss: time for a slow resolver, and for a quicker second one after a dead first.
const FIRST_WITHIN: Duration = Duration::from_secs(3);

/// The addresses last found for each name.
#[derive(Default)]
struct Names(Mutex<BTreeMap<String, Vec<SocketAddr>>>);

impl Names {
    /// A lookup that takes longer goes on by itself, and serves the next time.
    async fn ask(
        self: &Arc<Self>,
        host: &str,
        lookup: impl Future<Output = Addresses> + Send + 'static,
        within: Duration,
    ) -> Addresses {
        let (names, name) = (Arc::clone(self), host.to_owned());
        let lookup = tokio::spawn(async move {
            let found = lookup.await?;
            if found.is_empty() {
                return Err(io::Error::other("it has no address"));
            }
            names.0.lock().expect("no holder panics").insert(name, found.clone());
            Ok(found)
        });
        match tokio::time::timeout(within, lookup).await {
            Ok(Ok(found)) => found,
            Ok(Err(stopped)) => Err(io::Error::other(stopped)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("the resolver did not answer within {} s", within.as_secs()),
            )),
        }
    }

    fn before(&self, host: &str) -> Option<Vec<SocketAddr>> {
        self.0.lock().expect("no holder panics").get(host).cloned()
    }
}

async fn look_up(host: String) -> Addresses {
    Ok(tokio::net::lookup_host(host).await?.collect())
}

#[derive(Default)]
pub struct PeerRuntime {
    wrap: Option<Box<Wrap>>,
    resolved: Option<Box<Tell>>,
    names: Arc<Names>,
    ended: Option<Arc<Ended>>,
    /// Present where relays are in use.
    second_look: Option<Arc<SecondLook>>,
}

/// The driver hands what goes through a relay to its TURN client after it has asked that client for its datagrams, and
/// asks again when something else wakes it: a packet would wait for the next one. So it goes round once more, without
/// waiting, before each time it really waits.
#[derive(Default)]
struct SecondLook {
    taken: AtomicBool,
}

impl PeerRuntime {
    /// Nothing around the sockets.
    pub fn plain() -> Self {
        Self::default()
    }

    pub fn wrapping(wrap: impl Fn(PlainSocket) -> Arc<dyn AsyncUdpSocket> + Send + Sync + 'static) -> Self {
        Self { wrap: Some(Box::new(wrap)), ..Self::default() }
    }

    /// Told what became of each server's `host:port`.
    pub fn on_resolved(mut self, resolved: impl Fn(&str, Resolved<'_>) + Send + Sync + 'static) -> Self {
        self.resolved = Some(Box::new(resolved));
        self
    }

    pub fn for_relays(mut self, in_use: bool) -> Self {
        self.second_look = in_use.then(Arc::default);
        self
    }

    /// Called when a driver has ended, for whatever reason: the stack itself says nothing when it dies.
    pub fn on_driver_end(mut self, ended: impl Fn() + Send + Sync + 'static) -> Self {
        self.ended = Some(Arc::new(ended));
        self
    }

    /// Asks for these names at once, before there are packets that would wait, and waits shortly. What fails here is said
    /// when the stack asks for it.
    pub async fn look_ahead(&self, hosts: Vec<String>) {
        let asked = hosts.into_iter().map(|host| {
            let names = Arc::clone(&self.names);
            async move { names.ask(&host, look_up(host.clone()), FIRST_WITHIN).await }
        });
        futures_util::future::join_all(asked).await;
    }

    async fn resolve(&self, host: &str, lookup: impl Future<Output = Addresses> + Send + 'static) -> Addresses {
        let found = self.names.ask(host, lookup, NAME_WITHIN).await;
        let tell = |what: Resolved<'_>| self.resolved.iter().for_each(|tell| tell(host, what));
        match found {
            Ok(addresses) => {
                tell(Resolved::Now(&addresses));
                Ok(addresses)
            }
            Err(error) => match self.names.before(host) {
                Some(addresses) => {
                    tell(Resolved::Before(&error));
                    Ok(addresses)
                }
                None => {
                    tell(Resolved::Not(&error));
                    Err(error)
                }
            },
        }
    }

    fn announced(&self, task: Boxed<'static, ()>) -> Boxed<'static, ()> {
        /// Speaks when dropped, so that an aborted or panicking driver is announced too.
        struct Announce(Arc<Ended>);
        impl Drop for Announce {
            fn drop(&mut self) {
                (self.0)();
            }
        }
        let Some(ended) = &self.ended else { return task };
        let announce = Announce(Arc::clone(ended));
        Box::pin(async move {
            let _announce = announce;
            task.await;
        })
    }
}

/// The stack asks for an address of IPv6 without its brackets, and our own names for servers have them.
fn in_brackets(place: &str) -> String {
    match place.rsplit_once(':') {
        Some((host, port)) if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        _ => place.to_owned(),
    }
}

impl Runtime for PeerRuntime {
    /// Without ICE over TCP, which we do not use, the driver is the one task the stack spawns.
    fn spawn(&self, task: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(self.announced(task))
    }
    fn spawn_reactor(&self, pool: usize, task: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn_reactor(pool, self.announced(task))
    }
    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket = PlainSocket::new(socket)?;
        Ok(match &self.wrap {
            Some(wrap) => wrap(socket),
            None => Arc::new(socket),
        })
    }
    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }
    fn connect_tcp(&self, remote: SocketAddr) -> Boxed<'_, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async move { TokioRuntime.connect_tcp(remote).await })
    }
    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            let host = &in_brackets(host);
            self.resolve(host, look_up(host.clone())).await
        })
    }
    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        match &self.second_look {
            // Taken only when it was waited out: a driver that something else woke has new things to hand on.
            Some(look) if !look.taken.swap(false, Ordering::Relaxed) => {
                let look = Arc::clone(look);
                Box::pin(async move { look.taken.store(true, Ordering::Relaxed) })
            }
            _ => TokioRuntime.sleep(duration),
        }
    }
    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }
    fn block_on(&self, task: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(task);
    }
}

impl fmt::Debug for PeerRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerRuntime")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "turn.example:3478";
    const THERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 3478);

    fn telling() -> (PeerRuntime, Arc<Mutex<Vec<String>>>) {
        let told = Arc::new(Mutex::new(vec![]));
        let heard = Arc::clone(&told);
        let runtime = PeerRuntime::plain().on_resolved(move |host, what| {
            assert_eq!(host, HOST);
            heard.lock().unwrap().push(format!("{what:?}").split('(').next().unwrap().to_owned());
        });
        (runtime, told)
    }

    #[test]
    fn servers_are_asked_for_under_the_names_that_they_have_here() {
        for (asked, named) in [
            ("2001:db8::1:3478", "[2001:db8::1]:3478"),
            ("[2001:db8::1]:3478", "[2001:db8::1]:3478"),
            ("192.0.2.1:3478", "192.0.2.1:3478"),
            ("turn.example:3478", "turn.example:3478"),
        ] {
            assert_eq!(in_brackets(asked), named);
        }
    }

    #[tokio::test]
    async fn a_resolver_that_hangs_or_fails_costs_a_second_and_not_the_addresses_of_before() {
        let (runtime, told) = telling();
        assert_eq!(runtime.resolve(HOST, async { Ok(vec![THERE]) }).await.unwrap(), [THERE]);
        let hangs = runtime.resolve(HOST, std::future::pending());
        let found = tokio::time::timeout(Duration::from_millis(1_500), hangs).await.expect("it is bounded");
        assert_eq!(found.unwrap(), [THERE]);
        assert_eq!(runtime.resolve(HOST, async { Err(io::Error::other("no")) }).await.unwrap(), [THERE]);
        assert_eq!(*told.lock().unwrap(), ["Now", "Before", "Before"]);
    }

    #[tokio::test]
    async fn a_name_never_found_is_an_error_and_a_late_answer_serves_the_next_time() {
        let (runtime, told) = telling();
        assert!(runtime.resolve(HOST, async { Ok(vec![]) }).await.is_err(), "no address is none");
        let late = async {
            tokio::time::sleep(NAME_WITHIN + Duration::from_millis(200)).await;
            Ok(vec![THERE])
        };
        let error = runtime.resolve(HOST, late).await.expect_err("not within a second");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(runtime.resolve(HOST, std::future::pending()).await.unwrap(), [THERE]);
        assert_eq!(*told.lock().unwrap(), ["Not", "Not", "Before"]);
    }
}
