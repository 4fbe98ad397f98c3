//! One call at the far end: it outlives its signaling socket, and tells the next one what it saw meanwhile.

use super::peer::Peer;
use super::{Inner, KEPT_FOR, read, say};
use crate::sim::tcp::{Heard, Message, Stream};
use crate::sim::told::Told;
use record::Stamp;
use record::fact::{CallEndedBy, End, Side, Sight};
use record::wire::{FromClient, FromFar, close};
use reflector::{account::Account, sights::Sights};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub struct Call {
    pub id: String,
    pub ticket: String,
    pub lane_ticket: String,
    pub account: Arc<Account>,
    pub quiet: bool,
    pub clock: engine::Clock,
    pub over: Told<bool>,
    sights: UnboundedSender<(Stamp, Sight)>,
    seen: RefCell<Option<UnboundedReceiver<(Stamp, Sight)>>>,
    attach: UnboundedSender<Stream>,
    attached: RefCell<Option<UnboundedReceiver<Stream>>>,
}

impl Call {
    pub fn begin(far: &Inner, quiet: bool) -> Rc<Self> {
        let (sights, seen) = unbounded_channel();
        let (attach, attached) = unbounded_channel();
        let of_account = sights.clone();
        let account = Account::new(far.program.computer().clock().clone(), move |at, sight| {
            // A call that is over has told all it will tell.
            let _over = of_account.send((at, sight));
        });
        Rc::new(Self {
            id: far.number(),
            ticket: far.number(),
            lane_ticket: far.number(),
            account: Arc::new(account),
            quiet,
            clock: far.program.computer().clock().clone(),
            over: Told::default(),
            sights,
            seen: RefCell::new(Some(seen)),
            attach,
            attached: RefCell::new(Some(attached)),
        })
    }

    pub fn saw(&self, at: Stamp, sight: Sight) {
        let _over = self.sights.send((at, sight));
    }

    pub fn attach(&self, stream: Stream) {
        let _over = self.attach.send(stream);
    }
}

enum Ended {
    HungUp,
    Bye,
    Forgotten,
    Shutdown,
}

enum Happened {
    HangsUp,
    Shutdown,
    Attached(Stream),
    Saw(Stamp, Sight),
    Heard(Heard),
    Time,
}

struct Holding {
    far: Rc<Inner>,
    call: Rc<Call>,
    socket: Option<Stream>,
    peer: Option<Peer>,
    sights: Sights,
    alone_since: Stamp,
}

pub async fn hold(far: Rc<Inner>, call: Rc<Call>, first: Stream) {
    let mut seen = call.seen.borrow_mut().take().expect("a call is held once");
    let mut attached = call.attached.borrow_mut().take().expect("a call is held once");
    let alone_since = far.program.now();
    let mut stopping = std::pin::pin!(far.is_stopping());
    let mut hangs_up = std::pin::pin!(far.hangs_up());
    let mut held = Holding {
        far: Rc::clone(&far),
        call: Rc::clone(&call),
        socket: None,
        peer: None,
        sights: Sights::default(),
        alone_since,
    };
    held.attach(first, false);
    let ended = loop {
        let patience = held.patience_left();
        let happened = tokio::select! {
            biased;
            () = &mut stopping => Happened::Shutdown,
            () = &mut hangs_up => Happened::HangsUp,
            Some(stream) = attached.recv() => Happened::Attached(stream),
            Some((at, sight)) = seen.recv() => Happened::Saw(at, sight),
            heard = next(held.socket.as_ref()) => Happened::Heard(heard),
            () = far.program.sleep(patience) => Happened::Time,
        };
        match happened {
            Happened::Shutdown => break Ended::Shutdown,
            Happened::HangsUp => break Ended::HungUp,
            Happened::Attached(stream) => {
                held.part(close::REPLACED, "taken up by another socket");
                held.attach(stream, true);
            }
            Happened::Saw(at, sight) => {
                let later = held.call.quiet && matches!(sight, Sight::Lane { .. });
                held.sights.keep(at.wall, sight);
                if !later {
                    held.tell();
                }
            }
            Happened::Heard(heard) => {
                if read(&heard).is_some_and(|said: FromClient| matches!(said, FromClient::Bye { .. })) {
                    break Ended::Bye;
                }
                held.heard(heard);
            }
            Happened::Time if !held.patience_left().is_zero() => {}
            Happened::Time if held.socket.is_none() => break Ended::Forgotten,
            Happened::Time => {
                held.part(close::IDLE, "idle");
                held.be_alone(End::CloseFrame { by: Side::Us, code: Some(close::IDLE), reason: "idle".into() });
            }
        }
    };
    far.calls.borrow_mut().remove(&call.ticket);
    call.over.tell(true);
    held.tear_down(&ended);
    if let Some(socket) = held.socket.take() {
        // What the caller says last is read, or its answer would be a reset.
        while let Heard::Message(message) = socket.hear().await {
            if message == Message::Fin {
                break;
            }
        }
    }
}

