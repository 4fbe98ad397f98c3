//! What the reflector received on a call: the packet clock behind `MediaStarted`, `MediaStopped`, `MediaResumed` and the
//! totals.
//!
//! Packets are entered where the stack hands them over; the silence between them is found by one ticker for all calls,
//! since a timer set anew for every packet of every call would cost more than the packets do.

use engine::Clock;
use record::{Stamp, fact::Sight};
use std::sync::Mutex;
use std::time::Duration;

/// As at the caller's side: fifteen packets of 20 ms. Less would take the pauses of a roaming radio for an end.
const SILENT_AFTER: Duration = Duration::from_millis(300);

/// A sender of comfort noise pauses for 400 ms by its nature. So a stream is silent only after two and a half of the
/// longest steps that its own RTP timestamps have shown.
const STEPS_MISSED: f64 = 2.5;
/// A step longer than this is a restart of the sender and not its rhythm; unknown rhythms get this much patience too.
const LONGEST_STEP: Duration = Duration::from_secs(1);

/// Opus in RTP counts 48 000 a second, whatever it carries.
const CLOCK_HZ: f64 = 48_000.0;

/// How often silence is looked for.
pub const LOOK_EVERY: Duration = Duration::from_millis(50);

pub struct Account {
    clock: Clock,
    saw: Box<dyn Fn(Stamp, Sight) + Send + Sync>,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    /// Absent until the first packet.
    last: Option<Last>,
    received: u64,
    echoed: u64,
    /// Packets that should have come, by sequence number; begins anew with every stream.
    expected: u64,
    silent: bool,
    longest_step: Duration,
    steps: u32,
}

#[derive(Clone, Copy)]
struct Last {
    at: Stamp,
    ssrc: u32,
    /// The highest so far.
    sequence: u16,
    timestamp: u32,
}

impl Account {
    pub fn new(clock: Clock, saw: impl Fn(Stamp, Sight) + Send + Sync + 'static) -> Self {
        Self { clock, saw: Box::new(saw), tally: Mutex::default() }
    }

    /// An RTP packet arrived, and its echo is on the way.
    pub fn packet(&self, ssrc: u32, sequence: u16, timestamp: u32, echoed: bool) {
        let at = self.clock.now();
        let mut tally = self.tally.lock().expect("no holder panics");
        let sight = tally.enter(Last { at, ssrc, sequence, timestamp }, echoed);
        drop(tally);
        if let Some(sight) = sight {
            (self.saw)(at, sight);
        }
    }

    /// Called every `LOOK_EVERY`.
    pub fn look(&self, now: Stamp) {
        let mut tally = self.tally.lock().expect("no holder panics");
        let sight = tally.look(now);
        drop(tally);
        if let Some(sight) = sight {
            (self.saw)(now, sight);
        }
    }

    pub fn stood_still(&self, from: Stamp, to: Stamp) {
        (self.saw)(to, Sight::StoodStill { from: from.wall, to: to.wall });
    }

    pub fn totals(&self) -> Sight {
        let tally = self.tally.lock().expect("no holder panics");
        Sight::Counted {
            received: tally.received,
            lost: tally.expected.saturating_sub(tally.received),
            echoed: tally.echoed,
        }
    }
}

impl Tally {
    fn enter(&mut self, packet: Last, echoed: bool) -> Option<Sight> {
        self.received += 1;
        self.echoed += u64::from(echoed);
        let Some(last) = self.last else {
            self.expected = 1;
            self.last = Some(packet);
            return Some(Sight::MediaStarted { first: packet.at.wall });
        };
        let ahead = packet.sequence.wrapping_sub(last.sequence);
        if packet.ssrc != last.ssrc {
            self.expected += 1;
            self.last = Some(packet);
        } else if ahead != 0 && ahead < 0x8000 {
            self.expected += u64::from(ahead);
            if ahead == 1 {
                self.learn_step(packet.timestamp.wrapping_sub(last.timestamp));
            }
            self.last = Some(packet);
        } else {
            // Late or doubled: proof of life all the same.
            self.last = Some(Last { at: packet.at, ..last });
        }
        std::mem::take(&mut self.silent).then_some(Sight::MediaResumed { last: last.at.wall, first: packet.at.wall })
    }

    fn learn_step(&mut self, timestamps: u32) {
        let step = Duration::from_secs_f64(f64::from(timestamps) / CLOCK_HZ);
        if step <= LONGEST_STEP {
            self.longest_step = self.longest_step.max(step);
            self.steps = self.steps.saturating_add(1);
        }
    }

