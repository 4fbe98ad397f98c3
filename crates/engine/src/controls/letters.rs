//! One UDP socket that is kept, and the questions on their way over it.

use record::Said;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Answers are told by what their question was marked with.
pub struct Letters<Mark> {
    socket: UdpSocket,
    /// Of both families over one socket; without IPv6 on this computer, of IPv4 alone.
    both: bool,
    sent: VecDeque<(u64, Mark)>,
}

/// More questions than these are never open at once.
const REMEMBERED: usize = 8;
/// Answers of ours are far shorter; whatever is longer is cut, and then not understood.
const LARGEST: usize = 1500;
/// A socket that does nothing but fail must not keep us busy.
const AFTER_A_FAULT: Duration = Duration::from_millis(100);

impl<Mark: PartialEq> Letters<Mark> {
    pub fn open() -> io::Result<Self> {
        let (socket, both) = match bind(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, 0).into()) {
            Ok(socket) => (socket, true),
            Err(_) => (bind(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, 0).into())?, false),
        };
        Ok(Self { socket: UdpSocket::from_std(socket.into())?, both, sent: VecDeque::new() })
    }

    /// One question may go to several: each answer to it bears the same mark.
    pub async fn send(&mut self, attempt: u64, mark: Mark, bytes: &[u8], to: &[SocketAddr]) -> Result<(), Said> {
        if self.sent.len() == REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back((attempt, mark));
        let mut done = Ok(());
        for to in to {
            let sent = match (to, self.both) {
                (SocketAddr::V4(v4), true) => {
                    let mapped = v4.ip().to_ipv6_mapped();
                    self.socket.send_to(bytes, (mapped, v4.port())).await
                }
                _ => self.socket.send_to(bytes, *to).await,
            };
            if let Err(error) = sent {
                done = Err(crate::line::trouble::words(&error));
            }
        }
        done
    }

    /// The next datagram in which `read` finds a mark of ours, from whom it should come: strangers are passed over.
    pub async fn next<T>(&self, read: impl Fn(&[u8], SocketAddr) -> Option<(Mark, T)>) -> (u64, T) {
        let mut buffer = [0; LARGEST];
        loop {
            let Ok((length, from)) = self.socket.recv_from(&mut buffer).await else {
                // An ICMP error that the system tells by failing a read. Who is silent is found by his silence.
                tokio::time::sleep(AFTER_A_FAULT).await;
                continue;
            };
            let from = SocketAddr::new(from.ip().to_canonical(), from.port());
            let Some((mark, told)) = read(&buffer[..length], from) else { continue };
            if let Some((attempt, _)) = self.sent.iter().find(|(_, sent)| *sent == mark) {
                return (*attempt, told);
            }
        }
    }

    /// Our end as it is on the way to `to`: the socket itself is bound to no address, so that it outlives them.
    pub fn local(&self, to: SocketAddr) -> io::Result<SocketAddr> {
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let probe = std::net::UdpSocket::bind(any)?;
        // Sends nothing: the system only looks up the way.
        probe.connect(to)?;
        Ok(SocketAddr::new(probe.local_addr()?.ip(), self.socket.local_addr()?.port()))
    }
}

fn bind(domain: Domain, at: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    Ok(socket)
}

/// A number that no stranger can guess.
pub fn unguessable<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness after its start");
    bytes
}
