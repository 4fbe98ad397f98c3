//! `Known`: what controls learn from the facts of others: the gateway, the name servers, the far end's address.

use crate::Recorder;
use record::{
    Fact, Heard,
    fact::{Destination, Hop, LinkKind, Net, Signaling},
};
use std::net::{IpAddr, SocketAddr};
use tokio::sync::watch;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    /// To anywhere over IPv4 and IPv6; absent where there is no way.
    ipv4: Option<Hop>,
    ipv6: Option<Hop>,
    /// To the far end, once its address is known.
    to_far_end: Option<Option<Hop>>,
    pub name_servers: Vec<IpAddr>,
    pub far: Option<FarEnd>,
    /// The proxy of the attempt that runs or stands.
    proxy: Option<Heard>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum FarEnd {
    At(SocketAddr),
    /// Signaling reaches it through this proxy, and its own address is not ours to know.
    Behind(Heard),
}

#[derive(Clone, PartialEq, Debug)]
pub struct Gateway {
    pub address: IpAddr,
    pub interface: Heard,
}

impl Known {
    /// Whether anything has changed.
    pub fn learn(&mut self, fact: &Fact) -> bool {
        match fact {
            Fact::Net(Net::Route { to, after, .. }) => match to {
                Destination::Ipv4 => put(&mut self.ipv4, after.clone()),
                Destination::Ipv6 => put(&mut self.ipv6, after.clone()),
                Destination::FarEnd => put(&mut self.to_far_end, Some(after.clone())),
            },
            Fact::Net(Net::Resolvers { servers, .. }) => {
                put(&mut self.name_servers, servers.iter().filter_map(|server| server.plain()).collect())
            }
            Fact::Signaling(Signaling::Connecting { proxy, .. }) => put(&mut self.proxy, proxy.clone()),
            Fact::Signaling(Signaling::TcpConnected { remote, .. }) => {
                let far = match &self.proxy {
                    Some(proxy) => Some(FarEnd::Behind(proxy.clone())),
                    None => remote.plain().map(FarEnd::At),
                };
                put(&mut self.far, far)
            }
            _ => false,
        }
    }

    /// The next device on the way out. A far end on our own link has none; one in a tunnel is reached over whatever carries
    /// the tunnel, which is the default way where that is another.
    pub fn gateway(&self) -> Option<Gateway> {
        let by = |hop: &Hop| Some(Gateway { address: hop.gateway?.plain()?, interface: hop.interface.clone() });
        let anywhere = || [&self.ipv4, &self.ipv6].into_iter().flatten().find_map(by);
        match &self.to_far_end {
            None => anywhere(),
            Some(None) => None,
            Some(Some(hop)) if hop.gateway.is_none() && hop.kind == LinkKind::Tunnel => anywhere(),
            Some(Some(hop)) => by(hop),
        }
    }
}

fn put<T: PartialEq>(place: &mut T, value: T) -> bool {
    let changed = *place != value;
    *place = value;
    changed
}

/// Listens from this call on; the rest is for a task, which ends when nobody wants to know any more.
pub fn listen(recorder: &Recorder) -> (watch::Receiver<Known>, impl Future<Output = ()> + use<>) {
    let mut events = recorder.listen();
    let (tell, told) = watch::channel(Known::default());
    let learning = async move {
        while let Some(event) = events.recv().await {
            tell.send_if_modified(|known| known.learn(&event.fact));
        }
    };
    (told, learning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(kind: LinkKind, gateway: Option<&str>) -> Option<Hop> {
        let gateway = gateway.map(|gateway| gateway.parse().unwrap());
        Some(Hop { interface: "eth0".into(), kind, gateway, source: None })
    }

    fn known(ways: &[(Destination, Option<Hop>)]) -> Known {
        let mut known = Known::default();
        for (to, after) in ways {
            known.learn(&Net::Route { to: *to, before: None, after: after.clone(), found: true }.into());
        }
        known
    }

    fn gateway(ways: &[(Destination, Option<Hop>)]) -> Option<String> {
        known(ways).gateway().map(|gateway| gateway.address.to_string())
    }

    #[test]
    fn the_gateway_is_the_one_on_the_way_to_the_far_end_and_before_it_is_known_that_of_anywhere() {
        use Destination::{FarEnd, Ipv4, Ipv6};
        let v4 = (Ipv4, hop(LinkKind::Wired, Some("192.0.2.1")));
        let v6 = (Ipv6, hop(LinkKind::Wired, Some("fe80::1")));
        assert_eq!(gateway(&[]), None);
        assert_eq!(gateway(std::slice::from_ref(&v6)).as_deref(), Some("fe80::1"));
        assert_eq!(gateway(&[v6, v4.clone()]).as_deref(), Some("192.0.2.1"));
        let far = |hop| gateway(&[v4.clone(), (FarEnd, hop)]);
        assert_eq!(far(hop(LinkKind::Wifi, Some("192.0.2.9"))).as_deref(), Some("192.0.2.9"));
        assert_eq!(far(hop(LinkKind::Wired, None)), None, "on the link itself");
        assert_eq!(far(None), None, "no way at all");
        assert_eq!(far(hop(LinkKind::Tunnel, None)).as_deref(), Some("192.0.2.1"), "what carries the tunnel");
    }

    #[test]
    fn a_far_end_behind_a_proxy_is_not_taken_for_the_proxy() {
        let connecting = |proxy: Option<&str>| Signaling::Connecting {
            conn: 1,
            to: "wss://far.example/call".into(),
            purpose: record::fact::SocketPurpose::First,
            proxy: proxy.map(Heard::from),
        };
        let at: SocketAddr = "192.0.2.5:443".parse().unwrap();
        let connected = Signaling::TcpConnected { conn: 1, local: at.into(), remote: at.into(), took_ms: 1.0 };
        let mut known = Known::default();
        known.learn(&connecting(Some("proxy.example:3128")).into());
        assert!(known.learn(&connected.clone().into()));
        assert_eq!(known.far, Some(FarEnd::Behind("proxy.example:3128".into())));
        known.learn(&connecting(None).into());
        assert!(known.learn(&connected.clone().into()));
        assert_eq!(known.far, Some(FarEnd::At(at)));
        assert!(!known.learn(&connected.into()), "nothing new");
    }
}
