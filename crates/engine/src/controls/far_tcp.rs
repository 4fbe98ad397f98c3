//! The far end over TCP: a connection made anew to the address that signaling reached, and closed at once in order.
//!
//! Every two seconds, unlike the others: each of them costs the far end an accept and every device on the way an entry in
//! its table for minutes. A silence is said within two seconds of its first question all the same.

use super::asking::Failure;
use super::driver::{Asker, News};
use super::fresh::{Fresh, close_in_order};
use super::known::{FarEnd, Known};
use crate::{Recorder, line::trouble::words};
use record::{Fact, Heard};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;

pub const EVERY: Duration = Duration::from_secs(2);

pub struct FarTcpAsker {
    known: watch::Receiver<Known>,
    far: Option<FarEnd>,
    fresh: Fresh,
    recorder: Recorder,
}

impl FarTcpAsker {
    pub fn new(known: watch::Receiver<Known>, recorder: Recorder) -> Self {
        Self { known, far: None, fresh: Fresh::new(), recorder }
    }

    fn target(&self) -> Option<Heard> {
        match self.far.as_ref()? {
            FarEnd::At(at) => Some(at.to_string().as_str().into()),
            FarEnd::Behind(_) => {
                let why = "signaling goes by a web proxy: the far end is not asked past it over TCP";
                self.recorder.note(Fact::Blind { watcher: record::Sense::FarTcp, why: why.into() });
                None
            }
        }
    }
}

impl Asker for FarTcpAsker {
    async fn put(&mut self, attempt: u64) {
        let Some(FarEnd::At(at)) = self.far else { return };
        self.fresh.put(attempt, |reply| async move {
            match connect(&[at]).await {
                Ok(stream) => {
                    reply.answered();
                    close_in_order(stream).await;
                }
                Err(failure) => reply.failed(failure),
            }
        });
    }

    async fn news(&mut self) -> News {
        loop {
            let now = self.known.borrow_and_update().far.clone();
            if now != self.far {
                self.far = now;
                return News::Target(self.target());
            }
            tokio::select! {
                news = self.fresh.news() => return news,
                Ok(()) = self.known.changed() => {}
            }
        }
    }
}

/// To the first that takes it.
pub async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let failure =
        |error: io::Error| Failure { says: words(&error), refused: error.kind() == ErrorKind::ConnectionRefused };
    crate::line::dial::dial(addresses).await.map_err(failure)
}
