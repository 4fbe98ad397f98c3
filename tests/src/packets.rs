//! Packets as the kernel shows them to a packet socket: when, and the headers. The time is the kernel's own, so that a busy
//! machine delays the reading and never the time. It is the wall clock's; the clock that nobody sets is read with each packet.

use crate::ns::Ns;
use anyhow::{Context, Result};
use engine::Clock;
use record::Stamp;
use std::io::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

pub struct PacketSocket(OwnedFd);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hears<'a> {
    /// Whole frames that arrive at one interface.
    Interface(&'a str),
    /// From their IP header on, all that comes and goes in the namespace.
    Everything,
}

/// What was read of one packet.
pub struct Read {
    pub at: Stamp,
    pub length: usize,
    /// It left, and did not arrive.
    pub sent: bool,
    /// On the loopback interface, where nothing crosses a network.
    pub local: bool,
}

/// What the headers say; nobody here sends options of IP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub tcp: Option<Segment>,
    /// The first two bytes that it carries; a datagram or a segment may have none.
    pub begins: Option<[u8; 2]>,
    /// And the two after these: of RTP its number.
    pub then: Option<[u8; 2]>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    pub number: u32,
    /// Everything before this number has arrived.
    pub acknowledges: u32,
    pub syn: bool,
    pub fin: bool,
    pub rst: bool,
}

/// Long enough to cost nothing, short enough for the end of a world.
const PATIENCE: Duration = Duration::from_millis(100);

impl PacketSocket {
    /// Bound before it may receive: until then a packet socket hears nothing.
    pub fn open(ns: &Ns, hears: Hears) -> Result<Self> {
        ns.inside(|| open(hears))?.map(Self).context("opening a packet socket")
    }

    /// The next packet's first bytes; an error of `WouldBlock` where none came for a while.
    pub fn read(&self, packet: &mut [u8]) -> Result<Read, Error> {
        // Aligned for a control header, and larger than the one that we asked for.
        let mut control = [0u64; 16];
        // SAFETY: `message` points at the buffers above and their sizes, which outlive the call; the control headers are
        // walked by libc's own macros within what the kernel said it wrote, and the time is read unaligned.
        unsafe {
            let mut part = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
            let mut from: libc::sockaddr_ll = std::mem::zeroed();
            let mut message: libc::msghdr = std::mem::zeroed();
            message.msg_name = (&raw mut from).cast();
            message.msg_namelen = std::mem::size_of_val(&from) as libc::socklen_t;
            message.msg_iov = &raw mut part;
            message.msg_iovlen = 1;
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = std::mem::size_of_val(&control) as _;
            let length = libc::recvmsg(self.0.as_raw_fd(), &raw mut message, 0);
            if length < 0 {
                return Err(Error::last_os_error());
            }
            let now = Clock::real().now();
            let mut header = libc::CMSG_FIRSTHDR(&raw const message);
            while !header.is_null() {
                if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_TIMESTAMPNS {
                    let at: libc::timespec = std::ptr::read_unaligned(libc::CMSG_DATA(header).cast());
                    return Ok(Read {
                        at: stamp(now, at.tv_sec * 1_000_000 + at.tv_nsec / 1_000),
                        length: length as usize,
                        sent: from.sll_pkttype == libc::PACKET_OUTGOING,
                        local: from.sll_hatype == libc::ARPHRD_LOOPBACK,
                    });
                }
                header = libc::CMSG_NXTHDR(&raw const message, header);
            }
        }
        Err(Error::other("the kernel put no time on a packet"))
    }
}

/// Of a packet that is read now and arrived when the wall clock said so.
fn stamp(now: Stamp, wall_us: i64) -> Stamp {
    now.minus(Duration::from_micros((now.wall.micros() - wall_us).try_into().unwrap_or(0)))
}

