//! One call: a single loop over everything that can happen to it, and a single way out.
//!
//! The call outlives its signaling socket. When a socket ends, for whatever reason, the call waits for another one that
//! brings its ticket; what it sees meanwhile is kept and told then.

mod contact;
mod media;

use crate::account::Account;
use crate::calls::Seat;
use crate::journal::{CallEnd, Entry, Told};
use crate::lanes::desk;
use crate::metrics::Disconnect;
use crate::server::House;
use crate::settings::seconds;
use crate::socket::{Incoming, Socket, Wrong};
use contact::Contact;
use media::Media;
use record::{
    Stamp,
    fact::{CallEndedBy, Sight},
    wire::{FromClient, FromFar, close},
};
use std::future::Future;
use std::sync::Arc;
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
            began: self.house.clock.now(),
            contact: Contact::new(self.id.clone(), Arc::clone(&self.house), first.remote),
            media: Media::new(Arc::clone(&self.house), self.account, self.to_self),
            id: self.id,
            ticket: self.ticket,
            house: self.house,
            desk: self.desk,
            seat: self.seat,
        };
        holding.enter(Told::Began);
        holding.attach(first, false).await;
        let ended = holding.run(self.mailbox, stopping).await;
        holding.tear_down(ended).await;
    }
}

struct Holding {
    id: String,
    ticket: String,
    house: Arc<House>,
    desk: desk::Opened,
    contact: Contact,
    media: Media,
    began: Stamp,
    seat: Seat,
}

enum Happened {
    Input(Input),
    Incoming(Incoming),
    /// A time limit may be over.
    Time,
    Shutdown,
}

impl Holding {
    async fn run(&mut self, mut mailbox: UnboundedReceiver<Input>, stopping: impl Future<Output = ()>) -> CallEnd {
        let mut stopping = std::pin::pin!(stopping);
        loop {
            let patience = self.contact.patience_left();
            let happened = tokio::select! {
                // In this order: what we saw is told before the socket's next word, and a flood on the socket cannot
                // hold back a shutdown.
                biased;
                () = &mut stopping => Happened::Shutdown,
                Some(input) = mailbox.recv() => Happened::Input(input),
                incoming = self.contact.next() => Happened::Incoming(incoming),
                () = tokio::time::sleep(patience) => Happened::Time,
            };
            match happened {
                Happened::Shutdown => return CallEnd::Shutdown,
                Happened::Input(Input::StackEnded) => return CallEnd::Fault,
                Happened::Input(input) => self.take(input).await,
                Happened::Incoming(Incoming::Alive) => {}
                Happened::Incoming(Incoming::Heard(number)) => self.contact.was_heard(number),
                Happened::Incoming(Incoming::Message(FromClient::Bye { reason })) => {
                    tracing::debug!(call = self.id, %reason, "the caller hung up");
                    return CallEnd::Bye;
                }
                Happened::Incoming(Incoming::Message(message)) => {
                    self.answer(message).await;
                    self.contact.tell().await;
                }
                Happened::Incoming(Incoming::Wrong(wrong)) => self.contact.wrong(wrong).await,
                Happened::Incoming(Incoming::Ended(end)) => self.contact.lost(end),
                Happened::Time if !self.contact.patience_left().is_zero() => {}
                Happened::Time if self.contact.is_alone() => return CallEnd::Forgotten,
                Happened::Time => {
                    let says = format!("idle for {}", seconds(self.house.settings.idle_timeout));
                    self.contact.dismiss(Disconnect::Idle, close::IDLE, &says);
                }
            }
        }
    }

    async fn take(&mut self, input: Input) {
        match input {
            Input::Attach(socket) => self.attach(*socket, true).await,
            Input::LocalCandidate { candidate, mid, line } => {
                self.contact.say(FromFar::Candidate { candidate, mid, line }).await;
            }
            Input::EndOfCandidates => {
                self.contact.say(FromFar::Candidate { candidate: String::new(), mid: None, line: None }).await;
            }
            Input::Saw { at, sight } => self.contact.saw(at.wall, sight).await,
            Input::StackEnded => {}
        }
    }

    async fn attach(&mut self, socket: Socket, resumed: bool) {
        let welcome = self.house.welcome(&self.id, &self.ticket, &self.desk, socket.local, resumed);
        self.contact.attach(socket, welcome, resumed).await;
    }

    async fn answer(&mut self, message: FromClient) {
        match message {
            FromClient::Clock { sent } => {
                let here = self.house.clock.now().wall;
                self.contact.say(FromFar::Clock { sent, here }).await;
            }
            FromClient::Offer { sdp } => match self.media.offered(sdp, self.contact.local()).await {
                Ok(sdp) => self.contact.say(FromFar::Answer { sdp }).await,
                Err(error) => self.contact.refuse("offer", &format!("{error:#}")).await,
            },
            // The end of the caller's candidates; the checks go on as they are.
            FromClient::Candidate { candidate, .. } if candidate.is_empty() => {}
            FromClient::Candidate { candidate, mid, line } => {
                if let Err(error) = self.media.candidate(candidate, mid, line).await {
                    self.contact.refuse("candidate", &format!("{error:#}")).await;
                }
            }
            FromClient::Hello { .. } => {
                let says = "a second hello on the same socket".to_owned();
                self.contact.wrong(Wrong { why: Disconnect::BadRequest, code: code::POLICY, says }).await;
            }
            FromClient::Bye { .. } => {}
        }
    }

    fn enter(&self, what: Told) {
        let (at, call, from) = (self.house.clock.now(), self.id.clone(), self.contact.from);
        self.house.journal.enter(Entry { at, call, from, what });
    }

    /// The one way out.
    async fn tear_down(mut self, how: CallEnd) {
        let now = self.house.clock.now();
        let (why, code, by, says) = match how {
            CallEnd::Bye => (Disconnect::Bye, code::NORMAL, CallEndedBy::Us, "you hung up"),
            CallEnd::Forgotten => (Disconnect::Idle, code::GOING_AWAY, CallEndedBy::FarEnd, "nobody came back"),
            CallEnd::Shutdown => (Disconnect::Shutdown, code::GOING_AWAY, CallEndedBy::Service, "the reflector stops"),
            CallEnd::Fault => {
                tracing::error!(call = self.id, "the media stack of this call ended by itself");
                (Disconnect::Fault, code::INTERNAL, CallEndedBy::Service, "the reflector's media stack stopped")
            }
        };
        let totals = self.media.totals();
        // Before the goodbye: a socket that it does not reach any more was not lost.
        let mut seen = self.contact.seen.clone();
        seen.see(&totals);
        self.enter(Told::Ended { lasted: now.since(self.began), how, seen });
        if how == CallEnd::Shutdown {
            self.contact.saw(now.wall, Sight::ShuttingDown).await;
        }
        self.contact.saw(now.wall, totals).await;
        self.contact.say(FromFar::Ended { by, says: says.into() }).await;
        // The media first: the caller that reads the goodbye may count on it that nothing more is sent.
        self.media.close().await;
        // Whoever reads the close frame may place the next call at once.
        drop(self.seat);
        self.contact.close(why, code, says).await;
    }
}
