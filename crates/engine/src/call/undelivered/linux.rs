//! Linux: the socket's error queue (`IP_RECVERR`). Each ICMP message lies there with the datagram's destination and the
//! address of whoever sent it, and the socket's next act fails once with its errno, in place of doing what it was asked.

use super::Notice;
use libc::{SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, sock_extended_err};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use record::fact::Undeliverable;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use tokio::net::UdpSocket;

pub fn ask(socket: &UdpSocket) -> io::Result<()> {
    match socket.local_addr()? {
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}

/// More than a ration of ICMP messages; what is left is read the next time.
const AT_ONCE: usize = 32;

/// Empty where the error is none of the network's.
pub fn take(socket: &UdpSocket, _: &io::Error) -> Vec<Notice> {
    std::iter::from_fn(|| next(socket)).take(AT_ONCE).collect()
}

fn next(socket: &UdpSocket) -> Option<Notice> {
    let mut space = nix::cmsg_space!(sock_extended_err, nix::sys::socket::sockaddr_in6);
    // Of the datagram itself nothing is wanted.
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut [], Some(&mut space), flags).ok()?;
    let to = message.address.as_ref().and_then(place);
    let said = message.cmsgs().ok().and_then(|mut parts| {
        parts.find_map(|part| match part {
            ControlMessageOwned::Ipv4RecvErr(error, by) => {
                let by = by.map(|by| IpAddr::V4(Ipv4Addr::from(u32::from_be(by.sin_addr.s_addr))));
                Some((error, by))
            }
            ControlMessageOwned::Ipv6RecvErr(error, by) => {
                Some((error, by.map(|by| IpAddr::V6(Ipv6Addr::from(by.sin6_addr.s6_addr)))))
            }
            _ => None,
        })
    });
    Some(Notice { to, why: said.and_then(|(error, _)| why(&error)), by: said.and_then(|(_, by)| by) })
}

fn place(address: &SockaddrStorage) -> Option<SocketAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(v4), _) => Some(SocketAddr::from((v4.ip(), v4.port()))),
        (_, Some(v6)) => Some(SocketAddr::from((v6.ip(), v6.port()))),
        _ => None,
    }
}

/// RFC 792, 1812 and 4443.
fn why(error: &sock_extended_err) -> Option<Undeliverable> {
    match (error.ee_origin, error.ee_type, error.ee_code) {
        (SO_EE_ORIGIN_ICMP, 3, 2 | 3) | (SO_EE_ORIGIN_ICMP6, 1, 4) => Some(Undeliverable::NoListener),
        (SO_EE_ORIGIN_ICMP, 3, 1 | 7 | 8 | 12) | (SO_EE_ORIGIN_ICMP6, 1, 3) => Some(Undeliverable::NoHost),
        (SO_EE_ORIGIN_ICMP, 3, 0 | 6 | 11) | (SO_EE_ORIGIN_ICMP6, 1, 0 | 2) => Some(Undeliverable::NoNetwork),
        (SO_EE_ORIGIN_ICMP, 3, 9 | 10 | 13 | 14 | 15) | (SO_EE_ORIGIN_ICMP6, 1, 1 | 5 | 6) => {
            Some(Undeliverable::Forbidden)
        }
        _ => None,
    }
}
