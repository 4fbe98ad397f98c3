//! Janus' echotest plugin over the `janus-protocol` WebSocket: a far end that none of us wrote.
//!
//! ```text
//! create ─▶ session ─▶ attach ─▶ handle ─▶ message + offer ─▶ ack … event + answer      trickle both ways
//! a lost socket: claim the session on the next one; handle and call go on
//! ```

use super::offering::{Candidate, Offering, ToSend};
use super::{
    Adapter, Event, Field, In, LARGEST_MESSAGE, MOST_TROUBLES, Out, PROTOCOL_ERROR, Signaling, TOO_MUCH, target,
};
use record::{
    Heard, Micros, Scrub, Stamp,
    fact::{self, CallEndedBy, RefusalKind, SocketPurpose},
    profile::Profile,
};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

pub const SIGNALING: Signaling = Signaling {
    id: "janus",
    label: "Janus echotest",
    fields: &[
        Field { id: "url", label: "Address (wss://host:8989/)", secret: false, required: true },
        Field { id: "token", label: "Token or API secret", secret: true, required: false },
    ],
    subprotocol: Some(SUBPROTOCOL),
    new: |profile| Box::new(Janus::new(profile)),
};

const SUBPROTOCOL: &str = "janus-protocol";
const PLUGIN: &str = "janus.plugin.echotest";
/// The server forgets a session after 60 quiet seconds by default; its own client sends one every 25.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(25);
/// Each of these requests is answered from memory. A server that takes longer cannot hold calls.
const REPLY_WITHIN: Duration = Duration::from_secs(10);

// Janus' own error codes, of its API.
const UNAUTHORIZED: i64 = 403;
const WRONG_TOKEN: i64 = 405;
const NO_SUCH_SESSION: i64 = 458;
const NO_SUCH_HANDLE: i64 = 459;

struct Janus {
    profile: Profile,
    scrub: Scrub,
    conn: u32,
    /// Refusals, unreadable texts and ends of the call on this socket.
    troubles: u32,
    /// Requests are numbered from 1; an answer repeats the number.
    transactions: u64,
    stage: Stage,
    session: Option<u64>,
    handle: Option<u64>,
    /// The number of the message that carried the offer.
    offered: Option<u64>,
    /// The handle has carried a call, so a new call needs a new one.
    used: bool,
    offering: Offering,
    keepalive: Option<Micros>,
    out: VecDeque<Out>,
}

/// What the answer with this number will be for, and since when it is awaited.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Off,
    Opening,
    Creating(u64, Stamp),
    Claiming(u64, Stamp),
    Attaching(u64, Stamp),
    Ready,
    Destroying(u64),
}

impl Stage {
    fn awaits(self) -> Option<(u64, Stamp)> {
        match self {
            Self::Creating(number, since) | Self::Claiming(number, since) | Self::Attaching(number, since) => {
                Some((number, since))
            }
            Self::Off | Self::Opening | Self::Ready | Self::Destroying(_) => None,
        }
    }
}

