//! Our side of the media: one audio track, and silence sent on it at an even pace.

use super::peer::{OPUS_CLOCK_HZ, OPUS_PAYLOAD_TYPE, opus};
use crate::Clock;
use bytes::Bytes;
use record::profile::Silence;
use record::stamp::Micros;
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use std::sync::Arc;
use std::time::Duration;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;

/// A track of ours and where its numbering begins.
pub struct Voice {
    pub track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    first_sequence: u16,
    first_timestamp: u32,
}

/// 20 ms of digital silence as an Opus encoder writes it: one CELT frame, full band, mono.
const SILENT_FRAME: &[u8] = &[0xf8, 0xff, 0xfe];

const FRAME: Duration = Duration::from_millis(20);
/// How often Opus refreshes comfort noise when it stops sending silence.
const COMFORT: Duration = Duration::from_millis(400);

/// The stack takes a packet within a millisecond. When it has not for so long, it has stopped working.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);

impl Voice {
    pub fn new() -> anyhow::Result<Self> {
        let random = |what: &str| getrandom::u32().map_err(|error| anyhow::anyhow!("no random {what}: {error}"));
        let ssrc = random("stream id")?.max(1);
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
            codec: opus().rtp_codec,
            ..Default::default()
        };
        let media = MediaStreamTrack::new(
            "call".into(),
            format!("silence-{ssrc}"),
            "silence".into(),
            RtpCodecKind::Audio,
            vec![encoding],
        );
        Ok(Self {
            track: Arc::new(TrackLocalStaticRTP::new(media)),
            ssrc,
            first_sequence: random("sequence number")? as u16,
            first_timestamp: random("timestamp")?,
        })
    }

    /// Sends for as long as the stack takes packets; returns why it stopped doing so.
    pub async fn be_silent(&self, silence: Silence, clock: &Clock) -> String {
        let every = match silence {
            Silence::Frames => FRAME,
            Silence::Dtx => COMFORT,
            Silence::None => return std::future::pending().await,
        };
        let start = clock.now().awake;
        let mut slot = 0;
        for sent in 0u64.. {
            slot = wait_for_slot(clock, start, every, slot).await;
            let timestamp = slot * every.as_millis() as u64 * u64::from(OPUS_CLOCK_HZ / 1_000);
            let header = rtp::header::Header {
                version: 2,
                marker: sent == 0,
                payload_type: OPUS_PAYLOAD_TYPE,
                sequence_number: self.first_sequence.wrapping_add(sent as u16),
                timestamp: self.first_timestamp.wrapping_add(timestamp as u32),
                ssrc: self.ssrc,
                ..Default::default()
            };
            let packet = rtp::Packet { header, payload: Bytes::from_static(SILENT_FRAME) };
            match tokio::time::timeout(TAKEN_WITHIN, self.track.write_rtp(packet)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return format!("it takes no more packets: {error}"),
                Err(_) => return format!("it took no packet for {} s", TAKEN_WITHIN.as_secs()),
            }
            slot += 1;
        }
        unreachable!("two to the power of 64 packets")
    }
}

/// Sleeps until `slot` begins and returns the slot that then really is. After a pause of our own the missed slots are
/// left out, never sent in a burst, and the timestamps stay those of the clock.
async fn wait_for_slot(clock: &Clock, start: Micros, every: Duration, slot: u64) -> u64 {
    let due = start + every.saturating_mul(u32::try_from(slot).unwrap_or(u32::MAX));
    tokio::time::sleep(due - clock.now().awake).await;
    let elapsed = (clock.now().awake - start).as_micros();
    slot.max((elapsed / every.as_micros()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Stamp;

    #[tokio::test]
    async fn slots_missed_in_a_pause_are_skipped_and_not_sent_in_a_burst() {
        let clock = Clock::scripted(Stamp::new(0, 5_000_000, 5_000_000));
        let start = clock.now().awake;
        assert_eq!(wait_for_slot(&clock, start, FRAME, 0).await, 0);
        clock.advance(Duration::from_millis(39));
        assert_eq!(wait_for_slot(&clock, start, FRAME, 1).await, 1, "late, but still its own slot");
        clock.advance(Duration::from_millis(5_000));
        assert_eq!(wait_for_slot(&clock, start, FRAME, 2).await, 251);
    }

    #[tokio::test]
    async fn sleep_of_the_computer_takes_no_slots() {
        let clock = Clock::scripted(Stamp::new(0, 5_000_000, 5_000_000));
        let start = clock.now().awake;
        clock.sleep(Duration::from_secs(3_600));
        assert_eq!(wait_for_slot(&clock, start, FRAME, 0).await, 0);
    }
}
