//! A caller's signaling socket: messages of the wire in and out, and how it ended.

use crate::door::{Caller, WebSocket, linger};
use crate::metrics::{Disconnect, Metrics};
use engine::Clock;
use engine::line::allowance::Allowance;
use engine::line::ending::{by_close_frame, without_close_frame};
use engine::line::stream::Witness;
use futures_util::{SinkExt, StreamExt};
use record::{
    Scrub, Stamp,
    fact::{End, Side},
    wire::{FromClient, FromFar},
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{
    self, Message,
    error::CapacityError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

pub struct Socket {
    ws: WebSocket,
    tls: bool,
    witness: Witness,
    pub remote: SocketAddr,
    pub local: SocketAddr,
    clock: Clock,
    metrics: Arc<Metrics>,
    /// The last frame of any kind.
    pub last_in: Stamp,
    /// The caller wants to see what quiet does to it.
    pub quiet: bool,
}

pub enum Incoming {
    Message(FromClient),
    /// A ping or a stranger's pong: somebody is there.
    Alive,
    /// The answer to `ask`.
    Heard(u64),
    /// What cannot be answered but by closing.
    Wrong(Wrong),
    Ended(End),
}

pub struct Wrong {
    pub why: Disconnect,
    pub code: u16,
    pub says: String,
}

/// A call says a few messages at its beginning, after each loss, and with each beat, nearly all of them far smaller than the
/// largest. In messages of that size:
const MESSAGES_AT_ONCE: f64 = 8.0;
const MESSAGES_A_SECOND: f64 = 1.0 / 8.0;

/// A message that the caller's side does not take within this time will not be taken. Long enough for a short outage to
/// be bridged by TCP itself.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// For a close frame to be sent and answered; who wants to end is not kept waiting longer.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

impl Socket {
    /// `largest` is the limit of one message, in bytes.
    pub fn new(caller: Caller, largest: usize, clock: Clock, metrics: Arc<Metrics>) -> Self {
        let Caller { ws, remote, local } = caller;
        let (tls, witness) = (ws.get_ref().is_tls(), ws.get_ref().witness());
        let last_in = clock.now();
        let (at_once, a_second) = (MESSAGES_AT_ONCE * largest as f64, MESSAGES_A_SECOND * largest as f64);
        witness.allow(Allowance::new(at_once, a_second, last_in));
        Self { ws, tls, witness, remote, local, clock, metrics, last_in, quiet: false }
    }

    /// May be dropped while it waits, without loss.
    pub async fn next(&mut self) -> Incoming {
        let frame = self.ws.next().await;
        self.last_in = self.clock.now();
        let message = match frame {
            Some(Ok(message)) => message,
            Some(Err(error)) => return self.failed(error),
            None => return Incoming::Ended(self.ending(None)),
        };
        match message {
            Message::Text(text) => {
                self.metrics.message_in();
                match serde_json::from_str(&text) {
                    Ok(message) => Incoming::Message(message),
                    Err(error) => Incoming::Wrong(Wrong {
                        why: Disconnect::BadRequest,
                        code: CloseCode::Invalid.into(),
                        says: format!("not a message of this protocol: {error}"),
                    }),
                }
            }
            Message::Binary(_) => Incoming::Wrong(Wrong {
                why: Disconnect::BadRequest,
                code: CloseCode::Unsupported.into(),
                says: "only text frames are understood here".into(),
            }),
            Message::Pong(number) => {
                number[..].try_into().map_or(Incoming::Alive, |n| Incoming::Heard(u64::from_be_bytes(n)))
            }
            Message::Ping(_) | Message::Frame(_) => Incoming::Alive,
            Message::Close(frame) => {
                self.complete_close().await;
                Incoming::Ended(by_close_frame(Side::Them, frame.as_ref(), &Scrub::default()))
            }
        }
    }

    fn failed(&self, error: tungstenite::Error) -> Incoming {
        match error {
            tungstenite::Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => Incoming::Wrong(Wrong {
                why: Disconnect::TooLarge,
                code: CloseCode::Size.into(),
                says: format!("a message of {size} bytes is over the limit of {max_size}"),
            }),
            error => match self.ending(Some(&error)) {
                End::Broken { says } if self.witness.seen().flooded => Incoming::Wrong(Wrong {
                    why: Disconnect::TooLarge,
                    code: CloseCode::Policy.into(),
                    says: says.as_str().to_owned(),
                }),
                end => Incoming::Ended(end),
            },
        }
    }

    /// The answer to a close frame is sent by reading on.
    async fn complete_close(&mut self) {
        let rest = async { while let Some(Ok(_)) = self.ws.next().await {} };
        // The caller has said its last word; whether it hears our answer changes nothing.
        let _cut = tokio::time::timeout(CLOSED_WITHIN, rest).await;
    }

    pub async fn say(&mut self, message: &FromFar) -> Result<(), End> {
        let text = serde_json::to_string(message).expect("messages of the wire are plain data");
        self.send(Message::text(text)).await?;
        self.metrics.message_out();
        Ok(())
    }

    /// Asks whether all that was said before has been heard.
    pub async fn ask(&mut self, number: u64) -> Result<(), End> {
        self.send(Message::Ping(number.to_be_bytes().to_vec().into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(TAKEN_WITHIN, self.ws.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.ending(Some(&error))),
            Err(_) => Err(End::Silence { waited_ms: record::millis(TAKEN_WITHIN) }),
        }
    }

    fn ending(&self, error: Option<&tungstenite::Error>) -> End {
        without_close_frame(error, &self.witness.seen(), self.tls)
    }

    /// Says why, and makes sure that it can be heard. Bounded in time.
    pub async fn close(mut self, code: u16, reason: &str) {
        let reason = fitting(reason);
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let goodbye = async {
            if self.ws.close(Some(frame)).await.is_ok() {
                // Read the caller's answer; what cannot be read as frames is drained raw below.
                while let Some(Ok(_)) = self.ws.next().await {}
            }
            linger(self.ws.get_mut()).await;
        };
        let _cut = tokio::time::timeout(CLOSED_WITHIN, goodbye).await;
    }
}

/// A close reason may hold 123 bytes; more would make the frame invalid.
fn fitting(reason: &str) -> &str {
    const LONGEST: usize = 123;
    let mut end = reason.len().min(LONGEST);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

/// The same end as metrics name it.
pub fn reason(end: &End) -> Disconnect {
    match end {
        End::CloseFrame { .. } => Disconnect::ClientClosed,
        End::Reset => Disconnect::Reset,
        End::Silence { .. } => Disconnect::Unanswered,
        End::Broken { .. } => Disconnect::BadRequest,
        End::CloseNotify | End::Fin | End::Local { .. } | End::LetGo => Disconnect::Dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_reason_is_cut_between_characters() {
        assert_eq!(fitting("idle for 60 s"), "idle for 60 s");
        assert_eq!(fitting(&"é".repeat(100)), "é".repeat(61));
    }
}
