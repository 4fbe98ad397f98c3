//! The socket with a witness: bytes are stamped as they pass, and how reading and writing ended is remembered. It lies
//! *below* TLS, so that the end of a connection can be told from what the kernel said and not from what upper layers
//! made of it. Client and server use it alike.

use super::allowance::Allowance;
use crate::Clock;
use record::Stamp;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub struct Watched<S> {
    inner: S,
    clock: Clock,
    witness: Witness,
}

/// Reads what the stream saw, also after the stream went into TLS, a WebSocket or nothing.
#[derive(Clone)]
pub struct Witness(Arc<Mutex<Seen>>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    pub last_in: Stamp,
    pub last_out: Stamp,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// How reading ended.
    pub read_end: Option<ReadEnd>,
    /// What the kernel answered to the first write it refused.
    pub write_fault: Option<Fault>,
    /// How many bytes are taken from the other side; without it any number.
    pub allowance: Option<Allowance>,
    /// More came than that.
    pub flooded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadEnd {
    /// The other side's FIN.
    Eof,
    Fault(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub kind: ErrorKind,
    pub errno: Option<i32>,
    pub at: Stamp,
}

impl Fault {
    fn of(error: &io::Error, at: Stamp) -> Self {
        Self { kind: error.kind(), errno: error.raw_os_error(), at }
    }
    /// The error as it was, for its words.
    pub fn error(self) -> io::Error {
        self.errno.map_or_else(|| self.kind.into(), io::Error::from_raw_os_error)
    }
}

impl Seen {
    pub fn nothing(since: Stamp) -> Self {
        Self {
            last_in: since,
            last_out: since,
            bytes_in: 0,
            bytes_out: 0,
            read_end: None,
            write_fault: None,
            allowance: None,
            flooded: false,
        }
    }

    /// Whether it has just become too much.
    fn read(&mut self, n: usize, now: Stamp) -> bool {
        self.last_in = now;
        self.bytes_in += n as u64;
        let enough = self.allowance.as_mut().is_none_or(|allowance| allowance.take(n as f64, now));
        !enough && !std::mem::replace(&mut self.flooded, true)
    }
}

impl Witness {
    pub fn seen(&self) -> Seen {
        *self.0.lock().expect("no holder panics")
    }
    /// From now on, this much. Reading fails once it is more, and then goes on for whoever wants to part in order.
    pub fn allow(&self, bytes: Allowance) {
        self.note(|seen| seen.allowance = Some(bytes));
    }
    fn note(&self, f: impl FnOnce(&mut Seen)) {
        f(&mut self.0.lock().expect("no holder panics"));
    }
}

impl<S> Watched<S> {
    pub fn new(inner: S, clock: Clock) -> Self {
        let witness = Witness(Arc::new(Mutex::new(Seen::nothing(clock.now()))));
        Self { inner, clock, witness }
    }
    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        match &read {
            Poll::Ready(Ok(())) if room > 0 => {
                let n = buf.filled().len() - before;
                let now = self.clock.now();
                let mut too_much = false;
                self.witness.note(|seen| {
                    if n == 0 {
                        seen.read_end.get_or_insert(ReadEnd::Eof);
                    } else {
                        too_much = seen.read(n, now);
                    }
                });
                if too_much {
                    return Poll::Ready(Err(ErrorKind::QuotaExceeded.into()));
                }
            }
            Poll::Ready(Err(error)) => {
                let fault = Fault::of(error, self.clock.now());
                self.witness.note(|seen| {
                    seen.read_end.get_or_insert(ReadEnd::Fault(fault));
                });
            }
            _ => {}
        }
        read
    }
}

/// A refused write is remembered and not reported upwards. The other side's last words may still lie unread in our
/// buffer, and upper layers stop reading at the first error: "broken pipe" would then hide a close frame with its
/// reason. Reading comes to its own end soon after.
impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.witness.seen().write_fault.is_some() {
            return Poll::Ready(Ok(bytes.len()));
        }
        match Pin::new(&mut self.inner).poll_write(cx, bytes) {
            Poll::Ready(Ok(n)) => {
                let now = self.clock.now();
                self.witness.note(|seen| {
                    seen.last_out = now;
                    seen.bytes_out += n as u64;
                });
                Poll::Ready(Ok(n))
            }
            Poll::Ready(Err(error)) => {
                let fault = Fault::of(&error, self.clock.now());
                self.witness.note(|seen| seen.write_fault = Some(fault));
                Poll::Ready(Ok(bytes.len()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// What a WebSocket rides on, at either end.
pub enum Carrier {
    Plain(Watched<TcpStream>),
    Tls(Box<tokio_rustls::TlsStream<Watched<TcpStream>>>),
}

impl Carrier {
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
    fn watched(&self) -> &Watched<TcpStream> {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
    pub fn witness(&self) -> Witness {
        self.watched().witness()
    }
    pub fn tcp(&self) -> &TcpStream {
        self.watched().get_ref()
    }
}

impl AsyncRead for Carrier {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
