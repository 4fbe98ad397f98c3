//! rtcstats dumps: lines of JSON, each an array `[method, connection, data, …, time]`, after the word `RTCStatsDump` and an
//! object that tells of the dump; or, of older versions, one array of such arrays. A time is one of the clock, or, where it is
//! small, the milliseconds since the one before. Each getStats tells what differs from the one before; methods, kinds of
//! reports and names of figures may stand as the numbers of a table that never changes.

use crate::Refusal;
use crate::seen::{self, Connection, Dump, MOST_CONNECTIONS, MOST_LOOKS, MOST_REPORTS};
use crate::stats::{Grown, Look, Report, Stats};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub const FORMAT: &str = "rtcstats";
const BEGINS: &[u8] = b"RTCStatsDump";
/// Half of the milliseconds of a long life: a larger number is a time of the clock.
const NO_DELTA: f64 = 100_000_000_000.0;

#[derive(Default)]
struct Reading {
    by: String,
    now: f64,
    connections: BTreeMap<String, (Connection, Stats)>,
}

pub fn read(dump: &[u8]) -> Result<Dump, Refusal> {
    let mut reading = Reading::default();
    let text = dump.trim_ascii_start();
    match text.strip_prefix(BEGINS) {
        Some(lines) => reading.lines(lines)?,
        // One array of all, or a line each.
        None => match serde_json::from_slice::<Vec<Value>>(text) {
            Ok(all) if all.first().is_some_and(Value::is_array) => all.iter().for_each(|one| reading.take(one)),
            _ => reading.lines(text)?,
        },
    }
    if reading.connections.is_empty() && reading.now == 0.0 {
        return Err(Refusal::Unknown);
    }
    let connections = reading.connections.into_values().map(|(connection, _)| connection).collect();
    Ok(Dump { format: FORMAT, by: reading.by, connections })
}

impl Reading {
    /// A last line that breaks off costs that line: dumps are written while the call goes on.
    fn lines(&mut self, text: &[u8]) -> Result<(), Refusal> {
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let last = lines.iter().rposition(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice::<Value>(line) {
                Ok(one) => self.take(&one),
                Err(_) if number == last && number > 0 => {}
                Err(_) => {
                    let why = format!("line {} is not whole", number + 1);
                    return Err(Refusal::Broken { format: FORMAT, why });
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, one: &Value) {
        match one {
            Value::Object(about) => self.by = about.get("userAgent").and_then(Value::as_str).unwrap_or_default().into(),
            Value::Array(event) => self.take_event(event),
            _ => {}
        }
    }

    fn take_event(&mut self, event: &[Value]) {
        let [method, connection, data, .., time] = event else { return };
        let Some(time) = time.as_f64().filter(|time| time.is_finite()) else { return };
        self.now = if time > NO_DELTA { time } else { self.now + time };
        let (Some(at), Some(name)) = (seen::time(self.now), connection.as_str()) else { return };
        if self.connections.len() >= MOST_CONNECTIONS && !self.connections.contains_key(name) {
            return;
        }
        let (seen, stats) = self.connections.entry(name.to_owned()).or_default();
        match method_of(method) {
            Method::GetStats => take_stats(seen, stats, at, data),
            Method::IceState => seen.state(at, data.as_str().and_then(seen::ice_state)),
            Method::Close => seen.closed = seen.closed.or(Some(at)),
            Method::Other => {}
        }
    }
}

enum Method {
    GetStats,
    IceState,
    Close,
    Other,
}

fn method_of(method: &Value) -> Method {
    match (method.as_str(), method.as_u64()) {
        (Some("getStats" | "getstats" | "g"), _) | (_, Some(1)) => Method::GetStats,
        // The last is Chromium's own, where it writes this format.
        (Some("oniceconnectionstatechange" | "iceconnectionstatechange"), _) | (_, Some(24)) => Method::IceState,
        (Some("close"), _) | (_, Some(36)) => Method::Close,
        _ => Method::Other,
    }
}

/// What is not told is as it was, and has not grown; a report that is null is gone.
fn take_stats(seen: &mut Connection, stats: &mut Stats, at: f64, data: &Value) {
    let Value::Object(told) = data else { return };
    if seen.looks.len() >= MOST_LOOKS {
        return;
    }
    let (mut when, mut latest) = (None, None);
    let mut grown = Grown::default();
    for (id, report) in told {
        match report {
            Value::Null => {
                stats.remove(id);
            }
            Value::Object(report) if stats.len() < MOST_REPORTS || stats.contains_key(id) => {
                let own = report.get("timestamp").and_then(Value::as_f64);
                latest = own.into_iter().chain(latest).reduce(f64::max);
                let before = stats.get(id).cloned();
                let after = stats.entry(id.clone()).or_default();
                take_report(after, report);
                grown.add(before.as_ref(), after);
            }
            Value::Number(time) if matches!(id.as_str(), "t" | "timestamp") => when = time.as_f64(),
            _ => {}
        }
    }
    // The reports' own time, where it is one of the same clock; what the far end reports has an older one.
    let at = when.or(latest).and_then(seen::time).filter(|when| (when - at).abs() < 60_000.0).unwrap_or(at);
    seen.looks.push(Look::new(at, stats, grown));
}

fn take_report(report: &mut Report, told: &Map<String, Value>) {
    for (name, value) in told {
        let name = NAMES.iter().find(|(number, _)| number == name).map_or(name.as_str(), |(_, name)| name);
        let kind = value.as_u64().and_then(|number| KINDS.get(usize::try_from(number).ok()?));
        match (name, kind) {
            ("type", Some(kind)) => report.take(name, &Value::from(*kind)),
            _ => report.take(name, value),
        };
    }
}

/// Of the table of kinds, by their numbers.
const KINDS: [&str; 9] = [
    "",
    "inbound-rtp",
    "outbound-rtp",
    "remote-inbound-rtp",
    "remote-outbound-rtp",
    "transport",
    "candidate-pair",
    "local-candidate",
    "remote-candidate",
];

/// Of the table of figures, those that are of use here.
const NAMES: [(&str, &str); 16] = [
    ("14", "packetsReceived"),
    ("15", "packetsLost"),
    ("16", "jitter"),
    ("34", "lastPacketReceivedTimestamp"),
    ("41", "bytesReceived"),
    ("79", "packetsSent"),
    ("123", "dtlsState"),
    ("125", "selectedCandidatePairId"),
    ("134", "address"),
    ("135", "port"),
    ("136", "candidateType"),
    ("148", "localCandidateId"),
    ("149", "remoteCandidateId"),
    ("152", "currentRoundTripTime"),
    ("155", "requestsReceived"),
    ("157", "responsesReceived"),
];
