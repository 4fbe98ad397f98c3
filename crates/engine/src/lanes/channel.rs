//! `Channel`: the messages of a lane over whichever carrier it has, and how it ended. Both ends of a lane use it.

use crate::Clock;
use crate::line::allowance::Allowance;
use crate::line::ending::{by_close_frame, without_close_frame};
use crate::line::stream::{Carrier, Witness};
use crate::line::tcp_info;
use futures_util::{SinkExt, StreamExt};
use record::{
    Scrub, Stamp,
    fact::{End, Side, TcpSample},
    millis,
    wire::lane::LARGEST_MESSAGE,
};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{
    Error,
    protocol::{CloseFrame, Message},
};

pub struct Channel {
    wire: Wire,
    witness: Witness,
    tls: bool,
    clock: Clock,
    /// What the other side says at the end may repeat what it was told.
    pub scrub: Scrub,
    /// The last that was said on purpose, either way: a goodbye, or what TLS does by itself, breaks no silence.
    pub last_in: Stamp,
    pub last_out: Stamp,
}

enum Wire {
    WebSocket(Box<WebSocketStream<Carrier>>),
    Lines { carrier: Carrier, unread: Vec<u8> },
}

/// A few bytes always find room in an empty send buffer; where there is none for so long, nobody takes anything.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// After our goodbye; whoever sends more says nothing that is worth waiting for.
const MOST_DRAINED: usize = 64 * 1024;

impl Channel {
    pub fn websocket(socket: WebSocketStream<Carrier>, clock: Clock) -> Self {
        let (witness, tls) = (socket.get_ref().witness(), socket.get_ref().is_tls());
        Self::new(Wire::WebSocket(Box::new(socket)), witness, tls, clock)
    }

    /// `unread` came already, behind what was read before.
    pub fn lines(carrier: Carrier, unread: Vec<u8>, clock: Clock) -> Self {
        let (witness, tls) = (carrier.witness(), carrier.is_tls());
        Self::new(Wire::Lines { carrier, unread }, witness, tls, clock)
    }

    fn new(wire: Wire, witness: Witness, tls: bool, clock: Clock) -> Self {
        let now = clock.now();
        Self { wire, witness, tls, clock, scrub: Scrub::default(), last_in: now, last_out: now }
    }

    pub fn tcp(&self) -> &TcpStream {
        match &self.wire {
            Wire::WebSocket(socket) => socket.get_ref().tcp(),
            Wire::Lines { carrier, .. } => carrier.tcp(),
        }
    }

    /// Of what the other side sends from now on.
    pub fn allow(&self, bytes: Allowance) {
        self.witness.allow(bytes);
    }

    /// For how long nothing was said.
    pub fn quiet(&self, now: Stamp) -> Duration {
        now.since(self.last_in.max(self.last_out))
    }

    /// The kernel's view, where there is one.
    pub fn sample(&self) -> Option<TcpSample> {
        tcp_info::sample(self.tcp())
    }

    /// The end of one that does not answer any more, unless the kernel knows better.
    pub fn unanswered(&self, waited: Duration) -> End {
        match self.witness.seen().write_fault {
            Some(_) => self.ending(None),
            None => End::Silence { waited_ms: millis(waited) },
        }
    }

    /// What goes before all messages, where there are no frames.
    pub async fn preface(&mut self, text: &str) -> Result<(), End> {
        let Wire::Lines { carrier, .. } = &mut self.wire else { return Ok(()) };
        let sent = carrier.write_all(text.as_bytes()).await;
        sent.map_err(|error| self.ending(Some(&Error::Io(error))))
    }

