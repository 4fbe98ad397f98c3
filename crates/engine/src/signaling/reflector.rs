//! The reflector's own protocol, `record::wire`: the far end that testifies.

use super::offering::{Candidate, Offering, ToSend};
use super::wishes::{PROTOCOL_ERROR, TooMuch, Wishes};
use super::{Adapter, Event, Field, In, LARGEST_MESSAGE, Out, Signaling, target};
use record::{
    Heard, Micros, Private, Scrub, Stamp,
    fact::{self, CallEndedBy, Far, RefusalKind, SocketPurpose},
    profile::{HeartbeatChoice, IceServer, Profile},
    wire::{FromClient, FromFar, LaneGate, Relay, Sealed},
};
use std::collections::VecDeque;
use std::time::Duration;

pub const SIGNALING: Signaling = Signaling {
    id: "reflector",
    label: "Linewitness reflector",
    fields: &[
        Field { id: "url", label: "Address (wss://host/call)", secret: false, required: true },
        Field { id: "token", label: "Token", secret: true, required: false },
    ],
    subprotocol: None,
    new: |profile| Box::new(Reflector::new(profile)),
};

/// As for an answer to an offer; a reflector under load that takes longer cannot hold calls.
const WELCOME_WITHIN: Duration = Duration::from_secs(10);
/// One exchange may be held up by a retransmission; of five, the quickest is a true round trip.
const CLOCK_BURST: u32 = 5;
/// Clocks drift by some milliseconds an hour; this follows them, and a clock that somebody sets, closely enough. It is asked
/// no more often than the heartbeat beats, and never again where that is off: a profile that wants a quiet connection must
/// get one, and our own question would keep the idle timers from firing that it is there to find.
const CLOCK_EVERY: Duration = Duration::from_secs(10);
/// What the far end saw is a few events a loss. A log of eight hours with a loss a minute stays below this.
const MOST_SIGHTS: u32 = 10_000;
/// The reflector keeps no more sights than this for telling them again.
const TOLD_AGAIN: usize = 2048;
/// Each URL is handed to ICE, which resolves it: a stranger must not choose how many.
const MOST_RELAYS: usize = 8;

struct Reflector {
    profile: Profile,
    scrub: Scrub,
    wishes: Wishes,
    stage: Stage,
    /// The secret that takes up the call on another socket.
    ticket: Option<Private<String>>,
    offering: Offering,
    clock: Clock,
    sights: u32,
    lately_told: VecDeque<(record::Wall, fact::Sight)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Off,
    Opening,
    /// Since when we wait to be welcomed.
    Greeting(Stamp),
    Ready,
    /// Goodbye is said; the far end's account and its last word are still to come.
    Leaving,
}

/// What a greeting was answered with, apart from the secret.
struct Welcome {
    call: Heard,
    instance: Heard,
    resumed: bool,
    relays: Vec<Relay>,
    certificate_from: Option<Heard>,
    lanes: Option<LaneGate>,
}

#[derive(Default)]
struct Clock {
    asked: Option<Stamp>,
    answers: u32,
    next: Option<Micros>,
}

