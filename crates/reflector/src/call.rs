//! One call: a single loop over everything that can happen to it, and a single way out.
//!
//! The call outlives its signaling socket. When a socket ends, for whatever reason, the call waits for another one that
//! brings its ticket; what it sees meanwhile is kept and told then.

use crate::account::Account;
use crate::calls::Seat;
use crate::lanes::desk;
use crate::metrics::Disconnect;
use crate::peer::Peer;
use crate::server::House;
use crate::settings::seconds;
use crate::sights::Sights;
use crate::socket::{self, Incoming, Socket, Wrong};
use engine::call::peer::BindWhere;
use record::{
    Stamp, Wall,
    fact::{CallEndedBy, End, RefusalKind, Side, Sight},
    wire::{FromClient, FromFar, close},
};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// What reaches a call beside its socket's messages.
pub enum Input {
    /// Another socket brought this call's ticket.
    Attach(Box<Socket>),
    LocalCandidate {
        candidate: String,
        mid: Option<String>,
        line: Option<u16>,
    },
    EndOfCandidates,
    Saw {
        at: Stamp,
        sight: Sight,
    },
    /// The PeerConnection's driver has ended, which nobody asked for.
    StackEnded,
}

pub struct Call {
    pub id: String,
    pub ticket: String,
    pub house: Arc<House>,
    pub account: Arc<Account>,
    pub desk: desk::Opened,
    pub seat: Seat,
    pub mailbox: UnboundedReceiver<Input>,
    pub to_self: UnboundedSender<Input>,
}

/// Each candidate is an address we send checks to, so a stranger must not name them without end. A computer with every
/// kind of network and relay has some thirty.
const CANDIDATES_AN_OFFER: u32 = 64;

/// Standard codes of RFC 6455 and its registry.
mod code {
    pub const NORMAL: u16 = 1000;
    pub const GOING_AWAY: u16 = 1001;
    pub const POLICY: u16 = 1008;
    pub const INTERNAL: u16 = 1011;
}

impl Call {
    /// From the welcome of the first socket to the end.
    pub async fn hold(self, first: Socket) {
        let stopping = self.house.stopping();
        let mut holding = Holding {
            id: self.id,
            ticket: self.ticket,
            house: self.house,
            account: self.account,
            desk: self.desk,
            to_self: self.to_self,
            socket: None,
            peer: None,
            sights: Sights::default(),
            alone_since: None,
            candidates: 0,
            seat: self.seat,
        };
        holding.attach(first, false).await;
        let ended = holding.run(self.mailbox, stopping).await;
        holding.tear_down(ended).await;
    }
}

struct Holding {
    id: String,
    ticket: String,
    house: Arc<House>,
    account: Arc<Account>,
    desk: desk::Opened,
    to_self: UnboundedSender<Input>,
    socket: Option<Socket>,
    peer: Option<Peer>,
    sights: Sights,
    /// Since when there is no socket.
    alone_since: Option<Stamp>,
    /// Of the caller's, since its last offer.
    candidates: u32,
    seat: Seat,
}

/// How a call comes to its end.
enum Ended {
    Bye,
    /// No socket came back for it.
    Forgotten,
    Shutdown,
    /// Its media stack ended by itself.
    Fault,
}

enum Happened {
    Input(Input),
    Incoming(Incoming),
    /// A time limit may be over.
    Time,
    Shutdown,
}

impl Holding {
    async fn run(&mut self, mut mailbox: UnboundedReceiver<Input>, stopping: impl Future<Output = ()>) -> Ended {
        let mut stopping = std::pin::pin!(stopping);
        loop {
            let patience = self.patience_left();
            let happened = tokio::select! {
                // In this order: what we saw is told before the socket's next word, and a flood on the socket cannot
                // hold back a shutdown.
                biased;
                () = &mut stopping => Happened::Shutdown,
                Some(input) = mailbox.recv() => Happened::Input(input),
                incoming = next(&mut self.socket) => Happened::Incoming(incoming),
                () = tokio::time::sleep(patience) => Happened::Time,
            };
            match happened {
                Happened::Shutdown => return Ended::Shutdown,
                Happened::Input(Input::StackEnded) => return Ended::Fault,
                Happened::Input(input) => self.take(input).await,
                Happened::Incoming(Incoming::Alive) => {}
                Happened::Incoming(Incoming::Heard(number)) => self.sights.was_heard(number),
                Happened::Incoming(Incoming::Message(FromClient::Bye { reason })) => {
                    tracing::debug!(call = self.id, %reason, "the caller hung up");
                    return Ended::Bye;
                }
                Happened::Incoming(Incoming::Message(message)) => {
                    self.answer(message).await;
                    self.tell().await;
                }
                Happened::Incoming(Incoming::Wrong(wrong)) => self.wrong(wrong).await,
                Happened::Incoming(Incoming::Ended(end)) => self.lost(end),
                Happened::Time if !self.patience_left().is_zero() => {}
                Happened::Time if self.socket.is_none() => return Ended::Forgotten,
                Happened::Time => {
                    let says = format!("idle for {}", seconds(self.house.settings.idle_timeout));
                    self.dismiss(Disconnect::Idle, close::IDLE, &says);
                }
            }
        }
    }

