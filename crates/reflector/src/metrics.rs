//! What Prometheus is told, in its text format, over the smallest HTTP there is.

use crate::door;
use record::Stamp;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

#[derive(Default)]
pub struct Metrics {
    active: AtomicI64,
    total: AtomicU64,
    lanes: AtomicI64,
    lanes_total: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    durations: [AtomicU64; BUCKETS.len()],
    duration_count: AtomicU64,
    duration_ms: AtomicU64,
    disconnects: [AtomicU64; Disconnect::ALL.len()],
}

/// Upper bounds in seconds: the lengths at which sessions, tokens and NATs are known to be cut.
const BUCKETS: [u64; 7] = [60, 300, 600, 1800, 3600, 7200, 14400];

/// How a signaling socket ended. A closed list: a label made from what a client sends would grow without end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disconnect {
    /// The caller hung up.
    Bye,
    /// A close frame without a hang-up.
    ClientClosed,
    /// The connection ended without a close frame.
    Dropped,
    Reset,
    /// What we sent was not taken any more.
    Unanswered,
    Idle,
    Replaced,
    Shutdown,
    TooLarge,
    BadRequest,
    Auth,
    Overloaded,
    /// Our own media stack failed.
    Fault,
}

impl Disconnect {
    const ALL: [(Self, &'static str); 13] = [
        (Self::Bye, "bye"),
        (Self::ClientClosed, "client_closed"),
        (Self::Dropped, "dropped"),
        (Self::Reset, "reset"),
        (Self::Unanswered, "unanswered"),
        (Self::Idle, "idle"),
        (Self::Replaced, "replaced"),
        (Self::Shutdown, "shutdown"),
        (Self::TooLarge, "too_large"),
        (Self::BadRequest, "bad_request"),
        (Self::Auth, "auth"),
        (Self::Overloaded, "overloaded"),
        (Self::Fault, "fault"),
    ];
}

impl Metrics {
    pub fn call_began(&self) {
        self.active.fetch_add(1, Relaxed);
        self.total.fetch_add(1, Relaxed);
    }

    pub fn call_ended(&self, began: Stamp, now: Stamp) {
        let lasted = now.since(began);
        self.active.fetch_sub(1, Relaxed);
        self.duration_count.fetch_add(1, Relaxed);
        self.duration_ms.fetch_add(lasted.as_millis() as u64, Relaxed);
        if let Some(bucket) = BUCKETS.iter().position(|le| lasted <= Duration::from_secs(*le)) {
            self.durations[bucket].fetch_add(1, Relaxed);
        }
    }

    pub fn lane_began(&self) {
        self.lanes.fetch_add(1, Relaxed);
        self.lanes_total.fetch_add(1, Relaxed);
    }

    pub fn lane_ended(&self) {
        self.lanes.fetch_sub(1, Relaxed);
    }

    pub fn message_in(&self) {
        self.received.fetch_add(1, Relaxed);
    }

