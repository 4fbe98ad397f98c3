//! Socket addresses as the routing socket packs them: each with its length in front, at steps of four bytes.

use std::net::{IpAddr, Ipv6Addr};

const MOST: usize = 8;
const INET: u8 = libc::AF_INET as u8;
const INET6: u8 = libc::AF_INET6 as u8;
const LINK: u8 = libc::AF_LINK as u8;

/// The addresses of a message, each at its own place; absent where there is none or it is of another family.
pub fn row(bytes: &[u8], present: i32) -> [Option<IpAddr>; MOST] {
    let mut row = [None; MOST];
    let mut rest = bytes;
    for (place, address) in row.iter_mut().enumerate() {
        if present & (1 << place) != 0 {
            *address = ip(rest);
            let length = usize::from(rest.first().copied().unwrap_or(0));
            // One without a length takes up one step.
            rest = rest.get(length.next_multiple_of(4).max(4)..).unwrap_or_default();
        }
    }
    row
}

/// Of a `sockaddr_in` or `sockaddr_in6`.
pub fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match *bytes {
        [16, INET, _, _, a, b, c, d, ..] => Some(IpAddr::from([a, b, c, d])),
        [28, INET6, ..] => {
            let mut octets: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            // Within the kernel, the address of a link holds its number.
            if Ipv6Addr::from(octets).is_unicast_link_local() {
                octets[2..4].fill(0);
            }
            Some(IpAddr::from(octets))
        }
        _ => None,
    }
}

pub fn bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => [&[16, INET, 0, 0][..], &v4.octets(), &[0; 8]].concat(),
        IpAddr::V6(v6) => [&[28, INET6, 0, 0, 0, 0, 0, 0][..], &v6.octets(), &[0; 4]].concat(),
    }
}

/// A `sockaddr_dl` that names nothing.
pub fn empty_link() -> Vec<u8> {
    let mut link = vec![0; size_of::<libc::sockaddr_dl>()];
    link[0] = size_of::<libc::sockaddr_dl>() as u8;
    link[1] = LINK;
    link
}
