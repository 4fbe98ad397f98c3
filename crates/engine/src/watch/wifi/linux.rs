//! Linux: nl80211, which needs no permission to be read.
//!
//! *Seen*: connections, losses and roams as the kernel sends them; the signal of the last packet heard of the access point.
//! *Not seen*: the single links of a connection over several bands at once (Wi-Fi 7); drivers that know only the old
//! wireless extensions.

use super::{RawLink, Sight, Told};
use crate::watch::netlink::{Asker, Heard, Listener, Message};
use netlink_packet_core::{DefaultNla, Emitable, NlasIterator};
use netlink_sys::protocols::NETLINK_GENERIC;
use std::io;

const GENL_ID_CTRL: u16 = 0x10;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const CTRL_ATTR_MCAST_GROUPS: u16 = 7;
const CTRL_ATTR_MCAST_GRP_NAME: u16 = 1;
const CTRL_ATTR_MCAST_GRP_ID: u16 = 2;

const CMD_GET_INTERFACE: u8 = 5;
const CMD_NEW_INTERFACE: u8 = 7;
const CMD_DEL_INTERFACE: u8 = 8;
const CMD_GET_STATION: u8 = 17;
const CMD_CONNECT: u8 = 46;
const CMD_ROAM: u8 = 47;
const CMD_DISCONNECT: u8 = 48;
const ATTR_IFINDEX: u16 = 3;
const ATTR_IFNAME: u16 = 4;
const ATTR_IFTYPE: u16 = 5;
const ATTR_MAC: u16 = 6;
const ATTR_STA_INFO: u16 = 21;
const ATTR_WIPHY_FREQ: u16 = 38;
const ATTR_SSID: u16 = 52;
const STA_INFO_SIGNAL: u16 = 7;
const IFTYPE_STATION: u32 = 2;

pub struct Radio {
    family: u16,
    listener: Listener,
    asker: Asker,
    /// The kernel's numbers of the interfaces that were there at the last look.
    names: Vec<(u32, String)>,
}

impl Radio {
    /// The family is there from the moment that a Wi-Fi driver is. `has_wifi`: there is one, whatever netlink says.
    pub fn open(has_wifi: bool) -> Result<Option<Self>, String> {
        let told = |error: io::Error| format!("the kernel does not tell of Wi-Fi: {error}");
        let mut asker = Asker::open(NETLINK_GENERIC).map_err(told)?;
        let name = DefaultNla::new(CTRL_ATTR_FAMILY_NAME, b"nl80211\0".to_vec());
        let answer = asker.ask(GENL_ID_CTRL, &request(CTRL_CMD_GETFAMILY, &[name])).map_err(told)?;
        let family = match answer {
            Ok(answer) => Family::read(&answer).ok_or("the kernel's words on Wi-Fi were not understood")?,
            Err(error) if has_wifi => return Err(told(error)),
            Err(_none) => return Ok(None),
        };
        let listener = Listener::open(NETLINK_GENERIC, &family.groups).map_err(told)?;
        Ok(Some(Self { family: family.id, listener, asker, names: vec![] }))
    }

    pub async fn told(&mut self) -> Result<Vec<Told>, String> {
        loop {
            let heard = self.listener.hear().await;
            let told: Vec<_> = match heard.map_err(|error| format!("the kernel tells no more of Wi-Fi: {error}"))? {
                Heard::Messages(messages) => messages.iter().filter_map(|message| said(message, &self.names)).collect(),
                Heard::Lost => vec![Told::Look],
            };
            if !told.is_empty() {
                return Ok(told);
            }
        }
    }

    pub fn look(&mut self) -> Result<Vec<Sight>, String> {
        self.sights().map_err(|error| format!("the kernel does not tell of Wi-Fi: {error}"))
    }

