//! What is watched, each by one that may turn out to be blind.

use serde::{Deserialize, Serialize};

/// In the singular words of a log. A new one does not compile until `explain` can say what it would have seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sense {
    Network,
    Resolvers,
    Wifi,
    Sleep,
    #[serde(rename = "power supply")]
    PowerSupply,
    Memory,
    #[serde(rename = "system proxy")]
    SystemProxy,
    Load,
    /// What the kernel tells of a connection.
    TcpInfo,
    Ice,
    Gateway,
    NameServers,
    FarTcp,
    /// A control that could not be put to work.
    Controls,
    Lanes,
    Turn,
    UdpLadder,
    /// Of a version that watched what this one does not know.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_versions_are_read() {
        let read = |text| serde_json::from_str::<Sense>(text).expect("any word");
        assert_eq!(read("\"power supply\""), Sense::PowerSupply);
        assert_eq!(read("\"far_tcp\""), Sense::FarTcp);
        assert_eq!(read("\"thermal\""), Sense::Other);
    }
}
