//! `Recipient`: to whom a bundle is encrypted, as age writes it: `age1…`. It is the public half of an identity; who has it can
//! encrypt, and open nothing.

use bech32::{Bech32, primitives::decode::CheckedHrpstring};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipient(String);

const KIND: &str = "age";
const SECRET: &str = "age-secret-key-";
const BYTES: usize = 32;

/// Points of small order: whatever is encrypted to one of them, its key is zero and everybody knows it. The library takes
/// that for a broken source of randomness, and panics.
const NO_KEYS: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

impl Recipient {
    /// The reason never repeats the text, which may be a secret in the wrong place.
    pub fn parse(text: &str) -> Result<Self, String> {
        const LOOKS: &str =
            "it is one word of 62 letters and digits that begins with age1, as `linewitness identity FILE` prints it";
        let text = text.trim();
        if text.to_ascii_lowercase().starts_with(SECRET) {
            return Err("share.recipient holds an identity, which is the secret that opens reports: keep it to yourself, make a new one because this file has shown it, and write its recipient here, which begins with age1".into());
        }
        let no_recipient = |_| format!("share.recipient is no age recipient: {LOOKS}");
        let read = CheckedHrpstring::new::<Bech32>(text).map_err(no_recipient)?;
        let bytes: Vec<u8> = read.byte_iter().collect();
        if read.hrp().as_str() != KIND || bytes.len() != BYTES {
            return Err(format!(
                "share.recipient is a recipient of a kind that this version cannot encrypt to: {LOOKS}"
            ));
        }
        let mut point = bytes;
        // Its highest bit says nothing.
        point[BYTES - 1] &= 0x7f;
        if NO_KEYS.contains(&crate::bundle::hex(&point).as_str()) {
            return Err("share.recipient is no one's key: anybody could open what is encrypted to it; ask for the recipient again".into());
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Recipient {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}
impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

    #[test]
    fn a_recipient_is_its_word_and_what_is_none_is_told_apart() {
        assert_eq!(Recipient::parse(&format!(" {OURS}\n")).map(String::from), Ok(OURS.to_owned()));
        let says = |text: &str| Recipient::parse(text).expect_err(text);
        let one_letter = OURS.replacen("t7", "t8", 1);
        for none in ["", "age1x", "age1", &OURS[..40], &one_letter, "desk@example.org", "ssh-ed25519 AAAA", "äge1"] {
            assert!(says(none).contains("begins with age1"), "{none}");
        }
        let other = bech32::encode::<Bech32>(bech32::Hrp::parse("age1tag").expect("a name"), &[2; 33]).expect("short");
        assert!(says(&other).contains("of a kind"), "{other}");
        let secret = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        assert!(says(secret).contains("identity") && !says(secret).contains("GQ9778"), "{}", says(secret));
    }

    #[test]
    fn what_would_be_a_key_for_everybody_is_none() {
        for point in NO_KEYS {
            let mut bytes: Vec<u8> =
                (0..BYTES).map(|at| u8::from_str_radix(&point[at * 2..at * 2 + 2], 16).expect("hexadecimal")).collect();
            for high in [0, 0x80] {
                bytes[BYTES - 1] |= high;
                let word = bech32::encode::<Bech32>(bech32::Hrp::parse(KIND).expect("a name"), &bytes).expect("short");
                assert!(Recipient::parse(&word).expect_err(point).contains("anybody"), "{point}");
            }
        }
    }
}