    fn sights(&mut self) -> io::Result<Vec<Sight>> {
        let interfaces = self.asker.dump(self.family, &request(CMD_GET_INTERFACE, &[]))?;
        let interfaces: Vec<_> = interfaces.iter().filter_map(Interface::read).collect();
        self.names = interfaces.iter().map(|interface| (interface.index, interface.name.clone())).collect();
        let mut sights = Vec::new();
        for interface in interfaces {
            let index = DefaultNla::new(ATTR_IFINDEX, interface.index.to_ne_bytes().to_vec());
            // It may have been pulled out since.
            let stations = self.asker.dump(self.family, &request(CMD_GET_STATION, &[index])).unwrap_or_default();
            let link = stations.iter().find_map(|station| interface.link(station));
            sights.push(Sight { interface: interface.name, link });
        }
        Ok(sights)
    }
}

fn said((_, body): &Message, names: &[(u32, String)]) -> Option<Told> {
    match *body.first()? {
        CMD_DISCONNECT => {
            let index = attribute(attributes(body), ATTR_IFINDEX).and_then(number)?;
            names.iter().find(|(of, _)| *of == index).map(|(_, name)| Told::Left(name.clone()))
        }
        CMD_CONNECT | CMD_ROAM | CMD_NEW_INTERFACE | CMD_DEL_INTERFACE => Some(Told::Look),
        _ => None,
    }
}

struct Family {
    id: u16,
    /// Of connections, and of interfaces that come and go.
    groups: Vec<u32>,
}

impl Family {
    fn read((_, body): &Message) -> Option<Self> {
        let body = attributes(body);
        let id = attribute(body, CTRL_ATTR_FAMILY_ID)?;
        let groups = each(attribute(body, CTRL_ATTR_MCAST_GROUPS)?);
        let wanted = |group: &&[u8]| {
            attribute(group, CTRL_ATTR_MCAST_GRP_NAME).is_some_and(|name| matches!(name, b"mlme\0" | b"config\0"))
        };
        let number_of = |group: &[u8]| attribute(group, CTRL_ATTR_MCAST_GRP_ID).and_then(number);
        Some(Self {
            id: u16::from_ne_bytes(id.try_into().ok()?),
            groups: groups.iter().map(|(_, group)| *group).filter(wanted).filter_map(number_of).collect(),
        })
    }
}

struct Interface {
    index: u32,
    name: String,
    network: Option<Vec<u8>>,
    mhz: Option<u32>,
}

impl Interface {
    /// One that connects as a client; access points of our own and monitors carry nothing of a call.
    fn read((_, body): &Message) -> Option<Self> {
        let body = attributes(body);
        let kind = attribute(body, ATTR_IFTYPE).and_then(number)?;
        let name = attribute(body, ATTR_IFNAME)?;
        (kind == IFTYPE_STATION).then_some(())?;
        Some(Self {
            index: attribute(body, ATTR_IFINDEX).and_then(number)?,
            name: String::from_utf8_lossy(name.strip_suffix(&[0]).unwrap_or(name)).into_owned(),
            network: attribute(body, ATTR_SSID).map(<[u8]>::to_vec),
            mhz: attribute(body, ATTR_WIPHY_FREQ).and_then(number),
        })
    }

    fn link(&self, (_, station): &Message) -> Option<RawLink> {
        let body = attributes(station);
        let signal = attribute(body, ATTR_STA_INFO).and_then(|info| attribute(info, STA_INFO_SIGNAL));
        Some(RawLink {
            network: self.network.clone()?,
            point: attribute(body, ATTR_MAC)?.try_into().ok()?,
            mhz: self.mhz,
            dbm: signal.and_then(|bytes| Some(i32::from(i8::from_ne_bytes([*bytes.first()?])))),
        })
    }
}

fn request(command: u8, attributes: &[DefaultNla]) -> Vec<u8> {
    // Command, version, and two bytes that are reserved.
    let mut body = vec![command, 1, 0, 0];
    let length = attributes.buffer_len();
    body.resize(4 + length, 0);
    attributes.emit(&mut body[4..]);
    body
}

fn attributes(body: &[u8]) -> &[u8] {
    body.get(4..).unwrap_or_default()
}

