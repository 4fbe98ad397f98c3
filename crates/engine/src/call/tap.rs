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

/// An act that fails with the network's word of an earlier datagram is tried again; so often only if that word comes between.
const MOST_TRIES: usize = 8;

impl Tap {
    pub fn new(socket: PlainSocket, instruments: Arc<Instruments>, relays: Arc<Relays>) -> Self {
        instruments.note(Ice::SocketBound { local: socket.local().into() });
        if let Err(error) = socket.ask_for_undelivered() {
            tracing::debug!(%error, "what the network cannot deliver will not be told");
        }
        let (to_us, from_relays) = channel(WAITING);
        let (streams, from_relays) = (Mutex::new(BTreeMap::new()), Mutex::new(from_relays));
        Self { socket, instruments, relays, streams, from_relays, to_us }
    }

    /// Whether the error was of an earlier datagram, and no reason to leave off.
    fn is_of_the_network(&self, error: &io::Error) -> bool {
        let words = self.socket.undelivered(error);
        words.iter().for_each(|word| self.instruments.undelivered(*word));
        !words.is_empty()
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
        let mut sent = ready!(self.socket.poll_send(cx, transmit));
        for _ in 0..MOST_TRIES {
            match &sent {
                Err(error) if self.is_of_the_network(error) => sent = ready!(self.socket.poll_send(cx, transmit)),
                _ => break,
            }
        }
        match sent {
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
        let mut heard = ready!(self.socket.poll_recv(cx, bufs, meta));
        for _ in 0..MOST_TRIES {
            match &heard {
                Err(error) if self.is_of_the_network(error) => heard = ready!(self.socket.poll_recv(cx, bufs, meta)),
                _ => break,
            }
        }
        let messages = heard?;
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
    #[cfg(target_os = "linux")]
    use record::fact::Undeliverable;
    use record::profile::Silence;
    use std::future::poll_fn;

    const RTP: &[u8] = &[0x80, 0x6f, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xf8, 0xff, 0xfe];

    async fn send(tap: &Tap, contents: &[u8], destination: SocketAddr) -> io::Result<usize> {
        let transmit = Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None };
        poll_fn(|cx| tap.poll_send(cx, &transmit)).await
    }

    /// Of both families; a system without IPv6 has one.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_port_that_nobody_listens_on_is_told_and_hinders_nothing() {
        for here in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = std::net::UdpSocket::bind(here) else { continue };
            let recorder = Recorder::unwritten(Clock::real());
            let instruments = Arc::new(Instruments::new(Silence::Frames, recorder.clone(), record::Scrub::default()));
            let relays = Relays::new(vec![], None, Arc::clone(&instruments));
            let tap = Tap::new(PlainSocket::new(socket).unwrap(), Arc::clone(&instruments), relays);
            let mut facts = recorder.listen();
            let far = std::net::UdpSocket::bind(here).unwrap();
            let to = far.local_addr().unwrap();
            send(&tap, RTP, to).await.unwrap();
            instruments.rtp_in(1, 1, 0);
            let port_gone = far;
            drop(port_gone);
            // On loopback the word is back before the next packet leaves.
            for _ in 0..4 {
                assert_eq!(send(&tap, RTP, to).await.unwrap(), RTP.len());
            }
            let told: Vec<Media> = std::iter::from_fn(|| facts.try_recv().ok())
                .filter_map(|event| match event.fact.clone() {
                    Fact::Media(media @ (Media::Undelivered { .. } | Media::SendFailing { .. })) => Some(media),
                    _ => None,
                })
                .collect();
            let [Media::Undelivered { to: where_to, why: Undeliverable::NoListener, by, .. }] = told[..] else {
                panic!("{told:?}")
            };
            assert_eq!((where_to, by), (to.into(), Some(to.ip().into())));
            // The socket goes on: what arrives is read, and the word that is left is none of the stack's business.
            let far = std::net::UdpSocket::bind(to).unwrap();
            far.send_to(RTP, tap.local_addr().unwrap()).unwrap();
            let mut space = [0; 64];
            let mut meta = [RecvMeta::default()];
            let heard = poll_fn(|cx| tap.poll_recv(cx, &mut [IoSliceMut::new(&mut space)], &mut meta)).await;
            assert_eq!((heard.unwrap(), meta[0].len), (1, RTP.len()));
        }
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
