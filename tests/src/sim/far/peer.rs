//! The far end's peer connection: it answers checks, and sends each packet back to where the last check came from.

use super::Inner;
use super::call::Call;
use crate::sim::net::{SERVER, UdpSocket};
use crate::sim::packet::Datagram;
use crate::sim::time::Task;
use record::{Micros, fact::Sight};
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// As the stack is set.
const CHECK_EVERY: Duration = Duration::from_millis(500);
const REPORT_EVERY: Duration = Duration::from_secs(1);

pub struct Peer {
    number: u64,
    socket: Rc<UdpSocket>,
    to: Rc<Cell<Option<SocketAddr>>>,
    _tasks: [Task; 3],
}

impl Peer {
    /// To an offer whose description is the number of its peer connection.
    pub fn answer(far: &Rc<Inner>, call: &Rc<Call>, offer: &str) -> Self {
        let number = offer.rsplit_once("ufrag:").and_then(|(_, n)| n.trim().parse().ok()).unwrap_or(0);
        let socket = Rc::new(UdpSocket::bind(&far.net, Some(SERVER), far.net.port()));
        let to = Rc::<Cell<Option<SocketAddr>>>::default();
        let sender = Rc::<Cell<Option<(u32, Micros)>>>::default();
        let heard = hear(Rc::clone(call), Rc::clone(&socket), number, Rc::clone(&to), Rc::clone(&sender));
        let hears = far.program.spawn(heard);
        let (program, reported, reports, of) =
            (far.program.clone(), Rc::clone(&to), Rc::clone(&socket), Rc::clone(call));
        let tells = far.program.spawn(async move {
            loop {
                program.sleep(REPORT_EVERY).await;
                let (Some(to), Some((name, at))) = (reported.get(), sender.get()) else { continue };
                let held = ((program.now().awake - at).as_secs_f64() * 65_536.0) as u32;
                let Sight::Counted { lost, .. } = of.account.totals() else { continue };
                let _ = reports.send(to, Datagram::ReceiverReport { name, held, lost: lost as u32 });
            }
        });
        let (program, checked, checks) = (far.program.clone(), Rc::clone(&to), Rc::clone(&socket));
        let asks = far.program.spawn(async move {
            for id in 0u64.. {
                program.sleep(CHECK_EVERY).await;
                if let Some(to) = checked.get() {
                    // Its own system has a way to everybody.
                    let _ = checks.send(to, Datagram::Check { of: number, id });
                }
            }
        });
        Self { number, socket, to, _tasks: [hears, asks, tells] }
    }

    pub fn description(&self) -> String {
        format!("v=0\r\na=ice-ufrag:{}\r\n", self.number)
    }

    pub fn candidate(&self) -> String {
        format!("candidate:1 1 udp 2130706431 {SERVER} {} typ host", self.socket.port())
    }

    /// With DTLS' goodbye.
    pub fn close(self) {
        if let Some(to) = self.to.get() {
            let _ = self.socket.send(to, Datagram::Goodbye { of: self.number });
        }
    }
}

async fn hear(
    call: Rc<Call>,
    socket: Rc<UdpSocket>,
    number: u64,
    to: Rc<Cell<Option<SocketAddr>>>,
    sender: Rc<Cell<Option<(u32, Micros)>>>,
) {
    let clock = call.clock.clone();
    loop {
        let (from, datagram) = socket.next().await;
        match datagram {
            Datagram::Check { of, id } if of == number => {
                to.set(Some(from));
                let _ = socket.send(from, Datagram::Checked { of, id });
            }
            Datagram::Rtp { ssrc, sequence, timestamp } => {
                call.account.packet(ssrc, sequence, timestamp, true);
                if let Some(to) = to.get() {
                    let _ = socket.send(to, datagram);
                }
            }
            Datagram::SenderReport { name } => sender.set(Some((name, clock.now().awake))),
            _ => {}
        }
    }
}
