//! `Between`: a box of our own between the call and its far end, on loopback. It hands on TCP and UDP, breaks what it is told
//! to break, and stamps what it did: the truth that the verdict is held against.

use engine::Clock;
use record::Stamp;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

mod stun;
mod tcp;
mod udp;

pub struct Between {
    /// Where the call's signaling, and all lanes over TCP, are to go.
    pub tcp: SocketAddr,
    pub udp: SocketAddr,
    /// A STUN server on the near side of the far end: another server, behind the same box.
    pub stun: SocketAddr,
    shared: Arc<Shared>,
    /// They end by being dropped.
    _tasks: JoinSet<()>,
}

struct Shared {
    clock: Clock,
    rules: watch::Sender<Rules>,
    /// For the call's signaling connections that stand when it is said.
    ends: broadcast::Sender<End>,
    deeds: Mutex<Vec<Deed>>,
}

#[derive(Clone, Copy, Default, Debug)]
pub struct Rules {
    /// Without one, whoever connects is reset.
    pub far: Option<SocketAddr>,
    /// A TCP connection that carried nothing for so long is ended with FIN.
    pub quiet_for: Option<Duration>,
    /// So is one of this age.
    pub age: Option<Duration>,
    pub udp: Losing,
}

/// Which UDP is lost.
#[derive(Clone, Copy, Default, Debug)]
pub struct Losing {
    /// From the caller to the far end.
    pub out: bool,
    pub back: bool,
    /// To other servers and back.
    pub others: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Reset,
    /// Nothing passes any more, and nobody is told.
    Mute,
}

/// Something that was done to the call, when it was done.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Deed {
    pub at: Stamp,
    pub what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Ended(End),
    /// Its signaling connection had carried nothing for so long.
    WasQuiet(Duration),
    /// It was so old.
    WasOld(Duration),
    /// The first media packet that was lost.
    LostMedia,
    /// The far end itself ended its signaling connection; `at` is when its last bytes passed.
    FarEnded,
    /// What was to be done could not be done.
    Refused,
}

impl Between {
    pub async fn begin(clock: Clock) -> io::Result<Self> {
        let loopback = (Ipv4Addr::LOCALHOST, 0);
        let listener = TcpListener::bind(loopback).await?;
        let (udp, stun) = (UdpSocket::bind(loopback).await?, UdpSocket::bind(loopback).await?);
        let (tcp_at, udp_at, stun_at) = (listener.local_addr()?, udp.local_addr()?, stun.local_addr()?);
        let shared = Arc::new(Shared {
            clock,
            rules: watch::Sender::new(Rules::default()),
            ends: broadcast::Sender::new(4),
            deeds: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(tcp::accept(listener, Arc::clone(&shared)));
        tasks.spawn(udp::pass(Arc::new(udp), Arc::clone(&shared)));
        tasks.spawn(stun::serve(stun, Arc::clone(&shared)));
        Ok(Self { tcp: tcp_at, udp: udp_at, stun: stun_at, shared, _tasks: tasks })
    }

    pub fn rule(&self, change: impl FnOnce(&mut Rules)) {
        self.shared.rules.send_modify(change);
    }

    pub fn end_signaling(&self, end: End) {
        // Without a connection there is none to end, and the missing deed tells it.
        let _nobody = self.shared.ends.send(end);
    }

    pub fn deeds(&self) -> Vec<Deed> {
        self.shared.deeds.lock().expect("no holder panics").clone()
    }
}

impl Shared {
    fn rules(&self) -> Rules {
        *self.rules.borrow()
    }

    fn did(&self, at: Stamp, what: What) {
        self.deeds.lock().expect("no holder panics").push(Deed { at, what });
    }
}

#[cfg(test)]
mod tests;
