//! What a blind watcher would have seen, in words people know.

use record::Sense;

/// Before "could not be seen".
pub fn what(sense: Sense) -> &'static str {
    match sense {
        Sense::Network => "This computer's interfaces, addresses and routes",
        Sense::Resolvers => "Which name servers this computer asks",
        Sense::Wifi => "The radio link",
        Sense::Sleep => "What the system says of sleep",
        Sense::PowerSupply => "Whether this computer runs on battery",
        Sense::Memory => "How much memory is free",
        Sense::SystemProxy => "The system's setting of a web proxy",
        Sense::Load => "How busy this computer is",
        Sense::TcpInfo => "What this computer's kernel knows of each connection",
        Sense::Ice => "A part of how the media finds its way",
        Sense::Gateway => "Whether the gateway answers",
        Sense::NameServers => "Whether this computer's name servers answer",
        Sense::FarTcp => "Whether the far end takes new TCP connections",
        Sense::Controls => "A part of what is asked beside the call",
        Sense::Lanes => "A part of what is held beside the call",
        Sense::Turn => "How a TURN server treats a connection beside the call",
        Sense::UdpLadder => "How long the network keeps the way back of a quiet UDP flow open",
        Sense::Other => "Something that another version of this program watches",
    }
}
