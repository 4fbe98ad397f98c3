//! TCP, as far as it shows in facts: acknowledgements, repeats, and the ways in which a connection ends. A segment carries
//! one message; how bytes are cut into segments shows nowhere.

use super::net::Net;
use super::packet::{Load, Packet, Proto};
use super::time::Computer;
use record::fact::TcpSample;
use record::{Stamp, millis};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Segment {
    pub kind: Kind,
    /// So many messages have arrived in order.
    ack: u64,
    /// Later ones are here, and one before them is missing (SACK).
    gap: bool,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Syn,
    SynAck,
    Ack,
    Data {
        number: u64,
        message: Message,
    },
    /// Keepalive: it wants an acknowledgement and carries nothing.
    Probe,
    Rst,
}

/// What the programs say to each other; `Fin` is the end of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// HTTP: the upgrade, and its answer.
    Upgrade {
        path: &'static str,
    },
    Answer {
        status: u16,
    },
    Text(String),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close {
        code: u16,
        reason: String,
    },
    Fin,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Heard {
    Message(Message),
    Reset,
    /// Our own system ended it.
    Local(i32),
}

const LEAST: Duration = Duration::from_millis(205);
const TAIL: Duration = Duration::from_millis(210);
const SYN: Duration = Duration::from_secs(1);
/// As Linux: a quarter of an hour.
const MOST_REPEATS: u32 = 15;
const LONGEST: Duration = Duration::from_secs(120);
const EHOSTUNREACH: i32 = 113;
const ETIMEDOUT: i32 = 110;

pub struct Kernel {
    net: Net,
    computer: Computer,
    local: SocketAddr,
    remote: SocketAddr,
    state: RefCell<State>,
}

struct State {
    stands: bool,
    /// The program let go of it.
    left: bool,
    next_out: u64,
    unacked: VecDeque<(u64, Message)>,
    fin_sent: bool,
    next_in: u64,
    early: BTreeMap<u64, Message>,
    heard: VecDeque<Heard>,
    waker: Option<Waker>,
    /// A timer of an earlier number is void.
    timer: u64,
    wait: Duration,
    tail_probed: bool,
    retransmits: u32,
    total: u32,
    rtt: Option<Duration>,
    timed: Option<(u64, Stamp)>,
    sent: Stamp,
    received: Stamp,
    acked: Stamp,
}

impl Kernel {
    fn new(net: &Net, local: SocketAddr, remote: SocketAddr, stands: bool) -> Rc<Self> {
        let computer = net.computer_of(local.ip()).clone();
        let now = computer.now();
        let state = State {
            stands,
            left: false,
            next_out: 0,
            unacked: VecDeque::new(),
            fin_sent: false,
            next_in: 0,
            early: BTreeMap::new(),
            heard: VecDeque::new(),
            waker: None,
            timer: 0,
            wait: SYN,
            tail_probed: false,
            retransmits: 0,
            total: 0,
            rtt: None,
            timed: None,
            sent: now,
            received: now,
            acked: now,
        };
        let kernel = Rc::new(Self { net: net.clone(), computer, local, remote, state: RefCell::new(state) });
        net.0.tcp.borrow_mut().insert((local, remote), Rc::clone(&kernel));
        kernel
    }

    fn put(&self, kind: Kind) -> Result<(), i32> {
        let (ack, gap) = {
            let state = self.state.borrow();
            (state.next_in, !state.early.is_empty())
        };
        let load = Load::Segment(Segment { kind, ack, gap });
        self.net.send(Packet { proto: Proto::Tcp, from: self.local, to: self.remote, load })
    }

    /// What our own system refuses to send is as lost as what is lost later: it is sent again.
    fn put_or_lose(&self, kind: Kind) {
        let _lost = self.put(kind);
    }

    fn send(self: &Rc<Self>, message: Message) {
        let number = {
            let mut state = self.state.borrow_mut();
            if state.fin_sent {
                return;
            }
            state.fin_sent = message == Message::Fin;
            let number = state.next_out;
            state.next_out += 1;
            state.unacked.push_back((number, message.clone()));
            state.sent = self.computer.now();
            if state.timed.is_none() {
                state.timed = Some((number, state.sent));
            }
            number
        };
        self.put_or_lose(Kind::Data { number, message });
        let first = self.state.borrow().unacked.len() == 1;
        if first {
            self.state.borrow_mut().wait = LEAST;
            self.arm(TAIL);
        }
    }

    fn arm(self: &Rc<Self>, wait: Duration) {
        let timer = {
            let mut state = self.state.borrow_mut();
            state.timer += 1;
            state.timer
        };
        let kernel = Rc::clone(self);
        self.computer.after(wait, move || kernel.rings(timer));
    }

