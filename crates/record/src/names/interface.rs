//! Names of interfaces that say only what they are. Any other was chosen by somebody, or holds a hardware address.

/// As kernels and their helpers begin them; what follows is a number or a letter and numbers, such as `wlp0s20f3`.
const BEGINNINGS: [&str; 37] = [
    "eth",
    "eno",
    "ens",
    "enp",
    "en",
    "wlan",
    "wlp",
    "wlo",
    "wls",
    "wl",
    "wwan",
    "wwp",
    "tun",
    "tap",
    "utun",
    "wg",
    "ppp",
    "ipsec",
    "lo",
    "br",
    "bridge",
    "docker",
    "virbr",
    "vmnet",
    "vboxnet",
    "bond",
    "team",
    "dummy",
    "usb",
    "awdl",
    "llw",
    "anpi",
    "ap",
    "gif",
    "stf",
    "tailscale",
    "ifb",
];
/// With random digits behind, which say nothing.
const RANDOM: [&str; 3] = ["veth", "br-", "cali"];
/// As Windows calls them in English, alone or with a number behind.
const OF_WINDOWS: [&str; 11] = [
    "Ethernet",
    "Wi-Fi",
    "WLAN",
    "Cellular",
    "Mobile",
    "Local Area Connection",
    "Local Area Connection*",
    "Wireless Network Connection",
    "Bluetooth Network Connection",
    "Loopback Pseudo-Interface",
    "vEthernet (Default Switch)",
];
const LONGEST_SUFFIX: usize = 10;

pub fn is_known(name: &str) -> bool {
    let after = |beginnings: &[&str], known: fn(&str) -> bool| {
        beginnings.iter().filter_map(|beginning| name.strip_prefix(beginning)).any(known)
    };
    after(&BEGINNINGS, is_place) || after(&RANDOM, is_random) || after(&OF_WINDOWS, is_counted)
}

/// "0", "0s31f6", "0.100"; no two letters side by side, so neither a word nor, but by chance, a hardware address.
fn is_place(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    let pairs = bytes.windows(2).all(|pair| pair[0].is_ascii_digit() || pair[1].is_ascii_digit());
    let known = bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b's' | b'f' | b'd' | b'u' | b'n' | b'.'));
    rest.is_empty() || rest.len() <= LONGEST_SUFFIX && bytes[0].is_ascii_digit() && pairs && known
}

fn is_random(rest: &str) -> bool {
    rest.len() <= 12 && rest.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_counted(rest: &str) -> bool {
    let number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    rest.is_empty() || rest.strip_prefix(' ').is_some_and(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kernel_calls_an_interface_is_kept() {
        for name in [
            "eth0",
            "eth0.100",
            "enp0s31f6",
            "eno1",
            "wlp0s20f3",
            "wlan0",
            "tun0",
            "utun4",
            "lo",
            "en0",
            "wg0",
            "veth1a2b3c4",
            "br-0123456789ab",
            "docker0",
            "Ethernet",
            "Ethernet 2",
            "Wi-Fi",
            "Local Area Connection* 12",
        ] {
            assert!(is_known(name), "{name}");
        }
    }

    #[test]
    fn what_somebody_chose_or_a_card_is_known_by_is_not() {
        for name in [
            "",
            "enx001122334455",
            "wlx00c0ca112233",
            "Acme VPN",
            "Ethernet of Alice",
            "wg-acme",
            "acme0",
            "alice",
            "tun-hq",
            "LAN-Verbindung",
            "enacme0",
            "Wi-Fi Alice",
        ] {
            assert!(!is_known(name), "{name}");
        }
    }
}
