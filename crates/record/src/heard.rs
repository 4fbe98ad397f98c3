//! `Heard`: a text that came from the network, made harmless on arrival.
//!
//! Close reasons, server names and error texts are written by strangers. They are kept short, on one line, and without
//! characters that could steer a terminal or reorder what a reader sees.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize)]
pub struct Heard(String);

/// A WebSocket close reason holds 123 bytes at most; nothing else we keep needs more.
const LONGEST: usize = 123;

impl Heard {
    pub fn new(text: &str) -> Self {
        let mut kept: String =
            text.chars().map(|c| if harmless(c) { c } else { '\u{fffd}' }).take(LONGEST + 1).collect();
        if kept.chars().count() > LONGEST {
            kept = kept.chars().take(LONGEST - 1).collect();
            kept.push('…');
        }
        Self(kept)
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Printable, and not one of the invisible marks that turn the direction of writing.
fn harmless(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'))
}

impl From<&str> for Heard {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Heard {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // A bundle may have been written by anyone: it is heard again.
        String::deserialize(from).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_cannot_steer_the_terminal_or_the_reader() {
        assert_eq!(Heard::new("\x1b[2Jgone\r\n").as_str(), "\u{fffd}[2Jgone\u{fffd}\u{fffd}");
        assert_eq!(Heard::new("a\u{202e}b").as_str(), "a\u{fffd}b");
        assert_eq!(Heard::new("Grüße 你好").as_str(), "Grüße 你好");
        assert_eq!(Heard::new(&"x".repeat(5_000)).as_str().chars().count(), LONGEST);
        assert_eq!(Heard::new(&"é".repeat(LONGEST)).as_str(), "é".repeat(LONGEST));
    }
}
