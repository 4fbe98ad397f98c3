//! The RTP stream that comes in: how many packets its sequence numbers say are missing, and how unevenly they come
//! (RFC 3550, appendix A).

use super::peer::OPUS_CLOCK_HZ;
use record::Stamp;

#[derive(Debug, Default)]
pub struct Inbound {
    source: Option<Source>,
    jitter_ms: Option<f64>,
}

#[derive(Debug)]
struct Source {
    ssrc: u32,
    highest: u16,
    last: Stamp,
    last_timestamp: u32,
}

/// Further ahead than this a sequence number is a new beginning and not 3000 lost packets, which at 50 a second would
/// be a minute.
const NEW_BEGINNING: u16 = 3_000;

impl Inbound {
    /// How many packets are missing before this one. A late packet gives back what was counted as missing.
    pub fn packet(&mut self, at: Stamp, ssrc: u32, sequence: u16, timestamp: u32) -> i32 {
        let Some(source) = self.source.as_mut().filter(|source| source.ssrc == ssrc) else {
            self.source = Some(Source { ssrc, highest: sequence, last: at, last_timestamp: timestamp });
            return 0;
        };
        let ahead = sequence.wrapping_sub(source.highest);
        let behind = source.highest.wrapping_sub(sequence);
        if ahead == 0 {
            return 0;
        }
        if behind <= NEW_BEGINNING {
            return -1;
        }
        let spacing_ms = at.since(source.last).as_secs_f64() * 1e3;
        let meant = timestamp.wrapping_sub(source.last_timestamp) as i32;
        let meant_ms = f64::from(meant) * 1e3 / f64::from(OPUS_CLOCK_HZ);
        *source = Source { ssrc, highest: sequence, last: at, last_timestamp: timestamp };
        if ahead > NEW_BEGINNING {
            return 0;
        }
        let jitter = self.jitter_ms.unwrap_or(0.0);
        self.jitter_ms = Some(jitter + ((spacing_ms - meant_ms).abs() - jitter) / 16.0);
        i32::from(ahead) - 1
    }

    pub fn jitter_ms(&self) -> Option<f64> {
        self.jitter_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    struct Far {
        inbound: Inbound,
        now: Stamp,
    }
    impl Far {
        fn new() -> Self {
            Self { inbound: Inbound::default(), now: Stamp::new(0, 1_000_000, 1_000_000) }
        }
        fn after(&mut self, ms: u64, sequence: u16) -> i32 {
            self.now = self.now.plus(Duration::from_millis(ms));
            self.inbound.packet(self.now, 7, sequence, u32::from(sequence) * 960)
        }
    }

    #[test]
    fn missing_packets_are_counted_across_the_wrap_and_given_back_when_late() {
        let mut far = Far::new();
        assert_eq!(far.after(0, 65_533), 0);
        assert_eq!(far.after(20, 65_534), 0);
        assert_eq!(far.after(60, 1), 2, "65535 and 0 are missing");
        assert_eq!(far.after(1, 0), -1);
        assert_eq!(far.after(1, 1), 0, "a repeated packet changes nothing");
    }

    #[test]
    fn a_stream_that_begins_anew_has_lost_nothing() {
        let mut far = Far::new();
        far.after(0, 100);
        assert_eq!(far.after(20, 40_000), 0);
        assert_eq!(far.inbound.packet(far.now, 8, 5, 0), 0);
    }

    #[test]
    fn even_packets_have_no_jitter_and_uneven_ones_have_it() {
        let mut far = Far::new();
        for sequence in 0..100 {
            far.after(20, sequence);
        }
        assert!(far.inbound.jitter_ms().is_some_and(|ms| ms < 0.001));
        for sequence in 100..200 {
            far.after(if sequence % 2 == 0 { 10 } else { 30 }, sequence);
        }
        let jitter = far.inbound.jitter_ms().expect("measured");
        assert!((9.0..=10.0).contains(&jitter), "{jitter}");
    }
}
