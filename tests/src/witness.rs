//! `Witness`: the lab's own observer, from which every fault has its truth.
//!
//! Each rule of a fault sends a copy of the packet it touches down a cable that ends in the router itself. A packet socket
//! at that end reads the copies with the time that the kernel put on them. The copy's Ethernet address carries the fault's
//! number.

use crate::ns::Ns;
use crate::packets::{HEAD, Head, Hears, PacketSocket};
use anyhow::Result;
use record::Stamp;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// The end into which rules copy.
pub const INTO: &str = "witness";
const END: &str = "witnessed";

#[derive(Clone, Copy, Debug)]
pub struct Hit {
    pub at: Stamp,
    /// Of a packet of UDP or TCP.
    pub head: Option<Head>,
}

impl Hit {
    /// The ports of a UDP packet: from and to.
    pub fn udp(&self) -> Option<(u16, u16)> {
        self.head.filter(|head| head.tcp.is_none()).map(|head| (head.from.port(), head.to.port()))
    }
}

pub struct Witness {
    hits: Arc<Mutex<BTreeMap<u32, Vec<Hit>>>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Witness {
    pub fn new(router: &Ns) -> Result<Self> {
        router.ip(&["link", "add", INTO, "type", "veth", "peer", "name", END])?;
        router.ip(&["addr", "add", "10.99.0.1/24", "dev", INTO])?;
        router.ip(&["link", "set", INTO, "up"])?;
        router.ip(&["link", "set", END, "up"])?;
        for number in 1..=crate::fault::MOST {
            let (address, ethernet) = (gateway(number), ethernet(number));
            router.ip(&["neigh", "add", &address, "lladdr", &ethernet, "nud", "permanent", "dev", INTO])?;
        }
        let socket = PacketSocket::open(router, Hears::Interface(END))?;
        let hits = Arc::new(Mutex::new(BTreeMap::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let reader = std::thread::Builder::new().name("witness".into()).spawn({
            let (hits, stop) = (Arc::clone(&hits), Arc::clone(&stop));
            move || read(&socket, &hits, &stop)
        })?;
        Ok(Self { hits, stop, reader: Some(reader) })
    }

    /// What the fault of that number has touched so far.
    pub fn hits(&self, number: u32) -> Vec<Hit> {
        self.hits.lock().expect("no holder panics").get(&number).cloned().unwrap_or_default()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // It ends within its receive timeout; a panic of it was a missing hit, which voids the run by itself.
            let _ = reader.join();
        }
    }
}

/// Where a fault's rule sends its copies.
pub fn gateway(number: u32) -> String {
    format!("10.99.0.{}", 100 + number)
}

/// The same in a world that has IPv6.
pub fn gateway_ipv6(number: u32) -> String {
    format!("fd99::{}", 100 + number)
}

/// Without it only what is passed on over IPv4 is seen.
pub fn see_ipv6(router: &Ns) -> Result<()> {
    router.ip(&["addr", "add", "fd99::1/64", "dev", INTO, "nodad"])?;
    (1..=crate::fault::MOST).try_for_each(|number| {
        let (address, ethernet) = (gateway_ipv6(number), ethernet(number));
        router.ip(&["neigh", "add", &address, "lladdr", &ethernet, "nud", "permanent", "dev", INTO])
    })
}

/// The Ethernet address that tells the copies of one fault from those of another.
pub fn ethernet(number: u32) -> String {
    format!("02:00:00:00:00:{number:02x}")
}

/// How it begins; the cable's own two ends say something to everybody now and then, and that is no copy.
const COPY: [u8; 5] = [2, 0, 0, 0, 0];
const ETHERNET: usize = 14;

fn read(socket: &PacketSocket, hits: &Mutex<BTreeMap<u32, Vec<Hit>>>, stop: &AtomicBool) {
    let mut frame = [0u8; ETHERNET + HEAD];
    while !stop.load(Ordering::Relaxed) {
        match socket.read(&mut frame) {
            Ok(read) if frame.starts_with(&COPY) && read.length > ETHERNET => {
                let head = Head::of(&frame[ETHERNET..read.length]);
                let hit = Hit { at: read.at, head };
                hits.lock().expect("no holder panics").entry(u32::from(frame[5])).or_default().push(hit);
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => panic!("the witness cannot read: {error}"),
        }
    }
}
