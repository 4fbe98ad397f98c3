//! The media of all calls over one UDP port, for firewalls that open ports one by one; and the datagrams of lanes, where
//! they share that port, or alone.
//!
//! The stack binds a socket for each call; behind this it gets, instead, an endpoint on a socket shared by all calls that
//! use the same local address. Which call a datagram belongs to is told by the ICE user name in its connectivity check,
//! and from then on by where it came from. Candidates are given the shared port on their way out (see `peer`).

use engine::call::socket::{PlainSocket, buffered, hand_over};
use record::wire::datagram;
use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, ready};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

#[derive(Debug)]
pub struct Mux {
    port: u16,
    /// One for each local address, kept for good: closing one while another call opens it anew would race.
    shared: Mutex<BTreeMap<IpAddr, Arc<Shared>>>,
    /// Where the datagrams of lanes go that come in on the same port.
    lanes: Option<Sender<Arrived>>,
    /// They read the sockets, and end with the mux.
    reading: Mutex<JoinSet<()>>,
}

/// A datagram of a lane's, and the way back.
#[derive(Debug)]
pub struct Arrived {
    pub way: Way,
    pub from: SocketAddr,
    pub datagram: Vec<u8>,
}

/// The socket that something came in by.
#[derive(Clone, Debug)]
pub struct Way(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    io: UdpSocket,
    routes: Mutex<Routes>,
}

#[derive(Debug, Default)]
struct Routes {
    by_name: BTreeMap<String, Weak<Endpoint>>,
    by_remote: BTreeMap<SocketAddr, Weak<Endpoint>>,
}

/// A call's part in it.
#[derive(Debug)]
pub struct Member {
    mux: Arc<Mux>,
    state: Mutex<MemberState>,
}

#[derive(Debug, Default)]
struct MemberState {
    names: Vec<String>,
    endpoints: Vec<Weak<Endpoint>>,
}

#[derive(Debug)]
struct Endpoint {
    /// As the stack knows it. The port is of a socket that only keeps it from being given to somebody else.
    inside: PlainSocket,
    shared: Option<Arc<Shared>>,
    inbox: Mutex<Receiver<Datagram>>,
    to_inbox: Sender<Datagram>,
}

type Datagram = (SocketAddr, Vec<u8>);

/// 1.3 s of audio; a call that does not read for so long has lost its place anyway.
const INBOX: usize = 64;

/// Enough for all calls' packets over a scheduling pause of a second or two.
const RECEIVE_BUFFER: usize = 8 << 20;

impl Mux {
    pub fn new(port: u16) -> Self {
        Self { port, shared: Mutex::default(), lanes: None, reading: Mutex::default() }
    }

