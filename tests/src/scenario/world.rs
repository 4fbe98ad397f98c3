//! What the world of a scenario is made of, beyond client, router, server and far end.

use super::deed::EndedBy;
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
    /// A web proxy in the router, which the client is told to use.
    pub web_proxy: Option<WebProxy>,
    /// The far end serves those alone who know its token.
    pub token: Option<Token>,
    /// How long the profile says that the token, or the relay's credentials, are good for.
    pub token_lasts: Option<Span>,
    pub relay_credentials_last: Option<Span>,
    /// The far end closes signaling connections on which nothing came for so long.
    pub far_ends_idle_after: Option<Span>,
    /// Another call has the far end's last place.
    pub far_is_full: bool,
    /// The router gives a flow another port for each destination.
    pub router_scatters_ports: bool,
    /// The router knows a flow that it forgot, and does not let it begin anew.
    pub router_bars_forgotten_udp: bool,
    /// The program is run by an ordinary user where the system lets nobody send pings.
    pub no_pings: bool,
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
    /// Ends each connection at this age, however busy it is.
    Capper {
        ends_at_age: Span,
        #[serde(default)]
        by: EndedBy,
    },
    /// Passes everything on, and ends nothing by itself.
    Passer,
    /// Ends TLS, and shows a certificate of its own maker's.
    Inspector,
    /// Answers whoever asks for an upgrade with this status.
    Refuser { status: u16 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebProxy {
    Open,
    /// Answers each CONNECT with this status.
    Refuses(u16),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Token {
    Known,
    /// The profile has another one.
    Wrong,
}
