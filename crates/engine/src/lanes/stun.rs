//! STUN requests of our own making: the library writes and signs them, `call::wire` reads what is answered.

use crate::call::wire::{self, Class, Kind, Stun};
use record::{Scrub, fact::Trouble};
use rtc::crypto::{RTCCryptoProvider, default_provider};
use rtc::stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME, AttrType};
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{Message, Setter, TransactionId};
use std::io;
use std::sync::Arc;

/// Nobody must be able to guess it, or an answer could be made up.
pub type Id = [u8; 12];

pub fn new_id() -> io::Result<Id> {
    let mut id = [0; 12];
    getrandom::fill(&mut id).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(id)
}

pub fn request(method: u16, id: Id, attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
    unsigned(method, id, attributes).raw
}

fn unsigned(method: u16, id: Id, attributes: &[(u16, Vec<u8>)]) -> Message {
    let mut message = Message::new();
    message.transaction_id = TransactionId(id);
    // A request's class is no bit at all, so its type is the method.
    message.typ.read_value(method);
    message.write_header();
    for (kind, value) in attributes {
        message.add(AttrType(*kind), value);
    }
    message
}

/// What a server's challenge and our credentials make together (RFC 8489, 9.2).
pub struct Signature {
    username: String,
    realm: String,
    nonce: Vec<u8>,
    key: Vec<u8>,
    crypto: Arc<dyn RTCCryptoProvider>,
}

/// RFC 8489 allows 763 bytes to both.
const LONGEST: usize = 763;

impl Signature {
    /// From the refusal that carries the challenge; nothing where it carries none.
    pub fn of(refusal: &Stun<'_>, username: &str, password: &str) -> Option<Self> {
        let realm = refusal.attribute(ATTR_REALM.value()).filter(|realm| realm.len() <= LONGEST)?;
        let realm = std::str::from_utf8(realm).ok()?.to_owned();
        let nonce = refusal.attribute(ATTR_NONCE.value()).filter(|nonce| nonce.len() <= LONGEST)?.to_owned();
        let crypto = default_provider().ok()?;
        let (username, password) = (username.to_owned(), password.to_owned());
        let key = MessageIntegrity::long_term_integrity_key(username.clone(), realm.clone(), password, crypto.crypto())
            .ok()?;
        Some(Self { username, realm, nonce, key, crypto })
    }

    pub fn request(&self, method: u16, id: Id, attributes: &[(u16, Vec<u8>)]) -> Option<Vec<u8>> {
        let mut message = unsigned(method, id, attributes);
        message.add(ATTR_USERNAME, self.username.as_bytes());
        message.add(ATTR_REALM, self.realm.as_bytes());
        message.add(ATTR_NONCE, &self.nonce);
        self.integrity().add_to(&mut message).ok()?;
        Some(message.raw)
    }

    /// Whether a success was said by somebody who knows the password too.
    pub fn verifies(&self, answer: &[u8]) -> bool {
        let mut message = Message::new();
        message.raw = answer.to_vec();
        message.decode().is_ok() && MessageIntegrity::check(&mut message, &self.key, self.crypto.crypto()).is_ok()
    }

    fn integrity(&self) -> MessageIntegrity<'_> {
        MessageIntegrity::new_raw_integrity_with_provider(self.key.clone(), self.crypto.crypto())
    }
}

/// The answer to this request, if the datagram is it.
pub fn answer_to<'a>(id: &Id, datagram: &'a [u8]) -> Option<Stun<'a>> {
    match wire::look(datagram) {
        Kind::Stun(stun) if stun.id == *id && matches!(stun.class, Class::Success | Class::Error) => Some(stun),
        _ => None,
    }
}

/// A server knows our credentials, and may repeat them.
pub fn refusal(stun: &Stun<'_>, scrub: &Scrub) -> Trouble {
    let (code, says) = stun.error().unwrap_or_default();
    Trouble::Stun { code, says: scrub.hear(&says).into() }
}
