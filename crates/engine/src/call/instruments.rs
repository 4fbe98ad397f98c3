//! The instruments on one call's packets. The tap and the ear feed them, the pulse ticks them, and what they conclude is
//! noted at once, in the order in which it was seen.

use super::checks::Checks;
use super::detector::{ConsentClock, GapDetector};
use super::peer::OPUS_CLOCK_HZ;
use super::rtcp::Reports;
use super::sending::Sending;
use super::stream::Inbound;
use super::turn::TurnLedger;
use super::undelivered::{Notice, Undelivered};
use super::wire::{self, Class, Kind, method};
use crate::Recorder;
use record::fact::{Ice, Media, MediaSample};
use record::profile::Silence;
use record::{Fact, Heard, Scrub, Stamp, millis, stamp::to_the_microsecond};
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

pub struct Instruments {
    recorder: Recorder,
    read: Mutex<Readings>,
}

struct Readings {
    gap: GapDetector,
    consent: ConsentClock,
    inbound: Inbound,
    checks: Checks,
    reports: Reports,
    turn: TurnLedger,
    sending: Sending,
    undelivered: Undelivered,
    second: MediaSample,
    /// Present while samples are taken: from the call's first connection to its end.
    second_began: Option<Stamp>,
    lost_in: i32,
    settled: bool,
}

const SAMPLE_EVERY: Duration = Duration::from_secs(1);

impl Instruments {
    /// `scrub` holds what servers were told and must not bring into the log.
    pub fn new(silence: Silence, recorder: Recorder, scrub: Scrub) -> Self {
        let read = Readings {
            gap: GapDetector::new(silence),
            consent: ConsentClock::default(),
            inbound: Inbound::default(),
            checks: Checks::default(),
            reports: Reports::default(),
            turn: TurnLedger::new(scrub),
            sending: Sending::default(),
            undelivered: Undelivered::default(),
            second: MediaSample::default(),
            second_began: None,
            lost_in: 0,
            settled: false,
        };
        Self { recorder, read: Mutex::new(read) }
    }

    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// For what is seen beside the packets.
    pub fn note(&self, fact: Ice) {
        self.with(|_, _| vec![fact.into()]);
    }

    /// From now on there is a call to measure.
    pub fn connected(&self) {
        let now = self.recorder.now();
        self.read().second_began.get_or_insert(now);
    }

    /// The end is wanted: what stops now is no finding.
    pub fn settle(&self) {
        self.read().settled = true;
    }

    /// The call is lost and another is to take its place.
    pub fn give_up(&self) {
        self.with(|read, _| read.gap.give_up().into_iter().map(Fact::from).collect());
    }

    pub fn name_server(&self, server: SocketAddr, label: Heard) {
        self.read().turn.name(server, label);
    }

    pub fn socket_gone(&self, local: SocketAddr) {
        self.read().turn.socket_gone(local);
    }

    /// A packet of the media that the stack decrypted and took.
    pub fn rtp_in(&self, ssrc: u32, sequence: u16, timestamp: u32) {
        self.with(|read, now| {
            read.second.rtp_in += 1;
            read.undelivered.arrived();
            read.lost_in += read.inbound.packet(now, ssrc, sequence, timestamp);
            read.second.jitter_in_ms = read.inbound.jitter_ms().map(to_the_microsecond);
            facts(read.gap.packet(now))
        });
    }

    pub fn rtcp_in(&self, packets: &[Box<dyn rtc::rtcp::Packet>]) {
        self.with(|read, now| {
            read.second.rtcp_in += 1;
            read.count_after_rtp(now, 1);
            if let Some(report) = read.reports.heard(now, packets) {
                read.second.rtt_ms = report.rtt.map(millis).or(read.second.rtt_ms);
                read.second.far_lost = Some(read.second.far_lost.unwrap_or(0) + report.lost);
                read.second.far_jitter_ms =
                    Some(to_the_microsecond(f64::from(report.jitter) * 1e3 / f64::from(OPUS_CLOCK_HZ)));
            }
            vec![]
        });
    }

