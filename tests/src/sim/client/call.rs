//! The call: sockets, checks and silence as the stack makes them, and the engine's own instruments on every packet.

use super::Client;
use crate::scenario::ending::Plane;
use crate::sim::net::{Got, UdpSocket};
use crate::sim::packet::Datagram;
use crate::sim::time::Task;
use engine::deciders::{Instruments, Notice};
use record::fact::{CandidateKind, Ice, IceState};
use record::profile::Silence;
use record::{Scrub, Stamp, millis};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

// As the stack is set, and as the engine watches it.
const CHECK_PAIRS_EVERY: Duration = Duration::from_millis(50);
const CHECK_CONSENT_EVERY: Duration = Duration::from_millis(500);
const DISCONNECTED_AFTER: Duration = Duration::from_secs(5);
const FAILED_AFTER: Duration = Duration::from_secs(30);
const REPORT_EVERY: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(40);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const FRAME: Duration = Duration::from_millis(20);
const COMFORT: Duration = Duration::from_millis(400);
const DTLS_TAKES: Duration = Duration::from_millis(40);

pub enum CallEvent {
    Connected,
    Failed,
    FarEndClosed,
}

pub struct Call {
    client: Client,
    inner: Rc<Inner>,
    pub events: UnboundedReceiver<CallEvent>,
    _tasks: Vec<Task>,
    hearing: Vec<Task>,
}

struct Inner {
    client: Client,
    instruments: Arc<Instruments>,
    tell: UnboundedSender<CallEvent>,
    path: RefCell<Path>,
    dtls: Cell<Dtls>,
    ids: Cell<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Dtls {
    Not,
    Connected,
    Closed,
}

struct Path {
    /// Names the peer connection and each restart of it.
    number: u64,
    sockets: Vec<Rc<UdpSocket>>,
    remote: Option<SocketAddr>,
    /// The socket that carries the packets.
    pair: Option<Rc<UdpSocket>>,
    said: Option<(SocketAddr, SocketAddr)>,
    state: IceState,
    heard: Stamp,
}

impl Call {
    pub fn new(client: &Client) -> Self {
        let (tell, events) = unbounded_channel();
        let silence = client.profile.media.silence;
        let instruments = Arc::new(Instruments::new(silence, client.recorder.clone(), Scrub::default()));
        let path = Path {
            number: 0,
            sockets: vec![],
            remote: None,
            pair: None,
            said: None,
            state: IceState::New,
            heard: client.now(),
        };
        let inner = Rc::new(Inner {
            client: client.clone(),
            instruments,
            tell,
            path: RefCell::new(path),
            dtls: Cell::new(Dtls::Not),
            ids: Cell::default(),
        });
        let program = &client.program;
        let tasks = vec![
            program.spawn(tick(Rc::clone(&inner))),
            program.spawn(check(Rc::clone(&inner))),
            program.spawn(watch(Rc::clone(&inner))),
            program.spawn(speak(Rc::clone(&inner), silence)),
            program.spawn(report(Rc::clone(&inner))),
        ];
        let mut call = Self { client: client.clone(), inner, events, _tasks: tasks, hearing: vec![] };
        call.restart();
        call
    }

    /// Sockets are bound anew, and the far end is to look for them.
    pub fn restart(&mut self) {
        let client = self.client.clone();
        let number = client.net.throw() >> 16;
        let began = client.now();
        let addresses = client.net.0.station.addresses();
        let sockets: Vec<_> = addresses
            .into_iter()
            .map(|ip| Rc::new(UdpSocket::bind(&client.net, Some(ip), client.net.port())))
            .collect();
        self.hearing = sockets
            .iter()
            .map(|socket| client.program.spawn(hear(Rc::clone(&self.inner), Rc::clone(socket))))
            .collect();
        for socket in &sockets {
            if let Some(local) = socket.local() {
                self.inner.instruments.note(Ice::SocketBound { local: local.into() });
            }
        }
        for socket in &sockets {
            if let Some(local) = socket.local() {
                let address = local.to_string().as_str().into();
                let kind = CandidateKind::Host;
                self.inner.instruments.note(Ice::LocalCandidate { kind, address, relay_by: None });
            }
        }
        let took_ms = millis(client.now().since(began)).max(0.1);
        self.inner.instruments.note(Ice::GatheringDone { took_ms });
        client.net.0.truths.media_is(sockets.iter().map(|socket| socket.port()));
        let mut path = self.inner.path.borrow_mut();
        (path.number, path.sockets, path.remote, path.pair) = (number, sockets, None, None);
    }

    /// The description is no more than the number.
    pub fn offer(&self) -> String {
        format!("v=0\r\na=ice-ufrag:{}\r\n", self.inner.path.borrow().number)
    }

