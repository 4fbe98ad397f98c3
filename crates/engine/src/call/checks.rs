//! Our own connectivity checks: which were answered, how fast, and when last.
//!
//! A response belongs to the request whose transaction id it carries: 96 random bits that only somebody on the path can
//! know. Its integrity is checked by the stack, which knows the passwords.

use super::wire::{Class, Stun, attribute, method};
use record::Stamp;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Default)]
pub struct Checks {
    waiting: BTreeMap<[u8; 12], Stamp>,
}

/// An answer that comes later than consent lasts proves nothing any more.
const FORGET_AFTER: Duration = Duration::from_secs(30);

/// Only ICE names a user in a Binding request; a server asked for our public address is not the far end.
pub fn is_check(stun: &Stun<'_>) -> bool {
    stun.method == method::BINDING && stun.class == Class::Request && stun.has(attribute::USERNAME)
}

impl Checks {
    pub fn sent(&mut self, at: Stamp, stun: &Stun<'_>) {
        if is_check(stun) {
            self.waiting.insert(stun.id, at);
        }
    }

    /// The round trip, if this answers one of our checks with success.
    pub fn heard(&mut self, at: Stamp, stun: &Stun<'_>) -> Option<Duration> {
        if stun.method != method::BINDING || stun.class != Class::Success {
            return None;
        }
        self.waiting.remove(&stun.id).map(|sent| at.since(sent))
    }

    pub fn tick(&mut self, now: Stamp) {
        self.waiting.retain(|_, sent| now.since(*sent) <= FORGET_AFTER);
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Kind, build, look};
    use super::*;

    fn read(message: &[u8]) -> Stun<'_> {
        let Kind::Stun(stun) = look(message) else { panic!("a STUN message") };
        stun
    }

    #[test]
    fn only_an_answer_to_a_check_of_ours_counts_and_only_once() {
        let sent = Stamp::new(0, 1_000_000, 1_000_000);
        let later = sent.plus(Duration::from_millis(30));
        let mut checks = Checks::default();
        let request = build::stun(Class::Request, method::BINDING, 1, &[(attribute::USERNAME, b"far:near")]);
        let to_a_server = build::stun(Class::Request, method::BINDING, 2, &[]);
        checks.sent(sent, &read(&request));
        checks.sent(sent, &read(&to_a_server));

        let answer = |id| build::stun(Class::Success, method::BINDING, id, &[]);
        assert_eq!(checks.heard(later, &read(&answer(2))), None);
        assert_eq!(checks.heard(later, &read(&answer(3))), None, "never asked");
        let refused = build::stun(Class::Error, method::BINDING, 1, &[]);
        assert_eq!(checks.heard(later, &read(&refused)), None);
        assert_eq!(checks.heard(later, &read(&answer(1))), Some(Duration::from_millis(30)));
        assert_eq!(checks.heard(later, &read(&answer(1))), None, "a repeated answer is no new proof of life");
    }

    #[test]
    fn unanswered_checks_do_not_pile_up() {
        let mut checks = Checks::default();
        let start = Stamp::new(0, 1_000_000, 1_000_000);
        let request = build::stun(Class::Request, method::BINDING, 1, &[(attribute::USERNAME, b"x")]);
        checks.sent(start, &read(&request));
        checks.tick(start.plus(FORGET_AFTER + Duration::from_millis(1)));
        assert!(checks.waiting.is_empty());
    }
}
