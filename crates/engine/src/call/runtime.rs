//! The runtime handed to the WebRTC stack: tokio, with UDP sockets of our own making, and a word when the stack's driver
//! ends.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

use super::socket::PlainSocket;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Puts something around each socket the stack opens, such as a tap.
pub type Wrap = dyn Fn(PlainSocket) -> Arc<dyn AsyncUdpSocket> + Send + Sync;
type Resolved = dyn Fn(&str, Result<&[SocketAddr], &io::Error>) + Send + Sync;
type Ended = dyn Fn() + Send + Sync;

#[derive(Default)]
pub struct PeerRuntime {
    wrap: Option<Box<Wrap>>,
    resolved: Option<Box<Resolved>>,
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
    pub fn on_resolved(
        mut self,
        resolved: impl Fn(&str, Result<&[SocketAddr], &io::Error>) + Send + Sync + 'static,
    ) -> Self {
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
            let resolved = tokio::net::lookup_host(host).await.map(Iterator::collect::<Vec<_>>);
            if let Some(tell) = &self.resolved {
                tell(host, resolved.as_deref());
            }
            resolved
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
