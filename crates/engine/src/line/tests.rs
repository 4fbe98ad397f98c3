//! A `Line` against real sockets on loopback: what a far end does, and the exact facts that come of it.

use super::{Line, LineCommand, LineEvent, Patience, Proxies, Target, open_via};
use crate::{Clock, Recorder};
use record::{
    Event, Fact, Stamp,
    fact::{ConnectStage, End, Heartbeat, Signaling, SocketPurpose, Trouble},
    profile::Address,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

mod connecting;
mod ending;
pub(crate) mod far;
mod proxied;

/// Beyond it a test has failed.
const BOUND: Duration = Duration::from_secs(10);

fn target(url: &str) -> Target {
    Target {
        url: Address::parse(url).expect("a test's own URL"),
        extra_ca: None,
        subprotocol: None,
        headers: vec![],
        heartbeat: None,
        largest_message: 64 * 1024,
        patience: Patience::default(),
        scrub: record::Scrub::default(),
    }
}

fn heartbeat(every_ms: f64, answer_within_ms: f64) -> Option<Heartbeat> {
    Some(Heartbeat { every_ms, answer_within_ms })
}

/// A line and everything it notes.
struct Watched {
    line: Line,
    noted: UnboundedReceiver<Arc<Event>>,
}

/// What was noted, the kernel's samples left out: their number depends on the machine.
#[derive(Debug)]
struct Run {
    facts: Vec<(Stamp, Signaling)>,
    texts: Vec<String>,
    last: LineEvent,
}

fn open(target: Target) -> Watched {
    open_through(Proxies::default(), target)
}

fn open_through(proxies: Proxies, target: Target) -> Watched {
    let recorder = Recorder::unwritten(Clock::real());
    let noted = recorder.listen();
    Watched { line: open_via(&proxies, target, 7, SocketPurpose::First, &recorder), noted }
}

impl Watched {
    async fn opened(mut self) -> Self {
        let first = tokio::time::timeout(BOUND, self.line.events.recv()).await.expect("in time");
        assert!(matches!(first, Some(LineEvent::Open)), "{first:?}");
        self
    }
    fn tell(&self, command: LineCommand) {
        self.line.commands.send(command).expect("the line lives");
    }
    async fn text(&mut self) -> String {
        match tokio::time::timeout(BOUND, self.line.events.recv()).await.expect("in time") {
            Some(LineEvent::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    /// Until the line's last event.
    async fn run(mut self) -> Run {
        let mut texts = vec![];
        let last = loop {
            match tokio::time::timeout(BOUND, self.line.events.recv()).await.expect("the line ends in time") {
                Some(LineEvent::Text(text)) => texts.push(text),
                Some(LineEvent::Open) => {}
                Some(last) => break last,
                None => panic!("a line ends with an event"),
            }
        };
        let more = tokio::time::timeout(BOUND, self.line.events.recv()).await.expect("nothing follows the last");
        assert!(more.is_none(), "{more:?} followed {last:?}");
        let mut facts = vec![];
        while let Ok(event) = self.noted.try_recv() {
            match &event.fact {
                Fact::Signaling(Signaling::Tcp { .. }) => {}
                Fact::Signaling(fact) => facts.push((event.at, fact.clone())),
                other => panic!("a line notes signaling only: {other:?}"),
            }
        }
        Run { facts, texts, last }
    }
}

impl Run {
    fn names(&self) -> Vec<&'static str> {
        self.facts.iter().map(|(_, fact)| name(fact)).collect()
    }

    fn failed(&self) -> (ConnectStage, &Trouble) {
        let Some((_, Signaling::ConnectFailed { conn: 7, stage, trouble, .. })) = self.facts.last() else {
            panic!("no failed connect: {self:?}")
        };
        let LineEvent::Failed { stage: told, trouble: why } = &self.last else { panic!("{:?}", self.last) };
        assert_eq!((told, why), (stage, trouble), "the event and the fact agree");
        (*stage, trouble)
    }

    fn ended(&self) -> &End {
        let Some((_, Signaling::Closed { conn: 7, end, .. })) = self.facts.last() else { panic!("no end: {self:?}") };
        assert!(matches!(&self.last, LineEvent::Closed(told) if told == end), "{:?}", self.last);
        end
    }
}

fn name(fact: &Signaling) -> &'static str {
    match fact {
        Signaling::Connecting { .. } => "connecting",
        Signaling::Resolved { .. } => "resolved",
        Signaling::TcpConnected { .. } => "tcp_connected",
        Signaling::ProxyOpened { .. } => "proxy_opened",
        Signaling::TlsReady { .. } => "tls_ready",
        Signaling::Upgraded { .. } => "upgraded",
        Signaling::ConnectFailed { .. } => "connect_failed",
        Signaling::HeartbeatAnswered { .. } => "heartbeat_answered",
        Signaling::Unanswered { .. } => "unanswered",
        Signaling::AnsweredAgain { .. } => "answered_again",
        Signaling::Closed { .. } => "closed",
        other => panic!("a line does not note {other:?}"),
    }
}
