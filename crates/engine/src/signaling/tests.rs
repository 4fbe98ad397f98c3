//! Adapters on a scripted clock: by word for the reflector, by recorded conversations for Janus, and by rubbish for both.

use super::{Adapter, Event, In, Out, by_id};
use record::{
    Fact, Private, Stamp,
    fact::{End, Signaling, SocketPurpose},
    profile::{Address, Profile},
};
use serde_json::Value;
use std::time::Duration;

mod janus;
mod reflector;
mod rubbish;

fn profile(kind: &str) -> Profile {
    let mut profile = Profile::to(Address::parse("wss://far.example/call").expect("a URL"));
    profile.signaling.kind = kind.to_owned();
    profile.signaling.token = Some(Private::new("hunter2".to_owned()));
    profile
}

/// An adapter, a clock and what came out, sorted by who it is for.
struct Bench {
    adapter: Box<dyn Adapter>,
    now: Stamp,
    sent: std::collections::VecDeque<Value>,
    notes: Vec<Fact>,
    events: Vec<Event>,
    opened: u32,
    closed: Option<(u16, &'static str)>,
    closes: u32,
}

impl Bench {
    fn new(kind: &str) -> Self {
        Self::of(&profile(kind))
    }

    fn of(profile: &Profile) -> Self {
        Self {
            adapter: (by_id(&profile.signaling.kind).expect("it is listed").new)(profile),
            now: Stamp::new(1_795_255_200_000_000, 1_000_000, 1_000_000),
            sent: std::collections::VecDeque::new(),
            notes: vec![],
            events: vec![],
            opened: 0,
            closed: None,
            closes: 0,
        }
    }

    /// Feeds one input and gives how much was asked for in return.
    fn feed(&mut self, input: In) -> usize {
        self.adapter.handle(self.now, input);
        let mut asked = 0;
        while let Some(out) = self.adapter.poll() {
            asked += 1;
            match out {
                Out::OpenSocket(_) => self.opened += 1,
                Out::Text(text) => self.sent.push_back(serde_json::from_str(&text).expect("adapters send JSON")),
                Out::CloseSocket { code, reason } => {
                    self.closed = Some((code, reason));
                    self.closes += 1;
                }
                Out::Note(fact) => self.notes.push(fact),
                Out::Event(event) => self.events.push(event),
            }
        }
        asked
    }

    fn text(&mut self, text: impl ToString) {
        self.feed(In::Text(text.to_string()));
    }
    fn offer(&mut self, ufrag: &str, restart: bool) {
        self.feed(In::Offer { sdp: sdp(ufrag), restart });
    }
    fn candidate(&mut self, candidate: &str) {
        let candidate = candidate.to_owned();
        self.feed(In::LocalCandidate { candidate, mid: Some("0".to_owned()), line: Some(0) });
    }

    fn connect(&mut self, purpose: SocketPurpose) {
        self.feed(In::Connect { purpose });
        self.feed(In::SocketOpen { conn: self.opened });
    }
    fn lose_socket(&mut self) {
        self.feed(In::SocketClosed(End::Reset));
    }

    /// Lets time pass as the session does: the adapter is woken when it asked to be.
    fn pass(&mut self, d: Duration) {
        let until = self.now.plus(d);
        while let Some(at) = self.adapter.wake_at().filter(|at| *at <= until.awake) {
            let before = self.adapter.wake_at();
            self.now = self.now.plus(at - self.now.awake);
            self.feed(In::Tick);
            assert_ne!(self.adapter.wake_at(), before, "a tick at its time must move the next one");
        }
        self.now = until;
    }

    fn sent(&mut self) -> Value {
        self.sent.pop_front().expect("something was sent")
    }
    fn signaling(&self) -> Vec<&Signaling> {
        self.notes.iter().filter_map(|fact| if let Fact::Signaling(fact) = fact { Some(fact) } else { None }).collect()
    }
    fn events(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| format!("{event:?}")).collect()
    }
}

fn sdp(ufrag: &str) -> String {
    format!("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:{ufrag}\r\n")
}

#[test]
fn every_adapter_asks_for_an_address_and_keeps_tokens_secret() {
    for signaling in super::ALL {
        assert!(signaling.fields.iter().any(|field| field.id == "url" && field.required && !field.secret));
        assert!(signaling.fields.iter().any(|field| field.id == "token" && field.secret));
        assert_eq!(by_id(signaling.id).map(|found| found.label), Some(signaling.label));
    }
    assert!(by_id("nobody").is_none());
}

#[test]
fn what_is_printed_of_an_adapters_words_holds_no_secret() {
    for kind in ["reflector", "janus"] {
        let mut adapter = (by_id(kind).expect("listed").new)(&profile(kind));
        let mut printed = String::new();
        for input in [In::Connect { purpose: SocketPurpose::First }, In::SocketOpen { conn: 1 }] {
            printed += &format!("{input:?}");
            adapter.handle(Stamp::new(0, 0, 0), input);
            while let Some(out) = adapter.poll() {
                assert!(!matches!(&out, Out::Text(text) if !text.contains("hunter2")), "the token is sent");
                printed += &format!("{out:?}");
            }
        }
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("bytes"), "{printed}");
    }
}
