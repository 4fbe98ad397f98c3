//! What crossed from one end to the other, from captures at both: a packet that left one and did not reach the other is the
//! direct proof of a loss, whoever lost it.

use super::capture::Packet;
use crate::packets::Head;
use record::Stamp;
use std::time::Duration;

#[derive(Clone, Copy)]
pub struct Ends<'a> {
    pub client: &'a [Packet],
    pub server: &'a [Packet],
}

/// No path of the lab's is as slow, and no number comes again as soon.
pub const UNDERWAY: Duration = Duration::from_millis(100);
/// Two readings of one clock, by two threads.
const ALIKE: Duration = Duration::from_millis(1);

impl<'a> Ends<'a> {
    /// The first of a flow from then on that left and did not arrive, either way; of what is underway at the end nothing is
    /// known.
    pub fn first_lost(self, is_of: impl Fn(&Head) -> bool, since: Stamp, over: Stamp) -> Option<&'a Packet> {
        let lost = |from: &'a [Packet], to: &[Packet]| {
            let sent = from.iter().filter(|packet| !packet.inward && packet.at >= since && is_of(&packet.head));
            let mut known = sent.take_while(|packet| packet.at.plus(UNDERWAY) < over);
            known.find(|packet| !arrived(packet, to))
        };
        [lost(self.client, self.server), lost(self.server, self.client)]
            .into_iter()
            .flatten()
            .min_by_key(|lost| lost.at)
    }
}

fn arrived(packet: &Packet, there: &[Packet]) -> bool {
    let from = there.partition_point(|other| other.at < packet.at.minus(ALIKE));
    let mut near = there[from..].iter().take_while(|other| other.at <= packet.at.plus(UNDERWAY));
    near.any(|other| other.inward && is_same(&other.head, &packet.head))
}

/// Ports may be translated underway, and a connection's numbers are its own.
fn is_same(one: &Head, other: &Head) -> bool {
    let number = |head: &Head| (head.tcp.map(|tcp| (tcp.number, tcp.acknowledges)), head.begins, head.then);
    number(one) == number(other)
}
