//! What runs beside the call. Without a word of it in the profile everything does: a call alone says when it was lost, and
//! only what ran beside it can say why.

use super::{Address, ControlTarget, Span};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lanes {
    /// A WebSocket to the same endpoint without any heartbeat.
    pub bare_websocket: bool,
    /// Connections that are held busy: WebSocket, TCP, TLS, and TURN where there are servers.
    pub talking: bool,
    pub quiet_ladder: Vec<Span>,
    pub udp_ladder: Vec<Span>,
    pub controls: Vec<ControlTarget>,
    /// Other WebSocket services; to each a bare WebSocket is held.
    pub also: Vec<Address>,
    /// Who should have signed the certificates we are shown, as the issuer's name begins; another one is TLS inspection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_issuer: Option<String>,
}

/// Either side of the limits that devices are known to have: 30, 50 to 60, 100, 120, 230 to 240, 300, 350 and 600 seconds.
/// The second pass narrows whatever lies between two of them.
const QUIET: [u64; 16] = [25, 31, 45, 58, 61, 95, 105, 125, 235, 250, 295, 310, 345, 355, 595, 605];
/// RFC 4787 asks for two minutes and more; devices keep 30, 60, 120, 180 and 300.
const QUIET_UDP: [u64; 6] = [20, 31, 61, 121, 181, 301];

/// Rungs are sockets, and all lanes together shall stay under forty of them.
pub const MOST_RUNGS: usize = 16;
pub const MOST_CONTROLS: usize = 8;
pub const MOST_ALSO: usize = 4;

impl Default for Lanes {
    fn default() -> Self {
        Self {
            bare_websocket: true,
            talking: true,
            quiet_ladder: QUIET.map(Span::seconds).to_vec(),
            udp_ladder: QUIET_UDP.map(Span::seconds).to_vec(),
            controls: vec![ControlTarget::Gateway, ControlTarget::Dns(None), ControlTarget::Far],
            also: vec![],
            expect_issuer: None,
        }
    }
}

impl Lanes {
    /// The call alone.
    pub fn none() -> Self {
        Self {
            bare_websocket: false,
            talking: false,
            quiet_ladder: vec![],
            udp_ladder: vec![],
            controls: vec![],
            also: vec![],
            expect_issuer: None,
        }
    }

    /// What would be refused, with the field it stands in.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        let shortest = Span::seconds(1);
        let longest = Span::seconds(2 * 3600);
        for (field, rungs) in [("quiet_ladder", &self.quiet_ladder), ("udp_ladder", &self.udp_ladder)] {
            if rungs.len() > MOST_RUNGS {
                return Err((field, format!("{field} has more than {MOST_RUNGS} rungs; each of them is a socket")));
            }
            if rungs.iter().any(|rung| *rung < shortest || *rung > longest) {
                return Err((field, format!("a rung of {field} lies between {shortest} and {longest}")));
            }
        }
        if self.controls.len() > MOST_CONTROLS {
            return Err(("controls", format!("more than {MOST_CONTROLS} controls; each is asked once a second")));
        }
        if self.also.len() > MOST_ALSO {
            return Err(("also", format!("more than {MOST_ALSO} other services")));
        }
        Ok(())
    }
}
