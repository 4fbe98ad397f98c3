//! `Ip` and `IpPort`: an address as a fact holds it: as it is, or under a name that says only what kind it is of.
//!
//! `private-2` and `public6-1` read as addresses do, and are compared as they are. What a rule asks of an address, its
//! family and whether it is this computer's own loop, is known of a name too.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Never an IPv4 address in IPv6's clothes: that is one address, and has one name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ip(Kind);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Plain(IpAddr),
    Named { class: Class, ipv6: bool, tag: Tag },
}

/// What may be known of an address by everybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Of a network of one's own: RFC 1918, and IPv6's unique local addresses.
    Private,
    /// Of a provider's translation for many customers: RFC 6598.
    Shared,
    LinkLocal,
    Multicast,
    Public,
}

/// What tells one named value from the others of its class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tag {
    /// In order of appearance in one recording.
    Number(u32),
    /// Made with a desk's key, and the same in each recording made with it. It begins with a letter.
    Word([u8; Tag::LENGTH]),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpPort {
    ip: Ip,
    port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoAddress;

impl Ip {
    pub fn named(class: Class, ipv6: bool, tag: Tag) -> Self {
        Self(Kind::Named { class, ipv6, tag })
    }
    /// Nothing where only a name of it is known.
    pub fn plain(self) -> Option<IpAddr> {
        match self.0 {
            Kind::Plain(ip) => Some(ip),
            Kind::Named { .. } => None,
        }
    }
    pub fn is_named(self) -> bool {
        matches!(self.0, Kind::Named { .. })
    }
    pub fn is_ipv6(self) -> bool {
        match self.0 {
            Kind::Plain(ip) => ip.is_ipv6(),
            Kind::Named { ipv6, .. } => ipv6,
        }
    }
    pub fn is_ipv4(self) -> bool {
        !self.is_ipv6()
    }
    /// Such an address stays as it is.
    pub fn is_loopback(self) -> bool {
        self.plain().is_some_and(|ip| ip.is_loopback())
    }
    pub fn is_unspecified(self) -> bool {
        self.plain().is_some_and(|ip| ip.is_unspecified())
    }
    /// The same text stands for the same address in every recording of a desk; a number counts within one.
    pub fn is_known_beyond_this_recording(self) -> bool {
        !matches!(self.0, Kind::Named { tag: Tag::Number(_), .. })
    }
}

impl IpPort {
    pub const fn new(ip: Ip, port: u16) -> Self {
        Self { ip, port }
    }
    pub const fn ip(self) -> Ip {
        self.ip
    }
    pub const fn port(self) -> u16 {
        self.port
    }
    pub fn is_ipv4(self) -> bool {
        self.ip.is_ipv4()
    }
    pub fn is_ipv6(self) -> bool {
        self.ip.is_ipv6()
    }
    pub fn plain(self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.ip.plain()?, self.port))
    }
}

impl Class {
    pub const ALL: [Self; 5] = [Self::Private, Self::Shared, Self::LinkLocal, Self::Multicast, Self::Public];

    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) if v4.is_private() => Self::Private,
            IpAddr::V4(v4) if v4.is_link_local() => Self::LinkLocal,
            IpAddr::V4(v4) if matches!(v4.octets(), [100, 64..=127, ..]) => Self::Shared,
            IpAddr::V6(v6) if v6.is_unique_local() => Self::Private,
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Self::LinkLocal,
            ip if ip.is_multicast() => Self::Multicast,
            _ => Self::Public,
        }
    }
    pub const fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Shared => "shared",
            Self::LinkLocal => "link-local",
            Self::Multicast => "multicast",
            Self::Public => "public",
        }
    }
}

impl Tag {
    pub const LENGTH: usize = 8;

    /// Read out easily, and forty bits: two of a thousand values are hardly ever called the same.
    pub fn of_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut word = bytes.map(|byte| LETTERS[usize::from(byte % 32)]);
        word[0] = LETTERS[usize::from(bytes[0] % 26)];
        Self::Word(word)
    }

    fn parse(text: &str) -> Option<Self> {
        let word = |text: &[u8; Self::LENGTH]| {
            let letters = text.iter().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(b));
            (letters && text[0].is_ascii_lowercase()).then_some(Self::Word(*text))
        };
        let number = || {
            let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
            text.parse().ok().filter(|_| digits).map(Self::Number)
        };
        number().or_else(|| word(text.as_bytes().try_into().ok()?))
    }
}

impl From<IpAddr> for Ip {
    fn from(ip: IpAddr) -> Self {
        Self(Kind::Plain(ip.to_canonical()))
    }
}
impl From<SocketAddr> for IpPort {
    fn from(at: SocketAddr) -> Self {
        Self { ip: at.ip().into(), port: at.port() }
    }
}
impl PartialEq<IpAddr> for Ip {
    fn eq(&self, other: &IpAddr) -> bool {
        *self == Self::from(*other)
    }
}
impl PartialEq<SocketAddr> for IpPort {
    fn eq(&self, other: &SocketAddr) -> bool {
        *self == Self::from(*other)
    }
}

