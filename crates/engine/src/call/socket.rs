//! The UDP socket under the media: tokio's, one datagram at a time.
//!
//! The stack's own sockets ask the kernel to merge datagrams, which costs 96 kB of buffers a socket and gains nothing at
//! 50 packets a second; and a tap wants to see each datagram as it was.

use super::undelivered::{self, Notice};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

#[derive(Debug)]
pub struct PlainSocket {
    io: UdpSocket,
    local: SocketAddr,
}

/// Holds what arrives while the process is kept from running: at 50 packets a second of some 200 bytes, about 15 s as
/// the kernel accounts them. The default loses packets after three.
const RECEIVE_BUFFER: usize = 1 << 20;

impl PlainSocket {
    pub fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let local = socket.local_addr()?;
        Ok(Self { io: buffered(socket, RECEIVE_BUFFER)?, local })
    }

    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// From now on the system tells what the network could not deliver.
    pub fn ask_for_undelivered(&self) -> io::Result<()> {
        undelivered::ask(&self.io)
    }

    /// What was told, if that is what an act failed with. It is then to be tried again: what failed was another datagram.
    pub fn undelivered(&self, error: &io::Error) -> Vec<Notice> {
        undelivered::take(&self.io, error)
    }
}

impl AsyncUdpSocket for PlainSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        // Once the network has told of an error, tokio takes the socket to be writable for ever. So a buffer that is full is
        // not asked again and again: what does not fit at the second try is lost, as anywhere on the way.
        for _ in 0..2 {
            ready!(self.io.poll_send_ready(cx))?;
            match self.io.try_send_to(transmit.contents, transmit.destination) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        let mut into = ReadBuf::new(buf);
        let from = ready!(self.io.poll_recv_from(cx, &mut into))?;
        *meta = received(from, into.filled().len());
        Poll::Ready(Ok(1))
    }
}

/// For tokio, with room for so many bytes that were not read yet.
pub fn buffered(socket: std::net::UdpSocket, bytes: usize) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    // A system with a lower limit gives what it has; that is no reason to have no call.
    if let Err(error) = socket2::SockRef::from(&socket).set_recv_buffer_size(bytes) {
        tracing::debug!(%error, "the receive buffer stays as it is");
    }
    UdpSocket::from_std(socket)
}

/// A datagram that came another way than by a socket of the stack's, as `poll_recv` gives it: how many it has taken. One
/// longer than the stack's buffer is cut, as the system cuts it.
pub fn hand_over(from: SocketAddr, datagram: &[u8], bufs: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> usize {
    let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return 0 };
    let len = datagram.len().min(buf.len());
    buf[..len].copy_from_slice(&datagram[..len]);
    *meta = received(from, len);
    1
}

/// One datagram, as the stack wants to hear of it; a stride of zero would make it divide by zero.
fn received(from: SocketAddr, len: usize) -> RecvMeta {
    let mut meta = RecvMeta::default();
    meta.addr = from;
    meta.len = len;
    meta.stride = len.max(1);
    meta
}
