//! macOS: only a socket that is connected to one address is told, and the stack's sockets speak to many. There a far end
//! that is gone is known by its silence alone, 150 ms later.

use super::Notice;
use std::io;
use tokio::net::UdpSocket;

#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub fn ask(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

pub fn take(_: &UdpSocket, _: &io::Error) -> Vec<Notice> {
    vec![]
}
