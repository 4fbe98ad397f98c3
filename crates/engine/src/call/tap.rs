//! The tap: a socket of the stack's that shows each datagram to the instruments, keeps refusals to send from the stack,
//! and carries what is meant for a relay over TCP or TLS.

use super::checks::is_check;
use super::instruments::Instruments;
use super::relay::{Frame, RelayStream, Relays};
use super::socket::{PlainSocket, hand_over};
use super::wire::{self, Kind};
use record::fact::Ice;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

pub struct Tap {
    socket: PlainSocket,
    instruments: Arc<Instruments>,
    relays: Arc<Relays>,
    streams: Mutex<BTreeMap<SocketAddr, RelayStream>>,
    from_relays: Mutex<Receiver<Frame>>,
    to_us: Sender<Frame>,
}

/// Frames from a relay that wait for the stack; when it is behind, TCP holds the rest back.
const WAITING: usize = 256;

impl Tap {
    pub fn new(socket: PlainSocket, instruments: Arc<Instruments>, relays: Arc<Relays>) -> Self {
        instruments.note(Ice::SocketBound { local: socket.local() });
        let (to_us, from_relays) = channel(WAITING);
        let (streams, from_relays) = (Mutex::new(BTreeMap::new()), Mutex::new(from_relays));
        Self { socket, instruments, relays, streams, from_relays, to_us }
    }

    fn send_to_relay(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let (magic, local) = (transmit.destination, self.socket.local());
        let mut streams = self.streams.lock().expect("no holder panics");
        let stream = match streams.entry(magic) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => free.insert(self.relays.open(magic, local, self.to_us.clone())?),
        };
        if stream.send(transmit.contents) {
            self.instruments.datagram_out(local, magic, transmit.contents);
        }
        Ok(())
    }
}

impl AsyncUdpSocket for Tap {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let taken = Ok(transmit.contents.len());
        if self.relays.is_magic(transmit.destination) {
            return Poll::Ready(self.send_to_relay(transmit).and(taken));
        }
        match ready!(self.socket.poll_send(cx, transmit)) {
            Ok(_) => {
                self.instruments.datagram_out(self.socket.local(), transmit.destination, transmit.contents);
                Poll::Ready(taken)
            }
            Err(error) => {
                self.instruments.not_sent(transmit.contents, &error);
                // The stack logs each error it sees, fifty a second, and does nothing about it. Only those of its
                // requests to servers are of use to it: it then stops waiting for them.
                Poll::Ready(if asks_a_server(transmit.contents) { Err(error) } else { taken })
            }
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let frame = self.from_relays.lock().expect("no holder panics").poll_recv(cx);
        if let Poll::Ready(Some((magic, frame))) = frame {
            self.instruments.datagram_in(self.socket.local(), magic, &frame);
            return Poll::Ready(Ok(hand_over(magic, &frame, bufs, meta)));
        }
        let messages = ready!(self.socket.poll_recv(cx, bufs, meta))?;
        for (buf, meta) in bufs.iter().zip(meta.iter()).take(messages) {
            self.instruments.datagram_in(self.socket.local(), meta.addr, &buf[..meta.len]);
        }
        Poll::Ready(Ok(messages))
    }
}

fn asks_a_server(datagram: &[u8]) -> bool {
    matches!(wire::look(datagram), Kind::Stun(stun) if stun.class == wire::Class::Request && !is_check(&stun))
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.instruments.socket_gone(self.socket.local());
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tap({})", self.socket.local())
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Class, attribute, build, method};
    use super::*;
    use crate::{Clock, Recorder};
    use record::Fact;
    use record::fact::Media;
    use record::profile::Silence;
    use std::future::poll_fn;

    const RTP: &[u8] = &[0x80, 0x6f, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xf8, 0xff, 0xfe];

    async fn send(tap: &Tap, contents: &[u8], destination: SocketAddr) -> io::Result<usize> {
        let transmit = Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None };
        poll_fn(|cx| tap.poll_send(cx, &transmit)).await
    }

    #[tokio::test]
    async fn a_refusal_of_our_own_system_is_a_fact_and_kept_from_the_stack() {
        let recorder = Recorder::unwritten(Clock::real());
        let instruments = Arc::new(Instruments::new(Silence::Frames, recorder.clone(), record::Scrub::default()));
        let socket = PlainSocket::new(std::net::UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
        let relays = Relays::new(vec![], None, Arc::clone(&instruments));
        let tap = Tap::new(socket, instruments, relays);
        let mut facts = recorder.listen();
        let mut media = move || match facts.try_recv().map(|event| event.fact.clone()) {
            Ok(Fact::Media(media)) => Some(media),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        // No system lets a socket send there that has not asked for broadcasts.
        let refused = SocketAddr::from(([255, 255, 255, 255], 9));
        let check = build::stun(Class::Request, method::BINDING, 1, &[(attribute::USERNAME, b"a:b")]);
        assert!(send(&tap, &check, refused).await.is_ok());
        assert_eq!(media(), None, "a check that leads nowhere is no loss of media");
        for _ in 0..3 {
            assert_eq!(send(&tap, RTP, refused).await.unwrap(), RTP.len());
        }
        assert!(matches!(media(), Some(Media::SendFailing { errno: Some(_), .. })));
        assert_eq!(media(), None, "said once");
        let to_a_server = build::stun(Class::Request, method::ALLOCATE, 2, &[]);
        assert!(send(&tap, &to_a_server, refused).await.is_err(), "the stack stops waiting for such a server");

        send(&tap, RTP, SocketAddr::from(([127, 0, 0, 1], 9))).await.unwrap();
        assert!(matches!(media(), Some(Media::SendWorks { refused: 3, .. })));
    }
}