    /// Of the idle timeout while a socket stands, else of the time that the call is kept. Awake time: a computer that
    /// slept was not listening.
    fn patience_left(&self) -> Duration {
        let now = self.house.clock.now();
        let (limit, since) = match (&self.socket, self.alone_since) {
            (Some(socket), _) => (self.house.settings.idle_timeout, socket.last_in),
            (None, Some(since)) => (self.house.settings.kept_for, since),
            (None, None) => return Duration::ZERO,
        };
        limit.saturating_sub(now.awake_since(since))
    }

    async fn take(&mut self, input: Input) {
        match input {
            Input::Attach(socket) => {
                if let Some(old) = self.socket.take() {
                    self.part_with(old, Disconnect::Replaced, close::REPLACED, "taken up by another socket");
                }
                self.attach(*socket, true).await;
            }
            Input::LocalCandidate { candidate, mid, line } => {
                self.say(FromFar::Candidate { candidate, mid, line }).await;
            }
            Input::EndOfCandidates => {
                self.say(FromFar::Candidate { candidate: String::new(), mid: None, line: None }).await;
            }
            Input::Saw { at, sight: sight @ Sight::Lane { .. } } if self.is_quiet() => self.sights.keep(at.wall, sight),
            Input::Saw { at, sight } => self.saw(at.wall, sight).await,
            Input::StackEnded => {}
        }
    }

    /// Welcomes a socket and tells it what it missed.
    async fn attach(&mut self, socket: Socket, resumed: bool) {
        tracing::debug!(call = self.id, remote = %socket.remote, resumed, "a socket attached");
        let welcome = self.house.welcome(&self.id, &self.ticket, &self.desk, socket.local, resumed);
        self.socket = Some(socket);
        self.alone_since = None;
        self.sights.begin_anew();
        self.say(welcome).await;
        if resumed {
            self.sights.keep(self.house.clock.now().wall, Sight::Reattached);
        }
        self.tell().await;
    }

    async fn answer(&mut self, message: FromClient) {
        match message {
            FromClient::Clock { sent } => {
                let here = self.house.clock.now().wall;
                self.say(FromFar::Clock { sent, here }).await;
            }
            FromClient::Offer { sdp } => match self.offered(sdp).await {
                Ok(sdp) => self.say(FromFar::Answer { sdp }).await,
                Err(error) => self.refuse("offer", &format!("{error:#}")).await,
            },
            // The end of the caller's candidates; the checks go on as they are.
            FromClient::Candidate { candidate, .. } if candidate.is_empty() => {}
            FromClient::Candidate { candidate, mid, line } => {
                self.candidates += 1;
                let taken = match &self.peer {
                    _ if self.candidates > CANDIDATES_AN_OFFER => {
                        Err(anyhow::anyhow!("more than {CANDIDATES_AN_OFFER} candidates for one offer"))
                    }
                    Some(peer) => peer.candidate(candidate, mid, line).await,
                    None => Err(anyhow::anyhow!("a candidate came before an offer that was accepted")),
                };
                if let Err(error) = taken {
                    self.refuse("candidate", &format!("{error:#}")).await;
                }
            }
            FromClient::Hello { .. } => {
                let says = "a second hello on the same socket".to_owned();
                self.wrong(Wrong { why: Disconnect::BadRequest, code: code::POLICY, says }).await;
            }
            FromClient::Bye { .. } => {}
        }
    }

    async fn offered(&mut self, offer: String) -> anyhow::Result<String> {
        anyhow::ensure!(
            offer.lines().filter(|line| line.starts_with("a=candidate:")).count() <= CANDIDATES_AN_OFFER as usize,
            "more than {CANDIDATES_AN_OFFER} candidates in one offer"
        );
        self.candidates = 0;
        if let Some(peer) = &self.peer {
            return peer.answer(offer).await;
        }
        let settings = &self.house.settings;
        let local = self.socket.as_ref().map(|socket| socket.local.ip().to_canonical());
        let where_ = match local {
            Some(ip) if ip.is_loopback() && (settings.behind_proxy || settings.advertise.is_some()) => {
                BindWhere::Everywhere
            }
            // A caller from this computer: nothing else is needed, and nothing else must be able to disturb it.
            Some(ip) if ip.is_loopback() => BindWhere::Loopback,
            _ => BindWhere::Interfaces,
        };
        let account = Arc::clone(&self.account);
        let peer = Peer::new(where_, settings.media_threads, self.house.outside.clone(), account, self.to_self.clone())
            .await?;
        match peer.answer(offer).await {
            Ok(answer) => {
                self.peer = Some(peer);
                Ok(answer)
            }
            Err(error) => {
                // It may be half configured; the next offer gets a fresh one.
                peer.close().await;
                Err(error)
            }
        }
    }

