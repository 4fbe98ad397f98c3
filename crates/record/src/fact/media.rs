//! Facts of the media itself, read from packets and never from states.

use crate::{Ip, IpPort, Said, Stamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// The first RTP packet of a call arrived; `first` is its time.
    Flowing { first: Stamp },
    /// No RTP for longer than the limit. `last` is the last packet before the silence: the event's own stamp is only when
    /// we were sure.
    Gap { last: Stamp },
    /// RTP again: `last` before the gap, `first` after it.
    Back { last: Stamp, first: Stamp },
    /// One second of the call.
    Sample(MediaSample),
    /// Our own system refuses to send; `first` is the first refused packet.
    SendFailing { errno: Option<i32>, says: Said, first: Stamp },
    /// Sending works again.
    SendWorks { refused: u32, since: Stamp },
    /// The network told us twice, with no media between, that what we send to `to` is not delivered; `first` is when it told
    /// us first. `by` is the address that said so, where the system gives it: the far end's own, or of a device on the way.
    Undelivered { to: IpPort, why: Undeliverable, by: Option<Ip>, first: Stamp },
}

/// As ICMP words it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undeliverable {
    /// The computer is there, and nobody listens on the port.
    NoListener,
    NoHost,
    NoNetwork,
    /// A device on the way does not let it pass.
    Forbidden,
}

/// Counts are of the second that just ended; absent figures were not reported in it.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct MediaSample {
    pub rtp_in: u32,
    pub rtp_out: u32,
    /// Missing by sequence number on the way to us.
    pub lost_in: u32,
    pub rtcp_in: u32,
    /// Answers to our own connectivity checks; what the far end asks of us does not count.
    pub stun_in: u32,
    /// Checks of the far end that reached us: the way to us is open, whatever becomes of the other.
    #[serde(default)]
    pub checks_in: u32,
    /// Of these three, how many came when there had been no RTP for 100 ms (430 ms in comfort noise): the way to us was open
    /// when the media had stopped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after_rtp: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_in_ms: Option<f64>,
    /// From RTCP: now − LSR − DLSR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// As the far end reports our packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_lost: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_jitter_ms: Option<f64>,
    /// From our own connectivity checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stun_rtt_ms: Option<f64>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From us to the far end.
    Out,
    /// From the far end to us.
    In,
}
