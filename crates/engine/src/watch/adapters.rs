//! Windows: `GetAdaptersAddresses`, the list of adapters with all that hangs on each.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use windows_sys::Win32::Foundation::{ERROR_BUFFER_OVERFLOW, ERROR_NO_DATA, ERROR_SUCCESS};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_MULTICAST, GetAdaptersAddresses, IP_ADAPTER_ADDRESSES_LH,
    IP_ADAPTER_DNS_SERVER_ADDRESS_XP, IP_ADAPTER_UNICAST_ADDRESS_LH,
};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_INET, SOCKET_ADDRESS,
};
use windows_sys::core::{PSTR, PWSTR};

/// What the documentation advises to begin with.
const FIRST_TRY: u32 = 15 * 1024;
/// It may grow between two calls.
const TRIES: usize = 4;
/// No text of the system's is longer; one without an end is not read for ever.
const LONGEST_TEXT: usize = 512;

/// The list, in the one block of memory that Windows filled; it points into itself.
pub struct Adapters {
    block: Vec<u64>,
    filled: bool,
}

impl Adapters {
    pub fn read() -> io::Result<Self> {
        let mut size = FIRST_TRY;
        for _ in 0..TRIES {
            let mut block = vec![0u64; (size as usize).div_ceil(8)];
            let flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST;
            // SAFETY: `block` is `size` bytes long at least, aligned for any of the structures, and outlives the call.
            let answer = unsafe {
                GetAdaptersAddresses(
                    u32::from(AF_UNSPEC),
                    flags,
                    std::ptr::null(),
                    block.as_mut_ptr().cast(),
                    &raw mut size,
                )
            };
            match answer {
                ERROR_SUCCESS => return Ok(Self { block, filled: true }),
                ERROR_NO_DATA => return Ok(Self { block, filled: false }),
                ERROR_BUFFER_OVERFLOW => {}
                other => return Err(io::Error::from_raw_os_error(other as i32)),
            }
        }
        Err(io::Error::other("the list of adapters grew faster than it could be read"))
    }

    pub fn iter(&self) -> impl Iterator<Item = Adapter<'_>> {
        let first = self.filled.then_some(self.block.as_ptr().cast::<IP_ADAPTER_ADDRESSES_LH>());
        // SAFETY: each link of the chain points into `block`, which Windows filled and `self` keeps, or is null.
        let first = first.and_then(|first| unsafe { first.as_ref() });
        // SAFETY: as above.
        std::iter::successors(first, |adapter| unsafe { adapter.Next.as_ref() }).map(Adapter)
    }
}

#[derive(Clone, Copy)]
pub struct Adapter<'a>(pub &'a IP_ADAPTER_ADDRESSES_LH);

impl<'a> Adapter<'a> {
    /// The one of IPv4; where that is switched off, the one of IPv6. They are the same where both are on.
    pub fn index(self) -> u32 {
        // SAFETY: both readings of the union are plain numbers.
        let index = unsafe { self.0.Anonymous1.Anonymous.IfIndex };
        if index == 0 { self.0.Ipv6IfIndex } else { index }
    }

    /// As people see it: `Ethernet`, `Wi-Fi 2`.
    pub fn name(self) -> String {
        wide(self.0.FriendlyName)
    }

    pub fn description(self) -> String {
        wide(self.0.Description)
    }

    /// `{4D36E972-E325-11CE-BFC1-08002BE10318}`
    pub fn guid(self) -> String {
        narrow(self.0.AdapterName)
    }

    pub fn addresses(self) -> impl Iterator<Item = &'a IP_ADAPTER_UNICAST_ADDRESS_LH> {
        // SAFETY: each link of the chain points into the list's block, which `'a` keeps, or is null.
        let first = unsafe { self.0.FirstUnicastAddress.as_ref::<'a>() };
        // SAFETY: as above.
        std::iter::successors(first, |address| unsafe { address.Next.as_ref() })
    }

    pub fn dns_servers(self) -> impl Iterator<Item = IpAddr> {
        // SAFETY: each link of the chain points into the list's block, which `'a` keeps, or is null.
        let first: Option<&'a IP_ADAPTER_DNS_SERVER_ADDRESS_XP> = unsafe { self.0.FirstDnsServerAddress.as_ref() };
        // SAFETY: as above.
        std::iter::successors(first, |server| unsafe { server.Next.as_ref() }).filter_map(|server| ip(&server.Address))
    }
}

pub fn ip(address: &SOCKET_ADDRESS) -> Option<IpAddr> {
    let length = usize::try_from(address.iSockaddrLength).ok()?;
    if address.lpSockaddr.is_null() || length < 2 {
        return None;
    }
    // SAFETY: it is not null, and at least the family is there.
    let family = unsafe { address.lpSockaddr.cast::<u16>().read_unaligned() };
    match family {
        AF_INET if length >= size_of::<SOCKADDR_IN>() => {
            // SAFETY: the family says what it is, and the length that all of it is there.
            Some(v4(&unsafe { address.lpSockaddr.cast::<SOCKADDR_IN>().read_unaligned() }))
        }
        AF_INET6 if length >= size_of::<SOCKADDR_IN6>() => {
            // SAFETY: as above.
            Some(v6(&unsafe { address.lpSockaddr.cast::<SOCKADDR_IN6>().read_unaligned() }))
        }
        _ => None,
    }
}

pub fn ip_of_inet(address: &SOCKADDR_INET) -> Option<IpAddr> {
    // SAFETY: the family stands first in each member of the union, and says which it is.
    unsafe {
        match address.si_family {
            AF_INET => Some(v4(&address.Ipv4)),
            AF_INET6 => Some(v6(&address.Ipv6)),
            _ => None,
        }
    }
}

fn v4(address: &SOCKADDR_IN) -> IpAddr {
    // SAFETY: every reading of this union is plain bytes, in the order of the network.
    IpAddr::V4(Ipv4Addr::from(unsafe { address.sin_addr.S_un.S_addr }.to_ne_bytes()))
}

fn v6(address: &SOCKADDR_IN6) -> IpAddr {
    // SAFETY: every reading of this union is plain bytes.
    IpAddr::V6(Ipv6Addr::from(unsafe { address.sin6_addr.u.Byte }))
}

fn wide(text: PWSTR) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: Windows ends its texts with a zero, and nothing beyond it is read.
    let units: Vec<u16> = (0..LONGEST_TEXT).map(|at| unsafe { *text.add(at) }).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

fn narrow(text: PSTR) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: Windows ends its texts with a zero, and nothing beyond it is read.
    let bytes: Vec<u8> = (0..LONGEST_TEXT).map(|at| unsafe { *text.add(at) }).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
