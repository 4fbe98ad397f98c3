//! The gateway: the next device on the way out.
//!
//! *Seen*: it answers an ICMP echo; where the system lets us send none, an ICMP error of its own to a datagram for a port
//! that nobody listens on, which may travel one hop and no further. Any answer is life.
//! *Not seen*: a gateway that never answers echoes. That is told as blindness and never as silence: many are set up so. And
//! a system sends ICMP errors by ration (Linux about one a second to each address), so without echoes nothing follows from
//! their absence: the gateway is then silent when our own system, whose table of neighbours the datagrams keep asking for
//! it, says that there is nobody.
//!
//! Each platform file provides
//! - `permitted()`, whether echoes may be sent,
//! - `reach(gateway).await`, the answer of one attempt, or why there is none.

use super::asking::Never;
use super::driver::{Asker, News};
use super::fresh::Fresh;
use super::known::{Gateway, Known};
use record::Heard;
use tokio::sync::watch;

#[cfg_attr(unix, path = "gateway/unix.rs")]
#[cfg_attr(windows, path = "gateway/windows.rs")]
mod platform;

pub use platform::permitted;

/// Said at once where echoes may not be sent.
pub const NOT_PERMITTED: &str = "pings are not permitted here, so a silent gateway is seen late; \
    set net.ipv4.ping_group_range to \"0 2147483647\"";

pub const NEVER: Never = Never {
    watcher: record::Sense::Gateway,
    why: "the gateway does not answer pings; allow them there to see whether it lives when a call is lost",
};

pub struct GatewayAsker {
    known: watch::Receiver<Known>,
    gateway: Option<Gateway>,
    fresh: Fresh,
}

impl GatewayAsker {
    pub fn new(known: watch::Receiver<Known>) -> Self {
        Self { known, gateway: None, fresh: Fresh::new() }
    }
}

impl Asker for GatewayAsker {
    async fn put(&mut self, attempt: u64) {
        let Some(gateway) = self.gateway.clone() else { return };
        self.fresh.put(attempt, |reply| async move { reply.tell(platform::reach(gateway).await) });
    }

    async fn news(&mut self) -> News {
        loop {
            let now = self.known.borrow_and_update().gateway();
            if now != self.gateway {
                self.gateway = now;
                return News::Target(self.gateway.as_ref().map(|gateway| shown(gateway).as_str().into()));
            }
            tokio::select! {
                news = self.fresh.news() => return news,
                Ok(()) = self.known.changed() => {}
            }
        }
    }
}

/// As `ping` is told it: an address that holds on one link only is written with the link.
fn shown(gateway: &Gateway) -> Heard {
    let Gateway { address, interface } = gateway;
    match address {
        std::net::IpAddr::V6(v6) if v6.is_unicast_link_local() => Heard::new(&format!("{address}%{interface}")),
        _ => Heard::new(&address.to_string()),
    }
}
