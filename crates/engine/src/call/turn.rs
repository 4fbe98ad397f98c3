//! What TURN servers answered: read from the datagrams, because the stack tells of its relays in log lines only.

use super::wire::{Class, Stun, attribute, method};
use record::fact::{Ice, TurnRequest};
use record::{Heard, Scrub, Stamp};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, Default)]
pub struct TurnLedger {
    servers: BTreeMap<SocketAddr, Server>,
    /// The credentials, which a server could repeat in its reasons.
    scrub: Scrub,
    waiting: BTreeMap<Transaction, Request>,
    /// Since when a socket asks a server for a relay.
    allocating: BTreeMap<(SocketAddr, SocketAddr), Stamp>,
    /// Requests refused for a stale nonce; the next try with the new nonce takes them off.
    stale: BTreeMap<(SocketAddr, SocketAddr, u16), Stamp>,
}

/// Whose socket, which server, which transaction.
type Transaction = (SocketAddr, SocketAddr, [u8; 12]);

#[derive(Debug)]
struct Server {
    label: Heard,
    last_answer: Option<Stamp>,
    said_lost: bool,
}

#[derive(Debug)]
struct Request {
    method: u16,
    signed: bool,
    first: Stamp,
    times: u32,
}

/// The stack repeats a request five times within this; a server that is there has answered the first one.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

const UNAUTHORIZED: u16 = 401;
const STALE_NONCE: u16 = 438;

impl TurnLedger {
    pub fn new(scrub: Scrub) -> Self {
        Self { scrub, ..Self::default() }
    }

    pub fn name(&mut self, server: SocketAddr, label: Heard) {
        self.servers.entry(server).or_insert(Server { label, last_answer: None, said_lost: false });
    }

    pub fn sent(&mut self, at: Stamp, local: SocketAddr, server: SocketAddr, stun: &Stun<'_>) {
        let goodbye = stun.method == method::REFRESH && stun.lifetime() == Some(0);
        if stun.class != Class::Request || named(stun.method).is_none() || goodbye {
            return;
        }
        if !self.servers.contains_key(&server) {
            self.name(server, Heard::new(&format!("turn:{server}")));
        }
        if stun.method == method::ALLOCATE {
            self.allocating.entry((local, server)).or_insert(at);
        }
        self.stale.remove(&(local, server, stun.method));
        let signed = stun.has(attribute::MESSAGE_INTEGRITY);
        let fresh = Request { method: stun.method, signed, first: at, times: 0 };
        self.waiting.entry((local, server, stun.id)).or_insert(fresh).times += 1;
    }

    pub fn heard(&mut self, at: Stamp, local: SocketAddr, server: SocketAddr, stun: &Stun<'_>) -> Option<Ice> {
        let request = self.waiting.remove(&(local, server, stun.id))?;
        let kept = self.servers.get_mut(&server)?;
        kept.last_answer = Some(at);
        kept.said_lost = false;
        let server_label = kept.label.clone();
        if stun.class == Class::Success {
            if request.method != method::ALLOCATE {
                return None;
            }
            let since = self.allocating.remove(&(local, server)).unwrap_or(request.first);
            let relay = stun.xor_address(attribute::XOR_RELAYED_ADDRESS)?;
            let took_ms = record::millis(at.since(since));
            return Some(Ice::TurnAllocated { server: server_label, relay: relay.into(), took_ms });
        }
        let (code, says) = stun.error()?;
        match code {
            // The challenge that begins every conversation with a TURN server.
            UNAUTHORIZED if !request.signed => return None,
            STALE_NONCE => {
                self.stale.insert((local, server, request.method), at);
                return None;
            }
            _ => {}
        }
        self.allocating.remove(&(local, server));
        Some(refused(server_label, request.method, code, self.scrub.hear(&says)))
    }

