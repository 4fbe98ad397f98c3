//! What the network says of the packets that it could not deliver: ICMP, as the system hands it to the socket that sent
//! them. A far end whose process is gone is told so within a round trip, long before its silence tells.
//!
//! Anybody can write an ICMP message. What limits a forged one: the system hands over only those that quote a datagram of
//! this very socket, with both ports; it counts only for the address that the media goes to now; once is never enough; and
//! media that comes takes it all back. Who can forge that much without seeing our packets must guess two ports within the
//! time between two packets; who sees them can as well drop them.
//!
//! Each platform file provides
//! - `ask(socket)`: to be told;
//! - `take(socket, error)`: what was told, given what the socket's last act met with.

use record::Stamp;
use record::fact::{Media, Undeliverable};
use std::net::{IpAddr, SocketAddr};

#[cfg_attr(target_os = "linux", path = "undelivered/linux.rs")]
#[cfg_attr(windows, path = "undelivered/windows.rs")]
#[cfg_attr(not(any(target_os = "linux", windows)), path = "undelivered/none.rs")]
mod platform;

pub use platform::{ask, take};

/// One word of the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Where the datagram was going; not every system says it.
    pub to: Option<SocketAddr>,
    /// Absent: what is no obstacle, such as a datagram that is too large.
    pub why: Option<Undeliverable>,
    pub by: Option<IpAddr>,
}

/// How often it was said of the media since its last packet came.
#[derive(Debug, Default)]
pub struct Undelivered {
    toward: Option<SocketAddr>,
    first: Option<Stamp>,
    told: bool,
}

impl Undelivered {
    pub fn sent(&mut self, to: SocketAddr) {
        if self.toward != Some(to) {
            *self = Self { toward: Some(to), ..Self::default() };
        }
    }

    /// A packet of the media came: whatever was said of it, it is delivered.
    pub fn arrived(&mut self) {
        (self.first, self.told) = (None, false);
    }

    /// Said once, and only at the second time: a single one may be a stray.
    pub fn said(&mut self, at: Stamp, word: Notice) -> Option<Media> {
        let (to, why) = (self.toward?, word.why?);
        if self.told || word.to.is_some_and(|of| of != to) {
            return None;
        }
        let Some(first) = self.first else {
            self.first = Some(at);
            return None;
        };
        self.told = true;
        Some(Media::Undelivered { to: to.into(), why, by: word.by.map(Into::into), first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64) -> Stamp {
        Stamp::new(0, 1_000_000, 1_000_000).plus(Duration::from_millis(ms))
    }
    fn place(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }
    fn word(port: u16) -> Notice {
        Notice { to: Some(place(port)), why: Some(Undeliverable::NoListener), by: Some(place(port).ip()) }
    }

    #[test]
    fn the_second_word_is_a_fact_and_the_third_is_none() {
        let mut undelivered = Undelivered::default();
        assert_eq!(undelivered.said(at(0), word(7)), None, "nothing was sent there");
        undelivered.sent(place(7));
        assert_eq!(undelivered.said(at(20), word(7)), None);
        undelivered.sent(place(7));
        let told = Media::Undelivered {
            to: place(7).into(),
            why: Undeliverable::NoListener,
            by: Some(place(7).ip().into()),
            first: at(20),
        };
        assert_eq!(undelivered.said(at(40), word(7)), Some(told));
        assert_eq!(undelivered.said(at(60), word(7)), None);
    }

    #[test]
    fn media_that_comes_and_other_places_take_it_back() {
        let mut undelivered = Undelivered::default();
        undelivered.sent(place(7));
        for n in 0..10 {
            assert_eq!(undelivered.said(at(20 * n), word(7)), None);
            undelivered.arrived();
        }
        assert_eq!(undelivered.said(at(300), word(8)), None, "a candidate that leads nowhere");
        assert_eq!(undelivered.said(at(310), word(8)), None);
        let too_large = Notice { why: None, ..word(7) };
        assert_eq!(undelivered.said(at(320), too_large), None);
        assert_eq!(undelivered.said(at(330), too_large), None);
        assert_eq!(undelivered.said(at(340), word(7)), None);
        undelivered.sent(place(8));
        assert_eq!(undelivered.said(at(350), word(8)), None, "of another place, the first");
    }
}