    pub async fn say(&mut self, message: &impl Serialize) -> Result<(), End> {
        let text = serde_json::to_string(message).expect("messages of the wire are plain data");
        let sent = tokio::time::timeout(TAKEN_WITHIN, self.send(text)).await;
        self.last_out = self.clock.now();
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.ending(Some(&error))),
            Err(_) => Err(self.unanswered(TAKEN_WITHIN)),
        }
    }

    async fn send(&mut self, text: String) -> Result<(), Error> {
        match &mut self.wire {
            Wire::WebSocket(socket) => socket.send(Message::text(text)).await,
            Wire::Lines { carrier, .. } => {
                carrier.write_all(format!("{text}\n").as_bytes()).await?;
                Ok(carrier.flush().await?)
            }
        }
    }

    /// The next message. May be dropped while it waits, without loss.
    pub async fn hear<T: DeserializeOwned>(&mut self) -> Result<T, End> {
        let text = self.hear_text().await?;
        serde_json::from_str(&text).map_err(|_| End::Broken { says: "it does not speak as a lane does".into() })
    }

    /// As `hear`, where nothing is to be understood.
    pub async fn hear_text(&mut self) -> Result<String, End> {
        let text = match &mut self.wire {
            Wire::WebSocket(socket) => loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => break Ok(text.as_str().to_owned()),
                    Some(Ok(Message::Binary(_))) => break Ok(String::new()),
                    Some(Ok(Message::Close(frame))) => {
                        return Err(by_close_frame(Side::Them, frame.as_ref(), &self.scrub));
                    }
                    // The WebSocket layer answers a ping by itself, while we read on.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                        self.last_in = self.clock.now();
                    }
                    Some(Err(error)) => break Err(Some(error)),
                    None => break Err(None),
                }
            },
            Wire::Lines { carrier, unread } => line(carrier, unread).await,
        };
        match text {
            Ok(text) => {
                self.last_in = self.clock.now();
                Ok(text)
            }
            Err(error) => Err(self.ending(error.as_ref())),
        }
    }

    fn ending(&self, error: Option<&Error>) -> End {
        without_close_frame(error, &self.witness.seen(), self.tls)
    }

    /// In order, and within that time. On lines there is no code to give.
    pub async fn close(mut self, code: u16, reason: &str, patience: Duration) {
        let goodbye = async {
            match &mut self.wire {
                Wire::WebSocket(socket) => {
                    let frame = CloseFrame { code: code.into(), reason: reason.into() };
                    if socket.as_mut().close(Some(frame)).await.is_ok() {
                        while let Some(Ok(_)) = socket.next().await {}
                    }
                }
                Wire::Lines { carrier, .. } => {
                    let (mut sink, mut drained) = ([0; 1024], 0);
                    // Bytes left unread would turn our end into a reset.
                    if carrier.shutdown().await.is_ok() {
                        while let Ok(n) = carrier.read(&mut sink).await
                            && n > 0
                            && drained < MOST_DRAINED
                        {
                            drained += n;
                        }
                    }
                }
            }
        };
        // A goodbye that nobody answers is one all the same.
        let _cut = tokio::time::timeout(patience, goodbye).await;
    }
}

/// The first line of what was read, once it is whole; nothing at all, which nobody says, where it is too long to become one.
pub fn take_line(unread: &mut Vec<u8>) -> Option<String> {
    match unread.iter().position(|byte| *byte == b'\n') {
        Some(end) if end <= LARGEST_MESSAGE => {
            let rest = unread.split_off(end + 1);
            let line = std::mem::replace(unread, rest);
            Some(String::from_utf8_lossy(&line[..end]).into_owned())
        }
        None if unread.len() <= LARGEST_MESSAGE => None,
        _ => Some(String::new()),
    }
}

/// `Err(None)`: the other side ended it in order.
async fn line(carrier: &mut Carrier, unread: &mut Vec<u8>) -> Result<String, Option<Error>> {
    loop {
        if let Some(line) = take_line(unread) {
            return Ok(line);
        }
        match carrier.read_buf(unread).await {
            Ok(0) => return Err(None),
            Ok(_) => {}
            Err(error) => return Err(Some(Error::Io(error))),
        }
    }
}
