//! What a datagram is, by its first bytes (RFC 7983), and as much of STUN and TURN as the instruments read. Any bytes may
//! come in; what is not understood is `Other`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind<'a> {
    Stun(Stun<'a>),
    Dtls,
    /// TURN's short form for data on a bound channel.
    Channel(&'a [u8]),
    Rtp,
    Rtcp,
    Other,
}

/// A STUN message whose lengths fit; its attributes are read when asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stun<'a> {
    pub class: Class,
    pub method: u16,
    pub id: [u8; 12],
    attributes: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Request,
    Indication,
    Success,
    Error,
}

pub mod method {
    pub const BINDING: u16 = 1;
    pub const ALLOCATE: u16 = 3;
    pub const REFRESH: u16 = 4;
    pub const SEND: u16 = 6;
    pub const DATA: u16 = 7;
    pub const CREATE_PERMISSION: u16 = 8;
    pub const CHANNEL_BIND: u16 = 9;
}

pub mod attribute {
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const LIFETIME: u16 = 0x000d;
    pub const DATA: u16 = 0x0013;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    /// RFC 5780: to which port of ours the answer shall go, and where else the server is.
    pub const RESPONSE_PORT: u16 = 0x0027;
    pub const OTHER_ADDRESS: u16 = 0x802c;
}

pub const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
pub const STUN_HEADER: usize = 20;
pub const CHANNEL_HEADER: usize = 4;

pub fn look(datagram: &[u8]) -> Kind<'_> {
    match datagram {
        [0..=3, ..] => Stun::parse(datagram).map_or(Kind::Other, Kind::Stun),
        [20..=63, ..] => Kind::Dtls,
        [64..=79, _, high, low, data @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            data.get(..length).map_or(Kind::Other, Kind::Channel)
        }
        // RFC 5761: the payload types that RTCP's packet types would shadow are not given to RTP.
        [128..=191, 192..=223, ..] => Kind::Rtcp,
        [128..=191, _, ..] => Kind::Rtp,
        _ => Kind::Other,
    }
}

/// The datagram, or what a relay carries in it.
pub fn unwrap(datagram: &[u8]) -> Kind<'_> {
    match look(datagram) {
        Kind::Channel(data) => look(data),
        Kind::Stun(stun) if stun.class == Class::Indication && matches!(stun.method, method::SEND | method::DATA) => {
            stun.attribute(attribute::DATA).map_or(Kind::Other, look)
        }
        kind => kind,
    }
}