    pub fn answer(&self, _: &str) {
        self.inner.becomes(IceState::Checking);
    }

    pub fn remote_candidate(&self, candidate: &str) {
        let mut words = candidate.split_whitespace().skip(4);
        let (ip, port) = (words.next(), words.next());
        let remote = ip.zip(port).and_then(|(ip, port)| Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?)));
        if let Some(remote) = remote {
            let address = remote.to_string().as_str().into();
            self.inner.instruments.note(Ice::RemoteCandidate { kind: CandidateKind::Host, address });
            self.inner.path.borrow_mut().remote = Some(remote);
        }
    }

    /// Another is to take its place.
    pub fn give_up(self) {
        self.inner.instruments.give_up();
        self.close();
    }

    pub fn close(self) {
        self.inner.instruments.settle();
        if let Some((socket, remote, of)) = self.inner.pair() {
            // Whether it is still heard changes nothing.
            let _ = socket.send(remote, Datagram::Goodbye { of });
        }
    }
}

impl Inner {
    fn now(&self) -> Stamp {
        self.client.now()
    }

    fn pair(&self) -> Option<(Rc<UdpSocket>, SocketAddr, u64)> {
        let path = self.path.borrow();
        Some((Rc::clone(path.pair.as_ref()?), path.remote?, path.number))
    }

    fn becomes(&self, state: IceState) {
        let before = std::mem::replace(&mut self.path.borrow_mut().state, state);
        if before != state {
            self.instruments.note(Ice::State { state });
        }
    }

    fn send(&self, socket: &UdpSocket, remote: SocketAddr, datagram: Datagram) {
        let bytes = bytes(&datagram);
        match socket.send(remote, datagram) {
            Ok(()) => {
                let local = socket.local().unwrap_or(remote);
                self.instruments.datagram_out(local, remote, &bytes);
            }
            Err(errno) => {
                if datagram.is_rtp() {
                    self.client.net.0.truths.refused(Plane::Media);
                }
                self.instruments.not_sent(&bytes, &Refusal::error(errno));
            }
        }
    }
}

struct Refusal;

impl Refusal {
    /// The same on every system that plays this.
    fn error(errno: i32) -> io::Error {
        if cfg!(target_os = "linux") {
            io::Error::from_raw_os_error(errno)
        } else {
            io::Error::other(super::line::words(errno))
        }
    }
}

/// As much of a datagram as the instruments read.
fn bytes(datagram: &Datagram) -> Vec<u8> {
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: [u8; 8] = [0, 6, 0, 4, b'f', b'a', b':', b'r'];
    let stun = |kind: [u8; 2], of: u64, id: u64, attributes: &[u8]| {
        let mut message = kind.to_vec();
        message.extend((attributes.len() as u16).to_be_bytes());
        message.extend(COOKIE);
        message.extend(&of.to_be_bytes()[4..]);
        message.extend(id.to_be_bytes());
        message.extend(attributes);
        message
    };
    match *datagram {
        Datagram::Check { of, id } => stun([0, 1], of, id, &USERNAME),
        Datagram::Checked { of, id } => stun([1, 1], of, id, &[]),
        Datagram::Rtp { .. } => vec![0x80, 111, 0, 0],
        Datagram::SenderReport { .. } | Datagram::ReceiverReport { .. } => vec![0x80, 200, 0, 0],
        _ => vec![],
    }
}

async fn hear(call: Rc<Inner>, socket: Rc<UdpSocket>) {
    loop {
        let (from, datagram) = match socket.hear().await {
            Got::Datagram(from, datagram) => (from, datagram),
            Got::Undelivered { to, why, by } => {
                call.instruments.undelivered(Notice { to: Some(to), why: Some(why), by: Some(by) });
                continue;
            }
        };
        let local = socket.local().unwrap_or(from);
        call.instruments.datagram_in(local, from, &bytes(&datagram));
        let number = call.path.borrow().number;
        match datagram {
            Datagram::Check { of, id } if of == number => call.send(&socket, from, Datagram::Checked { of, id }),
            Datagram::Checked { of, .. } if of == number => call.answered(&socket),
            Datagram::Rtp { ssrc, sequence, timestamp } => {
                call.path.borrow_mut().heard = call.now();
                call.instruments.rtp_in(ssrc, sequence, timestamp);
            }
            Datagram::ReceiverReport { name, held, lost } => {
                let block =
                    ReceptionReport { last_sender_report: name, delay: held, total_lost: lost, ..Default::default() };
                let report = ReceiverReport { reports: vec![block], ..Default::default() };
                call.instruments.rtcp_in(&[Box::new(report)]);
            }
            Datagram::Goodbye { of } if of == number => call.dtls.set(Dtls::Closed),
            _ => {}
        }
    }
}