    pub fn rtcp_out(&self, packets: &[Box<dyn rtc::rtcp::Packet>]) {
        self.with(|read, now| {
            read.reports.sent(now, packets);
            vec![]
        });
    }

    pub fn datagram_in(&self, local: SocketAddr, from: SocketAddr, datagram: &[u8]) {
        let Kind::Stun(stun) = wire::unwrap(datagram) else { return };
        self.with(|read, now| {
            let mut noted = vec![];
            let check = u32::from(stun.class == Class::Request && stun.method == method::BINDING);
            read.second.checks_in += check;
            read.count_after_rtp(now, check);
            if let Some(rtt) = read.checks.heard(now, &stun) {
                read.second.stun_in += 1;
                read.count_after_rtp(now, 1);
                read.second.stun_rtt_ms = Some(millis(rtt));
                noted.extend(facts(read.consent.answered(now)));
            }
            noted.extend(read.turn.heard(now, local, from, &stun).map(Fact::from));
            noted
        });
    }

    pub fn datagram_out(&self, local: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        self.with(|read, now| match wire::unwrap(datagram) {
            Kind::Stun(stun) => {
                read.checks.sent(now, &stun);
                read.turn.sent(now, local, to, &stun);
                vec![]
            }
            kind @ (Kind::Rtp | Kind::Rtcp | Kind::Dtls) => {
                read.second.rtp_out += u32::from(kind == Kind::Rtp);
                if kind == Kind::Rtp {
                    read.undelivered.sent(to);
                }
                facts(read.sending.went_out())
            }
            _ => vec![],
        });
    }

    /// Our own system refused to send. Checks are sent to many places of which some never lead anywhere, so only the
    /// media's own packets tell of a failure.
    pub fn not_sent(&self, datagram: &[u8], error: &io::Error) {
        if matches!(wire::unwrap(datagram), Kind::Rtp | Kind::Rtcp | Kind::Dtls) {
            self.with(|read, now| facts(read.sending.refused(now, error)));
        }
    }

    /// The network says that it did not deliver a datagram of ours.
    pub fn undelivered(&self, word: Notice) {
        self.with(|read, now| {
            let Some(fact) = read.undelivered.said(now, word) else { return vec![] };
            read.gap.undelivered();
            vec![fact.into()]
        });
    }

    pub fn tick(&self) {
        self.with(|read, now| {
            let mut noted = facts(read.gap.tick(now));
            noted.extend(facts(read.consent.tick(now)));
            noted.extend(facts(read.turn.tick(now)));
            read.checks.tick(now);
            noted.extend(read.sample(now).map(Fact::from));
            noted
        });
    }

    fn with(&self, step: impl FnOnce(&mut Readings, Stamp) -> Vec<Fact>) {
        let mut read = self.read();
        let noted = step(&mut read, self.recorder.now());
        if !read.settled {
            // Within the lock, so that the log's order is the order of what was seen.
            for fact in noted {
                self.recorder.note(fact);
            }
        }
    }

    fn read(&self) -> MutexGuard<'_, Readings> {
        self.read.lock().expect("no holder panics")
    }
}

impl Readings {
    fn count_after_rtp(&mut self, now: Stamp, packets: u32) {
        self.second.after_rtp += if self.gap.is_quiet(now) { packets } else { 0 };
    }

    fn sample(&mut self, now: Stamp) -> Option<Media> {
        let began = self.second_began?;
        if now.awake_since(began) < SAMPLE_EVERY {
            return None;
        }
        // The next second begins where this one was due to end, so that seconds do not drift; after a pause it begins
        // now.
        let due = began.plus(SAMPLE_EVERY);
        let late = now.since(due) > SAMPLE_EVERY;
        self.second_began = Some(if late { now } else { due });
        let mut sample = std::mem::take(&mut self.second);
        // A late packet may give back what an earlier second counted as lost.
        sample.lost_in = u32::try_from(self.lost_in).unwrap_or(0);
        self.lost_in = self.lost_in.min(0);
        Some(Media::Sample(sample))
    }
}

fn facts<F: Into<Fact>>(of: impl IntoIterator<Item = F>) -> Vec<Fact> {
    of.into_iter().map(Into::into).collect()
}