    fn look(&mut self, now: Stamp) -> Option<Sight> {
        let last = self.last?;
        // Awake time: while this computer sleeps nobody can say that nothing came.
        if self.silent || now.awake_since(last.at) <= self.patience() {
            return None;
        }
        self.silent = true;
        Some(Sight::MediaStopped { last: last.at.wall })
    }

    fn patience(&self) -> Duration {
        // One step does not make a rhythm.
        let step = if self.steps < 2 { LONGEST_STEP } else { self.longest_step };
        SILENT_AFTER.max(step.mul_f64(STEPS_MISSED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    struct Bench {
        clock: Clock,
        account: Account,
        seen: Arc<Mutex<Vec<Sight>>>,
        sequence: u16,
        timestamp: u32,
    }

    impl Bench {
        fn new() -> Self {
            let clock = Clock::scripted(Stamp::new(1_000_000_000, 50_000_000, 50_000_000));
            let seen = Arc::new(Mutex::new(Vec::new()));
            let into = Arc::clone(&seen);
            let account = Account::new(clock.clone(), move |_, sight| into.lock().unwrap().push(sight));
            Self { clock, account, seen, sequence: 65_530, timestamp: 0 }
        }
        /// `n` packets, one each `step`, with looks in between as the server makes them.
        fn send(&mut self, n: u32, step: Duration) {
            for _ in 0..n {
                self.account.packet(7, self.sequence, self.timestamp, true);
                self.sequence = self.sequence.wrapping_add(1);
                self.timestamp = self.timestamp.wrapping_add((step.as_secs_f64() * CLOCK_HZ) as u32);
                self.wait(step);
            }
        }
        fn wait(&self, d: Duration) {
            let end = self.clock.now().plus(d);
            while self.clock.now() < end {
                self.clock.advance(Duration::from_millis(10).min(end.since(self.clock.now())));
                self.account.look(self.clock.now());
            }
        }
        fn seen(&self) -> Vec<Sight> {
            std::mem::take(&mut self.seen.lock().unwrap())
        }
    }
    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn silence_is_dated_to_the_last_packet_and_not_to_its_discovery() {
        let mut bench = Bench::new();
        let start = bench.clock.now().wall;
        bench.send(50, 20 * MS);
        assert_eq!(bench.seen(), [Sight::MediaStarted { first: start }]);
        let last = start.plus_micros(49 * 20_000);
        bench.wait(270 * MS);
        assert_eq!(bench.seen(), []);
        bench.wait(30 * MS);
        assert_eq!(bench.seen(), [Sight::MediaStopped { last }]);
        bench.wait(10_000 * MS);
        assert_eq!(bench.seen(), [], "said once");
        let first = bench.clock.now().wall;
        bench.send(5, 20 * MS);
        assert_eq!(bench.seen(), [Sight::MediaResumed { last, first }]);
    }

    #[test]
    fn comfort_noise_every_400_ms_is_not_an_end_and_its_end_is() {
        let mut bench = Bench::new();
        bench.send(20, 400 * MS);
        assert!(matches!(bench.seen()[..], [Sight::MediaStarted { .. }]));
        bench.wait(700 * MS);
        assert!(matches!(bench.seen()[..], [Sight::MediaStopped { .. }]));
    }

    #[test]
    fn a_sleeping_computer_hears_no_end() {
        let mut bench = Bench::new();
        bench.send(50, 20 * MS);
        bench.seen();
        bench.clock.sleep(Duration::from_secs(3600));
        bench.account.look(bench.clock.now());
        assert_eq!(bench.seen(), []);
    }

    #[test]
    fn loss_is_counted_by_sequence_number_over_its_turn_and_late_packets_are_no_loss() {
        let bench = Bench::new();
        for sequence in [65_534, 65_535, 1, 0, 4, 4] {
            bench.account.packet(7, sequence, 0, true);
        }
        // Sent were 65534, 65535, 0, 1, 2, 3, 4: two of them never came. One came twice and hides one.
        assert_eq!(bench.account.totals(), Sight::Counted { received: 6, lost: 1, echoed: 6 });
        // A new stream begins anywhere in the numbers.
        bench.account.packet(8, 40_000, 0, false);
        assert_eq!(bench.account.totals(), Sight::Counted { received: 7, lost: 1, echoed: 6 });
    }
}