    fn rings(self: &Rc<Self>, timer: u64) {
        let repeat = {
            let mut state = self.state.borrow_mut();
            if state.timer != timer {
                return;
            }
            if !state.stands {
                state.retransmits += 1;
                state.wait *= 2;
                Some((Kind::Syn, state.wait))
            } else if let Some((number, message)) = state.unacked.front().cloned() {
                state.total += 1;
                state.timed = None;
                if std::mem::replace(&mut state.tail_probed, true) {
                    state.retransmits += 1;
                    state.wait = (state.wait * 2).min(LONGEST);
                }
                (state.retransmits <= MOST_REPEATS).then_some((Kind::Data { number, message }, state.wait))
            } else {
                return;
            }
        };
        match repeat {
            Some((kind, wait)) => {
                self.put_or_lose(kind);
                self.arm(wait);
            }
            None => self.over(Heard::Local(ETIMEDOUT)),
        }
    }

    /// Nothing more comes of it.
    fn over(&self, how: Heard) {
        self.net.0.tcp.borrow_mut().remove(&(self.local, self.remote));
        self.state.borrow_mut().timer += 1;
        self.tell(how);
    }

    fn tell(&self, heard: Heard) {
        let mut state = self.state.borrow_mut();
        state.heard.push_back(heard);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    fn arrives(self: &Rc<Self>, segment: Segment) {
        match segment.kind {
            Kind::Rst => return self.over(Heard::Reset),
            Kind::Syn => return self.put_or_lose(Kind::SynAck),
            Kind::SynAck => {
                let mut state = self.state.borrow_mut();
                state.timer += 1;
                state.retransmits = 0;
                state.stands = true;
                if let Some(waker) = state.waker.take() {
                    waker.wake();
                }
                return;
            }
            Kind::Probe => self.put_or_lose(Kind::Ack),
            Kind::Ack => {}
            Kind::Data { number, message } => {
                self.data(number, message);
                self.put_or_lose(Kind::Ack);
            }
        }
        if segment.gap {
            self.fill();
        }
        self.acknowledged(segment.ack);
    }

    fn data(&self, number: u64, message: Message) {
        let mut state = self.state.borrow_mut();
        state.received = self.computer.now();
        if number >= state.next_in {
            state.early.insert(number, message);
        }
        while let Some(message) = {
            let next = state.next_in;
            state.early.remove(&next)
        } {
            state.next_in += 1;
            state.heard.push_back(Heard::Message(message));
        }
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    fn acknowledged(self: &Rc<Self>, ack: u64) {
        let again = {
            let mut state = self.state.borrow_mut();
            let now = self.computer.now();
            state.acked = now;
            let before = state.unacked.len();
            state.unacked.retain(|(number, _)| *number >= ack);
            if state.unacked.len() == before {
                return;
            }
            if let Some((_, sent)) = state.timed.take_if(|(number, _)| *number < ack) {
                let rtt = now.since(sent);
                state.rtt = Some(state.rtt.map_or(rtt, |smoothed| (smoothed * 7 + rtt) / 8));
            }
            let repeated = state.retransmits > 0 || state.tail_probed;
            state.retransmits = 0;
            state.tail_probed = false;
            state.wait = LEAST;
            state.timer += 1;
            if repeated { state.unacked.iter().cloned().collect() } else { vec![] }
        };
        for (number, message) in again {
            self.put_or_lose(Kind::Data { number, message });
        }
        let (waits, done) = {
            let state = self.state.borrow();
            (!state.unacked.is_empty(), state.left && state.unacked.is_empty())
        };
        if waits {
            self.arm(LEAST);
        } else if done {
            self.net.0.tcp.borrow_mut().remove(&(self.local, self.remote));
        }
    }

    /// What is missing over there is sent again at once.
    fn fill(&self) {
        let missing = self.state.borrow().unacked.front().cloned();
        if let Some((number, message)) = missing {
            self.put_or_lose(Kind::Data { number, message });
        }
    }

    fn sample(&self) -> TcpSample {
        let (state, now) = (self.state.borrow(), self.computer.now());
        let age = |since: Stamp| (millis(now.awake_since(since)) / 4.0).floor() * 4.0;
        let rtt_ms = state.rtt.map_or(1.0, millis);
        TcpSample {
            rtt_ms,
            rtt_var_ms: rtt_ms / 4.0,
            retransmits: state.retransmits,
            total_retransmits: state.total,
            unacked: state.unacked.len() as u32,
            last_data_sent_ms: age(state.sent),
            last_data_recv_ms: age(state.received),
            last_ack_recv_ms: age(state.acked),
        }
    }
}

/// A segment has reached its computer.
pub fn arrive(net: &Net, packet: Packet) {
    let Packet { from, to, load, .. } = packet;
    let kernel = net.0.tcp.borrow().get(&(to, from)).cloned();
    match (kernel, load) {
        (Some(kernel), Load::Segment(segment)) => kernel.arrives(segment),
        (Some(kernel), Load::Unreachable { .. }) if !kernel.state.borrow().stands => {
            kernel.over(Heard::Local(EHOSTUNREACH));
        }
        (None, Load::Segment(Segment { kind: Kind::Syn, .. })) => {
            let listener = net.0.listeners.borrow().get(&to).cloned();
            match listener {
                Some(accept) => {
                    let kernel = Kernel::new(net, to, from, true);
                    kernel.put_or_lose(Kind::SynAck);
                    accept(Stream { seen: Cell::new(Seen::nothing(kernel.computer.now())), kernel });
                }
                None => reset(net, to, from),
            }
        }
        (None, Load::Segment(segment)) if !matches!(segment.kind, Kind::Rst) => reset(net, to, from),
        _ => {}
    }
}

fn reset(net: &Net, from: SocketAddr, to: SocketAddr) {
    let load = Load::Segment(Segment { kind: Kind::Rst, ack: 0, gap: false });
    // Whoever cannot be answered learns nothing.
    let _ = net.send(Packet { proto: Proto::Tcp, from, to, load });
}

/// As a device on the way makes one.
pub fn forged_reset(from: SocketAddr, to: SocketAddr) -> Packet {
    Packet { proto: Proto::Tcp, from, to, load: Load::Segment(Segment { kind: Kind::Rst, ack: 0, gap: false }) }
}

/// A connection as its program holds it; dropped, it is closed in order.
pub struct Stream {
    kernel: Rc<Kernel>,
    seen: Cell<Seen>,
}

#[derive(Clone, Copy)]
pub struct Seen {
    pub last_in: Stamp,
    pub last_out: Stamp,
}

impl Seen {
    fn nothing(now: Stamp) -> Self {
        Self { last_in: now, last_out: now }
    }
}

impl Stream {
    /// Waits without end: patience is the caller's.
    pub async fn connect(net: &Net, remote: SocketAddr) -> Result<Self, Heard> {
        let source = net.0.station.source().ok_or(Heard::Local(super::net::ENETUNREACH))?;
        Self::connect_from(net, SocketAddr::new(source, net.port()), remote).await
    }

    pub async fn connect_from(net: &Net, local: SocketAddr, remote: SocketAddr) -> Result<Self, Heard> {
        let kernel = Kernel::new(net, local, remote, false);
        let attempt = Attempt(&kernel);
        kernel.put(Kind::Syn).map_err(Heard::Local)?;
        kernel.arm(SYN);
        poll_fn(|cx| {
            let mut state = kernel.state.borrow_mut();
            if let Some(heard) = state.heard.pop_front() {
                return Poll::Ready(Err(heard));
            }
            if state.stands {
                return Poll::Ready(Ok(()));
            }
            state.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await?;
        std::mem::forget(attempt);
        kernel.put_or_lose(Kind::Ack);
        let seen = Cell::new(Seen::nothing(kernel.computer.now()));
        Ok(Self { kernel, seen })
    }

    pub fn local(&self) -> SocketAddr {
        self.kernel.local
    }
    pub fn remote(&self) -> SocketAddr {
        self.kernel.remote
    }

    pub fn send(&self, message: Message) {
        let now = self.kernel.computer.now();
        self.seen.set(Seen { last_out: now, ..self.seen.get() });
        self.kernel.send(message);
    }

    /// The next thing that comes; a connection that is over says so again and again.
    pub async fn hear(&self) -> Heard {
        let heard = poll_fn(|cx| {
            let mut state = self.kernel.state.borrow_mut();
            match state.heard.front().cloned() {
                Some(heard) => {
                    if matches!(&heard, Heard::Message(message) if *message != Message::Fin) {
                        state.heard.pop_front();
                    }
                    Poll::Ready(heard)
                }
                None => {
                    state.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await;
        if matches!(&heard, Heard::Message(message) if *message != Message::Fin) {
            self.seen.set(Seen { last_in: self.kernel.computer.now(), ..self.seen.get() });
        }
        heard
    }

    pub fn seen(&self) -> Seen {
        self.seen.get()
    }

    pub fn sample(&self) -> TcpSample {
        self.kernel.sample()
    }

    /// The system's own small packets, until it is closed.
    pub fn keep_alive(&self, every: Duration) {
        let kernel = Rc::downgrade(&self.kernel);
        self.kernel.computer.after(every, move || probe(&kernel, every));
    }
}

fn probe(kernel: &std::rc::Weak<Kernel>, every: Duration) {
    let Some(alive) = kernel.upgrade().filter(|kernel| !kernel.state.borrow().left) else { return };
    alive.put_or_lose(Kind::Probe);
    let kernel = std::rc::Weak::clone(kernel);
    alive.computer.after(every, move || probe(&kernel, every));
}

/// Given up before it stood, it leaves nothing behind.
struct Attempt<'a>(&'a Rc<Kernel>);

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.0.state.borrow_mut().timer += 1;
        self.0.net.0.tcp.borrow_mut().remove(&(self.0.local, self.0.remote));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.kernel.state.borrow_mut().left = true;
        if self.kernel.net.0.tcp.borrow().contains_key(&(self.kernel.local, self.kernel.remote)) {
            self.kernel.send(Message::Fin);
        }
    }
}
