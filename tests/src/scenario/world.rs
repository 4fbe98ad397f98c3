//! What the world of a scenario is made of, beyond client, router, server and far end.

use record::profile::Span;
use serde::Deserialize;

#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct World {
    /// Without one nobody listens where the call is placed to.
    pub far: Far,
    /// What stands before the far end and takes the signaling connection and all lanes over TCP.
    pub in_front: Option<InFront>,
    /// A firewall in the router forgets quiet TCP connections after so long, and says nothing.
    pub router_keeps_tcp_for: Option<Span>,
    pub router_keeps_udp_for: Option<Span>,
    /// The far end is called by a name, which a name server of the world knows.
    pub names: bool,
    /// A server that has nothing to do with the far end answers STUN, and is one of the controls.
    pub control: bool,
    /// A TURN server; the profile names it.
    pub relay: bool,
    /// A logind of the world's own tells of sleep.
    pub logind: bool,
    /// The second uplink's router passes on what comes from addresses of the first; else it knows its own alone, as those of
    /// mobile networks do.
    pub second_passes_all: bool,
    /// From the beginning on, before anything is said.
    pub broken: Option<super::Deed>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Far {
    #[default]
    Reflector,
    Janus,
    Nobody,
}

#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum InFront {
    Nginx {
        /// `proxy_read_timeout`.
        ends_idle_after: Span,
    },
    Haproxy {
        /// `timeout tunnel`.
        ends_idle_after: Span,
    },
    /// Ends each connection in order when nothing crossed it for so long.
    Idler { ends_idle_after: Span },
    /// Ends each connection in order at this age, however busy it is.
    Capper { ends_at_age: Span },
}
