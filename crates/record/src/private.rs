//! `Private<T>`: a secret that can be neither printed nor serialised.
//!
//! It has no `Display` and no `Serialize`, so a secret in a log line or a bundle does not compile; its `Debug` says only
//! that something is there. The one way to the value is `reveal`, which is easy to search for.

use serde::{Deserialize, Deserializer, de};
use std::fmt;

#[derive(Clone, PartialEq, Eq)]
pub struct Private<T>(T);

impl<T> Private<T> {
    pub const fn new(secret: T) -> Self {
        Self(secret)
    }

    /// Hands the secret to the one place that must send it.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(kept private)")
    }
}

/// Only from text, and a wrong type is refused without repeating the value, which could be the secret in a wrong shape.
impl<'de> Deserialize<'de> for Private<String> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Private<String>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in quotes")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Private::new(v.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
                Err(E::custom("a secret must be a text in quotes"))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
                Err(E::custom("a secret must be a text in quotes"))
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
                Err(E::custom("a secret must be a text in quotes"))
            }
        }
        from.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing_of_the_secret() {
        let kept = Private::new("hunter2".to_owned());
        assert_eq!(format!("{kept:?} {:#?}", Some(&kept)), "(kept private) Some(\n    (kept private),\n)");
        assert_eq!(kept.reveal(), "hunter2");
    }

    #[test]
    fn a_secret_of_a_wrong_type_is_refused_without_repeating_it() {
        for wrong in ["20261121", "2026.5", "true", "[\"hunter2\"]"] {
            let text = format!("token = {wrong}");
            #[derive(Deserialize, Debug)]
            struct Holder {
                #[serde(rename = "token")]
                _token: Private<String>,
            }
            let error = toml::from_str::<Holder>(&text).expect_err("must be refused");
            assert!(!error.message().contains("hunter2") && !error.message().contains("2026"), "{}", error.message());
        }
    }
}