impl FromStr for Ip {
    type Err = NoAddress;
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(ip.into());
        }
        let (before, tag) = text.rsplit_once('-').ok_or(NoAddress)?;
        let (word, ipv6) = before.strip_suffix('6').map_or((before, false), |word| (word, true));
        let class = Class::ALL.into_iter().find(|class| class.word() == word).ok_or(NoAddress)?;
        Ok(Self::named(class, ipv6, Tag::parse(tag).ok_or(NoAddress)?))
    }
}
impl FromStr for IpPort {
    type Err = NoAddress;
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if let Ok(at) = text.parse::<SocketAddr>() {
            return Ok(at.into());
        }
        let (ip, port) = text.rsplit_once(':').ok_or(NoAddress)?;
        let ip: Ip = ip.parse()?;
        let port = port.parse().map_err(|_| NoAddress)?;
        // An IPv6 address without its brackets may end in what looks like a port.
        if ip.is_named() { Ok(Self { ip, port }) } else { Err(NoAddress) }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(&String::from_utf8_lossy(word)),
        }
    }
}
impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Plain(ip) => ip.fmt(f),
            Kind::Named { class, ipv6, tag } => write!(f, "{}{}-{tag}", class.word(), if ipv6 { "6" } else { "" }),
        }
    }
}
impl fmt::Display for IpPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plain() {
            Some(at) => at.fmt(f),
            None => write!(f, "{}:{}", self.ip, self.port),
        }
    }
}
impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither an address nor the name of one")
    }
}
impl std::error::Error for NoAddress {}

/// As text in every form: derived forms would show how a name is kept.
macro_rules! as_text {
    ($($kind:ident),*) => { $(
        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> { to.collect_str(self) }
        }
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $kind;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("an address") }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$kind, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                from.deserialize_str(Text)
            }
        }
    )* };
}
as_text!(Ip, IpPort);

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Ip {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn an_address_and_a_name_read_as_they_are_written() {
        for text in ["10.1.4.22", "2001:db8::1", "private-2", "link-local6-12", "public6-kb7m2qab", "shared-1"] {
            assert_eq!(ip(text).to_string(), text);
            let json = format!("\"{text}\"");
            assert_eq!(
                serde_json::from_str::<Ip>(&json).map(|ip| serde_json::to_string(&ip).ok()).ok(),
                Some(Some(json))
            );
        }
        for text in ["10.1.4.22:443", "[2001:db8::1]:443", "private-2:51544", "public6-1:3478", "link-local-1:7"] {
            assert_eq!(text.parse::<IpPort>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in
            ["", "private", "private-", "private-0", "private-01", "home-1", "public-K7M2QABC", "public-k7m2q", "-1"]
        {
            assert_eq!(text.parse::<Ip>(), Err(NoAddress), "{text}");
        }
        for text in ["10.1.4.22", "private-2", "private-2:70000", "2001:db8::1:443", "host:1", ":1"] {
            assert_eq!(text.parse::<IpPort>(), Err(NoAddress), "{text}");
        }
    }

    #[test]
    fn one_address_has_one_form() {
        assert_eq!(ip("::ffff:10.1.4.22"), ip("10.1.4.22"));
        assert!(ip("::ffff:10.1.4.22").is_ipv4());
        let scoped: SocketAddr = "[fe80::1%3]:443".parse().expect("a scoped address");
        assert_eq!(IpPort::from(scoped).to_string(), "[fe80::1]:443");
    }

    #[test]
    fn what_rules_ask_is_known_of_a_name() {
        assert!(ip("public6-1").is_ipv6() && ip("public-1").is_ipv4());
        assert!(ip("127.0.0.1").is_loopback() && ip("::1").is_loopback() && !ip("private-1").is_loopback());
        assert!(ip("private-kb7m2qab").is_known_beyond_this_recording());
        assert!(!ip("private-1").is_known_beyond_this_recording());
        assert_eq!((ip("private-1").plain(), ip("10.0.0.1").plain()), (None, Some([10, 0, 0, 1].into())));
    }

    #[test]
    fn the_class_of_an_address_is_what_everybody_may_know() {
        let class = |text: &str| Class::of(text.parse().expect("an address")).word();
        let all = [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "fd00::1",
            "100.64.0.1",
            "169.254.0.1",
            "fe80::1",
            "224.0.0.1",
            "ff02::1",
        ];
        let words = [
            "private",
            "private",
            "private",
            "private",
            "shared",
            "link-local",
            "link-local",
            "multicast",
            "multicast",
        ];
        assert_eq!(all.map(class), words);
        assert_eq!(["203.0.113.9", "100.128.0.1", "2001:db8::1"].map(class), ["public"; 3]);
    }

    #[test]
    fn a_word_of_a_key_is_never_taken_for_a_number() {
        for byte in 0..=u8::MAX {
            let tag = Tag::of_bytes([byte; Tag::LENGTH]);
            assert_eq!(Tag::parse(&tag.to_string()), Some(tag));
        }
    }
}