impl Inner {
    /// One of our checks: this way leads to the far end.
    fn answered(self: &Rc<Self>, socket: &Rc<UdpSocket>) {
        let first = {
            let mut path = self.path.borrow_mut();
            path.heard = self.now();
            if path.state == IceState::Failed {
                return;
            }
            path.pair.get_or_insert_with(|| Rc::clone(socket));
            path.state != IceState::Connected
        };
        if first {
            self.becomes(IceState::Connected);
            if self.dtls.get() == Dtls::Not {
                let call = Rc::downgrade(self);
                self.client.program.computer().after(DTLS_TAKES, move || {
                    if let Some(call) = call.upgrade() {
                        call.dtls.set(Dtls::Connected);
                        call.instruments.connected();
                    }
                });
            }
        }
    }
}

async fn check(call: Rc<Inner>) {
    loop {
        let (pair, state) = {
            let path = call.path.borrow();
            (path.pair.clone(), path.state)
        };
        let every = if pair.is_some() { CHECK_CONSENT_EVERY } else { CHECK_PAIRS_EVERY };
        let (sockets, remote, of) = {
            let path = call.path.borrow();
            (pair.map_or_else(|| path.sockets.clone(), |pair| vec![pair]), path.remote, path.number)
        };
        if let (Some(remote), true) = (remote, state != IceState::Failed) {
            for socket in sockets {
                let id = call.ids.replace(call.ids.get() + 1);
                call.send(&socket, remote, Datagram::Check { of, id });
            }
        }
        call.client.sleep(every).await;
    }
}

async fn tick(call: Rc<Inner>) {
    loop {
        call.client.sleep(TICK).await;
        call.instruments.tick();
        let (state, quiet) = {
            let path = call.path.borrow();
            (path.state, call.now().awake_since(path.heard))
        };
        if state == IceState::Connected && quiet > DISCONNECTED_AFTER {
            call.becomes(IceState::Disconnected);
        } else if state == IceState::Disconnected && quiet > FAILED_AFTER {
            call.becomes(IceState::Failed);
            call.path.borrow_mut().pair = None;
            let _ = call.tell.send(CallEvent::Failed);
        }
    }
}

/// What the engine asks the stack for ten times a second.
async fn watch(call: Rc<Inner>) {
    let mut dtls = Dtls::Not;
    loop {
        call.client.sleep(LOOK_EVERY).await;
        let now = call.dtls.get();
        if now != dtls {
            dtls = now;
            let (state, event) = match now {
                Dtls::Closed => ("closed", CallEvent::FarEndClosed),
                Dtls::Connected | Dtls::Not => ("connected", CallEvent::Connected),
            };
            call.instruments.note(Ice::Dtls { state: state.into() });
            let _ = call.tell.send(event);
        }
        let pair = call.pair().and_then(|(socket, remote, _)| Some((socket.local()?, remote)));
        if let Some((local, remote)) = pair.filter(|_| dtls != Dtls::Not)
            && call.path.borrow_mut().said.replace((local, remote)) != Some((local, remote))
        {
            let (local_kind, remote_kind) = (CandidateKind::Host, CandidateKind::Host);
            call.instruments.note(Ice::Pair { local: local.into(), local_kind, remote: remote.into(), remote_kind });
        }
    }
}

/// RTCP's sender reports, one a second.
async fn report(call: Rc<Inner>) {
    for name in 1u32.. {
        call.client.sleep(REPORT_EVERY).await;
        if call.dtls.get() != Dtls::Connected {
            continue;
        }
        if let Some((socket, remote, _)) = call.pair() {
            call.instruments
                .rtcp_out(&[Box::new(SenderReport { ntp_time: u64::from(name) << 16, ..Default::default() })]);
            call.send(&socket, remote, Datagram::SenderReport { name });
        }
    }
}

/// Silence, packet by packet. Slots that we missed are left out.
async fn speak(call: Rc<Inner>, silence: Silence) {
    let every = match silence {
        Silence::Frames => FRAME,
        Silence::Dtx => COMFORT,
        Silence::None => return,
    };
    while call.dtls.get() != Dtls::Connected {
        call.client.sleep(Duration::from_millis(5)).await;
    }
    let ssrc = call.client.net.throw() as u32 | 1;
    let start = call.now().awake;
    let mut slot = 0u64;
    for sent in 0u64.. {
        call.client.program.sleep_until(start + every * slot as u32).await;
        slot = slot.max(((call.now().awake - start).as_micros() / every.as_micros()) as u64);
        if let Some((socket, remote, _)) = call.pair() {
            let timestamp = (slot * every.as_millis() as u64 * 48) as u32;
            call.send(&socket, remote, Datagram::Rtp { ssrc, sequence: sent as u16, timestamp });
        }
        slot += 1;
    }
}
