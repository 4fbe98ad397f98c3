//! From an open socket to a call: the hello, the token, the limits; or the ticket of a call that stands.

use crate::account::Account;
use crate::call::{Call, Input};
use crate::metrics::Disconnect;
use crate::server::House;
use crate::socket::{self, Incoming, Socket};
use record::{
    Heard,
    fact::RefusalKind,
    wire::{FromClient, FromFar, Sealed},
};
use ring::hmac;
use std::sync::Arc;
use tokio::sync::mpsc::unbounded_channel;

/// Runs the call as well, if one comes of it. `greeted` is told when it begins.
pub async fn greet(mut socket: Socket, house: Arc<House>, greeted: impl FnOnce()) {
    // Once for a call to be resumed, once more for a new one when that is gone; whoever needs more is guessing.
    const HELLOS: u32 = 3;
    for _ in 0..HELLOS {
        let hello = tokio::select! {
            biased;
            () = house.stopping() => {
                house.metrics.disconnected(Disconnect::Shutdown);
                return socket.close(code::GOING_AWAY, "the reflector stops").await;
            }
            hello = tokio::time::timeout(house.settings.limits.greeting, first_word(&mut socket)) => hello,
        };
        let hello = match hello {
            Ok(Ok(hello)) => hello,
            Ok(Err(Unheard::Ended(why))) => return house.metrics.disconnected(why),
            Ok(Err(Unheard::No(no))) => return turn_away(socket, &house, no).await,
            Err(_) => return turn_away(socket, &house, No::bad_request(code::POLICY, "no hello came in time")).await,
        };
        tracing::debug!(remote = %socket.remote, client = %hello.client, "hello");
        if !house.token.admits(hello.token.as_ref()) {
            let says = "the token is wrong, or missing";
            let no = No { why: Disconnect::Auth, kind: RefusalKind::Auth, code: code::POLICY, says: says.into() };
            return turn_away(socket, &house, no).await;
        }
        let Some(ticket) = hello.resume else { return begin(socket, house, greeted).await };
        if let Some(to_call) = house.calls.by_ticket(ticket.0.reveal()) {
            match to_call.send(Input::Attach(Box::new(socket))) {
                Ok(()) => return,
                // It ended in this very moment.
                Err(back) => {
                    let Input::Attach(back) = back.0 else { return };
                    socket = *back;
                }
            }
        }
        let says = Heard::new("no call belongs to this ticket any more; say hello without it for a new one");
        let refused = FromFar::Refused { kind: RefusalKind::NoSuchCall, code: "resume".into(), says };
        if let Err(end) = socket.say(&refused).await {
            return house.metrics.disconnected(socket::reason(&end));
        }
    }
    turn_away(socket, &house, No::bad_request(code::POLICY, "too many tickets of calls that are gone")).await;
}

mod code {
    pub const GOING_AWAY: u16 = 1001;
    pub const POLICY: u16 = 1008;
    pub const TRY_AGAIN_LATER: u16 = 1013;
}

async fn begin(socket: Socket, house: Arc<House>, greeted: impl FnOnce()) {
    let (to_call, mailbox) = unbounded_channel();
    let to_account = to_call.clone();
    let account = Arc::new(Account::new(house.clock.clone(), move |at, sight| {
        // A call that has ended has told its totals already.
        let _ended = to_account.send(Input::Saw { at, sight });
    }));
    let (id, ticket, lanes_ticket) = match (random_hex::<4>(), random_hex::<16>(), random_hex::<16>()) {
        (Ok(id), Ok(ticket), Ok(lanes_ticket)) => (id, ticket, lanes_ticket),
        (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => {
            tracing::error!(%error, "the system gives no random numbers, so no call can be given a ticket");
            let no = No::overloaded("the reflector cannot make tickets now".into());
            return turn_away(socket, &house, no).await;
        }
    };
    match house.calls.take_seat(socket.remote.ip(), &ticket, to_call.clone(), Arc::clone(&account)) {
        Err(says) => turn_away(socket, &house, No::overloaded(says)).await,
        Ok(seat) => {
            greeted();
            let desk = house.desks.open(lanes_ticket, socket.remote.ip(), to_call.clone());
            let call = Call { id, ticket, house, account, desk, seat, mailbox, to_self: to_call };
            call.hold(socket).await;
        }
    }
}

struct Hello {
    client: Heard,
    token: Option<Sealed>,
    resume: Option<Sealed>,
}

enum Unheard {
    No(No),
    Ended(Disconnect),
}

struct No {
    why: Disconnect,
    kind: RefusalKind,
    code: u16,
    says: String,
}

impl No {
    fn bad_request(code: u16, says: &str) -> Self {
        Self { why: Disconnect::BadRequest, kind: RefusalKind::BadRequest, code, says: says.into() }
    }
    fn overloaded(says: String) -> Self {
        Self { why: Disconnect::Overloaded, kind: RefusalKind::Overloaded, code: code::TRY_AGAIN_LATER, says }
    }
}

async fn first_word(socket: &mut Socket) -> Result<Hello, Unheard> {
    loop {
        return match socket.next().await {
            Incoming::Alive | Incoming::Heard(_) => continue,
            Incoming::Message(FromClient::Hello { client, token, resume, quiet }) => {
                socket.quiet = quiet;
                Ok(Hello { client, token, resume })
            }
            Incoming::Message(_) => Err(Unheard::No(No::bad_request(code::POLICY, "the first message must be hello"))),
            Incoming::Wrong(wrong) => {
                let kind = match wrong.why {
                    Disconnect::TooLarge => RefusalKind::TooLarge,
                    _ => RefusalKind::BadRequest,
                };
                Err(Unheard::No(No { why: wrong.why, kind, code: wrong.code, says: wrong.says }))
            }
            Incoming::Ended(end) => Err(Unheard::Ended(socket::reason(&end))),
        };
    }
}

async fn turn_away(mut socket: Socket, house: &House, no: No) {
    tracing::debug!(remote = %socket.remote, kind = ?no.kind, says = no.says, "turned away");
    house.metrics.disconnected(no.why);
    let refused =
        FromFar::Refused { kind: no.kind, code: no.code.to_string().as_str().into(), says: no.says.as_str().into() };
    if socket.say(&refused).await.is_ok() {
        socket.close(no.code, &no.says).await;
    }
}

/// The token of this reflector, if there is one. Kept as a MAC under a key of this run, which makes the comparison take
/// the same time whatever was offered.
pub struct Token(Option<(hmac::Key, hmac::Tag)>);

impl Token {
    pub fn new(token: Option<&str>) -> anyhow::Result<Self> {
        let Some(token) = token else { return Ok(Self(None)) };
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())
            .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
        let tag = hmac::sign(&key, token.as_bytes());
        Ok(Self(Some((key, tag))))
    }

    fn admits(&self, offered: Option<&Sealed>) -> bool {
        let Some((key, tag)) = &self.0 else { return true };
        offered.is_some_and(|offered| hmac::verify(key, offered.0.reveal().as_bytes(), tag.as_ref()).is_ok())
    }
}

pub fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_is_admitted_and_without_one_everybody() {
        let sealed = |text: &str| Sealed::new(text.into());
        let token = Token::new(Some("open sesame")).unwrap();
        assert!(token.admits(Some(&sealed("open sesame"))));
        for wrong in ["", "open sesam", "open sesame ", "Open sesame"] {
            assert!(!token.admits(Some(&sealed(wrong))), "{wrong:?}");
        }
        assert!(!token.admits(None));
        let open = Token::new(None).unwrap();
        assert!(open.admits(None) && open.admits(Some(&sealed("anything"))));
    }
}