impl Reflector {
    fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            scrub: profile.scrub(),
            wishes: Wishes::default(),
            stage: Stage::Off,
            ticket: None,
            offering: Offering::default(),
            clock: Clock::default(),
            sights: 0,
            lately_told: VecDeque::new(),
        }
    }

    fn say(&mut self, message: &FromClient) {
        let text = serde_json::to_string(message).expect("these messages are plain structs of texts and numbers");
        self.wishes.text(text);
    }

    fn greet(&mut self, now: Stamp) {
        let token = self.profile.signaling.token.clone().map(Sealed);
        let resume = self.ticket.clone().map(Sealed);
        let client = Heard::new(concat!("linewitness/", env!("CARGO_PKG_VERSION")));
        // A heartbeat that is off is off to see what quiet does to this connection.
        let quiet = matches!(self.profile.signaling.heartbeat, HeartbeatChoice::Off(_));
        self.say(&FromClient::Hello { client, token, resume, quiet });
        self.stage = Stage::Greeting(now);
    }

    fn send_pending(&mut self, now: Stamp) {
        if self.stage != Stage::Ready {
            return;
        }
        let ToSend { offer, candidates } = self.offering.take_unsent(now);
        if let Some(sdp) = offer {
            self.say(&FromClient::Offer { sdp });
        }
        for Candidate { candidate, mid, line } in candidates {
            self.say(&FromClient::Candidate { candidate, mid, line });
        }
    }

    fn candidate(&mut self, candidate: Candidate, now: Stamp) {
        self.offering.candidate(candidate);
        self.send_pending(now);
    }

    fn ask_clock(&mut self, now: Stamp) {
        self.clock.asked = Some(now);
        self.clock.next = match self.profile.signaling.heartbeat {
            HeartbeatChoice::On(heartbeat) => Some(now.awake + heartbeat.every.get().max(CLOCK_EVERY)),
            HeartbeatChoice::Off(_) => None,
        };
        self.say(&FromClient::Clock { sent: now.wall });
    }

    fn heard(&mut self, now: Stamp, text: &str) {
        if matches!(self.stage, Stage::Off | Stage::Opening) {
            // This socket is given up, or not yet there; words on it are nobody's.
            return;
        }
        if text.len() > LARGEST_MESSAGE {
            return self.refused(RefusalKind::TooLarge, "too_large".into(), "its message is over 64 kB".into());
        }
        let Ok(message) = serde_json::from_str::<FromFar>(text) else {
            return self.refused(
                RefusalKind::Other,
                "not_understood".into(),
                "its message is not one of the reflector's protocol; is this the right path?".into(),
            );
        };
        match message {
            FromFar::Welcome { call, ticket, instance, resumed, ice_servers, certificate_from, lanes, .. } => {
                if matches!(self.stage, Stage::Greeting(_)) {
                    let relays = ice_servers;
                    let welcome = Welcome { call, instance, resumed, relays, certificate_from, lanes };
                    self.welcomed(now, ticket, welcome);
                }
            }
            FromFar::Answer { sdp } => self.answered(now, &sdp),
            FromFar::Candidate { candidate, mid, line } => {
                if let Some(event) = self.offering.remote(Candidate { candidate, mid, line }) {
                    self.wishes.event(event);
                }
            }
            FromFar::Clock { sent, here } => {
                if let Some(asked) = self.clock.asked.filter(|asked| asked.wall == sent) {
                    self.compare_clocks(now, asked, here.micros());
                }
            }
            FromFar::Saw { at, sight } => {
                // What the far end could not know to be heard it tells again.
                let told = (at, sight);
                if self.sights < MOST_SIGHTS && !self.lately_told.contains(&told) {
                    self.sights += 1;
                    self.lately_told.push_back(told.clone());
                    if self.lately_told.len() > TOLD_AGAIN {
                        self.lately_told.pop_front();
                    }
                    let (at, sight) = told;
                    self.wishes.note(Far::Saw { at, sight });
                }
            }
            FromFar::Refused { kind, code, says } => {
                let showed_ticket = self.ticket.is_some();
                let our_offer = code.as_str() == "offer";
                self.refused(kind, code, says);
                if our_offer {
                    self.offering.refused();
                }
                if kind == RefusalKind::NoSuchCall {
                    self.ticket = None;
                    self.offering.forget();
                }
                let greeting = matches!(self.stage, Stage::Greeting(_));
                // The socket stays open after a ticket that opens nothing any more: a hello without one begins anew. Once:
                // a far end that refuses this hello for the same reason would have us greet for ever.
                if greeting && showed_ticket && kind == RefusalKind::NoSuchCall {
                    self.greet(now);
                } else if greeting {
                    self.give_up(1000, "our greeting was refused");
                }
            }
            FromFar::Ended { by, says } => self.ended(by, says),
        }
    }

    fn welcomed(&mut self, now: Stamp, ticket: Sealed, welcome: Welcome) {
        let Welcome { call, instance, resumed, relays, certificate_from, lanes } = welcome;
        self.stage = Stage::Ready;
        self.ticket = Some(ticket.0);
        let (session, instance) = (Some(self.scrub.rehear(&call)), Some(self.scrub.rehear(&instance)));
        self.wishes.note(fact::Signaling::Ready { conn: self.wishes.conn, session, instance, resumed });
        if let Some(issuer) = certificate_from {
            let issuer = self.scrub.rehear(&issuer);
            self.wishes.note(Far::Certificate { issuer: issuer.into() });
        }
        let ice_servers = relays.into_iter().take(MOST_RELAYS).map(ice_server).collect();
        self.wishes.event(Event::Ready { resumed, ice_servers, lanes });
        self.clock = Clock::default();
        self.ask_clock(now);
        self.send_pending(now);
    }

    fn answered(&mut self, now: Stamp, sdp: &str) {
        if let Some(answered) = self.offering.answer(sdp, now) {
            self.wishes.answered(answered);
        }
    }

    fn compare_clocks(&mut self, now: Stamp, asked: Stamp, theirs: i64) {
        let rtt = now.since(asked).as_micros() as i64;
        let offset = theirs.saturating_sub(asked.wall.micros().saturating_add(rtt / 2));
        self.wishes.note(Far::Clock { offset_ms: offset as f64 / 1e3, rtt_ms: rtt as f64 / 1e3 });
        self.clock.asked = None;
        self.clock.answers += 1;
        if self.clock.answers < CLOCK_BURST {
            self.ask_clock(now);
        }
    }

    fn refused(&mut self, kind: RefusalKind, code: Heard, says: Heard) {
        let (code, says) = (self.scrub.rehear(&code), self.scrub.rehear(&says));
        if let Err(TooMuch) = self.wishes.refused(kind, code, says) {
            self.give_up(PROTOCOL_ERROR, TooMuch::SAYS);
        }
    }

    fn ended(&mut self, by: CallEndedBy, says: Heard) {
        self.ticket = None;
        self.offering.forget();
        let leaving = self.stage == Stage::Leaving;
        match self.wishes.call_ended(by, None, self.scrub.rehear(&says), leaving) {
            Err(TooMuch) => self.give_up(PROTOCOL_ERROR, TooMuch::SAYS),
            Ok(()) if leaving => self.leave("the call is over"),
            Ok(()) => {}
        }
    }

    /// This socket leads nowhere; another may.
    fn give_up(&mut self, code: u16, reason: &'static str) {
        if self.stage != Stage::Off {
            self.stage = Stage::Off;
            self.offering.socket_lost();
            self.wishes.close(code, reason);
        }
    }

    fn leave(&mut self, reason: &'static str) {
        self.stage = Stage::Off;
        self.wishes.close(1000, reason);
        self.wishes.event(Event::HungUp);
    }

    fn tick(&mut self, now: Stamp) {
        let no_answer = || (RefusalKind::Other, Heard::from("no_answer"));
        if let Stage::Greeting(since) = self.stage
            && now.awake_since(since) >= WELCOME_WITHIN
        {
            let (kind, code) = no_answer();
            self.refused(kind, code, "no answer to our greeting within 10 s".into());
            self.give_up(PROTOCOL_ERROR, "no answer to our greeting");
        }
        if self.offering.overdue(now) {
            let (kind, code) = no_answer();
            self.refused(kind, code, "no answer to our offer within 10 s".into());
        }
        if self.stage == Stage::Ready && self.clock.next.is_some_and(|next| next <= now.awake) {
            self.ask_clock(now);
        }
    }
}

