//! All interfaces and their addresses, from `getifaddrs`, and what only an ioctl tells of each.

use super::sockaddr;
use crate::watch::network::picture::{Address, Link, Nature, News};
use record::fact::LinkKind;
use std::ffi::CStr;
use std::io;
use std::mem::zeroed;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

// net/if_media.h and netinet6/in6_var.h, with the sizes of their arguments.
const SIOCGIFMEDIA: libc::c_ulong = 0xc02c_6938;
const SIOCGIFAFLAG_IN6: libc::c_ulong = 0xc120_6949;
const IFM_AVALID: i32 = 1;
const IFM_ACTIVE: i32 = 2;
const IFM_NMASK: i32 = 0xe0;
const IFM_IEEE80211: i32 = 0x80;
const IN6_IFF_TENTATIVE: i32 = 0x2;
const IN6_IFF_DUPLICATED: i32 = 0x4;
const IN6_IFF_TEMPORARY: i32 = 0x80;
const IFT_LOOP: u8 = 24;

/// `struct ifmediareq`, which is packed to four bytes.
#[repr(C, packed(4))]
struct MediaRequest {
    name: [u8; libc::IFNAMSIZ],
    current: i32,
    mask: i32,
    status: i32,
    active: i32,
    count: i32,
    list: *mut i32,
}

/// `struct in6_ifreq`: a name, and a union in which an address goes in and flags come out.
#[repr(C, align(8))]
struct Flags6Request {
    name: [u8; libc::IFNAMSIZ],
    union: [u8; 272],
}

pub fn look() -> io::Result<Vec<News>> {
    let list = List::read()?;
    let media = ioctl_socket(libc::AF_INET)?;
    let flags6 = ioctl_socket(libc::AF_INET6)?;
    let mut all = Vec::new();
    for entry in list.iter() {
        // SAFETY: the name is a text that ends with a zero, as long as the list lives.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) };
        // SAFETY: the address is null or begins with its length and family.
        let Some(address) = (unsafe { entry.ifa_addr.as_ref() }) else { continue };
        if i32::from(address.sa_family) == libc::AF_LINK {
            // SAFETY: the family says what it is.
            let index = unsafe { (*entry.ifa_addr.cast::<libc::sockaddr_dl>()).sdl_index };
            all.push(News::Link(link(entry, name, index.into(), &media)));
        } else if let Some(ip) = ip_at(entry.ifa_addr) {
            // SAFETY: the name is a text that ends with a zero.
            let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
            all.extend(address_of(entry, name, index, ip, &flags6).map(News::Address));
        }
    }
    Ok(all)
}

fn link(entry: &libc::ifaddrs, name: &CStr, index: u32, media: &OwnedFd) -> Link {
    // SAFETY: for an address of a link, this is null or the link's own data, as long as the list lives.
    let data = unsafe { entry.ifa_data.cast::<libc::if_data>().as_ref() };
    let has = |flag: i32| entry.ifa_flags & flag as u32 != 0;
    let medium = medium(name, media);
    let text = name.to_string_lossy();
    Link {
        index,
        name: (&*text).into(),
        nature: Nature::Is(kind(&text, data.map(|data| data.ifi_type), medium.as_ref())),
        driver: "".into(),
        up: has(libc::IFF_UP),
        // Without a medium, as tunnels are, running is all that there is to know.
        carrier: has(libc::IFF_UP) && medium.map_or(has(libc::IFF_RUNNING), |medium| medium.active),
        mtu: data.map_or(0, |data| data.ifi_mtu),
    }
}

struct Medium {
    active: bool,
    is_wifi: bool,
}

fn medium(name: &CStr, socket: &OwnedFd) -> Option<Medium> {
    // SAFETY: a struct of numbers and one pointer, for which zero is a value; with a count of zero the list is not used.
    let mut request: MediaRequest = unsafe { zeroed() };
    put_name(&mut request.name, name)?;
    // SAFETY: the descriptor is open, and the request is of the size that the number of the ioctl holds.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGIFMEDIA, &raw mut request) };
    let (status, current) = (request.status, request.current);
    (answer == 0 && status & IFM_AVALID != 0)
        .then_some(Medium { active: status & IFM_ACTIVE != 0, is_wifi: current & IFM_NMASK == IFM_IEEE80211 })
}

