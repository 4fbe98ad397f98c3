//! What a page told, a line each: everything that its own API let it notice.

use record::Wall;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Said {
    #[serde(with = "milliseconds")]
    pub at: Wall,
    #[serde(flatten)]
    pub sign: Sign,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Sign {
    Browser {
        version: String,
    },
    /// The far end has welcomed it on this WebSocket.
    Opened {
        socket: String,
    },
    /// The pair that carries the media.
    Pair {
        port: u16,
        relayed: bool,
    },
    Ice {
        state: String,
    },
    Connection {
        state: String,
    },
    /// Nothing has arrived between two polls.
    Stalled,
    Flows,
    /// The beat was not answered in time.
    Late,
    Answered,
    Closed {
        socket: String,
        code: u16,
        reason: String,
        clean: bool,
    },
    SocketError {
        socket: String,
    },
    Offline,
    Online,
    /// The page's own timers did not ring.
    StoodStill {
        ms: f64,
    },
    Exception {
        says: String,
    },
    Console {
        says: String,
    },
}

impl Sign {
    /// What it says of a loss, if anything, in the words of the table.
    pub fn of_a_loss(&self) -> Option<String> {
        Some(match self {
            Self::Ice { state } if matches!(state.as_str(), "disconnected" | "failed") => "ICE disconnected".into(),
            Self::Stalled => "stalled".into(),
            Self::Late => "beat late".into(),
            Self::Closed { code, .. } => format!("closed {code}"),
            Self::Offline => "offline".into(),
            Self::StoodStill { .. } => "timers stood still".into(),
            Self::Exception { .. } => "exception".into(),
            _ => return None,
        })
    }
}

/// A page reads the wall clock in milliseconds with a fraction.
mod milliseconds {
    use super::Wall;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &Wall, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(at.micros() as f64 / 1e3)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Wall, D::Error> {
        f64::deserialize(from).map(|ms| Wall::from_micros((ms * 1e3) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_page_is_read() {
        let line = r#"{"at":1795296679797.5,"kind":"closed","socket":"idle","code":1006,"reason":"","clean":false}"#;
        let said: Said = serde_json::from_str(line).expect("as the page writes it");
        assert_eq!(said.at, Wall::from_micros(1_795_296_679_797_500));
        assert_eq!(said.sign.of_a_loss().as_deref(), Some("closed 1006"));
        let again: Said =
            serde_json::from_str(&serde_json::to_string(&said).expect("plain data")).expect("just written");
        assert_eq!(again, said);
    }

    #[test]
    fn good_news_is_no_loss() {
        let connected = Sign::Ice { state: "connected".into() };
        for sign in [connected, Sign::Flows, Sign::Answered, Sign::Online] {
            assert_eq!(sign.of_a_loss(), None);
        }
    }
}
