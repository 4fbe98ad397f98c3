//! `Said`: what somebody put into words of his own, with everything taken out that is not plainly a word or a small number.
//!
//! Close reasons, names of servers and errors are written by strangers, who may repeat a token, a caller's number, an
//! address or a path. Nobody can list what is private, so what may stay is listed instead (`said/shapes.rs`), and whatever
//! else stood there is one mark. It is done on arrival, and again with whatever is read: a bundle may have been written by
//! anyone.

use crate::Heard;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

mod shapes;

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct Said(String);

/// What stands where something was left out.
pub const LEFT_OUT: &str = "[left out]";
/// A WebSocket close reason holds 123 bytes at most, and a mark may be longer than what it stands for.
const LONGEST: usize = 160;
/// Of a text without end no more than this is looked at.
const MOST_READ: usize = 4_096;
/// Numbers side by side are one number in groups; more digits than a port has belong to somebody.
const MOST_DIGITS: usize = 5;

impl Said {
    pub fn new(text: &str) -> Self {
        let (mut kept, mut length): (Vec<&str>, usize) = (Vec::new(), 0);
        let mut before = Before::default();
        let mut tokens = some_of(text).split(is_between).filter(|token| !token.is_empty()).peekable();
        while let Some(token) = tokens.next() {
            let marked = token == "[left" && tokens.next_if_eq(&"out]").is_some();
            let piece = match !marked && before.lets(token) && shapes::is_known(token) {
                true => token,
                false => LEFT_OUT,
            };
            before.was(if marked { "" } else { token });
            if piece == LEFT_OUT && kept.last() == Some(&LEFT_OUT) {
                continue;
            }
            length += piece.chars().count() + 1;
            // Cut between words: half of one may look like another. The last place is for the mark of the cut.
            if length + CUT.len() > LONGEST {
                kept.push(CUT);
                break;
            }
            kept.push(piece);
        }
        Self(kept.join(" "))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// In how many places something is missing.
    pub fn left_out(&self) -> usize {
        self.0.matches(LEFT_OUT).count()
    }
}

const CUT: &str = "…";

/// `Heard` writes the second of them for whatever cannot be shown.
fn is_between(c: char) -> bool {
    c.is_whitespace() || c == '\u{fffd}' || c.is_control()
}

/// Whole words alone.
fn some_of(text: &str) -> &str {
    let Some((end, _)) = text.char_indices().nth(MOST_READ) else { return text };
    &text[..text[..end].rfind(is_between).unwrap_or(end)]
}

/// What stood before a token, as far as it says what the token is.
#[derive(Default)]
struct Before {
    digits: usize,
    secret: Secret,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Secret {
    #[default]
    Unnamed,
    /// "password", and no sign yet that it follows.
    Named,
    Next,
}

impl Before {
    fn lets(&self, token: &str) -> bool {
        let digits = shapes::digits_of_number(token);
        self.secret != Secret::Next && (digits == 0 || self.digits + digits <= MOST_DIGITS)
    }

    fn was(&mut self, token: &str) {
        let digits = shapes::digits_of_number(token);
        self.digits = if digits == 0 { 0 } else { self.digits + digits };
        let (named, sign) = (shapes::names_a_secret(token), token.ends_with([':', '=']));
        self.secret = match self.secret {
            _ if shapes::names_a_login(token) => Secret::Next,
            Secret::Named if matches!(token, "=" | ":") => Secret::Next,
            _ if named && sign => Secret::Next,
            _ if named => Secret::Named,
            _ => Secret::Unnamed,
        };
    }
}

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<Heard> for Said {
    fn from(heard: Heard) -> Self {
        Self::new(heard.as_str())
    }
}
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests;