impl Adapter for Reflector {
    fn handle(&mut self, now: Stamp, input: In) {
        match input {
            In::Connect { purpose } => {
                if purpose == SocketPurpose::NewCall {
                    if self.stage == Stage::Ready {
                        // The far end would keep the old call for minutes.
                        self.say(&FromClient::Bye { reason: "for a new call".into() });
                    }
                    self.ticket = None;
                    self.offering.forget();
                }
                self.offering.socket_lost();
                self.stage = Stage::Opening;
                self.wishes.push(target(&self.profile, None));
            }
            In::SocketOpen { conn } => {
                self.wishes.socket_open(conn);
                self.greet(now);
            }
            In::Text(text) => self.heard(now, &text),
            In::SocketClosed(_) => {
                self.stage = Stage::Off;
                self.offering.socket_lost();
            }
            In::Offer { sdp, restart } => {
                self.offering.offer(sdp, !restart);
                self.send_pending(now);
            }
            In::LocalCandidate { candidate, mid, line } => {
                self.candidate(Candidate { candidate, mid, line }, now);
            }
            In::EndOfCandidates => self.candidate(Candidate::end(), now),
            In::HangUp { reason } => {
                self.offering.forget();
                if self.stage == Stage::Ready {
                    self.stage = Stage::Leaving;
                    self.say(&FromClient::Bye { reason: reason.into() });
                } else if self.stage != Stage::Leaving {
                    self.leave(reason);
                }
            }
            In::Tick => self.tick(now),
        }
    }

    fn poll(&mut self) -> Option<Out> {
        self.wishes.next()
    }

    fn wake_at(&self) -> Option<Micros> {
        let welcome = match self.stage {
            Stage::Greeting(since) => Some(since.awake + WELCOME_WITHIN),
            _ => None,
        };
        let clock = self.clock.next.filter(|_| self.stage == Stage::Ready);
        [welcome, self.offering.deadline(), clock].into_iter().flatten().min()
    }
}

fn ice_server(relay: Relay) -> IceServer {
    IceServer {
        urls: relay.urls.into_iter().take(MOST_RELAYS).collect(),
        username: Some(relay.username.0),
        credential: Some(relay.credential.0),
        expires: None,
    }
}
