//! The echo: an interceptor in the stack's own chain that turns each arriving RTP packet round.
//!
//! It lives inside the connection's driver, so that a packet is answered within the wake-up that received it. Reading the
//! track and writing another would take two channels and two more tasks for every packet.
//!
//! Payload and timestamp stay as they came. Sequence numbers are our own and without gaps: what the caller then misses
//! was lost on the way back, and what was lost on the way here stands in our account. Header extensions are left out,
//! because their numbers were agreed for the other direction.

use crate::account::Account;
use rtc::interceptor::{AttributedPacket, Interceptor, Packet, Slot, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::{TransportContext, error::Error};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// Nearer to the application than everything of the stack: on its way out an echo passes all that a packet of the
/// application would, the sender reports among them.
pub const SLOT: usize = 14_000;

pub struct Echo {
    account: Arc<Account>,
    /// Our stream, once it is negotiated.
    ssrc: Option<u32>,
    sequence: u16,
    inward: VecDeque<TaggedPacket>,
    outward: VecDeque<TaggedPacket>,
}

impl Echo {
    pub fn new(account: Arc<Account>) -> Self {
        Self { account, ssrc: None, sequence: 0, inward: VecDeque::new(), outward: VecDeque::new() }
    }

    pub fn slot() -> Slot {
        Slot::from(SLOT)
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Echo {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, mut msg: TaggedPacket) -> Result<(), Error> {
        let Packet::Rtp(packet) = &mut msg.message.packet else {
            self.inward.push_back(msg);
            return Ok(());
        };
        let header = &mut packet.header;
        self.account.packet(header.ssrc, header.sequence_number, header.timestamp, self.ssrc.is_some());
        let Some(ssrc) = self.ssrc else { return Ok(()) };
        header.ssrc = ssrc;
        header.sequence_number = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        header.csrc.clear();
        header.extension = false;
        header.extensions.clear();
        header.extensions_padding = 0;
        // The stack has taken the padding off the payload.
        header.padding = false;
        self.outward.push_back(TaggedPacket {
            now: msg.now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(msg.message.packet),
        });
        Ok(())
    }
    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inward.pop_front()
    }
    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        self.outward.push_back(msg);
        Ok(())
    }
    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outward.pop_front()
    }
}

impl Interceptor for Echo {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.ssrc = Some(info.ssrc);
    }
    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        if self.ssrc == Some(info.ssrc) {
            self.ssrc = None;
        }
    }
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