/// Each attribute's type and value. One cut short ends the list.
fn each(bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(Ok(attribute)) = NlasIterator::new(rest).next() {
        let length = usize::from(attribute.length());
        found.push((attribute.kind(), &rest[4..length]));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    each(bytes).into_iter().find(|(of, _)| *of == kind).map(|(_, value)| value)
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nla(kind: u16, value: &[u8]) -> DefaultNla {
        DefaultNla::new(kind, value.to_vec())
    }
    fn nested(kind: u16, inner: &[DefaultNla]) -> DefaultNla {
        DefaultNla::new(kind | netlink_packet_core::NLA_F_NESTED, request(0, inner).split_off(4))
    }
    fn interface(kind: u32) -> Message {
        let body = [
            nla(ATTR_IFINDEX, &5u32.to_ne_bytes()),
            nla(ATTR_IFNAME, b"wlan0\0"),
            nla(ATTR_IFTYPE, &kind.to_ne_bytes()),
            nla(ATTR_SSID, b"Smith family"),
            nla(ATTR_WIPHY_FREQ, &5180u32.to_ne_bytes()),
        ];
        (0, request(CMD_NEW_INTERFACE, &body))
    }
    fn station() -> Message {
        let info = nested(ATTR_STA_INFO, &[nla(1, &[0; 4]), nla(STA_INFO_SIGNAL, &[0xc4])]);
        (0, request(19, &[nla(ATTR_MAC, &[1, 2, 3, 4, 5, 6]), info]))
    }

    #[test]
    fn an_interface_and_its_station_make_a_link() {
        let interface = Interface::read(&interface(IFTYPE_STATION)).expect("a client");
        assert_eq!((interface.index, interface.name.as_str()), (5, "wlan0"));
        let expected =
            RawLink { network: b"Smith family".to_vec(), point: [1, 2, 3, 4, 5, 6], mhz: Some(5180), dbm: Some(-60) };
        assert_eq!(interface.link(&station()), Some(expected));
    }

    #[test]
    fn an_access_point_of_our_own_is_no_link() {
        assert!(Interface::read(&interface(3)).is_none());
    }

    #[test]
    fn the_family_and_its_groups_are_found() {
        let group = |at, name: &[u8], id: u32| {
            nested(at, &[nla(CTRL_ATTR_MCAST_GRP_ID, &id.to_ne_bytes()), nla(CTRL_ATTR_MCAST_GRP_NAME, name)])
        };
        let groups = [group(1, b"scan\0", 6), group(2, b"mlme\0", 7), group(3, b"config\0", 8)];
        let body = [nla(CTRL_ATTR_FAMILY_ID, &28u16.to_ne_bytes()), nested(CTRL_ATTR_MCAST_GROUPS, &groups)];
        let family = Family::read(&(0, request(1, &body))).expect("read");
        assert_eq!((family.id, family.groups), (28, vec![7, 8]));
    }

    #[test]
    fn what_the_kernel_says_asks_for_a_look_or_tells_a_loss_by_itself() {
        let names = [(5, "wlan0".to_owned())];
        let heard =
            |command, index: u32| said(&(0, request(command, &[nla(ATTR_IFINDEX, &index.to_ne_bytes())])), &names);
        assert!(matches!(heard(CMD_DISCONNECT, 5), Some(Told::Left(name)) if name == "wlan0"));
        assert!(heard(CMD_DISCONNECT, 6).is_none());
        assert!(matches!(heard(CMD_ROAM, 5), Some(Told::Look)));
        assert!(matches!(heard(CMD_CONNECT, 5), Some(Told::Look)));
        assert!(heard(33, 5).is_none(), "a scan");
    }

    #[test]
    fn messages_cut_short_anywhere_are_no_harm() {
        let names = [(5, "wlan0".to_owned())];
        let whole = Interface::read(&interface(IFTYPE_STATION)).expect("a client");
        for message in [interface(IFTYPE_STATION), station()] {
            for end in 0..message.1.len() {
                let cut = (0, message.1[..end].to_vec());
                // Whatever it gives, it comes back.
                let _ = (Interface::read(&cut), whole.link(&cut), Family::read(&cut), said(&cut, &names));
            }
        }
        for length in 0..8 {
            assert!(each(&[length, 0, 1, 0, 9, 9, 9]).len() <= 1);
        }
    }

    #[test]
    fn a_computer_without_wifi_is_not_blind() {
        // In a machine with Wi-Fi it is there; in one without, nothing is said.
        assert!(Radio::open(false).is_ok());
    }
}