    pub fn with_lanes(port: u16, lanes: Sender<Arrived>) -> Self {
        Self { lanes: Some(lanes), ..Self::new(port) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on the port is read at this address, and not only once a call's media wants it.
    pub fn open(&self, ip: IpAddr) -> io::Result<()> {
        self.shared(ip).map(drop)
    }

    fn shared(&self, ip: IpAddr) -> io::Result<Arc<Shared>> {
        let mut all = self.shared.lock().expect("no holder panics");
        if let Some(shared) = all.get(&ip) {
            return Ok(Arc::clone(shared));
        }
        let socket = std::net::UdpSocket::bind((ip, self.port))?;
        let shared = Arc::new(Shared { io: buffered(socket, RECEIVE_BUFFER)?, routes: Mutex::default() });
        let reading = distribute(Arc::downgrade(&shared), self.lanes.clone());
        self.reading.lock().expect("no holder panics").spawn(reading);
        all.insert(ip, Arc::clone(&shared));
        Ok(shared)
    }
}

impl Member {
    pub fn new(mux: Arc<Mux>) -> Self {
        Self { mux, state: Mutex::default() }
    }

    /// In the place of a socket that the stack has bound.
    pub fn endpoint(&self, inside: PlainSocket) -> Arc<dyn AsyncUdpSocket> {
        let shared = match self.mux.shared(inside.local().ip()) {
            Ok(shared) => Some(shared),
            Err(error) => {
                let at = SocketAddr::new(inside.local().ip(), self.mux.port);
                tracing::error!(%error, %at, "the media port cannot be opened on this address; calls cannot use it");
                None
            }
        };
        let (to_inbox, inbox) = channel(INBOX);
        let endpoint = Arc::new(Endpoint { inside, shared, inbox: Mutex::new(inbox), to_inbox });
        let mut state = self.state.lock().expect("no holder panics");
        state.endpoints.retain(|endpoint| endpoint.strong_count() > 0);
        state.endpoints.push(Arc::downgrade(&endpoint));
        for name in &state.names {
            endpoint.answer_to(name);
        }
        endpoint
    }

    /// Checks addressed to the user name in this description are for this call.
    pub fn expect(&self, sdp: &str) {
        let Some(name) = sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=ice-ufrag:")) else { return };
        let mut state = self.state.lock().expect("no holder panics");
        if !state.names.iter().any(|known| known == name) {
            state.names.push(name.to_owned());
        }
        for endpoint in state.endpoints.iter().filter_map(Weak::upgrade) {
            endpoint.answer_to(name);
        }
    }
}

impl Endpoint {
    fn answer_to(self: &Arc<Self>, name: &str) {
        if let Some(shared) = &self.shared {
            let mut routes = shared.routes.lock().expect("no holder panics");
            routes.by_name.insert(name.to_owned(), Arc::downgrade(self));
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            let mut routes = shared.routes.lock().expect("no holder panics");
            routes.by_name.retain(|_, endpoint| endpoint.strong_count() > 0);
            routes.by_remote.retain(|_, endpoint| endpoint.strong_count() > 0);
        }
    }
}

impl Way {
    /// As with media, a full send buffer loses it.
    pub fn send(&self, to: SocketAddr, datagram: &[u8]) {
        if let Err(error) = self.0.io.try_send_to(datagram, to) {
            tracing::debug!(%error, "a lane's datagram was not sent");
        }
    }
}

async fn distribute(shared: Weak<Shared>, lanes: Option<Sender<Arrived>>) {
    let mut buf = vec![0; 2048];
    loop {
        // The mux keeps every socket for good; without it there is nobody to read for.
        let Some(socket) = shared.upgrade() else { return };
        match socket.io.recv_from(&mut buf).await {
            Ok((len, from)) if datagram::is_ours(&buf[..len]) => {
                if let Some(lanes) = &lanes {
                    let datagram = buf[..len].to_vec();
                    // Full: a flood, of which some is lost.
                    let _lost = lanes.try_send(Arrived { way: Way(Arc::clone(&socket)), from, datagram });
                }
            }
            Ok((len, from)) => {
                if let Some(endpoint) = socket.route(from, &buf[..len]) {
                    // Full: a datagram is lost, as datagrams are.
                    let _lost = endpoint.to_inbox.try_send((from, buf[..len].to_vec()));
                }
            }
            // On some systems the echo of a send that reached nobody; it says nothing of the other calls.
            Err(error) => {
                tracing::debug!(%error, "the media port could not be read");
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    }
}

impl Shared {
    fn route(&self, from: SocketAddr, datagram: &[u8]) -> Option<Arc<Endpoint>> {
        let mut routes = self.routes.lock().expect("no holder panics");
        if let Some(name) = check_for(datagram) {
            let endpoint = routes.by_name.get(name)?.clone();
            let found = endpoint.upgrade()?;
            routes.by_remote.insert(from, endpoint);
            return Some(found);
        }
        routes.by_remote.get(&from)?.upgrade()
    }
}

/// The user name a STUN Binding request is addressed to: the part of USERNAME before the colon.
fn check_for(datagram: &[u8]) -> Option<&str> {
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: u16 = 6;
    if datagram.get(..2)? != BINDING_REQUEST || datagram.get(4..8)? != MAGIC_COOKIE {
        return None;
    }
    let mut rest = datagram.get(20..)?;
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let (kind, length) =
            (u16::from_be_bytes([head[0], head[1]]), usize::from(u16::from_be_bytes([head[2], head[3]])));
        if kind == USERNAME {
            return std::str::from_utf8(tail.get(..length)?).ok()?.split(':').next();
        }
        rest = tail.get(length.next_multiple_of(4)..)?;
    }
    None
}

impl AsyncUdpSocket for Endpoint {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.inside.local())
    }

    fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        match &self.shared {
            // A full send buffer drops the datagram, as the network would: the socket has one place for a waker, and
            // all calls would contend for it.
            Some(shared) => match shared.io.try_send_to(transmit.contents, transmit.destination) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Ready(Ok(transmit.contents.len())),
                done => Poll::Ready(done),
            },
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        // The endpoint holds a sender itself, so the inbox never ends.
        let Some((from, datagram)) = ready!(self.inbox.lock().expect("no holder panics").poll_recv(cx)) else {
            return Poll::Pending;
        };
        Poll::Ready(Ok(hand_over(from, &datagram, bufs, meta)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &[u8]) -> Vec<u8> {
        let mut stun = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        stun.extend([9; 12]);
        // Another attribute first, with padding.
        stun.extend([0x80, 0x2b, 0, 1, 5, 0, 0, 0]);
        stun.extend([0, 6, 0, name.len() as u8]);
        stun.extend(name);
        stun.resize(stun.len().next_multiple_of(4), 0);
        stun
    }

    #[test]
    fn a_check_names_the_call_it_is_for() {
        assert_eq!(check_for(&check(b"ours:theirs")), Some("ours"));
        assert_eq!(check_for(&check(b"ours")), Some("ours"));
        let whole = check(b"ours:theirs");
        for end in 0..whole.len() - 1 {
            assert_eq!(check_for(&whole[..end]), None, "cut at {end}");
        }
        let mut response = whole.clone();
        response[0] = 1;
        assert_eq!(check_for(&response), None);
        assert_eq!(check_for(&[0x80; 40]), None, "RTP");
    }
}
