//! TCP through the box: each connection is handed on until one side ends it, a limit is over, or an end is ordered.

use super::{End, Shared, What};
use record::Stamp;
use socket2::SockRef;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::Receiver;
use tokio::task::JoinSet;

/// What the call's own connection begins with; lanes and controls begin otherwise.
const CALL: &[u8] = b"GET /call";
/// For the other side's goodbye, once one has ended.
const GOODBYE: Duration = Duration::from_secs(2);
const CHUNK: usize = 16 * 1024;

pub async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((near, _)) => drop(connections.spawn(hand_on(near, Arc::clone(&shared)))),
                // Out of file descriptors, most likely: at once it would fail again.
                Err(error) => {
                    tracing::warn!(%error, "the box could not take a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn hand_on(near: TcpStream, shared: Arc<Shared>) {
    let ends = shared.ends.subscribe();
    let far = match shared.rules().far {
        Some(far) => TcpStream::connect(far).await.ok(),
        None => None,
    };
    let Some(far) = far else { return reset([near]) };
    // Held back by Nagle, a packet would pass later than it came.
    let _slower = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
    let now = shared.clock.now();
    Passing { near, far, shared, ends, is_call: None, stood: now, last: now, last_far: now }.run().await;
}

struct Passing {
    near: TcpStream,
    far: TcpStream,
    shared: Arc<Shared>,
    ends: Receiver<End>,
    /// Known with the first bytes.
    is_call: Option<bool>,
    stood: Stamp,
    /// The last byte either way, and the last of the far end's.
    last: Stamp,
    last_far: Stamp,
}

enum Event {
    Near(io::Result<usize>),
    Far(io::Result<usize>),
    Ordered(End),
    Limit(What),
}

impl Passing {
    async fn run(mut self) {
        let (mut from_near, mut from_far) = (vec![0; CHUNK], vec![0; CHUNK]);
        loop {
            let limit = self.next_limit();
            let event = tokio::select! {
                biased;
                Ok(end) = self.ends.recv(), if self.is_call == Some(true) => Event::Ordered(end),
                read = self.near.read(&mut from_near) => Event::Near(read),
                read = self.far.read(&mut from_far) => Event::Far(read),
                what = over(limit) => Event::Limit(what),
            };
            let now = self.shared.clock.now();
            let passed = match event {
                Event::Near(Ok(n)) if n > 0 => {
                    self.is_call.get_or_insert(from_near[..n].starts_with(CALL));
                    self.last = now;
                    self.far.write_all(&from_near[..n]).await
                }
                Event::Far(Ok(n)) if n > 0 => {
                    (self.last, self.last_far) = (now, now);
                    self.near.write_all(&from_far[..n]).await
                }
                Event::Near(Ok(_)) => return self.end_after(Side::Near, &mut from_far).await,
                Event::Far(Ok(_)) => {
                    self.did(self.last_far, What::FarEnded);
                    return self.end_after(Side::Far, &mut from_near).await;
                }
                Event::Ordered(End::Reset) => {
                    self.did(now, What::Ended(End::Reset));
                    return reset([self.near, self.far]);
                }
                Event::Ordered(End::Mute) => return self.mute(now).await,
                Event::Limit(what) => {
                    self.did(now, what);
                    return self.fin(&mut from_near).await;
                }
                Event::Near(Err(error)) | Event::Far(Err(error)) => Err(error),
            };
            if passed.is_err() {
                return reset([self.near, self.far]);
            }
        }
    }

    /// Whichever is over first, and in how long.
    fn next_limit(&self) -> Option<(Duration, What)> {
        let (rules, now) = (self.shared.rules(), self.shared.clock.now());
        let quiet = rules.quiet_for.map(|most| (most.saturating_sub(now.since(self.last)), What::WasQuiet(most)));
        let old = rules.age.map(|most| (most.saturating_sub(now.since(self.stood)), What::WasOld(most)));
        quiet.into_iter().chain(old).min_by_key(|(left, _)| *left)
    }

    fn did(&self, at: Stamp, what: What) {
        if self.is_call == Some(true) {
            self.shared.did(at, what);
        }
    }

    /// One side has said its last; the other may finish.
    async fn end_after(mut self, ended: Side, buf: &mut [u8]) {
        let (first, last) = match ended {
            Side::Near => (&mut self.near, &mut self.far),
            Side::Far => (&mut self.far, &mut self.near),
        };
        let finish = async {
            last.shutdown().await?;
            loop {
                match last.read(buf).await? {
                    0 => break first.shutdown().await,
                    n => first.write_all(&buf[..n]).await?,
                }
            }
        };
        // Whoever does not finish in time, or fails at it, is let go.
        let _gone = tokio::time::timeout(GOODBYE, finish).await;
    }

    /// To both. What still comes is read and lost: closed upon unread bytes, a socket says RST.
    async fn fin(mut self, buf: &mut [u8]) {
        for stream in [&mut self.near, &mut self.far] {
            let read_out = async {
                stream.shutdown().await?;
                while stream.read(buf).await? > 0 {}
                io::Result::Ok(())
            };
            let _gone = tokio::time::timeout(GOODBYE / 4, read_out).await;
        }
    }

    /// Until the box itself ends. Where the system allows it, not even the kernel acknowledges what comes any more.
    async fn mute(self, now: Stamp) {
        match deafen(&self.near).and_then(|()| deafen(&self.far)) {
            Ok(()) => self.did(now, What::Ended(End::Mute)),
            Err(error) => {
                tracing::warn!(%error, "the box could not make a connection deaf");
                self.did(now, What::Refused);
            }
        }
        std::future::pending().await
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Near,
    Far,
}

async fn over(limit: Option<(Duration, What)>) -> What {
    match limit {
        Some((left, what)) => {
            tokio::time::sleep(left).await;
            what
        }
        None => std::future::pending().await,
    }
}

fn reset<const N: usize>(streams: [TcpStream; N]) {
    for stream in &streams {
        // Refused, it ends with FIN, and the verdict will tell the difference.
        let _fin = SockRef::from(stream).set_linger(Some(Duration::ZERO));
    }
}

/// A filter that lets no packet in: the bytes arrive at this computer and never at the connection, so that nobody
/// acknowledges them. It needs no privilege.
#[cfg(target_os = "linux")]
fn deafen(stream: &TcpStream) -> io::Result<()> {
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    SockRef::from(stream).attach_filter(&[socket2::SockFilter::new(RETURN, 0, 0, 0)])
}

/// Other systems offer no such filter. Their kernels do not tell us either what was acknowledged, so that the difference
/// is not seen there.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "on Linux it may fail")]
fn deafen(_: &TcpStream) -> io::Result<()> {
    Ok(())
}
