//! Windows: the echo that the system itself sends for anybody.

use super::super::asking::OVERDUE;
use super::super::letters::unguessable;
use super::Gateway;
use crate::line::trouble::words;
use record::Said;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    ConvertInterfaceAliasToLuid, ConvertInterfaceLuidToIndex, ICMP_ECHO_REPLY, ICMPV6_ECHO_REPLY_LH,
    IP_DEST_HOST_UNREACHABLE, IP_DEST_NET_UNREACHABLE, IP_REQ_TIMED_OUT, IP_SUCCESS, Icmp6CreateFile, Icmp6SendEcho2,
    IcmpCloseHandle, IcmpCreateFile, IcmpSendEcho2,
};
use windows_sys::Win32::Networking::WinSock::{AF_INET6, IN6_ADDR, IN6_ADDR_0, SOCKADDR_IN6, SOCKADDR_IN6_0};

pub const fn permitted() -> bool {
    true
}

/// The calls wait for their answer, each on a thread of its own; there are never more than six.
pub async fn reach(gateway: Gateway) -> Result<(), Said> {
    let asked = tokio::task::spawn_blocking(move || match gateway.address {
        IpAddr::V4(v4) => ping(v4),
        IpAddr::V6(v6) => ping6(v6, gateway.interface.as_str()),
    });
    match asked.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(said(&error)),
        Err(_) => Err("the system's echo was not asked for".into()),
    }
}

/// Closes when dropped.
struct Echo(HANDLE);

impl Echo {
    fn new(handle: HANDLE) -> io::Result<Self> {
        if handle == INVALID_HANDLE_VALUE { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }
}
impl Drop for Echo {
    fn drop(&mut self) {
        // SAFETY: the handle was opened by `Echo::new`'s caller and is closed here alone.
        unsafe { IcmpCloseHandle(self.0) };
    }
}

const DATA: usize = 16;
/// Room for a reply, its data, an ICMP error's eight bytes and an IO_STATUS_BLOCK, as the manual asks; in words of eight
/// bytes, so that a reply lies in it as it must.
const ROOM: usize = 64;

fn ping(to: Ipv4Addr) -> io::Result<()> {
    // SAFETY: takes nothing.
    let echo = Echo::new(unsafe { IcmpCreateFile() })?;
    let data: [u8; DATA] = unguessable();
    let mut room = [0u64; ROOM];
    // SAFETY: both buffers outlive the call, which waits, and their true sizes are given.
    let replies = unsafe {
        IcmpSendEcho2(
            echo.0,
            null_mut(),
            None,
            null(),
            u32::from_ne_bytes(to.octets()),
            data.as_ptr().cast(),
            DATA as u16,
            null(),
            room.as_mut_ptr().cast(),
            size_of_val(&room) as u32,
            OVERDUE.as_millis() as u32,
        )
    };
    if replies == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call says that there is a reply at the beginning of the room, which is large enough and aligned for it.
    let status = unsafe { (*room.as_ptr().cast::<ICMP_ECHO_REPLY>()).Status };
    answered(status)
}

fn ping6(to: Ipv6Addr, interface: &str) -> io::Result<()> {
    // SAFETY: takes nothing.
    let echo = Echo::new(unsafe { Icmp6CreateFile() })?;
    let from = socket_address(Ipv6Addr::UNSPECIFIED, 0);
    let scope = if to.is_unicast_link_local() { index(interface)? } else { 0 };
    let to = socket_address(to, scope);
    let data: [u8; DATA] = unguessable();
    let mut room = [0u64; ROOM];
    // SAFETY: addresses and buffers outlive the call, which waits, and their true sizes are given.
    let replies = unsafe {
        Icmp6SendEcho2(
            echo.0,
            null_mut(),
            None,
            null(),
            &raw const from,
            &raw const to,
            data.as_ptr().cast(),
            DATA as u16,
            null(),
            room.as_mut_ptr().cast(),
            size_of_val(&room) as u32,
            OVERDUE.as_millis() as u32,
        )
    };
    if replies == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    let status = unsafe { (*room.as_ptr().cast::<ICMPV6_ECHO_REPLY_LH>()).Status };
    answered(status)
}

/// An error of another device, such as "unreachable", is an answer of that one and none of the gateway.
fn answered(status: u32) -> io::Result<()> {
    if status == IP_SUCCESS { Ok(()) } else { Err(io::Error::from_raw_os_error(status as i32)) }
}

/// The system's texts know these numbers as those of sockets, and say of a mere silence that resources are lacking.
fn said(error: &io::Error) -> Said {
    match error.raw_os_error().map(|code| code as u32) {
        Some(IP_REQ_TIMED_OUT) => "no answer of any kind".into(),
        Some(IP_DEST_NET_UNREACHABLE | IP_DEST_HOST_UNREACHABLE) => "it cannot be reached".into(),
        Some(code @ IP_STATUS_BASE..=IP_STATUS_LAST) => Said::new(&format!("the system's echo failed with {code}")),
        _ => words(error),
    }
}
/// All statuses of ICMP lie between these two.
const IP_STATUS_BASE: u32 = 11_000;
const IP_STATUS_LAST: u32 = 11_050;

fn socket_address(ip: Ipv6Addr, scope: u32) -> SOCKADDR_IN6 {
    SOCKADDR_IN6 {
        sin6_family: AF_INET6,
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: ip.octets() } },
        Anonymous: SOCKADDR_IN6_0 { sin6_scope_id: scope },
    }
}

/// From the name that people see to the number that addresses take.
fn index(interface: &str) -> io::Result<u32> {
    let name: Vec<u16> = interface.encode_utf16().chain([0]).collect();
    let (mut luid, mut index) = (Default::default(), 0);
    // SAFETY: the name ends with a zero, and both results have room.
    let done = unsafe {
        match ConvertInterfaceAliasToLuid(name.as_ptr(), &raw mut luid) {
            0 => ConvertInterfaceLuidToIndex(&raw const luid, &raw mut index),
            error => error,
        }
    };
    if done == 0 { Ok(index) } else { Err(io::Error::from_raw_os_error(done as i32)) }
}
