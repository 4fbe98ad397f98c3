//! UDP sockets, as their programs hold them.

use super::net::{Net, is_client};
use super::packet::{Datagram, Load, Packet, Proto};
use record::fact::Undeliverable;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, Waker};

#[derive(Clone, Copy, Debug)]
pub enum Got {
    Datagram(SocketAddr, Datagram),
    /// What was sent there is not delivered.
    Undelivered {
        to: SocketAddr,
        why: Undeliverable,
        by: IpAddr,
    },
}

/// What waits to be read. Linux' default buffer holds so many small packets.
#[derive(Default)]
pub struct Mailbox {
    queue: RefCell<VecDeque<Got>>,
    waker: RefCell<Option<Waker>>,
}

const MOST_WAITING: usize = 277;

impl Mailbox {
    pub fn put(&self, got: Got) {
        let mut queue = self.queue.borrow_mut();
        if queue.len() < MOST_WAITING {
            queue.push_back(got);
        }
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

pub struct UdpSocket {
    net: Net,
    /// Absent: whatever address the way out has.
    ip: Option<IpAddr>,
    port: u16,
    mailbox: Rc<Mailbox>,
}

impl UdpSocket {
    pub fn bind(net: &Net, ip: Option<IpAddr>, port: u16) -> Self {
        let mailbox = Rc::<Mailbox>::default();
        let host = ip.filter(|ip| !is_client(*ip));
        net.0.udp.borrow_mut().insert((host, port), Rc::downgrade(&mailbox));
        Self { net: net.clone(), ip, port, mailbox }
    }

    pub fn local(&self) -> Option<SocketAddr> {
        let ip = self.ip.or_else(|| self.net.0.station.source())?;
        Some(SocketAddr::new(ip, self.port))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn send(&self, to: SocketAddr, datagram: Datagram) -> Result<(), i32> {
        let from = self.local().ok_or(super::net::ENETUNREACH)?;
        if self.ip.is_some_and(|ip| is_client(ip) && !self.net.0.station.has(ip)) {
            return Err(super::net::ENETUNREACH);
        }
        self.net.send(Packet { proto: Proto::Udp, from, to, load: Load::Datagram(datagram) })
    }

    pub async fn hear(&self) -> Got {
        poll_fn(|cx| match self.mailbox.queue.borrow_mut().pop_front() {
            Some(got) => Poll::Ready(got),
            None => {
                *self.mailbox.waker.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    /// The next datagram; who is not there says nothing.
    pub async fn next(&self) -> (SocketAddr, Datagram) {
        loop {
            if let Got::Datagram(from, datagram) = self.hear().await {
                return (from, datagram);
            }
        }
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        let host = self.ip.filter(|ip| !is_client(*ip));
        self.net.0.udp.borrow_mut().remove(&(host, self.port));
    }
}