/// macOS names its interfaces by what they are.
fn kind(name: &str, if_type: Option<u8>, medium: Option<&Medium>) -> LinkKind {
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if if_type == Some(IFT_LOOP) {
        LinkKind::Loopback
    } else if begins(&["utun", "ipsec", "ppp", "tun", "tap", "gif", "stf"]) {
        LinkKind::Tunnel
    } else if begins(&["pdp_ip"]) {
        LinkKind::Mobile
    } else if begins(&["bridge", "vmenet", "feth", "vmnet", "awdl", "llw", "ap", "anpi", "vlan"]) {
        LinkKind::Virtual
    } else if medium.is_some_and(|medium| medium.is_wifi) {
        LinkKind::Wifi
    } else if begins(&["en"]) {
        LinkKind::Wired
    } else {
        LinkKind::Other
    }
}

/// None while an IPv6 address is still being checked for twins, or has one: it cannot be used.
fn address_of(entry: &libc::ifaddrs, name: &CStr, index: u32, ip: IpAddr, socket: &OwnedFd) -> Option<Address> {
    let flags = if ip.is_ipv6() { flags6(name, entry.ifa_addr, socket).unwrap_or(0) } else { 0 };
    let usable = flags & (IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED) == 0;
    usable.then_some(Address {
        index,
        address: ip,
        prefix: prefix(entry.ifa_netmask, ip.is_ipv6()),
        temporary: flags & IN6_IFF_TEMPORARY != 0,
    })
}

fn flags6(name: &CStr, address: *const libc::sockaddr, socket: &OwnedFd) -> Option<i32> {
    let mut request = Flags6Request { name: [0; libc::IFNAMSIZ], union: [0; 272] };
    put_name(&mut request.name, name)?;
    request.union[..28].copy_from_slice(&raw_bytes::<28>(address)?);
    // SAFETY: the descriptor is open, and the request is of the size that the number of the ioctl holds.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGIFAFLAG_IN6, &raw mut request) };
    let flags = request.union.first_chunk().copied().map(i32::from_ne_bytes);
    flags.filter(|_| answer == 0)
}

/// How many bits of the mask are set. The mask's own length may leave zeros at its end out, and its family too.
fn prefix(mask: *const libc::sockaddr, v6: bool) -> u8 {
    if mask.is_null() {
        return if v6 { 128 } else { 32 };
    }
    let (from, to) = if v6 { (8, 24) } else { (4, 8) };
    // SAFETY: a socket address of this system begins with its own length.
    let length = usize::from(unsafe { mask.cast::<u8>().read() });
    // SAFETY: nothing beyond that length is read.
    let byte = |at: usize| unsafe { mask.cast::<u8>().add(at).read() };
    (from..to.min(length)).map(|at| byte(at).count_ones() as u8).sum()
}

fn ip_at(address: *const libc::sockaddr) -> Option<IpAddr> {
    raw_bytes::<28>(address).and_then(|v6| sockaddr::ip(&v6)).or_else(|| sockaddr::ip(&raw_bytes::<16>(address)?))
}

fn raw_bytes<const N: usize>(address: *const libc::sockaddr) -> Option<[u8; N]> {
    // SAFETY: a socket address of this system begins with its own length, and is that long.
    let length = usize::from(unsafe { address.cast::<u8>().as_ref() }.copied()?);
    // SAFETY: as above.
    (length == N).then(|| unsafe { address.cast::<[u8; N]>().read() })
}

/// None for a name that is longer than names are.
fn put_name(to: &mut [u8; libc::IFNAMSIZ], name: &CStr) -> Option<()> {
    let bytes = name.to_bytes_with_nul();
    to.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(())
}

fn ioctl_socket(family: i32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes three numbers.
    let socket = unsafe { libc::socket(family, libc::SOCK_DGRAM, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, and nothing else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

/// Freed when it is dropped.
struct List(*mut libc::ifaddrs);

impl List {
    fn read() -> io::Result<Self> {
        let mut first = std::ptr::null_mut();
        // SAFETY: the call fills the pointer.
        match unsafe { libc::getifaddrs(&raw mut first) } {
            0 => Ok(Self(first)),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &libc::ifaddrs> {
        // SAFETY: each link of the chain is valid until the list is freed, or null.
        let first = unsafe { self.0.as_ref() };
        // SAFETY: as above.
        std::iter::successors(first, |entry| unsafe { entry.ifa_next.as_ref() })
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: it came from getifaddrs, and is freed once.
        unsafe { libc::freeifaddrs(self.0) };
    }
}
