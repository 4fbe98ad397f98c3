//! Candidates as facts, and the little of SDP that we read ourselves.

use record::Heard;
use record::fact::{CandidateKind, Ice};
use rtc::peer_connection::transport::{RTCIceCandidate, RTCIceCandidatePair, RTCIceCandidateType};
use std::net::{IpAddr, SocketAddr};

pub fn pair(pair: &RTCIceCandidatePair) -> Option<Ice> {
    let (local, remote) = (pair.local(), pair.remote());
    Some(Ice::Pair {
        local: socket(local)?.into(),
        local_kind: kind(local.typ),
        remote: socket(remote)?.into(),
        remote_kind: kind(remote.typ),
    })
}

/// `None` for an address that nobody can call: the wildcard that stands in while no interface is up.
pub fn local(candidate: &RTCIceCandidate, relay_by: Option<Heard>) -> Option<Ice> {
    let address = socket(candidate)?;
    (!address.ip().is_unspecified()).then(|| Ice::LocalCandidate {
        kind: kind(candidate.typ),
        address: Heard::new(&address.to_string()),
        relay_by,
    })
}

/// From `candidate:… typ host …`; `None` for what is not UDP, which the stack could only waste checks on.
pub fn remote(line: &str) -> Option<Ice> {
    let line = line.trim();
    let mut words = line.strip_prefix("candidate:").unwrap_or(line).split_ascii_whitespace();
    let transport = words.nth(2)?;
    let (address, port) = (words.nth(1)?, words.next()?);
    let kind = match (words.next()?, words.next()?) {
        ("typ", "host") => CandidateKind::Host,
        ("typ", "srflx") => CandidateKind::ServerReflexive,
        ("typ", "prflx") => CandidateKind::PeerReflexive,
        ("typ", "relay") => CandidateKind::Relay,
        _ => return None,
    };
    let port: u16 = port.parse().ok()?;
    let address = match address.parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, port).to_string(),
        Err(_) => format!("{address}:{port}"),
    };
    transport.eq_ignore_ascii_case("udp").then(|| Ice::RemoteCandidate { kind, address: Heard::new(&address) })
}

pub fn in_sdp(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.lines().filter_map(|line| line.strip_prefix("a=")).filter(|line| line.starts_with("candidate:"))
}

/// The first value of an attribute, wherever in the description it stands.
pub fn attribute<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Candidates travel one by one, as they are found. Those that stand in the offer of a restart are of the sockets that
/// it replaces.
pub fn without_candidates(sdp: &str) -> String {
    let stays = |line: &&str| !line.starts_with("a=candidate:") && !line.starts_with("a=end-of-candidates");
    sdp.split_inclusive('\n').filter(stays).collect()
}

fn socket(candidate: &RTCIceCandidate) -> Option<SocketAddr> {
    Some(SocketAddr::new(candidate.address.parse().ok()?, candidate.port))
}

fn kind(kind: RTCIceCandidateType) -> CandidateKind {
    match kind {
        RTCIceCandidateType::Srflx => CandidateKind::ServerReflexive,
        RTCIceCandidateType::Prflx => CandidateKind::PeerReflexive,
        RTCIceCandidateType::Relay => CandidateKind::Relay,
        _ => CandidateKind::Host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn remote_candidates_are_read_and_those_over_tcp_left_alone() {
        let host = "candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host";
        let address = "192.0.2.1:5000".into();
        assert_eq!(remote(host), Some(Ice::RemoteCandidate { kind: CandidateKind::Host, address }));
        let relay = "1 1 udp 2 2001:db8::1 5000 typ relay raddr 0.0.0.0 rport 0";
        let address = "[2001:db8::1]:5000".into();
        assert_eq!(remote(relay), Some(Ice::RemoteCandidate { kind: CandidateKind::Relay, address }));
        assert_eq!(remote("candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active"), None);
        for broken in ["", "candidate:", "candidate:1 1 udp 1 a x typ host", "1 1 udp 1 a 1 typ"] {
            assert_eq!(remote(broken), None, "{broken}");
        }
    }

    #[test]
    fn an_offer_is_sent_without_candidates_and_otherwise_as_it_is() {
        let sdp = "v=0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=end-of-candidates\r\na=x\r\n";
        assert_eq!(without_candidates(sdp), "v=0\r\na=mid:0\r\na=x\r\n");
        assert_eq!(attribute(sdp, "mid"), Some("0"));
        assert_eq!(attribute(sdp, "ice-ufrag"), None);
        assert_eq!(in_sdp(sdp).count(), 1);
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused_without_a_panic(line in "(candidate:)?\\PC{0,60}") {
            let _ = remote(&line);
        }
    }
}
