//! The PeerConnection as we always configure it, at both ends: the caller's in this crate, the answering side in the
//! reflector. Most of these settings were learned from a call that died without a word.

use super::runtime::PeerRuntime;
use anyhow::Context;
use record::profile::IcePolicy;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::Registry;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceServer, RTCIceTransportPolicy, SettingEngine, SettingEngineBuilder, configure_rtcp_reports,
};

/// What differs from one end to the other; all else is fixed here.
pub struct PeerSettings {
    pub runtime: Arc<PeerRuntime>,
    /// Its callbacks are awaited on the connection's own driver: they must never wait for anything.
    pub handler: Arc<dyn PeerConnectionEventHandler>,
    pub ice_servers: Vec<RTCIceServer>,
    pub policy: IcePolicy,
    pub bind: Bind,
    /// Interceptors beside the RTCP reports.
    pub interceptors: Registry,
    /// Runs the drivers of all connections on this many threads of their own; 0 runs each on the ambient runtime. With
    /// 200 calls one such thread carried half as many packets again as the ambient scheduler did. The first connection
    /// of a process decides the number.
    pub reactor_pool: usize,
}

/// Which local addresses carry the media, asked anew at each ICE restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bind {
    pub where_: BindWhere,
    /// 0 takes any free port. A fixed one holds one connection at a time on each address.
    pub port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BindWhere {
    /// Every interface but loopback, as they are at that moment.
    #[default]
    Interfaces,
    /// Only 127.0.0.1: a self-test must neither need a network nor notice one.
    Loopback,
    /// Both, for a far end that serves callers from outside and a caller on its own machine.
    Everywhere,
}

pub const OPUS_PAYLOAD_TYPE: u8 = 111;
pub const OPUS_CLOCK_HZ: u32 = 48_000;

pub async fn build(settings: PeerSettings) -> anyhow::Result<Arc<dyn PeerConnection>> {
    let mut media = MediaEngine::default();
    media.register_codec(opus(), RtpCodecKind::Audio).context("Opus could not be registered")?;

    let policy = match settings.policy {
        IcePolicy::All => RTCIceTransportPolicy::All,
        IcePolicy::Relay => RTCIceTransportPolicy::Relay,
    };
    let configuration =
        RTCConfigurationBuilder::new().with_ice_servers(settings.ice_servers).with_ice_transport_policy(policy).build();

    let building = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_media_engine(media)
        .with_setting_engine(setting_engine())
        .with_interceptor_registry(configure_rtcp_reports(settings.interceptors))
        .with_runtime(settings.runtime)
        .with_handler(settings.handler)
        .with_udp_addrs(vec![settings.bind])
        .with_dedicated_reactor_pool_size(settings.reactor_pool)
        .build();
    // The whole connection lives in this future while it is made: 20 kB that every caller's future would carry.
    let peer = Box::pin(building).await.context("the WebRTC stack could not be started")?;
    Ok(Arc::new(peer))
}

/// Only Opus is offered: it is what every voice service takes, and a second codec would only be a second way to fail.
pub fn opus() -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: "audio/opus".into(),
            clock_rate: OPUS_CLOCK_HZ,
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1;usedtx=1".into(),
            rtcp_feedback: vec![],
        },
        payload_type: OPUS_PAYLOAD_TYPE,
    }
}

/// The stack's own word for a quiet path comes late whatever is set here, and nothing of ours relies on it. Together
/// the two are the thirty seconds of RFC 7675, and no less: when ICE fails it forgets the pair, and a path that comes
/// back by itself would then not be found.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(5);
const FAILED_AFTER: Duration = Duration::from_secs(25);

/// A check twice a second tells within a second of the first lost packet whether the path is dead or only the media is.
const CHECK_CONSENT_EVERY: Duration = Duration::from_millis(500);

/// The default of seven checks a pair is used up in 1.4 s; an ICE restart offered during an outage then never finds
/// the path when it is back. 2400 last two minutes, longer than the stack's own patience. The interval is RFC 8445's
/// own pace, and the stack's other timers run on it: at its default of 200 ms a call took 0.4 s to stand, at 50 ms 0.06 s.
const CHECK_PAIRS_EVERY: Duration = Duration::from_millis(50);
const CHECKS_PER_PAIR: u16 = 2400;

fn setting_engine() -> SettingEngine {
    SettingEngineBuilder::new()
        .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(CHECK_CONSENT_EVERY))
        .with_ice_connection_attempts(Some(CHECK_PAIRS_EVERY), Some(CHECKS_PER_PAIR))
        // The default holds a working relay back for two seconds in the hope of something better.
        .with_relay_acceptance_min_wait(Some(Duration::ZERO))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        // With mDNS on, a restart while no interface is up fails to bind its multicast socket, and the driver ends
        // without an event.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        // Off by default: without it a restart keeps the sockets of the network that is gone.
        .with_discard_local_candidates_during_ice_restart(true)
        .with_include_loopback_candidate(true)
        .build()
}

/// The stack asks for the addresses at every bind. A wildcard means every interface of its family at that moment; a
/// fixed address that is gone at a restart would end the driver without an event.
impl ToSocketAddrs for Bind {
    type Iter = std::vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let mut addresses = Vec::with_capacity(3);
        if self.where_ != BindWhere::Loopback {
            let (has_ipv4, has_ipv6) = reachable_over();
            // Kept even where no interface is up: bound as it stands, it lets the connection live until one is.
            if has_ipv4 || !has_ipv6 {
                addresses.push(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), self.port));
            }
            if has_ipv6 {
                addresses.push(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), self.port));
            }
        }
        if self.where_ != BindWhere::Interfaces {
            addresses.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.port));
        }
        Ok(addresses.into_iter())
    }
}

/// Whether there is an address of IPv4, and one of IPv6, that another machine could reach. Without one a wildcard would be
/// offered to the far end as it stands, `0.0.0.0` or `::`, which nobody can call.
fn reachable_over() -> (bool, bool) {
    let interfaces = rtc::shared::ifaces::ifaces().unwrap_or_default();
    let addresses = || interfaces.iter().filter_map(|interface| Some(interface.addr?.ip()));
    let ipv4 = addresses().any(|ip| matches!(ip, IpAddr::V4(ip) if !ip.is_loopback() && !ip.is_unspecified()));
    let ipv6 = addresses().any(
        |ip| matches!(ip, IpAddr::V6(ip) if !ip.is_loopback() && !ip.is_unspecified() && !ip.is_unicast_link_local()),
    );
    (ipv4, ipv6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_binds_to_wildcards_so_that_a_restart_follows_the_network() {
        let bound = |where_| Bind { where_, port: 4000 }.to_socket_addrs().unwrap().collect::<Vec<_>>();
        let interfaces = bound(BindWhere::Interfaces);
        assert!(!interfaces.is_empty() && interfaces.iter().all(|address| address.port() == 4000));
        assert!(interfaces.iter().all(|address| address.ip().is_unspecified()));
        assert_eq!(bound(BindWhere::Loopback), [SocketAddr::from(([127, 0, 0, 1], 4000))]);
        assert_eq!(bound(BindWhere::Everywhere).len(), interfaces.len() + 1);
    }

    #[test]
    fn the_settings_whose_absence_ends_calls_silently_are_set() {
        let set = setting_engine();
        assert_eq!(set.multicast_dns().mode, MulticastDnsMode::Disabled);
        assert!(set.discard_local_candidates_during_ice_restart());
    }
}