    pub fn tick(&mut self, now: Stamp) -> Vec<Ice> {
        let mut facts = vec![];
        let mut overdue = BTreeSet::new();
        for ((_, server, _), request) in &self.waiting {
            if now.since(request.first) > ANSWER_WITHIN {
                overdue.insert((*server, request.first, request.times, request.method));
            }
        }
        self.waiting.retain(|_, request| now.since(request.first) <= ANSWER_WITHIN);
        for (address, first, times, method) in overdue {
            let Some(server) = self.servers.get_mut(&address) else { continue };
            // A machine with several interfaces asks over each of them; an answer over one says that the server lives.
            let answered_meanwhile = server.last_answer.is_some_and(|answer| answer >= first);
            if !answered_meanwhile && !std::mem::replace(&mut server.said_lost, true) {
                facts.push(Ice::TurnLost { server: server.label.clone(), says: unanswered(method, times).into() });
            }
        }
        let forgotten: Vec<_> =
            self.stale.iter().filter(|(_, at)| now.since(**at) > ANSWER_WITHIN).map(|(key, _)| *key).collect();
        for key @ (_, server, method) in forgotten {
            self.stale.remove(&key);
            if let Some(server) = self.servers.get(&server) {
                facts.push(refused(server.label.clone(), method, STALE_NONCE, "stale nonce, and no second try".into()));
            }
        }
        facts
    }

    /// What a closed socket asked will not be answered, and that says nothing of the server.
    pub fn socket_gone(&mut self, local: SocketAddr) {
        self.waiting.retain(|(from, _, _), _| *from != local);
        self.allocating.retain(|(from, _), _| *from != local);
        self.stale.retain(|(from, _, _), _| *from != local);
    }
}

fn refused(server: Heard, method: u16, code: u16, says: Heard) -> Ice {
    let request = named(method).unwrap_or(TurnRequest::Other);
    Ice::TurnRefused { server, request, code, says: says.into() }
}

fn named(method: u16) -> Option<TurnRequest> {
    match method {
        method::ALLOCATE => Some(TurnRequest::Allocate),
        method::REFRESH => Some(TurnRequest::Refresh),
        method::CREATE_PERMISSION => Some(TurnRequest::CreatePermission),
        method::CHANNEL_BIND => Some(TurnRequest::ChannelBind),
        _ => None,
    }
}

