//! The names in a profile, as they stand in the log beside it.

use super::Names;
use crate::{
    Profile,
    profile::{Address, ControlTarget, Ice, IceServer, Lanes, Signaling},
};

impl Names {
    /// Every field is looked at: one that is added does not compile until it is decided what becomes of it.
    pub fn profile(&mut self, profile: &mut Profile) {
        let Profile { name, for_: _, stay_awake: _, signaling, ice, media: _, lanes, recovery: _, share: _ } = profile;
        *name = self.title(name);
        let Signaling { kind: _, url, token: _, token_expires: _, ca, heartbeat: _ } = signaling;
        *url = self.address(url);
        // A certificate names its owner, and is of use to nobody who reads what became of a call.
        *ca = None;
        let Ice { policy: _, servers } = ice;
        for IceServer { urls, username: _, credential: _, expires: _ } in servers {
            urls.iter_mut().for_each(|url| *url = self.url_of(url));
        }
        // Who is expected to sign is the desk's own word.
        let Lanes { bare_websocket: _, talking: _, quiet_ladder: _, udp_ladder: _, controls, also, expect_issuer: _ } =
            lanes;
        *controls =
            controls.iter().filter_map(|asked| ControlTarget::parse(&self.url_of(&asked.to_string())).ok()).collect();
        also.iter_mut().for_each(|url| *url = self.address(url));
    }

    fn address(&mut self, address: &Address) -> Address {
        let named = Address::parse(&self.url_of(&address.to_string()));
        named.unwrap_or_else(|_| Address::parse("wss://unnamed.example/").expect("it is one"))
    }
}
