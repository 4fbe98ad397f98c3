//! Linux and macOS: ICMP without privileges. Linux grants it by `net.ipv4.ping_group_range`, which most distributions open
//! to everybody; macOS always.

use super::super::letters::unguessable;
use super::Gateway;
use crate::line::trouble::words;
use record::Said;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::ffi::CString;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use tokio::net::UdpSocket;

/// Nobody listens there since the nineties, and whoever does throws away what comes.
const DISCARD: u16 = 9;

pub fn permitted() -> bool {
    !Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::ICMPV4)).is_err_and(|error| is_refusal(&error))
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported)
}

pub async fn reach(gateway: Gateway) -> Result<(), Said> {
    let to = whole(&gateway).map_err(|error| words(&error))?;
    match ping(to).await {
        Err(error) if is_refusal(&error) => knock(to).await,
        done => done,
    }
    .map_err(|error| words(&error))
}

/// An address that holds on one link only needs the link's number.
fn whole(gateway: &Gateway) -> io::Result<SocketAddr> {
    match gateway.address {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            let name = CString::new(gateway.interface.as_str())?;
            // SAFETY: the name is a text that ends with a zero byte and lives through the call.
            match unsafe { libc::if_nametoindex(name.as_ptr()) } {
                0 => Err(io::Error::last_os_error()),
                scope => Ok(SocketAddrV6::new(v6, 0, 0, scope).into()),
            }
        }
        address => Ok(SocketAddr::new(address, 0)),
    }
}

async fn ping(to: SocketAddr) -> io::Result<()> {
    let socket = echo_socket(to)?;
    let mark: [u8; 16] = unguessable();
    socket.send(&request(to.is_ipv6(), mark)).await?;
    let mut answer = [0; 256];
    loop {
        let length = socket.recv(&mut answer).await?;
        if is_reply(to.is_ipv6(), &answer[..length], mark) {
            return Ok(());
        }
    }
}

fn echo_socket(to: SocketAddr) -> io::Result<UdpSocket> {
    let (domain, protocol) = match to {
        SocketAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        SocketAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::from(to))?;
    UdpSocket::from_std(socket.into())
}

/// RFC 792 and 4443. The identifier and, for IPv6, the checksum are the kernel's business.
fn request(v6: bool, mark: [u8; 16]) -> Vec<u8> {
    let mut packet = vec![if v6 { 128 } else { 8 }, 0, 0, 0, 0, 0, 0, 1];
    packet.extend(mark);
    if !v6 {
        let sum = checksum(&packet);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

fn checksum(packet: &[u8]) -> u16 {
    let sum: u32 = packet.chunks(2).map(|two| u32::from(two[0]) << 8 | two.get(1).map_or(0, |b| u32::from(*b))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

/// macOS gives the whole IPv4 packet, Linux what is in it.
fn is_reply(v6: bool, packet: &[u8], mark: [u8; 16]) -> bool {
    let icmp = match packet.first() {
        Some(first) if !v6 && first >> 4 == 4 => packet.get(usize::from(first & 0xf) * 4..).unwrap_or_default(),
        _ => packet,
    };
    let kind = if v6 { 129 } else { 0 };
    matches!(icmp, [got, 0, _, _, _, _, _, _, rest @ ..] if *got == kind && rest == mark)
}

/// Any answer, if only "nobody here", shows that somebody is.
async fn knock(to: SocketAddr) -> io::Result<()> {
    let socket = discard_socket(to)?;
    let asked = async {
        socket.send(&[]).await?;
        socket.recv(&mut [0; 16]).await
    };
    match asked.await {
        Err(error) if error.kind() != ErrorKind::ConnectionRefused => Err(error),
        _ => Ok(()),
    }
}

fn discard_socket(mut to: SocketAddr) -> io::Result<UdpSocket> {
    to.set_port(DISCARD);
    let domain = Domain::for_address(to);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    // The gateway is one hop away. Should it not be one, nobody behind it is to be troubled.
    match to {
        SocketAddr::V4(_) => socket.set_ttl_v4(1)?,
        SocketAddr::V6(_) => socket.set_unicast_hops_v6(1)?,
    }
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::from(to))?;
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: [u8; 16] = *b"a mark of ours..";

    #[test]
    fn a_request_carries_its_mark_and_a_sum_that_comes_out_at_zero() {
        let packet = request(false, MARK);
        assert_eq!((packet[0], packet.len()), (8, 24));
        assert_eq!(checksum(&packet), 0);
        assert_eq!(request(true, MARK)[..4], [128, 0, 0, 0]);
    }

    #[test]
    fn a_reply_is_one_with_our_mark_whether_or_not_its_ip_header_is_shown() {
        let reply = [&[0, 0, 9, 9, 1, 2, 0, 1], &MARK[..]].concat();
        let with_header = [&[0x45; 20][..], &reply].concat();
        assert!(is_reply(false, &reply, MARK) && is_reply(false, &with_header, MARK));
        let six = [&[129, 0, 9, 9, 1, 2, 0, 1], &MARK[..]].concat();
        assert!(is_reply(true, &six, MARK));
        assert!(!is_reply(false, &request(false, MARK), MARK), "our own question");
        assert!(!is_reply(false, &reply, [0; 16]), "somebody else's");
        for cut in 0..with_header.len() {
            assert!(!is_reply(false, &with_header[..cut], MARK));
        }
    }

    fn here(address: &str) -> Gateway {
        Gateway { address: address.parse().unwrap(), interface: "lo".into() }
    }

    /// This computer answers itself, by either way.
    #[tokio::test]
    async fn loopback_is_reached_by_whatever_the_system_permits() {
        let with_ipv6 = std::net::UdpSocket::bind("[::1]:0").is_ok();
        for address in ["127.0.0.1", "::1"].into_iter().take(1 + usize::from(with_ipv6)) {
            reach(here(address)).await.expect("an answer");
            knock(whole(&here(address)).unwrap()).await.expect("an ICMP error is an answer too");
        }
    }

    #[test]
    fn an_address_of_one_link_only_needs_a_link_that_is_there() {
        let mut gateway = here("fe80::1");
        if cfg!(target_os = "linux") {
            let SocketAddr::V6(v6) = whole(&gateway).unwrap() else { panic!("IPv6") };
            assert_eq!(v6.scope_id(), 1, "loopback is the first interface");
        }
        gateway.interface = "none-such".into();
        whole(&gateway).expect_err("no such interface");
    }
}
