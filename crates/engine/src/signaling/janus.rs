//! Janus' echotest plugin over the `janus-protocol` WebSocket: a far end that none of us wrote.
//!
//! ```text
//! create ─▶ session ─▶ attach ─▶ handle ─▶ message + offer ─▶ ack … event + answer      trickle both ways
//! a lost socket: claim the session on the next one; handle and call go on
//! ```

mod messages;

use super::offering::{Candidate, Offering, ToSend};
use super::wishes::{PROTOCOL_ERROR, TooMuch, Wishes};
use super::{Adapter, Event, Field, In, LARGEST_MESSAGE, Out, Signaling, target};
use messages::{Message, Place, Request, Says};
use record::{
    Heard, Micros, Scrub, Stamp,
    fact::{self, CallEndedBy, RefusalKind, SocketPurpose},
    profile::Profile,
};
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
/// The server forgets a session after 60 quiet seconds by default; its own client sends one every 25.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(25);
/// Each of these requests is answered from memory. A server that takes longer cannot hold calls.
const REPLY_WITHIN: Duration = Duration::from_secs(10);

struct Janus {
    profile: Profile,
    scrub: Scrub,
    wishes: Wishes,
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
            wishes: Wishes::default(),
            transactions: 0,
            stage: Stage::Off,
            session: None,
            handle: None,
            offered: None,
            used: false,
            offering: Offering::default(),
            keepalive: None,
        }
    }

    /// Gives the number of the request.
    fn ask(&mut self, request: Request) -> u64 {
        self.transactions += 1;
        self.wishes.text(request.text(self.transactions, self.profile.signaling.token.as_ref()));
        self.transactions
    }

    fn opened(&mut self, now: Stamp) {
        self.keepalive = Some(now.awake + KEEPALIVE_EVERY);
        self.stage = match (self.session, self.handle) {
            (Some(session), Some(_)) => Stage::Claiming(self.ask(Request::Claim { session }), now),
            _ => {
                self.forget_session();
                Stage::Creating(self.ask(Request::Create), now)
            }
        };
    }

    fn attach(&mut self, session: u64, now: Stamp) {
        self.stage = Stage::Attaching(self.ask(Request::Attach { session }), now);
    }

    fn ready(&mut self, resumed: bool, now: Stamp) {
        self.stage = Stage::Ready;
        let session = self.session.map(|session| Heard::new(&session.to_string()));
        self.wishes.note(fact::Signaling::Ready { conn: self.wishes.conn, session, instance: None, resumed });
        self.wishes.event(Event::Ready { resumed, ice_servers: Vec::new(), lanes: None });
        self.send_pending(now);
    }

    fn forget_session(&mut self) {
        self.session = None;
        self.handle = None;
        self.used = false;
        self.offered = None;
    }

    fn place(&self) -> Option<Place> {
        Some(Place { session: self.session?, handle: self.handle? })
    }

    fn send_pending(&mut self, now: Stamp) {
        let (Stage::Ready, Some(place)) = (self.stage, self.place()) else { return };
        let ToSend { offer, candidates } = self.offering.take_unsent(now);
        if let Some(sdp) = offer {
            self.used = true;
            self.offered = Some(self.ask(Request::Offer(place, sdp)));
        }
        for candidate in candidates {
            self.ask(Request::Trickle(place, &candidate));
        }
    }

    fn candidate(&mut self, candidate: Candidate, now: Stamp) {
        self.offering.candidate(candidate);
        self.send_pending(now);
    }

    fn offer(&mut self, now: Stamp, sdp: String, restart: bool) {
        self.offering.offer(sdp, !restart);
        match self.session {
            Some(session) if !restart && self.used && self.stage == Stage::Ready => {
                // A handle holds one PeerConnection for its life.
                if let Some(old) = self.place() {
                    self.ask(Request::Detach(old));
                }
                self.handle = None;
                self.used = false;
                self.attach(session, now);
            }
            _ => self.send_pending(now),
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
        let Some(message) = Message::read(text) else {
            let says = "its message is not JSON; is this a Janus WebSocket?";
            return self.refused(RefusalKind::Other, "not_understood", says);
        };
        let Message { number, session, sender, says } = message;
        if session.is_some() && session != self.session {
            return;
        }
        let ours = sender.is_some() && sender == self.handle;
        match says {
            Says::Success { id } => self.succeeded(now, number, id),
            Says::Error { kind, code, says } => self.failed(now, number, kind, &code, &says),
            Says::Timeout => self.timed_out(),
            Says::PluginError { code, says } if ours => {
                self.offer_refused(number);
                self.refused(RefusalKind::BadRequest, &code, &says);
            }
            Says::Answer { sdp } if ours => self.answered(now, number, &sdp),
            Says::Candidate(candidate) if ours => {
                if let Some(event) = self.offering.remote(candidate) {
                    self.wishes.event(event);
                }
            }
            Says::HangUp { reason } if ours => self.call_ended(CallEndedBy::Service, "hangup", &reason),
            Says::Detached if ours => {
                self.handle = None;
                self.call_ended(CallEndedBy::Service, "detached", "the server took our handle away");
            }
            // Of a handle that is not ours any more, or of no consequence.
            _ => {}
        }
    }

    fn succeeded(&mut self, now: Stamp, number: Option<u64>, id: Option<u64>) {
        match (self.stage, id) {
            (Stage::Creating(asked, _), Some(id)) if number == Some(asked) => {
                self.session = Some(id);
                self.attach(id, now);
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

    fn failed(&mut self, now: Stamp, number: Option<u64>, kind: RefusalKind, code: &str, says: &str) {
        if let Stage::Destroying(asked) = self.stage {
            // It has forgotten us before we asked it to.
            if number == Some(asked) {
                self.leave("the call is over");
            }
            return;
        }
        let greeting = self.stage.awaits().is_some_and(|(asked, _)| number == Some(asked));
        self.offer_refused(number);
        let gone = kind == RefusalKind::NoSuchCall;
        if gone {
            self.forget_session();
            self.offering.forget();
        }
        self.refused(kind, code, says);
        if greeting && gone && matches!(self.stage, Stage::Claiming(..)) {
            // The socket is good; only the session is gone. A new one takes its place on it.
            self.opened(now);
        } else if greeting {
            self.give_up(1000, "our greeting was refused");
        } else if gone {
            self.stage = Stage::Off;
        }
    }

    fn offer_refused(&mut self, number: Option<u64>) {
        if number.is_some() && number == self.offered {
            self.offered = None;
            self.offering.refused();
        }
    }

    fn timed_out(&mut self) {
        let greeting = self.stage.awaits().is_some();
        self.forget_session();
        self.call_ended(CallEndedBy::Service, "timeout", "the server let our session time out");
        if greeting {
            self.give_up(1000, "the session timed out before the call");
        }
        self.stage = Stage::Off;
    }

    fn answered(&mut self, now: Stamp, number: Option<u64>, sdp: &str) {
        // Only the answer to our latest offer: one to an earlier offer would mix two sets of ICE credentials.
        if number.is_none() || number != self.offered {
            return;
        }
        if let Some(answered) = self.offering.answer(sdp, now) {
            self.offered = None;
            self.wishes.answered(answered);
        }
    }

    fn refused(&mut self, kind: RefusalKind, code: &str, says: &str) {
        let says = self.scrub.hear(says);
        if let Err(TooMuch) = self.wishes.refused(kind, Heard::new(code), says) {
            self.give_up(PROTOCOL_ERROR, TooMuch::SAYS);
        }
    }

    fn call_ended(&mut self, by: CallEndedBy, code: &str, says: &str) {
        self.offering.forget();
        self.offered = None;
        // While we leave, the server only reports what we began.
        let leaving = matches!(self.stage, Stage::Destroying(_));
        let by = if leaving { CallEndedBy::Us } else { by };
        let says = self.scrub.hear(says);
        if let Err(TooMuch) = self.wishes.call_ended(by, Some(Heard::new(code)), says, leaving) {
            self.give_up(PROTOCOL_ERROR, TooMuch::SAYS);
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
        self.forget_session();
        self.stage = Stage::Off;
        self.wishes.close(1000, reason);
        self.wishes.event(Event::HungUp);
    }

    fn hang_up(&mut self, reason: &'static str) {
        self.offering.forget();
        self.offered = None;
        match (self.stage, self.session) {
            (Stage::Destroying(_), _) => {}
            (Stage::Ready | Stage::Attaching(..), Some(session)) => {
                self.stage = Stage::Destroying(self.ask(Request::Destroy { session }));
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
        if let (Some(due), Some(session)) = (self.keepalive_due(), self.session)
            && due <= now.awake
        {
            self.keepalive = Some(now.awake + KEEPALIVE_EVERY);
            self.ask(Request::KeepAlive { session });
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
                    if let (Stage::Ready, Some(session)) = (self.stage, self.session) {
                        // The server would keep the old session and its call for a minute.
                        self.ask(Request::Destroy { session });
                    }
                    self.forget_session();
                    self.offering.forget();
                }
                self.offering.socket_lost();
                self.stage = Stage::Opening;
                self.wishes.push(target(&self.profile, Some(SUBPROTOCOL)));
            }
            In::SocketOpen { conn } => {
                self.wishes.socket_open(conn);
                self.opened(now);
            }
            In::Text(text) => self.heard(now, &text),
            In::SocketClosed(_) => {
                self.stage = Stage::Off;
                self.offering.socket_lost();
            }
            In::Offer { sdp, restart } => self.offer(now, sdp, restart),
            In::LocalCandidate { candidate, mid, line } => {
                self.candidate(Candidate { candidate, mid, line }, now);
            }
            In::EndOfCandidates => self.candidate(Candidate::end(), now),
            In::HangUp { reason } => self.hang_up(reason),
            In::Tick => self.tick(now),
        }
    }

    fn poll(&mut self) -> Option<Out> {
        self.wishes.next()
    }

    fn wake_at(&self) -> Option<Micros> {
        let reply = self.stage.awaits().map(|(_, since)| since.awake + REPLY_WITHIN);
        [reply, self.offering.deadline(), self.keepalive_due()].into_iter().flatten().min()
    }
}
