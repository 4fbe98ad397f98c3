//! Servers that have nothing to do with the far end: names, and one that answers STUN and the web.

use super::net::{CONTROL, NAME_SERVER, Net, UdpSocket};
use super::packet::Datagram;
use std::net::SocketAddr;
use std::rc::Rc;

const STUN: u16 = 3478;
const NAMES: u16 = 53;
const WEB: u16 = 80;

pub fn control(net: &Net) {
    answer(net, UdpSocket::bind(net, Some(CONTROL), STUN), |datagram, seen| match datagram {
        Datagram::StunAsk { id } => Some(Datagram::StunTold { id, seen }),
        _ => None,
    });
    net.0.listeners.borrow_mut().insert(SocketAddr::new(CONTROL, WEB), Rc::new(drop));
}

pub fn names(net: &Net) {
    answer(net, UdpSocket::bind(net, Some(NAME_SERVER), NAMES), |datagram, _| match datagram {
        Datagram::NameAsk { id } => Some(Datagram::NameTold { id }),
        _ => None,
    });
}

fn answer(net: &Net, socket: UdpSocket, what: fn(Datagram, SocketAddr) -> Option<Datagram>) {
    let program = net.0.servers.program();
    let serving = async move {
        loop {
            let (from, datagram) = socket.next().await;
            if let Some(told) = what(datagram, from) {
                // Servers have a way to everybody.
                let _ = socket.send(from, told);
            }
        }
    };
    program.spawn(serving).detach();
}