impl Janus {
    fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            scrub: profile.scrub(),
            conn: 0,
            troubles: 0,
            transactions: 0,
            stage: Stage::Off,
            session: None,
            handle: None,
            offered: None,
            used: false,
            offering: Offering::default(),
            keepalive: None,
            out: VecDeque::new(),
        }
    }

    /// Sends a request with what every request needs, and gives its number.
    fn ask(&mut self, mut request: Value) -> u64 {
        self.transactions += 1;
        request["transaction"] = self.transactions.to_string().into();
        if let Some(token) = &self.profile.signaling.token {
            // Janus knows two kinds of secret and ignores the one it was not set up for.
            request["token"] = token.reveal().as_str().into();
            request["apisecret"] = token.reveal().as_str().into();
        }
        self.out.push_back(Out::Text(request.to_string()));
        self.transactions
    }

    fn note(&mut self, fact: fact::Signaling) {
        self.out.push_back(Out::Note(fact.into()));
    }
    fn event(&mut self, event: Event) {
        self.out.push_back(Out::Event(event));
    }

    fn opened(&mut self, now: Stamp) {
        self.keepalive = Some(now.awake + KEEPALIVE_EVERY);
        self.stage = match (self.session, self.handle) {
            (Some(session), Some(_)) => {
                Stage::Claiming(self.ask(json!({"janus": "claim", "session_id": session})), now)
            }
            _ => {
                self.forget_session();
                Stage::Creating(self.ask(json!({"janus": "create"})), now)
            }
        };
    }

    fn attach(&mut self, now: Stamp) {
        let request = json!({"janus": "attach", "plugin": PLUGIN, "session_id": self.session});
        self.stage = Stage::Attaching(self.ask(request), now);
    }

    fn ready(&mut self, resumed: bool, now: Stamp) {
        self.stage = Stage::Ready;
        let session = self.session.map(|session| Heard::new(&session.to_string()));
        self.note(fact::Signaling::Ready { conn: self.conn, session, instance: None, resumed });
        self.event(Event::Ready { resumed, ice_servers: Vec::new(), lanes: None });
        self.send_pending(now);
    }

    fn forget_session(&mut self) {
        self.session = None;
        self.handle = None;
        self.used = false;
        self.offered = None;
    }

    fn send_pending(&mut self, now: Stamp) {
        let (Stage::Ready, Some(session), Some(handle)) = (self.stage, self.session, self.handle) else { return };
        let ToSend { offer, candidates } = self.offering.take_unsent(now);
        if let Some(sdp) = offer {
            self.used = true;
            self.offered = Some(self.ask(json!({
                "janus": "message", "session_id": session, "handle_id": handle,
                "body": {"audio": true, "video": false}, "jsep": {"type": "offer", "sdp": sdp},
            })));
        }
        for Candidate { candidate, mid, line } in candidates {
            let candidate = if candidate.is_empty() {
                json!({"completed": true})
            } else {
                json!({"candidate": candidate, "sdpMid": mid, "sdpMLineIndex": line})
            };
            self.ask(json!({
                "janus": "trickle", "session_id": session, "handle_id": handle, "candidate": candidate,
            }));
        }
    }

    fn offer(&mut self, now: Stamp, sdp: String, restart: bool) {
        self.offering.offer(sdp, !restart);
        if !restart && self.used && self.stage == Stage::Ready {
            // A handle holds one PeerConnection for its life.
            let old = json!({"janus": "detach", "session_id": self.session, "handle_id": self.handle});
            self.ask(old);
            self.handle = None;
            self.used = false;
            self.attach(now);
        } else {
            self.send_pending(now);
        }
    }

    fn heard(&mut self, now: Stamp, text: &str) {
        if matches!(self.stage, Stage::Off | Stage::Opening) {
            // This socket is given up, or not yet there; words on it are nobody's.
            return;
        }
        if text.len() > LARGEST_MESSAGE {
            return self.refused(RefusalKind::TooLarge, "too_large", "its message is over 64 kB");
        }
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            let says = "its message is not JSON; is this a Janus WebSocket?";
            return self.refused(RefusalKind::Other, "not_understood", says);
        };
        let number = message["transaction"].as_str().and_then(|number| number.parse::<u64>().ok());
        let about_us = message["session_id"].as_u64().is_none_or(|session| Some(session) == self.session);
        if !about_us {
            return;
        }
        let handle = message["sender"].as_u64();
        let ours = handle.is_some() && handle == self.handle;
        match message["janus"].as_str() {
            Some("success") => self.succeeded(now, number, &message),
            Some("error") => self.failed(now, number, &message["error"]),
            Some("event") if ours => self.plugin_event(now, number, &message),
            Some("trickle") if ours => self.trickled(&message["candidate"]),
            Some("hangup") if ours => {
                let reason = message["reason"].as_str().unwrap_or_default();
                self.call_ended(CallEndedBy::Service, "hangup", reason);
            }
            Some("detached") if ours => {
                self.handle = None;
                self.call_ended(CallEndedBy::Service, "detached", "the server took our handle away");
            }
            Some("timeout") => {
                let greeting = self.stage.awaits().is_some();
                self.forget_session();
                self.call_ended(CallEndedBy::Service, "timeout", "the server let our session time out");
                if greeting {
                    self.give_up(1000, "the session timed out before the call");
                }
                self.stage = Stage::Off;
            }
            // ack, webrtcup, media, slowlink, keepalive: nothing follows from them that packets do not say better.
            _ => {}
        }
    }

    fn succeeded(&mut self, now: Stamp, number: Option<u64>, message: &Value) {
        let id = message["data"]["id"].as_u64();
        match (self.stage, id) {
            (Stage::Creating(asked, _), Some(id)) if number == Some(asked) => {
                self.session = Some(id);
                self.attach(now);
            }
            (Stage::Attaching(asked, _), Some(id)) if number == Some(asked) => {
                self.handle = Some(id);
                self.ready(false, now);
            }
            (Stage::Claiming(asked, _), _) if number == Some(asked) => self.ready(true, now),
            (Stage::Destroying(asked), _) if number == Some(asked) => self.leave("the call is over"),
            _ => {}
        }
    }

    fn failed(&mut self, now: Stamp, number: Option<u64>, error: &Value) {
        let code = error["code"].as_i64().unwrap_or_default();
        let reason = error["reason"].as_str().unwrap_or_default();
        if let Stage::Destroying(asked) = self.stage {
            // It has forgotten us before we asked it to.
            if number == Some(asked) {
                self.leave("the call is over");
            }
            return;
        }
        let greeting = self.stage.awaits().is_some_and(|(asked, _)| number == Some(asked));
        let kind = match code {
            UNAUTHORIZED | WRONG_TOKEN => RefusalKind::Auth,
            NO_SUCH_SESSION | NO_SUCH_HANDLE => RefusalKind::NoSuchCall,
            450..=469 => RefusalKind::BadRequest,
            _ => RefusalKind::Other,
        };
        if self.offered.is_some() && number == self.offered {
            self.offered = None;
            self.offering.refused();
        }
        let gone = kind == RefusalKind::NoSuchCall;
        if gone {
            self.forget_session();
            self.offering.forget();
        }
        self.refused(kind, &code.to_string(), reason);
        if greeting && gone && matches!(self.stage, Stage::Claiming(..)) {
            // The socket is good; only the session is gone. A new one takes its place on it.
            self.opened(now);
        } else if greeting {
            self.give_up(1000, "our greeting was refused");
        } else if gone {
            self.stage = Stage::Off;
        }
    }

    fn plugin_event(&mut self, now: Stamp, number: Option<u64>, message: &Value) {
        let data = &message["plugindata"]["data"];
        if let Some(code) = data["error_code"].as_i64() {
            let says = data["error"].as_str().unwrap_or_default();
            if number.is_some() && number == self.offered {
                self.offered = None;
                self.offering.refused();
            }
            return self.refused(RefusalKind::BadRequest, &code.to_string(), says);
        }
        // Only the answer to our latest offer: one to an earlier offer would mix two sets of ICE credentials.
        if number.is_none() || number != self.offered || message["jsep"]["type"].as_str() != Some("answer") {
            return;
        }
        let sdp = message["jsep"]["sdp"].as_str().unwrap_or_default();
        let Some(answered) = self.offering.answer(sdp, now) else { return };
        self.offered = None;
        self.note(fact::Signaling::Answered {
            conn: self.conn,
            restarted: answered.restarted,
            took_ms: record::millis(answered.took),
        });
        self.out.extend(answered.events.into_iter().map(Out::Event));
    }

    fn trickled(&mut self, candidate: &Value) {
        let text = |field: &str| candidate[field].as_str().map(str::to_owned);
        let line = candidate["sdpMLineIndex"].as_u64().and_then(|line| u16::try_from(line).ok());
        let candidate = if candidate["completed"].as_bool() == Some(true) {
            Candidate { candidate: String::new(), mid: None, line: None }
        } else if let Some(line_of_text) = text("candidate") {
            Candidate { candidate: line_of_text, mid: text("sdpMid"), line }
        } else {
            return;
        };
        if let Some(event) = self.offering.remote(candidate) {
            self.event(event);
        }
    }

    fn refused(&mut self, kind: RefusalKind, code: &str, says: &str) {
        if self.is_too_much() {
            return;
        }
        let (code, says) = (Heard::new(code), self.scrub.hear(says));
        self.note(fact::Signaling::Refused { conn: self.conn, kind, code: code.clone(), says: says.clone() });
        self.event(Event::Refused { kind, code, says });
    }

    fn call_ended(&mut self, by: CallEndedBy, code: &str, says: &str) {
        // While we leave, the server only reports what we began.
        let by = if matches!(self.stage, Stage::Destroying(_)) { CallEndedBy::Us } else { by };
        let says = self.scrub.hear(says);
        self.offering.forget();
        self.offered = None;
        if self.is_too_much() {
            return;
        }
        let code = Some(Heard::new(code));
        if by != CallEndedBy::Us {
            self.note(fact::Signaling::CallEnded { conn: self.conn, by, code, says: says.clone() });
        }
        self.event(Event::CallEnded { by, says });
    }

    /// Counts one more trouble on this socket; the first that is too many is said, and ends it.
    fn is_too_much(&mut self) -> bool {
        self.troubles += 1;
        if self.troubles == MOST_TROUBLES + 1 {
            let (kind, code, says) = (RefusalKind::Other, Heard::from("too_much"), Heard::from(TOO_MUCH));
            self.note(fact::Signaling::Refused { conn: self.conn, kind, code: code.clone(), says: says.clone() });
            self.event(Event::Refused { kind, code, says });
            self.give_up(PROTOCOL_ERROR, TOO_MUCH);
        }
        self.troubles > MOST_TROUBLES
    }

    /// This socket leads nowhere; another may.
    fn give_up(&mut self, code: u16, reason: &'static str) {
        if self.stage != Stage::Off {
            self.stage = Stage::Off;
            self.offering.socket_lost();
            self.out.push_back(Out::CloseSocket { code, reason });
        }
    }

    fn leave(&mut self, reason: &'static str) {
        self.forget_session();
        self.stage = Stage::Off;
        self.out.push_back(Out::CloseSocket { code: 1000, reason });
        self.event(Event::HungUp);
    }

    fn hang_up(&mut self, reason: &'static str) {
        self.offering.forget();
        self.offered = None;
        match (self.stage, self.session) {
            (Stage::Destroying(_), _) => {}
            (Stage::Ready | Stage::Attaching(..), Some(session)) => {
                self.stage = Stage::Destroying(self.ask(json!({"janus": "destroy", "session_id": session})));
            }
            _ => self.leave(reason),
        }
    }

    fn tick(&mut self, now: Stamp) {
        if let Some((_, since)) = self.stage.awaits()
            && now.awake_since(since) >= REPLY_WITHIN
        {
            let says = match self.stage {
                Stage::Creating(..) => "no answer to create within 10 s",
                Stage::Claiming(..) => "no answer to claim within 10 s",
                _ => "no answer to attach within 10 s",
            };
            self.refused(RefusalKind::Other, "no_answer", says);
            self.give_up(PROTOCOL_ERROR, "no answer to our greeting");
        }
        if self.offering.overdue(now) {
            self.refused(RefusalKind::Other, "no_answer", "no answer to our offer within 10 s");
        }
        if self.keepalive_due().is_some_and(|due| due <= now.awake) {
            self.keepalive = Some(now.awake + KEEPALIVE_EVERY);
            self.ask(json!({"janus": "keepalive", "session_id": self.session}));
        }
    }

    fn keepalive_due(&self) -> Option<Micros> {
        self.keepalive.filter(|_| self.stage == Stage::Ready)
    }
}