async fn next(socket: Option<&Stream>) -> Heard {
    match socket {
        Some(socket) => socket.hear().await,
        None => std::future::pending().await,
    }
}

impl Holding {
    fn patience_left(&self) -> std::time::Duration {
        let now = self.far.program.now();
        match &self.socket {
            Some(socket) => self.far.rules.idle.saturating_sub(now.awake_since(socket.seen().last_in)),
            None => KEPT_FOR.saturating_sub(now.awake_since(self.alone_since)),
        }
    }

    fn attach(&mut self, stream: Stream, resumed: bool) {
        say(&stream, &self.far.welcome(&self.call, resumed));
        self.socket = Some(stream);
        self.sights.begin_anew();
        if resumed {
            self.sights.keep(self.far.program.now().wall, Sight::Reattached);
        }
        self.tell();
    }

    fn part(&mut self, code: u16, reason: &str) {
        if let Some(socket) = self.socket.take() {
            socket.send(Message::Close { code, reason: reason.to_owned() });
        }
    }

    fn heard(&mut self, heard: Heard) {
        let Some(socket) = &self.socket else { return };
        match &heard {
            Heard::Message(Message::Ping(payload)) => socket.send(Message::Pong(payload.clone())),
            Heard::Message(Message::Pong(payload)) => {
                let number = std::str::from_utf8(payload).ok().and_then(|text| text.parse().ok());
                self.sights.was_heard(number.unwrap_or(0));
            }
            Heard::Message(Message::Text(_)) => {
                if let Some(said) = read(&heard) {
                    self.answer(said);
                    self.tell();
                }
            }
            Heard::Message(Message::Close { code, reason }) => {
                let (code, reason) = (Some(*code), reason.as_str().into());
                self.lost(End::CloseFrame { by: Side::Them, code, reason });
            }
            Heard::Message(Message::Fin) => self.lost(End::Fin),
            Heard::Message(Message::Upgrade { .. } | Message::Answer { .. }) => {}
            Heard::Reset => self.lost(End::Reset),
            Heard::Local(errno) => self.lost(End::Local { errno: Some(*errno), says: "timed out".into() }),
        }
    }

    fn answer(&mut self, said: FromClient) {
        let Some(socket) = &self.socket else { return };
        match said {
            FromClient::Clock { sent } => say(socket, &FromFar::Clock { sent, here: self.far.program.now().wall }),
            FromClient::Offer { sdp } => {
                let peer = Peer::answer(&self.far, &self.call, &sdp);
                say(socket, &FromFar::Answer { sdp: peer.description() });
                say(socket, &FromFar::Candidate { candidate: peer.candidate(), mid: None, line: Some(0) });
                self.peer = Some(peer);
            }
            FromClient::Hello { .. } | FromClient::Candidate { .. } | FromClient::Bye { .. } => {}
        }
    }

    fn tell(&mut self) {
        let Some(socket) = &self.socket else { return };
        let mut last = None;
        while let Some(kept) = self.sights.next_unsaid() {
            let number = kept.number;
            say(socket, &FromFar::Saw { at: kept.at, sight: kept.sight.clone() });
            self.sights.was_said(number);
            last = Some(number);
        }
        if let Some(number) = last {
            socket.send(Message::Ping(number.to_string().into_bytes()));
        }
    }

    fn lost(&mut self, end: End) {
        if self.socket.take().is_some() {
            self.be_alone(end);
        }
    }

    fn be_alone(&mut self, end: End) {
        let now = self.far.program.now();
        self.alone_since = now;
        self.sights.keep(now.wall, Sight::SocketEnded { end });
    }

    fn tear_down(&mut self, ended: &Ended) {
        let now = self.far.program.now().wall;
        let (code, by, says) = match ended {
            Ended::Bye => (1000, CallEndedBy::Us, "you hung up"),
            Ended::HungUp => (1000, CallEndedBy::FarEnd, "we close at six"),
            Ended::Forgotten => (1001, CallEndedBy::FarEnd, "nobody came back"),
            Ended::Shutdown => (1001, CallEndedBy::Service, "the reflector stops"),
        };
        if matches!(ended, Ended::Shutdown) {
            self.sights.keep(now, Sight::ShuttingDown);
        }
        self.sights.keep(now, self.call.account.totals());
        self.tell();
        if let Some(peer) = self.peer.take() {
            peer.close();
        }
        if let Some(socket) = &self.socket {
            say(socket, &FromFar::Ended { by, says: says.into() });
            socket.send(Message::Close { code, reason: says.to_owned() });
        }
    }
}
