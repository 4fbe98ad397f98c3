//! Windows: after a datagram to a port that nobody listens on, the next read fails with `WSAECONNRESET`, and says neither
//! which datagram it was nor who told. `WSAENETRESET` tells of a hop limit that ran out, and is no obstacle.

use super::Notice;
use record::fact::Undeliverable;
use std::io;
use tokio::net::UdpSocket;
use windows_sys::Win32::Networking::WinSock::{WSAECONNRESET, WSAENETRESET};

/// It is so by default (`SIO_UDP_CONNRESET`).
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub fn ask(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

/// Empty where the error is none of the network's.
pub fn take(_: &UdpSocket, error: &io::Error) -> Vec<Notice> {
    let why = match error.raw_os_error() {
        Some(WSAECONNRESET) => Some(Undeliverable::NoListener),
        Some(WSAENETRESET) => None,
        _ => return vec![],
    };
    vec![Notice { to: None, why, by: None }]
}
