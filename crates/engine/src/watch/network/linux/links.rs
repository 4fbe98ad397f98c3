//! What an interface is: from the kind that the kernel gives to those it makes itself, its hardware type, and for the rest
//! what sysfs says of the device behind it.

use crate::watch::network::picture::{Link, Nature};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage};
use record::fact::LinkKind;
use std::fs;
use std::path::{Path, PathBuf};

/// A bridge tells of its ports in messages that look like a link's and are not, and old Wi-Fi drivers tell of the radio in
/// ones that hold little else.
pub fn is_whole(message: &LinkMessage) -> bool {
    message.header.interface_family == AddressFamily::Unspec
        && !message.attributes.iter().any(|attribute| matches!(attribute, LinkAttribute::Wireless(_)))
}

pub fn link(message: &LinkMessage) -> Option<Link> {
    if !is_whole(message) {
        return None;
    }
    let (mut name, mut kind, mut mtu, mut master) = (None, None, None, None);
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = Some(text.as_str()),
            LinkAttribute::Mtu(bytes) => mtu = Some(*bytes),
            LinkAttribute::Controller(index) => master = Some(*index).filter(|index| *index != 0),
            LinkAttribute::LinkInfo(infos) => {
                kind = infos.iter().find_map(|info| match info {
                    LinkInfo::Kind(kind) => Some(kind),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    let name = name?;
    let up = message.header.flags.contains(LinkFlags::Up);
    let device = Device::of(name);
    Some(Link {
        index: message.header.index,
        name: name.into(),
        nature: nature(kind, message.header.link_layer_type, master.is_some(), &device),
        driver: kind.map_or_else(|| device.driver(), ToString::to_string).as_str().into(),
        up,
        carrier: up && message.header.flags.contains(LinkFlags::LowerUp),
        mtu: mtu?,
    })
}

fn nature(kind: Option<&InfoKind>, layer: LinkLayerType, has_master: bool, device: &Device) -> Nature {
    use InfoKind::{
        Bond, Bridge, Dsa, Dummy, Geneve, GreTap, GreTap6, GreTun, GreTun6, Hsr, Ifb, Ip6Tnl, IpIp, IpVlan, IpVtap,
        Ipoib, MacSec, MacVlan, MacVtap, Netkit, Nlmon, RmNet, SitTun, Team, Tun, Veth, VirtWifi, Vlan, Vrf, Vti, Vti6,
        Vxlan, Wireguard, Wwan, Xfrm,
    };
    Nature::Is(match (kind, layer) {
        (_, LinkLayerType::Loopback) => LinkKind::Loopback,
        (_, LinkLayerType::Ppp) => LinkKind::Tunnel,
        (Some(Veth | Netkit | MacVlan | MacVtap | IpVlan | IpVtap), _) if !has_master => return Nature::Pair,
        (Some(Veth | Netkit | MacVlan | MacVtap | IpVlan | IpVtap), _) => LinkKind::Virtual,
        // A virtual machine hangs on a tap that is in a bridge; a VPN's stands alone.
        (Some(Tun), _) if has_master => LinkKind::Virtual,
        (Some(Tun | Wireguard | IpIp | Ip6Tnl | SitTun | GreTun | GreTun6 | GreTap | GreTap6), _) => LinkKind::Tunnel,
        (Some(Vti | Vti6 | Xfrm), _) => LinkKind::Tunnel,
        (Some(Bridge | Dummy | Ifb | Nlmon | Vrf | Vxlan | Geneve), _) => LinkKind::Virtual,
        (Some(Vlan | Bond | Team | MacSec | Hsr | Dsa | Ipoib), _) => LinkKind::Wired,
        (Some(VirtWifi), _) => LinkKind::Wifi,
        (Some(Wwan | RmNet), _) => LinkKind::Mobile,
        (Some(InfoKind::Other(word)), _) => by_word(word),
        (Some(_), _) => LinkKind::Other,
        (None, _) if device.is_wifi() => LinkKind::Wifi,
        (None, LinkLayerType::Rawip) => LinkKind::Mobile,
        (None, _) if device.is_mobile() => LinkKind::Mobile,
        (None, LinkLayerType::Ether) => LinkKind::Wired,
        (None, LinkLayerType::Tunnel | LinkLayerType::Tunnel6 | LinkLayerType::None) => LinkKind::Tunnel,
        (None, _) => LinkKind::Other,
    })
}

/// Kinds of drivers that are not in the kernel's own tree, or newer than the crate that reads the messages.
fn by_word(word: &str) -> LinkKind {
    match word {
        "ovpn" | "ovpn-dco" | "amneziawg" | "ppp" | "ipsec" | "l2tpeth" => LinkKind::Tunnel,
        "openvswitch" => LinkKind::Virtual,
        _ => LinkKind::Other,
    }
}

/// The folder that sysfs has for it. It is the one of the network namespace that mounted sysfs, mostly ours.
struct Device(Option<PathBuf>);

impl Device {
    fn of(name: &str) -> Self {
        Self::under(Path::new("/sys/class/net"), name)
    }

    fn under(root: &Path, name: &str) -> Self {
        // The kernel gives no such names; a path is not built on trust.
        let harmless = !name.contains('/') && !name.is_empty() && name != "." && name != "..";
        Self(harmless.then(|| root.join(name)))
    }

    fn is_wifi(&self) -> bool {
        self.0.as_ref().is_some_and(|at| at.join("phy80211").exists() || at.join("wireless").exists())
    }

    fn is_mobile(&self) -> bool {
        let uevent = self.0.as_ref().and_then(|at| fs::read_to_string(at.join("uevent")).ok());
        uevent.is_some_and(|text| text.lines().any(|line| line == "DEVTYPE=wwan"))
    }

    fn driver(&self) -> String {
        let link = self.0.as_ref().and_then(|at| fs::read_link(at.join("device/driver")).ok());
        link.and_then(|to| Some(to.file_name()?.to_string_lossy().into_owned())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InfoKind::{Bridge, Tun, Veth, Wireguard};

    #[test]
    fn what_an_interface_is_follows_from_its_kind_its_type_and_its_master() {
        let nothing = Device(None);
        let ask = |kind: Option<InfoKind>, layer, has_master| nature(kind.as_ref(), layer, has_master, &nothing);
        let other = |word: &str| Some(InfoKind::Other(word.to_owned()));
        for (kind, layer, has_master, expected) in [
            (None, LinkLayerType::Loopback, false, Nature::Is(LinkKind::Loopback)),
            (None, LinkLayerType::Ether, false, Nature::Is(LinkKind::Wired)),
            (None, LinkLayerType::Ether, true, Nature::Is(LinkKind::Wired)),
            (None, LinkLayerType::Ppp, false, Nature::Is(LinkKind::Tunnel)),
            (None, LinkLayerType::Rawip, false, Nature::Is(LinkKind::Mobile)),
            (Some(Veth), LinkLayerType::Ether, false, Nature::Pair),
            (Some(Veth), LinkLayerType::Ether, true, Nature::Is(LinkKind::Virtual)),
            (Some(Bridge), LinkLayerType::Ether, false, Nature::Is(LinkKind::Virtual)),
            (Some(Tun), LinkLayerType::None, false, Nature::Is(LinkKind::Tunnel)),
            (Some(Tun), LinkLayerType::Ether, true, Nature::Is(LinkKind::Virtual)),
            (Some(Wireguard), LinkLayerType::None, false, Nature::Is(LinkKind::Tunnel)),
            (other("ovpn"), LinkLayerType::None, false, Nature::Is(LinkKind::Tunnel)),
            (other("something"), LinkLayerType::Ether, false, Nature::Is(LinkKind::Other)),
        ] {
            assert_eq!(ask(kind.clone(), layer, has_master), expected, "{kind:?} {layer:?} {has_master}");
        }
    }

    #[test]
    fn sysfs_tells_wifi_and_mobile_from_cable_and_names_the_driver() {
        let root = tempfile::tempdir().expect("a folder");
        let make = |path: &str| fs::create_dir_all(root.path().join(path)).expect("made");
        make("wlan0/phy80211");
        make("wwan0");
        fs::write(root.path().join("wwan0/uevent"), "DEVTYPE=wwan\nINTERFACE=wwan0\n").expect("written");
        make("eth0/device");
        std::os::unix::fs::symlink("../../bus/pci/drivers/e1000e", root.path().join("eth0/device/driver"))
            .expect("linked");
        let ask = |name: &str| nature(None, LinkLayerType::Ether, false, &Device::under(root.path(), name));
        assert_eq!(ask("wlan0"), Nature::Is(LinkKind::Wifi));
        assert_eq!(ask("wwan0"), Nature::Is(LinkKind::Mobile));
        assert_eq!(ask("eth0"), Nature::Is(LinkKind::Wired));
        assert_eq!(Device::under(root.path(), "eth0").driver(), "e1000e");
        assert_eq!(Device::under(root.path(), "../eth0").driver(), "", "no way out of the folder");
    }
}
