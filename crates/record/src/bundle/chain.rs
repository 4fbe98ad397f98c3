//! The chain over a bundle's events. Each line carries a short link to the one before it, so that what was removed, put in,
//! moved or altered is found and can be named, also where the hashes in `about.json` were made to fit.
//!
//! ```text
//! {"seq":412,…}                      as it was recorded
//! {"seq":412,…,"link":"9f3ac1d2"}    in a bundle: 32 bits of SHA-256 over the link before it and the line as recorded
//! ```
//!
//! It finds accidents and edits by hand. It is no signature: whoever computes all links anew can write what they like, and
//! nothing here says who wrote a bundle.

use crate::damage::Damage;
use breaks::breaks;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

mod breaks;

/// What `about.json` says of the events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chain {
    /// How many carry a link.
    pub events: u64,
    /// SHA-256 over all links, in hexadecimal: the one value that stands for them all.
    pub head: String,
}

/// What a bundle's links say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Links {
    /// Written before there were any.
    None,
    Hold {
        events: u64,
    },
    Broken,
}

type Link = [u8; 8];

/// Before the first event.
const START: Link = *b"00000000";
const BEFORE: &[u8] = br#","link":""#;
const AFTER: &[u8] = br#""}"#;
const SUFFIX: usize = BEFORE.len() + START.len() + AFTER.len();

/// The events as they stand in a bundle. A line that broke off, as after a crash, stays as it is.
pub fn linked(events: &[u8]) -> (Vec<u8>, Chain) {
    let mut out = Vec::with_capacity(events.len() + events.len() / 8);
    let (mut last, mut count, mut head) = (START, 0, Sha256::new());
    for line in events.split_inclusive(|byte| *byte == b'\n') {
        let (text, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |text| (text, b"\n"));
        let text = text.trim_ascii_end();
        let before = split(text).map(|(recorded, _)| recorded);
        let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
        let whole = !end.is_empty() || before.is_some() || is_json();
        let recorded = before.or_else(|| text.strip_suffix(b"}"));
        match recorded.filter(|_| whole) {
            Some(recorded) => {
                last = link(last, recorded);
                count += 1;
                head.update(last);
                [recorded, BEFORE, &last, AFTER, end].iter().for_each(|part| out.extend_from_slice(part));
            }
            None => out.extend_from_slice(line),
        }
    }
    (out, Chain { events: count, head: super::hex(&head.finalize()) })
}

/// Whether each line fits the one before it, and all of them what `about.json` tells, where that can be read; and what does
/// not.
pub fn check(events: &[u8], about: Option<Option<&Chain>>) -> (Links, Vec<Damage>) {
    let told = about.flatten();
    let (mut last, mut count, mut head) = (START, 0, Sha256::new());
    let mut fits = true;
    let mut without = false;
    for line in lines(events) {
        match split(line) {
            Some((recorded, link)) => {
                fits &= link == self::link(last, recorded);
                last = link;
                count += 1;
                head.update(link);
            }
            // What is no event has no link either; the log tells of it.
            None => without = without || serde_json::from_slice::<crate::Event>(line).is_ok(),
        }
    }
    if count == 0 {
        return match told {
            Some(told) if told.events > 0 => (Links::Broken, vec![Damage::LinksRemoved]),
            _ => (Links::None, vec![]),
        };
    }
    let mut damage = if fits && !without { vec![] } else { breaks(events, told) };
    if damage.is_empty() {
        damage.extend(match told {
            None => about.map(|_| Damage::HeadRemoved),
            Some(told) if told.events > count => {
                let (after, at) = breaks::end(events);
                Some(Damage::CutEnd { after, count: told.events - count, at })
            }
            Some(told) if told.events < count => Some(Damage::OtherCount { told: told.events, here: count }),
            Some(told) if told.head != super::hex(&head.finalize()) => Some(Damage::OtherHead),
            Some(_) => None,
        });
    }
    (if damage.is_empty() { Links::Hold { events: count } } else { Links::Broken }, damage)
}

fn lines(events: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = events.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.iter().all(u8::is_ascii_whitespace))
}

/// The line as recorded, without its last brace; and its link.
fn split(line: &[u8]) -> Option<(&[u8], Link)> {
    let (recorded, suffix) = line.split_at_checked(line.len().checked_sub(SUFFIX)?)?;
    let link: Link = suffix.strip_prefix(BEFORE)?.strip_suffix(AFTER)?.try_into().ok()?;
    link.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')).then_some((recorded, link))
}

fn link(before: Link, recorded: &[u8]) -> Link {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::new().chain_update(before).chain_update(recorded).chain_update(b"}").finalize();
    let mut link = START;
    for (digits, byte) in link.chunks_exact_mut(2).zip(digest.iter()) {
        digits.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    link
}

#[cfg(test)]
mod tests;
