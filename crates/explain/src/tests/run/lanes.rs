//! Lanes beside the call, in words. Rungs and lanes stand at once; what becomes of them is told in the order of time.

use super::Run;
use record::fact::{
    End, Far, Lane, LaneSight, Manner, Opened, Rung, RungCarrier, Side, Sight, Stirred, TurnTransport, UdpRung,
};

impl Run {
    fn lane(self, lane: u32, manner: Manner, to: &str) -> Self {
        let local = format!("10.0.0.1:{}", 40_000 + lane % 10_000).parse().unwrap();
        let remote = "10.0.0.2:7000".parse().unwrap();
        self.note(Lane::Opening { lane, manner, to: to.into() }).note(Lane::Stands {
            lane,
            local,
            remote,
            took_ms: 20.0,
        })
    }

    pub fn bare(self, lane: u32) -> Self {
        self.lane(lane, Manner::BareWebsocket, "ws://10.0.0.2:7000/lane")
    }

    pub fn beating(self, lane: u32) -> Self {
        self.lane(lane, Manner::BeatingWebsocket { every_ms: 2_000.0 }, "ws://10.0.0.2:7000/lane")
    }

    pub fn talking_tcp(self, lane: u32) -> Self {
        self.lane(lane, Manner::Tcp { every_ms: 2_000.0 }, "10.0.0.2:7000")
    }

    pub fn relay_beside(self, lane: u32, server: &str) -> Self {
        self.lane(lane, Manner::Turn { transport: TurnTransport::Udp, every_ms: 5_000.0 }, server)
    }

    pub fn rung(self, lane: u32, quiet_s: f64) -> Self {
        self.rung_stirred(lane, quiet_s, Stirred::Not)
    }

    pub fn rung_stirred(self, lane: u32, quiet_s: f64, stirred: Stirred) -> Self {
        self.rung_proved_by(lane, quiet_s, stirred, Side::Us)
    }

    pub fn rung_proved_by(self, lane: u32, quiet_s: f64, stirred: Stirred, proved_by: Side) -> Self {
        let rung = Rung { carrier: RungCarrier::Websocket, quiet_ms: quiet_s * 1e3, proved_by, stirred, pass: 1 };
        self.lane(lane, Manner::Quiet(rung), "ws://10.0.0.2:7000/lane")
    }

    pub fn tcp_rung(self, lane: u32, quiet_s: f64) -> Self {
        let (carrier, stirred, proved_by) = (RungCarrier::Tcp, Stirred::Not, Side::Us);
        let rung = Rung { carrier, quiet_ms: quiet_s * 1e3, proved_by, stirred, pass: 2 };
        self.lane(lane, Manner::Quiet(rung), "tcp://10.0.0.2:7000")
    }

    pub fn udp_rung(self, lane: u32, quiet_s: f64, opened_by: Opened) -> Self {
        let rung = UdpRung { quiet_ms: quiet_s * 1e3, opened_by, pass: 1 };
        self.lane(lane, Manner::QuietUdp(rung), "10.0.0.2:7000").seen_from(lane, "198.51.100.7:61000")
    }

    /// Opened by packets both ways, which take two seconds and more, or not.
    pub fn udp_rung_talking(self, lane: u32, quiet_s: f64, brief: bool) -> Self {
        let rung = UdpRung { quiet_ms: quiet_s * 1e3, opened_by: Opened::Stream, pass: 1 };
        let (local, remote) = ("10.0.0.1:40001".parse().unwrap(), "10.0.0.2:7000".parse().unwrap());
        let opened = self.note(Lane::Opening { lane, manner: Manner::QuietUdp(rung), to: "10.0.0.2:7000".into() });
        let stood = if brief { 0.2 } else { 2.4 } + opened.since_start();
        opened.at(stood).note(Lane::Stands { lane, local, remote, took_ms: 0.0 })
    }

    pub fn seen_from(self, lane: u32, public: &str) -> Self {
        self.note(Lane::SeenFrom { lane, public: public.parse().unwrap() })
    }

    pub fn lane_answers(self, lane: u32) -> Self {
        self.note(Lane::Sample { lane, asked: 5, answered: 5, rtt_ms: Some(20.0) })
    }

    /// It was answered last so many seconds ago.
    pub fn lane_silent(self, lane: u32, ago: f64) -> Self {
        let last_ok = self.ago(ago);
        self.note(Lane::Silent { lane, asked: last_ok, last_ok })
    }

    pub fn proved(self, lane: u32, quiet_s: f64) -> Self {
        self.note(Lane::Proved { lane, by: Side::Us, quiet_ms: quiet_s * 1e3, rtt_ms: 20.0 })
    }

    /// Its end is seen now.
    pub fn lane_ends(self, lane: u32, end: End, quiet_s: f64, age_s: f64) -> Self {
        let (last_in, last_out) = (self.ago(quiet_s), self.ago(quiet_s));
        let (quiet_ms, age_ms) = (quiet_s * 1e3, age_s * 1e3);
        self.note(Lane::Ended { lane, end, last_in, last_out, quiet_ms, age_ms, at_proof: false })
    }

    /// Spoken to now and dead.
    pub fn dead_at_proof(self, lane: u32, quiet_s: f64) -> Self {
        let (last_in, last_out) = (self.ago(quiet_s), self.ago(quiet_s));
        let (quiet_ms, end) = (quiet_s * 1e3, End::Silence { waited_ms: 0.0 });
        self.note(Lane::Ended { lane, end, last_in, last_out, quiet_ms, age_ms: quiet_ms, at_proof: true })
    }

    pub fn lane_ended_there(self, lane: u32, end: End, quiet_s: f64) -> Self {
        let (at, quiet_ms) = (self.wall(), quiet_s * 1e3);
        self.note(Far::Saw {
            at,
            sight: Sight::Lane { lane, sight: LaneSight::Ended { end, quiet_ms, age_ms: quiet_ms } },
        })
    }
}