    pub fn message_out(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    pub fn disconnected(&self, why: Disconnect) {
        self.disconnects[why as usize].fetch_add(1, Relaxed);
    }

    pub fn calls_total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    pub fn text(&self) -> String {
        let mut text = String::with_capacity(2048);
        self.write(&mut text).expect("a String takes whatever is written");
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        about(to, "linewitness_calls_active", "gauge", "Calls that stand, with or without a signaling socket.")?;
        writeln!(to, "linewitness_calls_active {}", self.active.load(Relaxed))?;

        about(to, "linewitness_calls_total", "counter", "Calls begun since the start.")?;
        writeln!(to, "linewitness_calls_total {}", self.total.load(Relaxed))?;

        about(to, "linewitness_lanes_active", "gauge", "Lanes that are held beside calls.")?;
        writeln!(to, "linewitness_lanes_active {}", self.lanes.load(Relaxed))?;

        about(to, "linewitness_lanes_total", "counter", "Lanes begun since the start.")?;
        writeln!(to, "linewitness_lanes_total {}", self.lanes_total.load(Relaxed))?;

        about(
            to,
            "linewitness_messages_total",
            "counter",
            "Signaling messages, by direction as the reflector sees it.",
        )?;
        for (direction, count) in [("in", &self.received), ("out", &self.sent)] {
            writeln!(to, "linewitness_messages_total{{direction=\"{direction}\"}} {}", count.load(Relaxed))?;
        }

        about(to, "linewitness_call_duration_seconds", "histogram", "How long ended calls had lasted.")?;
        let count = self.duration_count.load(Relaxed);
        let mut so_far = 0;
        for (le, bucket) in BUCKETS.iter().zip(&self.durations) {
            so_far += bucket.load(Relaxed);
            writeln!(to, "linewitness_call_duration_seconds_bucket{{le=\"{le}\"}} {so_far}")?;
        }
        // A call that ends between the two reads must not make the whole smaller than a part.
        let count = count.max(so_far);
        writeln!(to, "linewitness_call_duration_seconds_bucket{{le=\"+Inf\"}} {count}")?;
        writeln!(to, "linewitness_call_duration_seconds_sum {}", self.duration_ms.load(Relaxed) as f64 / 1000.0)?;
        writeln!(to, "linewitness_call_duration_seconds_count {count}")?;

        about(to, "linewitness_disconnects_total", "counter", "Signaling sockets that ended, by how.")?;
        for (why, name) in Disconnect::ALL {
            let count = self.disconnects[why as usize].load(Relaxed);
            writeln!(to, "linewitness_disconnects_total{{reason=\"{name}\"}} {count}")?;
        }
        Ok(())
    }
}

fn about(to: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(to, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// One asker at a time and a few seconds for each: whoever holds the line is cut, and nothing queues up in memory.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    const PATIENCE: Duration = Duration::from_secs(3);
    loop {
        let mut stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a metrics connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let answer = async {
            let (request, _) = match door::read_request(&mut stream, Vec::new()).await {
                Ok(read) => read,
                Err(refused) => return door::answer(&mut stream, refused.status, refused.says).await,
            };
            if request.uri().path() != "/metrics" {
                return door::answer(&mut stream, "404 Not Found", "The figures are under /metrics.\n").await;
            }
            let text = metrics.text();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n",
                text.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(text.as_bytes()).await?;
            stream.shutdown().await
        };
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a metrics connection broke"),
            Err(_) => tracing::debug!("a metrics connection took too long and was cut"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Reads the exposition format as its specification has it, and panics where it is broken.
    fn parse(text: &str) -> BTreeMap<String, f64> {
        let mut values = BTreeMap::new();
        let mut typed = Vec::new();
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                let (what, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
                match what {
                    "HELP" => assert!(!rest.is_empty()),
                    "TYPE" => {
                        assert!(["counter", "gauge", "histogram"].contains(&rest), "{line}");
                        assert!(!typed.contains(&name.to_owned()), "{name} is described twice");
                        typed.push(name.to_owned());
                    }
                    _ => panic!("{line}"),
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').expect(line);
            let name = series.split('{').next().unwrap();
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{line}");
            assert!(
                typed.iter().any(|t| name == t || name.strip_prefix(t.as_str()).is_some_and(|s| s.starts_with('_')))
            );
            if let Some(labels) = series.strip_prefix(name).filter(|l| !l.is_empty()) {
                let inner = labels.strip_prefix('{').and_then(|l| l.strip_suffix('}')).expect(line);
                let (label, value) = inner.split_once('=').expect(line);
                assert!(
                    !label.is_empty() && value.starts_with('"') && value.ends_with('"') && value.len() > 2,
                    "{line}"
                );
            }
            assert!(values.insert(series.to_owned(), value.parse().expect(line)).is_none(), "{series} comes twice");
        }
        values
    }

    #[test]
    fn the_text_is_valid_and_its_histogram_adds_up() {
        let metrics = Metrics::default();
        let began = Stamp::new(0, 0, 0);
        for seconds in [30, 60, 61, 3600, 100_000] {
            metrics.call_began();
            metrics.call_ended(began, began.plus(Duration::from_secs(seconds)));
        }
        metrics.call_began();
        metrics.message_in();
        metrics.lane_began();
        metrics.lane_began();
        metrics.lane_ended();
        metrics.disconnected(Disconnect::Idle);
        metrics.disconnected(Disconnect::Fault);
        let values = parse(&metrics.text());
        let bucket = |le: &str| values[&format!("linewitness_call_duration_seconds_bucket{{le=\"{le}\"}}")];
        assert_eq!(values["linewitness_calls_active"], 1.0);
        assert_eq!(values["linewitness_calls_total"], 6.0);
        assert_eq!(values["linewitness_lanes_active"], 1.0);
        assert_eq!(values["linewitness_lanes_total"], 2.0);
        assert_eq!(
            ["60", "300", "600", "1800", "3600", "7200", "14400", "+Inf"].map(bucket),
            [2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0, 5.0]
        );
        assert_eq!(values["linewitness_call_duration_seconds_count"], 5.0);
        assert_eq!(values["linewitness_call_duration_seconds_sum"], 103_751.0);
        assert_eq!(values["linewitness_disconnects_total{reason=\"idle\"}"], 1.0);
        assert_eq!(values["linewitness_disconnects_total{reason=\"fault\"}"], 1.0);
        assert_eq!(values["linewitness_disconnects_total{reason=\"bye\"}"], 0.0);
        assert_eq!(values["linewitness_messages_total{direction=\"in\"}"], 1.0);
    }

    #[test]
    fn every_reason_has_its_own_place_and_name() {
        for (n, (why, name)) in Disconnect::ALL.iter().enumerate() {
            assert_eq!(*why as usize, n, "{name}");
            assert_eq!(Disconnect::ALL.iter().filter(|(_, other)| other == name).count(), 1, "{name}");
        }
    }
}