fn open(hears: Hears) -> Result<OwnedFd, Error> {
    let (kind, interface) = match hears {
        Hears::Interface(name) => (libc::SOCK_RAW, Some(name)),
        Hears::Everything => (libc::SOCK_DGRAM, None),
    };
    // SAFETY: plain system calls on a descriptor that is owned from the moment it is known to be one; every pointer is to
    // a local value of the size that is given with it.
    unsafe {
        let fd = libc::socket(libc::AF_PACKET, kind | libc::SOCK_CLOEXEC, 0);
        if fd < 0 {
            return Err(Error::last_os_error());
        }
        let socket = OwnedFd::from_raw_fd(fd);
        let on: libc::c_int = 1;
        set(fd, libc::SO_TIMESTAMPNS, &on)?;
        let patience = libc::timeval { tv_sec: 0, tv_usec: PATIENCE.as_micros() as _ };
        set(fd, libc::SO_RCVTIMEO, &patience)?;
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        if let Some(name) = interface {
            let name = std::ffi::CString::new(name).expect("a name without a zero byte");
            address.sll_ifindex = libc::if_nametoindex(name.as_ptr()) as i32;
        }
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

/// Enough of a packet for all that `Head` says: IPv6's 40 bytes, TCP's 60 at the most, and four beyond.
pub const HEAD: usize = 104;

impl Head {
    /// Of a packet that begins with its IP header; nothing of what is neither UDP nor TCP.
    pub fn of(packet: &[u8]) -> Option<Self> {
        let (protocol, from, to, above) = match packet.first()? >> 4 {
            4 => {
                let address = |at: usize| Some(IpAddr::from(Ipv4Addr::from(array::<4>(packet, at)?)));
                (*packet.get(9)?, address(12)?, address(16)?, packet.get(20..)?)
            }
            6 => {
                let address = |at: usize| Some(IpAddr::from(Ipv6Addr::from(array::<16>(packet, at)?)));
                (*packet.get(6)?, address(8)?, address(24)?, packet.get(40..)?)
            }
            _ => return None,
        };
        let (tcp, carried) = match i32::from(protocol) {
            libc::IPPROTO_UDP => (None, 8),
            libc::IPPROTO_TCP => {
                let flags = *above.get(13)?;
                let word = |at: usize| Some(u32::from_be_bytes(array(above, at)?));
                let (number, acknowledges) = (word(4)?, word(8)?);
                let (fin, syn, rst) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
                let segment = Segment { number, acknowledges, syn, fin, rst };
                (Some(segment), usize::from(above.get(12)? >> 4) * 4)
            }
            _ => return None,
        };
        let port = |at: usize| Some(u16::from_be_bytes(array(above, at)?));
        let (from, to) = (SocketAddr::new(from, port(0)?), SocketAddr::new(to, port(2)?));
        Some(Self { from, to, tcp, begins: array(above, carried), then: array(above, carried + 2) })
    }

    /// This segment says that the other, of the same connection and the other way, has arrived. Numbers begin anew after
    /// the last one.
    pub fn acknowledges(&self, other: &Self) -> bool {
        let (Some(mine), Some(other_segment)) = (self.tcp, other.tcp) else { return false };
        let beyond = mine.acknowledges.wrapping_sub(other_segment.number);
        (self.from, self.to) == (other.to, other.from) && !mine.rst && (1..1 << 31).contains(&beyond)
    }

    /// What a relay's channels, RTP and RTCP begin with, by RFC 7983, less RTCP, by RFC 5761: it reports on media, and is none.
    pub fn is_media(&self) -> bool {
        self.tcp.is_none()
            && self.begins.is_some_and(|bytes| bytes[0] >= 64 && !(bytes[0] >= 128 && (192..224).contains(&bytes[1])))
    }

    /// Sealed or not, its own number stands behind its first two bytes.
    pub fn is_rtp(&self) -> bool {
        self.is_media() && self.begins.is_some_and(|bytes| bytes[0] >= 128)
    }

    pub fn has_port(&self, port: u16) -> bool {
        self.from.port() == port || self.to.port() == port
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}
