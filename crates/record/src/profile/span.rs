//! `Span`: a length of time as people write it: `90s`, `15m`, `1h30m`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span(Duration);

impl Span {
    pub const fn seconds(s: u64) -> Self {
        Self(Duration::from_secs(s))
    }
    pub const fn get(self) -> Duration {
        self.0
    }
    /// Between a millisecond and a week: zero holds nothing, and a longer hold is a slip of the pen.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shown: String = text.chars().take(24).collect();
        if text.trim().parse::<f64>().is_ok() {
            return Err(format!("\"{shown}\" has no unit; write 90s, 15m or 1h30m"));
        }
        let parsed: jiff::SignedDuration =
            text.parse().map_err(|_| format!("\"{shown}\" is not a length of time; write 90s, 15m or 1h30m"))?;
        let length = Duration::try_from(parsed).map_err(|_| format!("\"{shown}\" is a negative length of time"))?;
        if length < Duration::from_millis(1) || length > Duration::from_secs(7 * 86_400) {
            return Err(format!("\"{shown}\" is out of range; a length of time lies between 1ms and 7 days"));
        }
        Ok(Self(length))
    }
}

impl std::str::FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}
/// The shortest way of writing it with whole units.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, ms) = (self.0.as_secs(), self.0.subsec_millis());
        for (n, unit) in [(s / 3600, "h"), (s / 60 % 60, "m"), (s % 60, "s"), (u64::from(ms), "ms")] {
            if n > 0 {
                write!(f, "{n}{unit}")?;
            }
        }
        Ok(())
    }
}
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time in quotes, such as \"90s\" or \"15m\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                Span::parse(text).map_err(E::custom)
            }
        }
        from.deserialize_str(Text)
    }
}