    async fn refuse(&mut self, what: &str, says: &str) {
        tracing::debug!(call = self.id, what, says, "refused");
        self.say(FromFar::Refused { kind: RefusalKind::BadRequest, code: what.into(), says: says.into() }).await;
    }

    /// Refused, and the socket closed. The call stays: a caller that mends itself may come back for it.
    async fn wrong(&mut self, wrong: Wrong) {
        let kind = if wrong.why == Disconnect::TooLarge { RefusalKind::TooLarge } else { RefusalKind::BadRequest };
        self.say(FromFar::Refused { kind, code: "message".into(), says: wrong.says.as_str().into() }).await;
        self.dismiss(wrong.why, wrong.code, &wrong.says);
    }

    fn is_quiet(&self) -> bool {
        self.socket.as_ref().is_some_and(|socket| socket.quiet)
    }

    async fn saw(&mut self, at: Wall, sight: Sight) {
        self.sights.keep(at, sight);
        self.tell().await;
    }

    /// Says what this socket was not told yet, and asks whether it was heard.
    async fn tell(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        let mut last = None;
        while let Some(kept) = self.sights.next_unsaid() {
            let number = kept.number;
            if let Err(end) = socket.say(&FromFar::Saw { at: kept.at, sight: kept.sight.clone() }).await {
                return self.lost(end);
            }
            self.sights.was_said(number);
            last = Some(number);
        }
        if let Some(number) = last
            && let Err(end) = socket.ask(number).await
        {
            self.lost(end);
        }
    }

    async fn say(&mut self, message: FromFar) {
        let Some(socket) = &mut self.socket else { return };
        if let Err(end) = socket.say(&message).await {
            self.lost(end);
        }
    }

    /// The socket has ended without our doing.
    fn lost(&mut self, end: End) {
        if self.socket.take().is_some() {
            self.house.metrics.disconnected(socket::reason(&end));
            self.be_alone(end);
        }
    }

    /// We end the socket; the call is kept.
    fn dismiss(&mut self, why: Disconnect, code: u16, says: &str) {
        if let Some(socket) = self.socket.take() {
            self.part_with(socket, why, code, says);
            self.be_alone(End::CloseFrame { by: Side::Us, code: Some(code), reason: says.into() });
        }
    }

    /// Goodbyes take up to some seconds when nobody answers; the call goes on meanwhile.
    fn part_with(&self, socket: Socket, why: Disconnect, code: u16, says: &str) {
        self.house.metrics.disconnected(why);
        let says = says.to_owned();
        let until_drained = self.house.open.clone();
        tokio::spawn(async move {
            socket.close(code, &says).await;
            drop(until_drained);
        });
    }

    fn be_alone(&mut self, end: End) {
        let now = self.house.clock.now();
        tracing::debug!(call = self.id, ?end, "the socket ended; the call is kept");
        self.alone_since = Some(now);
        self.sights.keep(now.wall, Sight::SocketEnded { end });
    }

    /// The one way out.
    async fn tear_down(mut self, ended: Ended) {
        let now = self.house.clock.now().wall;
        let (why, code, by, says) = match ended {
            Ended::Bye => (Disconnect::Bye, code::NORMAL, CallEndedBy::Us, "you hung up"),
            Ended::Forgotten => (Disconnect::Idle, code::GOING_AWAY, CallEndedBy::FarEnd, "nobody came back"),
            Ended::Shutdown => (Disconnect::Shutdown, code::GOING_AWAY, CallEndedBy::Service, "the reflector stops"),
            Ended::Fault => {
                tracing::error!(call = self.id, "the media stack of this call ended by itself");
                (Disconnect::Fault, code::INTERNAL, CallEndedBy::Service, "the reflector's media stack stopped")
            }
        };
        if matches!(ended, Ended::Shutdown) {
            self.saw(now, Sight::ShuttingDown).await;
        }
        let totals = self.account.totals();
        self.saw(now, totals).await;
        self.say(FromFar::Ended { by, says: says.into() }).await;
        // The media first: the caller that reads the goodbye may count on it that nothing more is sent.
        if let Some(peer) = self.peer.take() {
            peer.close().await;
        }
        // Whoever reads the close frame may place the next call at once.
        drop(self.seat);
        if let Some(socket) = self.socket.take() {
            self.house.metrics.disconnected(why);
            socket.close(code, says).await;
        }
    }
}

async fn next(socket: &mut Option<Socket>) -> Incoming {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}