fn unanswered(method: u16, times: u32) -> Heard {
    let what = match method {
        method::ALLOCATE => "request for a relay",
        method::REFRESH => "request to keep the relay",
        method::CREATE_PERMISSION => "request for a permission",
        _ => "request for a channel",
    };
    let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    Heard::new(&format!("no answer within 5 s to the {what}, sent {times}"))
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Kind, build, look};
    use super::*;

    struct Conversation {
        ledger: TurnLedger,
        now: Stamp,
        local: SocketAddr,
        server: SocketAddr,
    }

    impl Conversation {
        fn new() -> Self {
            let mut ledger = TurnLedger::default();
            let server = SocketAddr::from(([192, 0, 2, 9], 3478));
            ledger.name(server, "turn:relay.example:3478".into());
            let local = SocketAddr::from(([10, 0, 0, 2], 4000));
            Self { ledger, now: Stamp::new(0, 9_000_000, 9_000_000), local, server }
        }
        fn ask(&mut self, method: u16, id: u8, attributes: &[(u16, &[u8])]) {
            let message = build::stun(Class::Request, method, id, attributes);
            let Kind::Stun(stun) = look(&message) else { panic!("STUN") };
            self.ledger.sent(self.now, self.local, self.server, &stun);
        }
        fn answer(&mut self, class: Class, method: u16, id: u8, attributes: &[(u16, &[u8])]) -> Option<Ice> {
            let message = build::stun(class, method, id, attributes);
            let Kind::Stun(stun) = look(&message) else { panic!("STUN") };
            self.ledger.heard(self.now, self.local, self.server, &stun)
        }
        fn wait(&mut self, ms: u64) -> Vec<Ice> {
            self.now = self.now.plus(Duration::from_millis(ms));
            self.ledger.tick(self.now)
        }
    }

    const SIGNED: (u16, &[u8]) = (attribute::MESSAGE_INTEGRITY, &[0; 20]);
    const UNAUTHORIZED: (u16, &[u8]) = (attribute::ERROR_CODE, b"\0\0\x04\x01Unauthorized");
    const STALE: (u16, &[u8]) = (attribute::ERROR_CODE, b"\0\0\x04\x26Stale Nonce");

    fn label() -> Heard {
        "turn:relay.example:3478".into()
    }

    #[test]
    fn a_password_that_the_server_repeats_stays_out_of_the_log() {
        let mut talk = Conversation::new();
        talk.ledger.scrub = Scrub::new(["hunter2hunter2".to_owned()]);
        talk.ask(method::ALLOCATE, 1, &[SIGNED]);
        let reason: &[u8] = b"\0\0\x04\x01no such user hunter2hunter2";
        let refused = talk.answer(Class::Error, method::ALLOCATE, 1, &[(attribute::ERROR_CODE, reason)]);
        let Some(Ice::TurnRefused { code: 401, says, .. }) = refused else { panic!("{refused:?}") };
        assert!(says.as_str().starts_with("no such user") && !says.as_str().contains("hunter2"), "{says}");
    }

    #[test]
    fn the_first_challenge_is_ordinary_and_a_second_refusal_is_not() {
        let mut talk = Conversation::new();
        talk.ask(method::ALLOCATE, 1, &[]);
        assert_eq!(talk.answer(Class::Error, method::ALLOCATE, 1, &[UNAUTHORIZED]), None);
        talk.ask(method::ALLOCATE, 2, &[SIGNED]);
        let refused = talk.answer(Class::Error, method::ALLOCATE, 2, &[UNAUTHORIZED]);
        let expected = Ice::TurnRefused {
            server: label(),
            request: TurnRequest::Allocate,
            code: 401,
            says: "Unauthorized".into(),
        };
        assert_eq!(refused, Some(expected));
    }

    #[test]
    fn an_allocation_is_timed_from_its_first_request() {
        let mut talk = Conversation::new();
        talk.ask(method::ALLOCATE, 1, &[]);
        talk.wait(20);
        talk.answer(Class::Error, method::ALLOCATE, 1, &[UNAUTHORIZED]);
        talk.ask(method::ALLOCATE, 2, &[SIGNED]);
        talk.wait(30);
        let address = (attribute::XOR_RELAYED_ADDRESS, &[0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43][..]);
        let allocated = talk.answer(Class::Success, method::ALLOCATE, 2, &[address]);
        let relay = SocketAddr::from(([192, 0, 2, 1], 32853));
        assert_eq!(allocated, Some(Ice::TurnAllocated { server: label(), relay: relay.into(), took_ms: 50.0 }));
        assert_eq!(talk.wait(60_000), []);
    }

    #[test]
    fn a_stale_nonce_tried_again_is_ordinary_and_one_left_alone_is_a_refusal() {
        let mut talk = Conversation::new();
        talk.ask(method::REFRESH, 1, &[SIGNED]);
        assert_eq!(talk.answer(Class::Error, method::REFRESH, 1, &[STALE]), None);
        talk.ask(method::REFRESH, 2, &[SIGNED]);
        assert_eq!(talk.answer(Class::Success, method::REFRESH, 2, &[]), None);
        assert_eq!(talk.wait(10_000), []);

        talk.ask(method::REFRESH, 3, &[SIGNED]);
        talk.answer(Class::Error, method::REFRESH, 3, &[STALE]);
        assert!(matches!(talk.wait(5_001)[..], [Ice::TurnRefused { code: 438, .. }]));
    }

    #[test]
    fn a_server_that_does_not_answer_is_lost_once_until_it_answers_again() {
        let mut talk = Conversation::new();
        talk.ask(method::ALLOCATE, 1, &[]);
        talk.ask(method::ALLOCATE, 1, &[]);
        assert_eq!(talk.wait(5_000), []);
        let lost = talk.wait(1);
        let says = "no answer within 5 s to the request for a relay, sent 2 times".into();
        assert_eq!(lost, [Ice::TurnLost { server: label(), says }]);
        talk.ask(method::ALLOCATE, 2, &[]);
        assert_eq!(talk.wait(5_001), []);
    }

    #[test]
    fn silence_over_one_interface_is_no_loss_while_another_is_answered() {
        let mut talk = Conversation::new();
        talk.ask(method::ALLOCATE, 1, &[]);
        let first = std::mem::replace(&mut talk.local, SocketAddr::from(([172, 17, 0, 1], 4000)));
        talk.ask(method::ALLOCATE, 2, &[]);
        talk.local = first;
        talk.answer(Class::Error, method::ALLOCATE, 1, &[UNAUTHORIZED]);
        assert_eq!(talk.wait(5_001), []);
    }

    #[test]
    fn giving_a_relay_back_and_closing_the_socket_expect_no_answer() {
        let mut talk = Conversation::new();
        talk.ask(method::REFRESH, 1, &[(attribute::LIFETIME, &[0; 4]), SIGNED]);
        talk.ask(method::REFRESH, 2, &[(attribute::LIFETIME, &[0, 0, 2, 88]), SIGNED]);
        talk.ledger.socket_gone(talk.local);
        assert_eq!(talk.wait(5_001), []);
    }
}
