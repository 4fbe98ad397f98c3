//! A UDP socket of its own that speaks with the reflector in datagrams.

use crate::Recorder;
use record::wire::datagram::{Datagram, FromClient, FromFar, Key, SIZE};
use record::{Stamp, fact::Trouble, millis};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;

use crate::line::trouble;

/// Where datagrams go and what signs them; it changes with the call.
#[derive(Clone)]
pub struct Gate {
    pub far: SocketAddr,
    pub key: Arc<Key>,
}

pub struct Talk {
    socket: UdpSocket,
    key: Arc<Key>,
    lane: u32,
    recorder: Recorder,
    pub local: SocketAddr,
    pub last_in: Stamp,
    pub last_out: Stamp,
}

pub struct Answer {
    pub say: FromFar,
    pub rtt: Duration,
}

/// How long each try of a question waits before the next one; a lost packet must not look like a dead path.
pub const PATIENT: [Duration; 4] =
    [Duration::from_millis(300), Duration::from_millis(500), Duration::from_millis(700), Duration::from_millis(1000)];

impl Talk {
    pub async fn open(gate: &Gate, lane: u32, recorder: &Recorder) -> io::Result<Self> {
        let any: SocketAddr = match gate.far.is_ipv4() {
            true => (Ipv4Addr::UNSPECIFIED, 0).into(),
            false => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        // Only what comes from there is then let in, and our own system tells when it knows that nobody is there.
        socket.connect(gate.far).await?;
        let local = socket.local_addr()?;
        let now = recorder.now();
        let (key, recorder) = (Arc::clone(&gate.key), recorder.clone());
        Ok(Self { socket, key, lane, recorder, local, last_in: now, last_out: now })
    }

    pub async fn say(&mut self, nonce: u64, say: FromClient) -> io::Result<()> {
        let bytes = self.key.seal(Datagram { nonce, lane: self.lane, say });
        self.socket.send(&bytes).await?;
        self.last_out = self.recorder.now();
        Ok(())
    }

    /// The next datagram of the far end for this lane. May be dropped while it waits, without loss.
    pub async fn hear(&mut self) -> io::Result<Datagram<FromFar>> {
        // One byte more than any of theirs, so that a longer one is not taken for one.
        let mut buf = [0; SIZE + 1];
        loop {
            let len = self.socket.recv(&mut buf).await?;
            if let Some(datagram) = self.key.open::<FromFar>(&buf[..len])
                && datagram.lane == self.lane
            {
                self.last_in = self.recorder.now();
                return Ok(datagram);
            }
        }
    }

    /// Asks until it is answered or all tries are used up; the same number each time, so that any answer is the answer.
    /// The round trip is counted from the last try before it.
    pub async fn ask(&mut self, nonce: u64, say: FromClient, tries: &[Duration]) -> Result<Answer, Trouble> {
        let began = self.recorder.now();
        let mut refused = None;
        for wait in tries {
            if let Err(error) = self.say(nonce, say).await {
                refused = Some(error);
            }
            let asked = self.recorder.now();
            let answered = tokio::time::timeout(*wait, self.answer_to(nonce, &mut refused)).await;
            if let Ok(say) = answered {
                return Ok(Answer { say, rtt: self.last_in.since(asked) });
            }
        }
        let waited = self.recorder.now().since(began);
        Err(match refused {
            Some(error) => trouble::of(&error, None, waited),
            None => Trouble::NoAnswer { waited_ms: millis(waited) },
        })
    }

    async fn answer_to(&mut self, nonce: u64, refused: &mut Option<io::Error>) -> FromFar {
        loop {
            match self.hear().await {
                Ok(Datagram { nonce: answered, say, .. }) if answered == nonce && !is_late(say) => return say,
                Ok(_) => {}
                Err(error) => {
                    *refused = Some(error);
                    // A socket that is told at once and again that nobody is there would keep us busy.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

/// It carries the number of the request it was promised to, and may come a second time.
fn is_late(say: FromFar) -> bool {
    matches!(say, FromFar::Late { .. })
}

/// Nobody must be able to guess it, or an answer could be made up.
pub fn nonce() -> io::Result<u64> {
    getrandom::u64().map_err(|_| io::Error::other("the system gives no random numbers"))
}
