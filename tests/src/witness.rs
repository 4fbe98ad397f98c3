//! `Witness`: the lab's own observer, from which every fault has its truth.
//!
//! Each rule of a fault sends a copy of the packet it touches down a cable that ends in the router itself. A packet socket
//! at that end reads the copies with the time that the kernel put on them, so that a busy machine delays the reading and
//! never the time. The copy's Ethernet address carries the fault's number.

use crate::ns::Ns;
use anyhow::{Context, Result};
use record::Wall;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// The end into which rules copy.
pub const INTO: &str = "witness";
const END: &str = "witnessed";

#[derive(Clone, Copy, Debug)]
pub struct Hit {
    pub at: Wall,
    /// The ports of a UDP packet: from and to.
    pub udp: Option<(u16, u16)>,
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
        let socket = router.inside(packet_socket)?.context("opening the witness' packet socket")?;
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

/// How it begins.
const COPY: [u8; 5] = [2, 0, 0, 0, 0];

fn read(socket: &OwnedFd, hits: &Mutex<BTreeMap<u32, Vec<Hit>>>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        match receive(socket) {
            Ok(Some((number, hit))) => {
                hits.lock().expect("no holder panics").entry(number).or_default().push(hit);
            }
            Ok(None) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => panic!("the witness cannot read: {error}"),
        }
    }
}

/// Bound before it may receive: an unbound packet socket would hear every interface of the router.
fn packet_socket() -> Result<OwnedFd, Error> {
    // SAFETY: plain system calls on a descriptor that is owned from the moment it is known to be one; every pointer is to
    // a local value of the size that is given with it.
    unsafe {
        let fd = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0);
        if fd < 0 {
            return Err(Error::last_os_error());
        }
        let socket = OwnedFd::from_raw_fd(fd);
        let on: libc::c_int = 1;
        set(fd, libc::SO_TIMESTAMPNS, &on)?;
        // Long enough to cost nothing, short enough for the end of a world.
        set(fd, libc::SO_RCVTIMEO, &libc::timeval { tv_sec: 0, tv_usec: 100_000 })?;
        let name = std::ffi::CString::new(END).expect("a name without a zero byte");
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = libc::if_nametoindex(name.as_ptr()) as i32;
        let size = std::mem::size_of_val(&address) as libc::socklen_t;
        if libc::bind(fd, (&raw const address).cast(), size) != 0 {
            return Err(Error::last_os_error());
        }
        Ok(socket)
    }
}

/// SAFETY: `fd` must be an open socket, and `T` the type that the option takes.
unsafe fn set<T>(fd: i32, option: libc::c_int, value: &T) -> Result<(), Error> {
    let (value, size) = ((value as *const T).cast(), std::mem::size_of::<T>() as libc::socklen_t);
    // SAFETY: the pointer and the size are those of one live value.
    match unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, value, size) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}

/// The ports of a UDP packet in its Ethernet frame; nobody here sends options of IP.
fn udp_ports(frame: &[u8]) -> Option<(u16, u16)> {
    const ETHERNET: usize = 14;
    const UDP: u8 = libc::IPPROTO_UDP as u8;
    let word = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let (protocol, ports) = match i32::from(word(12)?) {
        libc::ETH_P_IP => (ETHERNET + 9, ETHERNET + 20),
        libc::ETH_P_IPV6 => (ETHERNET + 6, ETHERNET + 40),
        _ => return None,
    };
    if *frame.get(protocol)? == UDP { Some((word(ports)?, word(ports + 2)?)) } else { None }
}

/// One copy: the fault's number from its Ethernet address, the protocol from its IP header, the kernel's time.
fn receive(socket: &OwnedFd) -> Result<Option<(u32, Hit)>, Error> {
    // Ethernet's 14 bytes, IPv6's 40 and the two ports say all that is wanted.
    let mut packet = [0u8; 58];
    // Aligned for a control header, and larger than the one that we asked for.
    let mut control = [0u64; 16];
    // SAFETY: `message` points at the two buffers above and their sizes, which outlive the call; the control headers are
    // walked by libc's own macros within what the kernel said it wrote, and the time is read unaligned.
    unsafe {
        let mut part = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = std::mem::size_of_val(&control) as _;
        let length = libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0);
        if length < 0 {
            return Err(Error::last_os_error());
        }
        let packet = &packet[..length as usize];
        // The cable's own two ends say something to everybody now and then, and that is no copy.
        if !packet.starts_with(&COPY) {
            return Ok(None);
        }
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_TIMESTAMPNS {
                let at: libc::timespec = std::ptr::read_unaligned(libc::CMSG_DATA(header).cast());
                let at = Wall::from_micros(at.tv_sec * 1_000_000 + at.tv_nsec / 1_000);
                return Ok(Some((u32::from(packet[5]), Hit { at, udp: udp_ports(packet) })));
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    Err(Error::other("the kernel put no time on a packet"))
}
