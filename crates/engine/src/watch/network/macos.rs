//! macOS: the routing socket, each of its messages followed by a look at the whole.
//!
//! *Seen*: interfaces, addresses (an IPv6 address once it may be used) and routes, within milliseconds of the message; the
//! carrier where the driver tells its medium; the way as the kernel would choose it for a new packet of no interface.
//! *Not seen*: what comes and goes again between two looks; what the kernel could not keep for us when too much happened at
//! once, for it does not say so; the gateway's entry in the table of neighbours; ways that the system chooses for single
//! programs (per-app VPN); a route to the addresses for documentation (RFC 5737, 3849), which would be taken for the default
//! route.

use super::picture::{News, Way};
use super::{NOBODYS, Told};
use record::fact::Reachability;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

#[path = "macos/interfaces.rs"]
mod interfaces;
#[path = "macos/sockaddr.rs"]
mod sockaddr;

/// The kernel answers at once; without this, an answer that was lost would hold us for ever.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
const LARGEST: usize = 2048;

// net/route.h
const RTM_ADD: u8 = 1;
const RTM_DELETE: u8 = 2;
const RTM_CHANGE: u8 = 3;
const RTM_GET: u8 = 4;
const RTM_NEWADDR: u8 = 12;
const RTM_DELADDR: u8 = 13;
const RTM_IFINFO: u8 = 14;
const RTM_IFINFO2: u8 = 18;
const RTM_VERSION: u8 = 5;
const RTA_DST: i32 = 0x1;
const RTA_IFP: i32 = 0x10;
const RTA_IFA: i32 = 0x20;
const RTF_UP: i32 = 0x1;
const RTF_GATEWAY: i32 = 0x2;
const RTF_HOST: i32 = 0x4;
const RTF_REJECT: i32 = 0x8;
const RTF_BLACKHOLE: i32 = 0x1000;
/// Where `RTA_GATEWAY` and `RTA_IFA` stand in the row of addresses.
const GATEWAY: usize = 1;
const SOURCE: usize = 5;

pub struct Kernel {
    listener: AsyncFd<OwnedFd>,
    sequence: i32,
}

