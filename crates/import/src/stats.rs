//! The few figures of a getStats() report that tell of life: https://www.w3.org/TR/webrtc-stats/

use record::IpPort;
use record::fact::CandidateKind;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Reports by their id.
pub type Stats = BTreeMap<String, Report>;

#[derive(Clone, Default)]
pub struct Report {
    pub kind: Kind,
    pub packets_received: Option<f64>,
    pub packets_lost: Option<f64>,
    pub packets_sent: Option<f64>,
    pub bytes_received: Option<f64>,
    pub responses_received: Option<f64>,
    pub requests_received: Option<f64>,
    pub last_packet_received: Option<f64>,
    pub jitter_s: Option<f64>,
    pub round_trip_s: Option<f64>,
    pub selected_pair: Option<String>,
    pub local: Option<String>,
    pub remote: Option<String>,
    pub address: Option<String>,
    pub port: Option<f64>,
    pub candidate: Option<CandidateKind>,
    pub dtls: Option<&'static str>,
}

/// As the standard names them.
const DTLS: [&str; 5] = ["new", "connecting", "connected", "closed", "failed"];

#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    Inbound,
    Outbound,
    Transport,
    Pair,
    /// A candidate, or what is of no use here.
    #[default]
    Other,
}

impl Kind {
    pub fn of(word: &str) -> Self {
        match word {
            "inbound-rtp" => Self::Inbound,
            "outbound-rtp" => Self::Outbound,
            "transport" => Self::Transport,
            "candidate-pair" => Self::Pair,
            _ => Self::Other,
        }
    }
}

impl Report {
    /// Whether a property of that name is of any use here.
    pub fn knows(name: &str) -> bool {
        Self::default().take(name, &Value::from(1)) || Self::default().take(name, &Value::from("host"))
    }

    /// Takes over one property; gives whether it could use it.
    pub fn take(&mut self, name: &str, value: &Value) -> bool {
        let number = value.as_f64().filter(|number| number.is_finite());
        let text = || value.as_str().map(str::to_owned);
        let (slot, number) = match name {
            "packetsReceived" => (&mut self.packets_received, number),
            "packetsLost" => (&mut self.packets_lost, number),
            "packetsSent" => (&mut self.packets_sent, number),
            "bytesReceived" => (&mut self.bytes_received, number),
            "responsesReceived" => (&mut self.responses_received, number),
            "requestsReceived" => (&mut self.requests_received, number),
            "lastPacketReceivedTimestamp" => (&mut self.last_packet_received, number),
            "jitter" => (&mut self.jitter_s, number),
            "currentRoundTripTime" => (&mut self.round_trip_s, number),
            "port" => (&mut self.port, number),
            _ => return self.take_text(name, text()),
        };
        *slot = number.or(*slot);
        number.is_some()
    }

    fn take_text(&mut self, name: &str, text: Option<String>) -> bool {
        let Some(text) = text else { return false };
        match name {
            "type" => self.kind = Kind::of(&text),
            "selectedCandidatePairId" => self.selected_pair = Some(text),
            "localCandidateId" => self.local = Some(text),
            "remoteCandidateId" => self.remote = Some(text),
            "address" | "ip" => self.address = Some(text),
            "candidateType" => {
                self.candidate = match text.as_str() {
                    "host" => Some(CandidateKind::Host),
                    "srflx" => Some(CandidateKind::ServerReflexive),
                    "prflx" => Some(CandidateKind::PeerReflexive),
                    "relay" => Some(CandidateKind::Relay),
                    _ => None,
                }
            }
            "dtlsState" => self.dtls = DTLS.into_iter().find(|state| *state == text),
            _ => return false,
        }
        true
    }

    /// Nothing where the browser kept it to itself.
    fn socket(&self) -> Option<(IpPort, CandidateKind)> {
        let ip: IpAddr = self.address.as_ref()?.parse().ok()?;
        let port = self.port.filter(|port| (0.0..=65_535.0).contains(port))?;
        Some((SocketAddr::new(ip, port as u16).into(), self.candidate?))
    }
}

/// The two ends of the pair that carries the media.
pub type Ends = [(IpPort, CandidateKind); 2];

fn selected(stats: &Stats) -> Option<(&Report, Option<Ends>)> {
    let named =
        stats.values().filter(|report| report.kind == Kind::Transport).find_map(|t| t.selected_pair.as_ref())?;
    let pair = stats.get(named)?;
    let end = |id: &Option<String>| stats.get(id.as_ref()?)?.socket();
    let ends = end(&pair.local).zip(end(&pair.remote)).map(|(local, remote)| [local, remote]);
    Some((pair, ends))
}

/// One answer of getStats(), as far as it tells of life.
pub struct Look {
    pub at: f64,
    pub grown: Grown,
    /// Whether it has any figure that grows with whatever arrives.
    pub tells_of_life: bool,
    pub last_packet: Option<f64>,
    pub jitter_s: Option<f64>,
    pub round_trip_s: Option<f64>,
    pub dtls: Option<&'static str>,
    pub ends: Option<Ends>,
}

/// What came since the look before it, of all reports together.
#[derive(Clone, Copy, Default)]
pub struct Grown {
    pub media: f64,
    pub lost: f64,
    pub sent: f64,
    pub answers: f64,
    pub checks: f64,
    /// Of any kind, in whatever it was counted.
    pub anything: f64,
}

/// What grows when anything at all arrives.
const LIFE: [fn(&Report) -> Option<f64>; 4] = [
    |report| report.packets_received,
    |report| report.bytes_received,
    |report| report.responses_received,
    |report| report.requests_received,
];

impl Grown {
    /// A stream that is new has all its packets since; one that began anew counts from where it is.
    pub fn add(&mut self, before: Option<&Report>, after: &Report) {
        let more = |figure: fn(&Report) -> Option<f64>| {
            let (is, was) = (figure(after).unwrap_or_default(), before.and_then(figure).unwrap_or_default());
            (is - was).max(0.0)
        };
        match after.kind {
            Kind::Inbound => {
                self.media += more(|report| report.packets_received);
                self.lost += more(|report| report.packets_lost);
            }
            Kind::Outbound => self.sent += more(|report| report.packets_sent),
            Kind::Transport | Kind::Pair => self.anything += LIFE.into_iter().map(more).sum::<f64>(),
            Kind::Other => {}
        }
        if after.kind == Kind::Pair {
            self.answers += more(|report| report.responses_received);
            self.checks += more(|report| report.requests_received);
        }
    }
}

impl Look {
    pub fn new(at: f64, stats: &Stats, grown: Grown) -> Self {
        let inbound = || stats.values().filter(|report| report.kind == Kind::Inbound);
        let path = || stats.values().filter(|report| matches!(report.kind, Kind::Transport | Kind::Pair));
        let selected = selected(stats);
        Self {
            at,
            grown,
            tells_of_life: path().any(|report| LIFE.iter().any(|figure| figure(report).is_some())),
            last_packet: inbound().filter_map(|report| report.last_packet_received).reduce(f64::max),
            jitter_s: inbound().filter_map(|report| report.jitter_s).reduce(f64::max),
            round_trip_s: selected.as_ref().and_then(|(pair, _)| pair.round_trip_s),
            dtls: path().find_map(|report| report.dtls),
            ends: selected.and_then(|(_, ends)| ends),
        }
    }
}
