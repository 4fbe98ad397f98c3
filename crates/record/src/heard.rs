//! `Heard`: a text that came from the network, made harmless on arrival.
//!
//! Close reasons, server names and error texts are written by strangers. They are kept short, on one line, and without
//! characters that could steer a terminal or reorder what a reader sees. A stranger who was told a secret may repeat it:
//! `Scrub` takes those out first.

use crate::Private;
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

/// The secrets of a run, which must not come back into its log in somebody else's words.
#[derive(Clone, Debug, Default)]
pub struct Scrub(Vec<Private<String>>);

/// What stands where a secret stood.
const KEPT_PRIVATE: &str = "(kept private)";
/// Anything shorter occurs by chance in ordinary words, and replacing it would only spoil the sentence.
const SHORTEST_SECRET: usize = 4;

impl Scrub {
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        Self::default().and(secrets)
    }

    #[must_use]
    pub fn and(mut self, secrets: impl IntoIterator<Item = String>) -> Self {
        let worth_hiding = secrets.into_iter().filter(|secret| secret.chars().count() >= SHORTEST_SECRET);
        self.0.extend(worth_hiding.map(Private::new));
        // The longest first: one secret may hold another.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.reveal().len()));
        self
    }

    pub fn hear(&self, text: &str) -> Heard {
        Heard::new(&self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), KEPT_PRIVATE)))
    }

    /// For what was made harmless before the secrets were known: a secret at its end may have been cut off there.
    pub fn rehear(&self, heard: &Heard) -> Heard {
        let Some(whole) = heard.as_str().strip_suffix('…') else { return self.hear(heard.as_str()) };
        let cut = self.0.iter().find_map(|secret| {
            let begun = secret.reveal().char_indices().map(|(i, _)| &secret.reveal()[..i]).rev();
            let mut begun = begun.take_while(|begun| begun.chars().count() >= SHORTEST_SECRET);
            begun.find_map(|begun| whole.strip_suffix(begun))
        });
        self.hear(&cut.map_or_else(|| heard.as_str().to_owned(), |before| format!("{before}{KEPT_PRIVATE}")))
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

    #[test]
    fn a_secret_in_a_strangers_words_is_taken_out_wherever_it_stands() {
        let scrub = Scrub::new(["hunter2", "hunter2-and-more", "abc"].map(str::to_owned));
        let kept = |text: &str| scrub.hear(text).as_str().to_owned();
        assert_eq!(kept("no hunter2, hunter2-and-more"), "no (kept private), (kept private)");
        assert_eq!(kept("abc is too short to be told from a word"), "abc is too short to be told from a word");
        assert!(!format!("{scrub:?}").contains("hunter2"));
    }

    #[test]
    fn a_secret_that_was_cut_off_at_the_end_is_taken_out_too() {
        let scrub = Scrub::new(["a-long-secret".to_owned()]);
        let cut = Heard::new(&format!("{}a-long-secret", "x".repeat(115)));
        assert!(cut.as_str().ends_with("a-long-…"), "{cut}");
        assert!(!scrub.rehear(&cut).as_str().contains("a-l"), "{}", scrub.rehear(&cut));
        assert_eq!(scrub.rehear(&"plain".into()), "plain".into());
    }
}
