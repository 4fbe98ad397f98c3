//! `Way`: one endpoint that lanes lead to, and how it is reached.

use super::plan::far_end_holds_lanes;
use super::street::Traffic;
use crate::line::{Patience, Proxies, Target, proxy, upgrade};
use crate::signaling;
use record::{Heard, Profile, profile::Address, wire::lane::LARGEST_MESSAGE};
use std::sync::Arc;

#[derive(Clone)]
pub struct Way {
    pub target: Target,
    pub proxy: proxy::Choice,
    pub carried: Carried,
    /// The reflector's own: every lane says a ticket first.
    gated: bool,
    /// Without anything secret.
    pub shown: Heard,
    /// After so many refusals in a row, the first ones, nobody asks any more.
    pub most_refusals: u32,
    pub traffic: Arc<Traffic>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    WebSocket,
    Lines,
}

/// A service may greet a bare WebSocket with more than a lane ever says.
const LARGEST_STRANGE_MESSAGE: usize = 64 * 1024;

impl Way {
    /// The path of lanes beside the call's own: `/voice/call` and `/voice/lane`.
    pub fn to_lanes(profile: &Profile, proxies: &Proxies) -> Option<Self> {
        let mut url = profile.signaling.url.reveal().clone();
        url.set_fragment(None);
        url.path_segments_mut().ok()?.pop_if_empty().pop().push("lane");
        let url = Address::parse(url.as_str()).ok()?;
        Some(Self::new(profile, proxies, url, Carried::WebSocket, true))
    }

    /// TCP, or TLS where the call uses it: a ticket does not cross in the clear what the call crosses sealed.
    pub fn without_http(profile: &Profile, proxies: &Proxies) -> Self {
        let url = profile.signaling.url.clone();
        let scheme = if url.is_tls() { "tls" } else { "tcp" };
        let shown = Heard::new(&format!("{scheme}://{}", proxy::authority(url.host(), url.port())));
        // Where the first is answered by somebody else, an HTTP proxy stands before the reflector, and stays there.
        Self { shown, most_refusals: 1, ..Self::new(profile, proxies, url, Carried::Lines, true) }
    }

    /// The endpoint itself, for a WebSocket on which nothing is ever said.
    pub fn bare(profile: &Profile, proxies: &Proxies) -> Option<Self> {
        if far_end_holds_lanes(profile) {
            return Self::to_lanes(profile, proxies);
        }
        let mut way = Self::new(profile, proxies, profile.signaling.url.clone(), Carried::WebSocket, false);
        way.target.subprotocol = signaling::by_id(&profile.signaling.kind).and_then(|kind| kind.subprotocol);
        Some(way)
    }

    pub fn also(profile: &Profile, proxies: &Proxies, url: &Address) -> Self {
        Self::new(profile, proxies, url.clone(), Carried::WebSocket, false)
    }

    fn new(profile: &Profile, proxies: &Proxies, url: Address, carried: Carried, gated: bool) -> Self {
        let proxy = proxies.choose(&url);
        let scrub = profile.scrub().and(url.secrets()).and(proxy.secrets()).and(upgrade::secrets(&url));
        let target = Target {
            extra_ca: profile.signaling.ca.clone(),
            subprotocol: None,
            headers: vec![],
            heartbeat: None,
            largest_message: if gated { LARGEST_MESSAGE } else { LARGEST_STRANGE_MESSAGE },
            patience: Patience::default(),
            scrub,
            url,
        };
        let shown = Heard::new(&target.url.to_string());
        Self { target, proxy, carried, gated, shown, most_refusals: 3, traffic: Arc::default() }
    }

    pub fn is_gated(&self) -> bool {
        self.gated
    }
    pub fn is_tls(&self) -> bool {
        self.target.url.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_stand_beside_the_call_whatever_its_path() {
        for (call, lane) in [
            ("ws://far.example/call", "ws://far.example/lane"),
            ("wss://far.example:8443/voice/call?k=hunter2", "wss://far.example:8443/voice/lane"),
            ("ws://far.example/voice/call/", "ws://far.example/voice/lane"),
            ("ws://far.example", "ws://far.example/lane"),
        ] {
            let profile =
                record::profile::read(format!("[signaling]\nurl = \"{call}\"").as_bytes()).expect("a profile");
            let way = Way::to_lanes(&profile, &Proxies::default()).expect("a way");
            assert_eq!(way.shown.as_str(), lane);
        }
    }

    #[test]
    fn without_http_the_way_is_as_open_or_sealed_as_the_calls() {
        let shown = |url: &str| {
            let profile = record::profile::read(format!("[signaling]\nurl = \"{url}\"").as_bytes()).expect("a profile");
            Way::without_http(&profile, &Proxies::default()).shown.as_str().to_owned()
        };
        assert_eq!(shown("ws://[::1]:7000/call"), "tcp://[::1]:7000");
        assert_eq!(shown("wss://far.example/call"), "tls://far.example:443");
    }
}
