//! The call's way to its caller: a signaling socket that comes and goes, and what was seen meanwhile.

use crate::journal::Seen;
use crate::metrics::Disconnect;
use crate::server::House;
use crate::sights::Sights;
use crate::socket::{self, Incoming, Socket, Wrong};
use record::{
    Stamp, Wall,
    fact::{End, RefusalKind, Side, Sight},
    wire::{FromFar, close},
};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub struct Contact {
    /// Of the call, for the traces.
    id: String,
    house: Arc<House>,
    socket: Option<Socket>,
    /// Where the last one came from.
    pub from: SocketAddr,
    /// Since when there is no socket.
    alone_since: Option<Stamp>,
    sights: Sights,
    pub seen: Seen,
}

impl Contact {
    /// With the first socket still to be attached.
    pub fn new(id: String, house: Arc<House>, from: SocketAddr) -> Self {
        Self { id, house, socket: None, from, alone_since: None, sights: Sights::default(), seen: Seen::default() }
    }

    /// Welcomes a socket and tells it what it missed.
    pub async fn attach(&mut self, socket: Socket, welcome: FromFar, resumed: bool) {
        if let Some(old) = self.socket.take() {
            self.part_with(old, Disconnect::Replaced, close::REPLACED, "taken up by another socket");
        }
        tracing::debug!(call = self.id, remote = %socket.remote, resumed, "a socket attached");
        self.from = socket.remote;
        self.socket = Some(socket);
        self.alone_since = None;
        self.sights.begin_anew();
        self.say(welcome).await;
        if resumed {
            self.keep(self.house.clock.now().wall, Sight::Reattached);
        }
        self.tell().await;
    }

    /// What the socket brings; never anything while there is none.
    pub async fn next(&mut self) -> Incoming {
        match &mut self.socket {
            Some(socket) => socket.next().await,
            None => std::future::pending().await,
        }
    }

    pub fn is_alone(&self) -> bool {
        self.socket.is_none()
    }

    /// Where it reached us.
    pub fn local(&self) -> Option<IpAddr> {
        self.socket.as_ref().map(|socket| socket.local.ip())
    }

    /// Of the idle timeout while a socket stands, else of the time that the call is kept. Awake time: a computer that
    /// slept was not listening.
    pub fn patience_left(&self) -> Duration {
        let now = self.house.clock.now();
        let (limit, since) = match (&self.socket, self.alone_since) {
            (Some(socket), _) => (self.house.settings.idle_timeout, socket.last_in),
            (None, Some(since)) => (self.house.settings.kept_for, since),
            (None, None) => return Duration::ZERO,
        };
        limit.saturating_sub(now.awake_since(since))
    }

    /// Of lanes nothing is said at once to a caller that wants to see what quiet does to its socket.
    pub async fn saw(&mut self, at: Wall, sight: Sight) {
        let later = matches!(sight, Sight::Lane { .. }) && self.socket.as_ref().is_some_and(|socket| socket.quiet);
        self.keep(at, sight);
        if !later {
            self.tell().await;
        }
    }

    fn keep(&mut self, at: Wall, sight: Sight) {
        self.seen.see(&sight);
        self.sights.keep(at, sight);
    }

    pub fn was_heard(&mut self, number: u64) {
        self.sights.was_heard(number);
    }

    /// Says what this socket was not told yet, and asks whether it was heard.
    pub async fn tell(&mut self) {
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

    pub async fn say(&mut self, message: FromFar) {
        let Some(socket) = &mut self.socket else { return };
        if let Err(end) = socket.say(&message).await {
            self.lost(end);
        }
    }

    pub async fn refuse(&mut self, what: &str, says: &str) {
        tracing::debug!(call = self.id, what, says, "refused");
        self.say(FromFar::Refused { kind: RefusalKind::BadRequest, code: what.into(), says: says.into() }).await;
    }

    /// Refused, and the socket closed. The call stays: a caller that mends itself may come back for it.
    pub async fn wrong(&mut self, wrong: Wrong) {
        let kind = if wrong.why == Disconnect::TooLarge { RefusalKind::TooLarge } else { RefusalKind::BadRequest };
        self.say(FromFar::Refused { kind, code: "message".into(), says: wrong.says.as_str().into() }).await;
        self.dismiss(wrong.why, wrong.code, &wrong.says);
    }

    /// The socket has ended without our doing.
    pub fn lost(&mut self, end: End) {
        if self.socket.take().is_some() {
            let why = socket::reason(&end);
            self.house.metrics.disconnected(why);
            self.seen.socket_ended(why);
            self.be_alone(end);
        }
    }

    /// We end the socket; the call is kept.
    pub fn dismiss(&mut self, why: Disconnect, code: u16, says: &str) {
        if let Some(socket) = self.socket.take() {
            self.part_with(socket, why, code, says);
            self.be_alone(End::CloseFrame { by: Side::Us, code: Some(code), reason: says.into() });
        }
    }

    /// Goodbyes take up to some seconds when nobody answers; the call goes on meanwhile.
    fn part_with(&mut self, socket: Socket, why: Disconnect, code: u16, says: &str) {
        self.house.metrics.disconnected(why);
        self.seen.socket_ended(why);
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
        self.keep(now.wall, Sight::SocketEnded { end });
    }

    /// The call is over.
    pub async fn close(self, why: Disconnect, code: u16, says: &str) {
        if let Some(socket) = self.socket {
            self.house.metrics.disconnected(why);
            socket.close(code, says).await;
        }
    }
}
