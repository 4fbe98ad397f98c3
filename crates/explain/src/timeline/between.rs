//! Who stands between, by their own names: issuers of certificates, proxies, and the public addresses that servers see.

use super::{At, Timeline};
use record::{
    Fact, Heard, IpPort, Said,
    fact::{Control, ControlKind, Net, Signaling},
};

/// Of each kind. Sockets that reconnect for hours say the same again and again.
const MOST: usize = 256;

#[derive(Debug, Default)]
pub struct Between<'a> {
    pub issuers: Vec<Issuer<'a>>,
    /// The proxies that answered CONNECT.
    pub proxies: Vec<(At, &'a Heard)>,
    pub system_proxies: Vec<SystemProxy<'a>>,
    pub public: Vec<PublicAddress<'a>>,
}

/// Who signed a certificate that we were shown, for which server.
#[derive(Clone, Copy, Debug)]
pub struct Issuer<'a> {
    pub at: At,
    pub server: &'a str,
    pub issuer: &'a Said,
    pub expected: Option<&'a Said>,
    /// On the call's own signaling connection, and not on a control.
    pub signaling: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct SystemProxy<'a> {
    pub at: At,
    pub proxy: Option<&'a Heard>,
    pub script: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct PublicAddress<'a> {
    pub at: At,
    pub server: &'a Heard,
    pub local: IpPort,
    pub public: IpPort,
    pub before: Option<IpPort>,
}

impl<'a> Timeline<'a> {
    pub(super) fn take_between(&mut self, at: At, fact: &'a Fact) {
        match fact {
            Fact::Signaling(Signaling::Connecting { conn, proxy: Some(proxy), .. }) => {
                self.between_proxy = Some((*conn, proxy));
            }
            Fact::Signaling(Signaling::ProxyOpened { conn, .. }) => {
                if let Some((of, proxy)) = self.between_proxy
                    && of == *conn
                    && self.between.proxies.iter().all(|(_, known)| *known != proxy)
                    && self.between.proxies.len() < MOST
                {
                    self.between.proxies.push((at, proxy));
                }
            }
            Fact::Signaling(Signaling::TlsReady { conn, issuer, .. }) => {
                let socket = self.conn_index.get(conn).and_then(|index| self.sockets.get(*index));
                let server = socket.map_or("the far end", |socket| super::lanes::host(socket.to));
                self.issuer(Issuer { at, server, issuer, expected: None, signaling: true });
            }
            Fact::Control(Control::Asking {
                control, kind: ControlKind::Https | ControlKind::FarTcp, target, ..
            }) if self.control_hosts.len() < MOST => {
                self.control_hosts.insert(*control, super::lanes::host(target.as_str()));
            }
            Fact::Control(Control::Issuer { control, issuer, expected }) => {
                let server = self.control_hosts.get(control).copied().unwrap_or("a control");
                self.issuer(Issuer { at, server, issuer, expected: expected.as_ref(), signaling: false });
            }
            Fact::Net(Net::SystemProxy { proxy, script, .. }) if self.between.system_proxies.len() < MOST => {
                self.between.system_proxies.push(SystemProxy { at, proxy: proxy.as_ref(), script: *script });
            }
            Fact::Net(Net::PublicAddress { server, local, public, before }) if self.between.public.len() < MOST => {
                let (local, public, before) = (*local, *public, *before);
                self.between.public.push(PublicAddress { at, server, local, public, before });
            }
            _ => {}
        }
    }

    /// Said again only where something of it is new.
    fn issuer(&mut self, seen: Issuer<'a>) {
        let known = |old: &Issuer| (old.server, old.issuer, old.expected) == (seen.server, seen.issuer, seen.expected);
        if self.between.issuers.len() < MOST && !self.between.issuers.iter().any(known) {
            self.between.issuers.push(seen);
        }
    }
}