impl Adapter for Janus {
    fn handle(&mut self, now: Stamp, input: In) {
        match input {
            In::Connect { purpose } => {
                if purpose == SocketPurpose::NewCall {
                    if self.stage == Stage::Ready {
                        // The server would keep the old session and its call for a minute.
                        self.ask(json!({"janus": "destroy", "session_id": self.session}));
                    }
                    self.forget_session();
                    self.offering.forget();
                }
                self.offering.socket_lost();
                self.stage = Stage::Opening;
                self.out.push_back(target(&self.profile, Some(SUBPROTOCOL)));
            }
            In::SocketOpen { conn } => {
                self.conn = conn;
                self.troubles = 0;
                self.opened(now);
            }
            In::Text(text) => self.heard(now, &text),
            In::SocketClosed(_) => {
                self.stage = Stage::Off;
                self.offering.socket_lost();
            }
            In::Offer { sdp, restart } => self.offer(now, sdp, restart),
            In::LocalCandidate { candidate, mid, line } => {
                self.offering.candidate(Candidate { candidate, mid, line });
                self.send_pending(now);
            }
            In::EndOfCandidates => {
                self.offering.candidate(Candidate { candidate: String::new(), mid: None, line: None });
                self.send_pending(now);
            }
            In::HangUp { reason } => self.hang_up(reason),
            In::Tick => self.tick(now),
        }
    }

    fn poll(&mut self) -> Option<Out> {
        self.out.pop_front()
    }

    fn wake_at(&self) -> Option<Micros> {
        let reply = self.stage.awaits().map(|(_, since)| since.awake + REPLY_WITHIN);
        [reply, self.offering.deadline(), self.keepalive_due()].into_iter().flatten().min()
    }
}