impl Kernel {
    pub fn open() -> io::Result<Self> {
        let listener = routing_socket()?;
        // SAFETY: the descriptor is open, and the flag is one that it takes.
        if unsafe { libc::fcntl(listener.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the socket has one descriptor as long as it lives, and `AsyncFd` owns it from here on: nothing takes it
        // out or puts another in its place.
        let listener = unsafe { AsyncFd::register(listener)? };
        Ok(Self { listener, sequence: 0 })
    }

    pub async fn told(&mut self) -> io::Result<Told> {
        loop {
            let mut ready = self.listener.readable().await?;
            let mut changed = false;
            loop {
                match ready.try_io(|socket| receive(socket.get_ref())) {
                    Ok(Ok(message)) => changed |= concerns_us(&message),
                    Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => return Ok(Told::Lost),
                    Ok(Err(error)) => return Err(error),
                    Err(_nothing_more) => break,
                }
            }
            if changed {
                return Ok(Told::LookAnew);
            }
        }
    }

    pub fn internet(&mut self, v6: bool) -> io::Result<IpAddr> {
        Ok(NOBODYS[usize::from(v6)][0])
    }

    /// Each time by a socket of its own: one that is kept fills up with news that nobody reads, until the answer finds no
    /// room.
    pub fn way(&mut self, to: IpAddr) -> io::Result<Option<Way>> {
        self.sequence = self.sequence.wrapping_add(1);
        let asker = routing_socket()?;
        socket2::SockRef::from(&asker).set_read_timeout(Some(ANSWER_WITHIN))?;
        match send(&asker, &request(to, self.sequence)) {
            Ok(()) => {}
            // A refusal is an answer: there is no way.
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::ESRCH | libc::ENETUNREACH | libc::EAFNOSUPPORT)) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        loop {
            // The socket hears of all changes too.
            let message = receive(&asker)?;
            if let Some(header) = header(&message)
                && header.rtm_type == RTM_GET
                && header.rtm_seq == self.sequence
                && header.rtm_pid == std::process::id().cast_signed()
            {
                return Ok(way(&header, &message));
            }
        }
    }

    pub fn neighbour(&mut self, _: u32, _: IpAddr) -> io::Result<Option<Reachability>> {
        Ok(None)
    }
}

pub async fn look() -> io::Result<Vec<News>> {
    tokio::task::spawn_blocking(interfaces::look).await.map_err(io::Error::other)?
}

fn routing_socket() -> io::Result<OwnedFd> {
    // SAFETY: the call takes three numbers.
    let socket = unsafe { libc::socket(libc::PF_ROUTE, libc::SOCK_RAW, libc::AF_UNSPEC) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, and nothing else knows of it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // A program that we start has no use for it.
    // SAFETY: the descriptor is open, and the flag is one that it takes.
    if unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

fn receive(socket: &OwnedFd) -> io::Result<Vec<u8>> {
    let mut message = vec![0; LARGEST];
    // SAFETY: the descriptor is open, and `message` holds as many bytes as the call is told.
    let length = unsafe { libc::read(socket.as_raw_fd(), message.as_mut_ptr().cast(), message.len()) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    message.truncate(length);
    Ok(message)
}

fn send(socket: &OwnedFd, message: &[u8]) -> io::Result<()> {
    // SAFETY: the descriptor is open, and `message` holds as many bytes as the call is told.
    let sent = unsafe { libc::write(socket.as_raw_fd(), message.as_ptr().cast(), message.len()) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Version and type stand at the same place in all messages of the routing socket.
fn concerns_us(message: &[u8]) -> bool {
    let kinds = [RTM_ADD, RTM_DELETE, RTM_CHANGE, RTM_NEWADDR, RTM_DELADDR, RTM_IFINFO, RTM_IFINFO2];
    matches!(message, [_, _, RTM_VERSION, kind, ..] if kinds.contains(kind))
}

fn header(message: &[u8]) -> Option<libc::rt_msghdr> {
    (message.len() >= size_of::<libc::rt_msghdr>() && message[2] == RTM_VERSION).then(|| {
        // SAFETY: it is a struct of numbers, for which any bytes will do, and there are enough of them.
        unsafe { message.as_ptr().cast::<libc::rt_msghdr>().read_unaligned() }
    })
}

/// Asks for the interface and its address too, which are else left out of the answer.
fn request(to: IpAddr, sequence: i32) -> Vec<u8> {
    let interface = sockaddr::empty_link();
    let addresses = [sockaddr::bytes(to), interface].concat();
    let length = size_of::<libc::rt_msghdr>() + addresses.len();
    // SAFETY: it is a struct of numbers, for which zero is a value.
    let mut header: libc::rt_msghdr = unsafe { std::mem::zeroed() };
    header.rtm_msglen = length as u16;
    header.rtm_version = RTM_VERSION;
    header.rtm_type = RTM_GET;
    header.rtm_flags = RTF_UP | RTF_HOST;
    header.rtm_addrs = RTA_DST | RTA_IFP;
    header.rtm_pid = std::process::id().cast_signed();
    header.rtm_seq = sequence;
    let mut message = vec![0; size_of::<libc::rt_msghdr>()];
    // SAFETY: the vector was made as long as the struct.
    unsafe { message.as_mut_ptr().cast::<libc::rt_msghdr>().write_unaligned(header) };
    message.extend(addresses);
    message
}

fn way(header: &libc::rt_msghdr, message: &[u8]) -> Option<Way> {
    if header.rtm_errno != 0 || header.rtm_flags & (RTF_REJECT | RTF_BLACKHOLE) != 0 {
        return None;
    }
    let addresses = sockaddr::row(&message[size_of::<libc::rt_msghdr>()..], header.rtm_addrs);
    let gateway = (header.rtm_flags & RTF_GATEWAY != 0).then_some(addresses[GATEWAY]).flatten();
    let source = (header.rtm_addrs & RTA_IFA != 0).then_some(addresses[SOURCE]).flatten();
    Some(Way { index: header.rtm_index.into(), gateway, source })
}
