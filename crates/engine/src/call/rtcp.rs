//! The ear inside the stack: an interceptor nearest to the wire that hears each RTP packet the stack accepted and all
//! RTCP both ways, and passes everything on. And what the reports among them say.
//!
//! The stack counts too, but its round trip is a constant zero.

use super::instruments::Instruments;
use record::Stamp;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nearer to the wire than every interceptor of the stack's own, so that reports it makes pass here too.
pub const SLOT: usize = 500;

pub struct Ear {
    instruments: Arc<Instruments>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl Ear {
    pub fn new(instruments: Arc<Instruments>) -> Self {
        Self { instruments, inbound: VecDeque::new(), outbound: VecDeque::new() }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Ear {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        match &message.message.packet {
            Packet::Rtp(packet) => {
                let header = &packet.header;
                self.instruments.rtp_in(header.ssrc, header.sequence_number, header.timestamp);
            }
            Packet::Rtcp(packets) => self.instruments.rtcp_in(packets),
            _ => {}
        }
        self.inbound.push_back(message);
        Ok(())
    }
    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }
    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            self.instruments.rtcp_out(packets);
        }
        self.outbound.push_back(message);
        Ok(())
    }
    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
    fn handle_timeout(&mut self, _: Instant) -> Result<(), Error> {
        Ok(())
    }
    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl Interceptor for Ear {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

/// What the far end reports of our packets.
#[derive(Debug, Default)]
pub struct Reports {
    /// Our latest sender reports: the middle of their NTP time, by which the far end names them, and when they left.
    ours: VecDeque<(u32, Stamp)>,
    lost_before: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Report {
    pub rtt: Option<Duration>,
    /// Since the report before.
    pub lost: u32,
    pub jitter: u32,
}

/// One a second is sent; an answer to an older one would be a round trip of more than ten seconds.
const REMEMBERED: usize = 10;

impl Reports {
    pub fn sent(&mut self, at: Stamp, packets: &[Box<dyn rtc::rtcp::Packet>]) {
        for report in packets.iter().filter_map(|packet| packet.as_any().downcast_ref::<SenderReport>()) {
            if self.ours.len() == REMEMBERED {
                self.ours.pop_front();
            }
            self.ours.push_back(((report.ntp_time >> 16) as u32, at));
        }
    }

    pub fn heard(&mut self, at: Stamp, packets: &[Box<dyn rtc::rtcp::Packet>]) -> Option<Report> {
        let blocks = packets.iter().flat_map(|packet| {
            let packet = packet.as_any();
            let in_sender = packet.downcast_ref::<SenderReport>().map(|report| &report.reports);
            let in_receiver = packet.downcast_ref::<ReceiverReport>().map(|report| &report.reports);
            in_sender.or(in_receiver).into_iter().flatten()
        });
        blocks.last().map(|block| self.read(at, block))
    }

    fn read(&mut self, at: Stamp, block: &ReceptionReport) -> Report {
        let sent = self.ours.iter().rev().find(|(name, _)| *name == block.last_sender_report);
        let held = Duration::from_secs_f64(f64::from(block.delay) / 65_536.0);
        let rtt = sent.and_then(|(_, left)| at.since(*left).checked_sub(held));
        let lost = block.total_lost.saturating_sub(self.lost_before.unwrap_or(block.total_lost));
        self.lost_before = Some(block.total_lost);
        Report { rtt, lost, jitter: block.jitter }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(last_sender_report: u32, delay: u32, total_lost: u32) -> Vec<Box<dyn rtc::rtcp::Packet>> {
        let block = ReceptionReport { last_sender_report, delay, total_lost, jitter: 96, ..Default::default() };
        vec![Box::new(ReceiverReport { reports: vec![block], ..Default::default() })]
    }

    #[test]
    fn the_round_trip_is_now_minus_sent_minus_held() {
        let mut reports = Reports::default();
        let sent = Stamp::new(0, 5_000_000, 5_000_000);
        reports.sent(sent, &[Box::new(SenderReport { ntp_time: 0x1111_2222_3333_4444, ..Default::default() })]);
        let now = sent.plus(Duration::from_millis(540));
        // Held for half a second at the far end.
        let report = reports.heard(now, &answer(0x2222_3333, 32_768, 4)).expect("a block");
        assert_eq!(report, Report { rtt: Some(Duration::from_millis(40)), lost: 0, jitter: 96 });
        let next = reports.heard(now, &answer(0, 0, 9)).expect("a block");
        assert_eq!(next, Report { rtt: None, lost: 5, jitter: 96 });
    }

    #[test]
    fn a_report_that_claims_the_impossible_gives_no_round_trip() {
        let mut reports = Reports::default();
        let sent = Stamp::new(0, 5_000_000, 5_000_000);
        reports.sent(sent, &[Box::new(SenderReport { ntp_time: 0x2222_3333_0000, ..Default::default() })]);
        let report = reports.heard(sent, &answer(0x2222_3333, u32::MAX, 0)).expect("a block");
        assert_eq!(report.rtt, None);
    }
}
