//! `Capture`: every packet that left and reached one end, by its headers. What a fault has no rule for, and so no copy of a
//! packet either, is seen here: the packet that should have come and did not, and the one that ended a connection.

use crate::ns::Ns;
use crate::packets::{HEAD, Head, Hears, PacketSocket};
use anyhow::{Result, ensure};
use record::Stamp;
use std::fmt;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub at: Stamp,
    /// It arrived; else it left.
    pub inward: bool,
    pub head: Head,
}

impl fmt::Display for Packet {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, inward, head } = self;
        write!(
            to,
            "{} {:.6} {} {} > {}",
            at.wall,
            at.uptime.seconds(),
            if *inward { "in " } else { "out" },
            head.from,
            head.to
        )?;
        if let Some(tcp) = head.tcp {
            write!(to, " seq {} ack {}", tcp.number, tcp.acknowledges)?;
            for (is, word) in [(tcp.syn, " SYN"), (tcp.fin, " FIN"), (tcp.rst, " RST")] {
                write!(to, "{}", if is { word } else { "" })?;
            }
        }
        match head.begins {
            Some([first, second]) => write!(to, " {first:02x}{second:02x}"),
            None => Ok(()),
        }
    }
}

pub struct Capture {
    packets: Arc<Mutex<Vec<Packet>>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

/// Some 150 packets a second for longer than any story lasts; more than this is not what the lab makes.
const MOST: usize = 200_000;

impl Capture {
    pub fn begin(end: &Ns) -> Result<Self> {
        let socket = PacketSocket::open(end, Hears::Everything)?;
        let (packets, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let reader = std::thread::Builder::new().name("capture".into()).spawn({
            let (packets, stop) = (Arc::clone(&packets), Arc::clone(&stop));
            move || read(&socket, &packets, &stop)
        })?;
        Ok(Self { packets, stop, reader: Some(reader) })
    }

    pub fn end(mut self) -> Result<Vec<Packet>> {
        self.join();
        let mut packets = std::mem::take(&mut *self.packets.lock().expect("the reader has ended"));
        packets.sort_by_key(|packet| packet.at);
        ensure!(packets.len() < MOST, "void: more packets than a capture holds");
        Ok(packets)
    }

    fn join(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // It ends within its receive timeout; a panic of it leaves no packets, which voids the run.
            let _ = reader.join();
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.join();
    }
}

fn read(socket: &PacketSocket, packets: &Mutex<Vec<Packet>>, stop: &AtomicBool) {
    let mut bytes = [0; HEAD];
    while !stop.load(Ordering::Relaxed) {
        match socket.read(&mut bytes) {
            Ok(read) if !read.local => {
                let packet = Head::of(&bytes[..read.length]);
                let mut packets = packets.lock().expect("no holder panics");
                if let Some(head) = packet
                    && packets.len() < MOST
                {
                    packets.push(Packet { at: read.at, inward: !read.sent, head });
                }
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // An interface that goes down says so once to whoever listens on it.
            Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {}
            Err(error) => panic!("the capture cannot read: {error}"),
        }
    }
}