impl<'a> Stun<'a> {
    fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (header, rest) = datagram.split_first_chunk::<STUN_HEADER>()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[4..8] != COOKIE || !length.is_multiple_of(4) {
            return None;
        }
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let class = match (kind >> 7 & 2) | (kind >> 4 & 1) {
            0 => Class::Request,
            1 => Class::Indication,
            2 => Class::Success,
            _ => Class::Error,
        };
        // The two bits of the class stand amid those of the method.
        let method = (kind & 0x000f) | (kind >> 1 & 0x0070) | (kind >> 2 & 0x0f80);
        let mut id = [0; 12];
        id.copy_from_slice(&header[8..]);
        Some(Self { class, method, id, attributes: rest.get(..length)? })
    }

    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        let mut rest = self.attributes;
        while let Some((header, after)) = rest.split_first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let value = after.get(..length)?;
            if u16::from_be_bytes([header[0], header[1]]) == kind {
                return Some(value);
            }
            rest = after.get(length.next_multiple_of(4)..)?;
        }
        None
    }

    pub fn has(&self, kind: u16) -> bool {
        self.attribute(kind).is_some()
    }

    /// Code and reason.
    pub fn error(&self) -> Option<(u16, String)> {
        let [_, _, class, number, reason @ ..] = self.attribute(attribute::ERROR_CODE)? else { return None };
        // Some servers count the zeroes that fill it up as part of it.
        let reason = String::from_utf8_lossy(reason).trim_end_matches('\0').to_owned();
        Some((u16::from(class & 7) * 100 + u16::from(*number), reason))
    }

    pub fn lifetime(&self) -> Option<u32> {
        self.attribute(attribute::LIFETIME)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// An address written as it is.
    pub fn plain_address(&self, kind: u16) -> Option<SocketAddr> {
        let [_, family, p0, p1, address @ ..] = self.attribute(kind)? else { return None };
        let ip: IpAddr = match family {
            1 => <[u8; 4]>::try_from(address).ok()?.into(),
            2 => <[u8; 16]>::try_from(address).ok()?.into(),
            _ => return None,
        };
        Some(SocketAddr::new(ip, u16::from_be_bytes([*p0, *p1])))
    }

    /// An address written over with the cookie and the transaction id.
    pub fn xor_address(&self, kind: u16) -> Option<SocketAddr> {
        let [_, family, p0, p1, address @ ..] = self.attribute(kind)? else { return None };
        let port = u16::from_be_bytes([p0 ^ COOKIE[0], p1 ^ COOKIE[1]]);
        let mut mask = [0; 16];
        mask[..4].copy_from_slice(&COOKIE);
        mask[4..].copy_from_slice(&self.id);
        let ip: IpAddr = match family {
            1 => {
                let plain: [u8; 4] = address.try_into().ok()?;
                std::array::from_fn::<u8, 4, _>(|i| plain[i] ^ mask[i]).into()
            }
            2 => {
                let plain: [u8; 16] = address.try_into().ok()?;
                Ipv6Addr::from(std::array::from_fn::<u8, 16, _>(|i| plain[i] ^ mask[i])).into()
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }
}

#[cfg(test)]
pub mod build {
    //! STUN messages for the tests of everything that reads them.
    use super::{COOKIE, Class};

    pub fn stun(class: Class, method: u16, id: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let class = match class {
            Class::Request => 0x0000,
            Class::Indication => 0x0010,
            Class::Success => 0x0100,
            Class::Error => 0x0110,
        };
        let mut body = vec![];
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend((value.len() as u16).to_be_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut message = (class | method).to_be_bytes().to_vec();
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(COOKIE);
        message.extend([id; 12]);
        message.extend(body);
        message
    }

    pub fn channel(number: u16, data: &[u8]) -> Vec<u8> {
        let mut message = number.to_be_bytes().to_vec();
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(data);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RTP: &[u8] = &[0x80, 0x6f, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xf8, 0xff, 0xfe];

    #[test]
    fn first_bytes_tell_the_protocols_apart() {
        assert_eq!(look(RTP), Kind::Rtp);
        assert_eq!(look(&[0x80, 0xc8, 0, 6]), Kind::Rtcp);
        assert_eq!(look(&[0x81, 0xc9, 0, 7]), Kind::Rtcp);
        assert_eq!(look(&[0x80, 0xef, 0, 1]), Kind::Rtp, "payload type 111 with the marker set");
        assert_eq!(look(&[22, 0xfe, 0xfd]), Kind::Dtls);
        assert_eq!(look(&[]), Kind::Other);
        assert_eq!(look(&[0, 1, 0, 0]), Kind::Other, "shorter than any STUN message");
    }

    #[test]
    fn rtp_is_seen_inside_a_relays_channel_and_inside_its_indications() {
        assert_eq!(unwrap(&build::channel(0x4001, RTP)), Kind::Rtp);
        let data = build::stun(Class::Indication, method::DATA, 1, &[(0x0012, &[0; 8]), (attribute::DATA, RTP)]);
        assert_eq!(unwrap(&data), Kind::Rtp);
        let check = build::stun(Class::Request, method::BINDING, 7, &[]);
        let in_channel = build::channel(0x4001, &check);
        let Kind::Stun(inner) = unwrap(&in_channel) else { panic!("a check in a channel") };
        assert_eq!((inner.method, inner.id), (method::BINDING, [7; 12]));
    }

    #[test]
    fn a_refusal_reads_as_code_and_reason_and_an_allocation_as_its_address() {
        let refusal =
            build::stun(Class::Error, method::ALLOCATE, 3, &[(attribute::ERROR_CODE, b"\0\0\x04\x01Unauthorized")]);
        let Kind::Stun(stun) = look(&refusal) else { panic!("STUN") };
        assert_eq!((stun.class, stun.method), (Class::Error, method::ALLOCATE));
        assert_eq!(stun.error(), Some((401, "Unauthorized".into())));

        // 192.0.2.1:32853, the example of RFC 5769.
        let mapped = [0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let success = build::stun(Class::Success, method::ALLOCATE, 3, &[(attribute::XOR_RELAYED_ADDRESS, &mapped)]);
        let Kind::Stun(stun) = look(&success) else { panic!("STUN") };
        assert_eq!(stun.xor_address(attribute::XOR_RELAYED_ADDRESS), Some(SocketAddr::from(([192, 0, 2, 1], 32853))));
    }

    #[test]
    fn a_message_cut_anywhere_is_refused_or_read_without_a_panic() {
        let whole = build::stun(Class::Error, method::REFRESH, 9, &[(attribute::ERROR_CODE, b"\0\0\x04\x26x")]);
        for cut in 0..whole.len() {
            assert_eq!(look(&whole[..cut]), Kind::Other, "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read_everything(&bytes);
        }

        #[test]
        fn any_attributes_are_read_without_a_panic(
            kind in 0u16..0x4000,
            body in prop::collection::vec(any::<u8>(), 0..30).prop_map(|mut b| { b.truncate(b.len() & !3); b }),
        ) {
            let mut message = kind.to_be_bytes().to_vec();
            message.extend((body.len() as u16).to_be_bytes());
            message.extend(COOKIE);
            message.extend([5; 12]);
            message.extend(&body);
            prop_assert!(matches!(look(&message), Kind::Stun(_)) == (kind < 0x0400));
            read_everything(&message);
        }
    }

    fn read_everything(bytes: &[u8]) {
        for kind in [look(bytes), unwrap(bytes)] {
            if let Kind::Stun(stun) = kind {
                let _ = (stun.error(), stun.lifetime(), stun.has(attribute::USERNAME));
                let _ =
                    (stun.xor_address(attribute::XOR_RELAYED_ADDRESS), stun.plain_address(attribute::OTHER_ADDRESS));
            }
        }
    }
}
