//! How this computer's flows look beyond a NAT, as servers that were asked and the far end saw them.

use super::{At, Timeline};
use record::{IpPort, Stamp};

#[derive(Clone, Copy)]
pub struct Outside {
    pub at: At,
    /// Ours, of the flow that was looked at.
    pub local: IpPort,
    pub seen: IpPort,
    /// By a server that was asked for it, and not by the far end.
    pub by_server: bool,
}

impl Timeline<'_> {
    /// The address and port of ours from which a server was asked last up to then: it is told with how the server sees it.
    pub fn asked_from(&self, server: &str, by: Stamp) -> Option<IpPort> {
        let public = self.between.public.iter().rev();
        public.filter(|seen| seen.at.stamp <= by).find(|seen| seen.server.as_str() == server).map(|seen| seen.local)
    }

    /// Before this moment. What the far end sees behind a front of its own is the front, and says nothing of a NAT.
    pub fn outside(&self, before: Stamp) -> impl Iterator<Item = Outside> {
        let asked = self.between.public.iter();
        let by_server =
            asked.map(|seen| Outside { at: seen.at, local: seen.local, seen: seen.public, by_server: true });
        let by_far_end = self.lanes.iter().filter_map(|lane| Some((lane, lane.stands?))).flat_map(|(lane, stands)| {
            let is_front = move |seen: &IpPort| seen.ip() == stands.remote.ip() || seen.ip().is_loopback();
            let seen = lane.seen_from.iter().filter(move |(_, seen)| !is_front(seen));
            seen.map(move |(at, seen)| Outside { at: *at, local: stands.local, seen: *seen, by_server: false })
        });
        by_server.chain(by_far_end).filter(move |seen| seen.at.stamp <= before)
    }
}
