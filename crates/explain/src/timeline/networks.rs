//! What rules ask of this computer's networks: which interface carried the call, did its link stand, where did the way to
//! the far end lead, who held an address.

use super::{At, Timeline};
use record::{
    Ip, Seq, Stamp,
    fact::{Destination, Hop, LinkKind, Power, Reachability},
};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct LinkState {
    pub at: At,
    /// Where the fact says it.
    pub kind: Option<LinkKind>,
    pub word: LinkWord,
    /// It was so when we first looked.
    pub found: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkWord {
    Stands,
    NoCarrier,
    SwitchedOff,
    Gone,
    NoWifi,
}

/// An interface that did not stand any more.
#[derive(Clone, Copy, Debug)]
pub struct LinkLoss<'a> {
    pub interface: &'a str,
    pub kind: LinkKind,
    pub at: At,
    pub word: LinkWord,
    pub back: Option<At>,
}

#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    pub at: At,
    pub before: Option<&'a Hop>,
    pub after: Option<&'a Hop>,
    pub found: bool,
}

/// Where packets go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Toward {
    pub ipv6: bool,
    /// To the address that signaling reached, and not just anywhere.
    pub far_end: bool,
}

/// The way left an interface.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'a> {
    pub at: At,
    pub before: &'a Hop,
    /// Where it leads since; absent where it was taken away and no other came soon.
    pub after: Option<(At, &'a Hop)>,
}

/// An address came to an interface, or left it.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    pub at: At,
    pub interface: &'a str,
    pub gone: bool,
    /// It was there when we first looked.
    pub found: bool,
}

/// The interface that carried something at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Carrying<'a> {
    pub seq: Seq,
    pub interface: &'a str,
    pub kind: LinkKind,
    pub gateway: Option<Ip>,
}

/// When a change can have been told that made a loss. What had been mended by `good`, when all still worked, did not.
#[derive(Clone, Copy, Debug)]
pub struct Within {
    pub from: Stamp,
    pub good: Stamp,
    pub to: Stamp,
}

impl Within {
    /// Mended or not.
    pub fn any(from: Stamp, to: Stamp) -> Self {
        Self { from, good: from, to }
    }

    /// The place in a list from which on a change counts.
    fn first<T>(self, list: &[T], told: impl Fn(&T) -> At, mended: impl Fn(&T) -> bool) -> usize {
        let first = list.partition_point(|item| told(item).stamp < self.from);
        let until = first + list[first..].partition_point(|item| told(item).stamp <= self.good);
        let near = &list[first.max(until.saturating_sub(MOST_LOOKED_AT))..until];
        near.iter().rposition(mended).map_or(first, |last| until - near.len() + last + 1)
    }
}

/// A way that is taken away and put back elsewhere: lease, radio and dialler need some seconds for it.
const ELSEWHERE_WITHIN: Duration = Duration::from_secs(10);
/// No system says so much in a few seconds; a forged log may.
const MOST_LOOKED_AT: usize = 64;
/// A radio at the edge of its reach comes and goes every few seconds for hours.
const MOST_STATES: usize = 4_096;

/// What was so at a moment: the last word up to it, or the first at all, because nobody told before we first looked.
fn so_at<T>(list: &[T], at: Stamp, told: impl Fn(&T) -> At) -> Option<&T> {
    let after = list.partition_point(|item| told(item).stamp <= at);
    list.get(after.saturating_sub(1))
}

impl<'a> Timeline<'a> {
    /// Links, addresses or ways were watched at all.
    pub fn network_watched(&self) -> bool {
        !self.surroundings.links.is_empty() || self.surroundings.ways.iter().any(|ways| !ways.is_empty())
    }

    /// Every word on the way there; where that to the far end was not watched, on the way to anywhere in its family.
    pub fn ways(&self, toward: Toward) -> &[Way<'a>] {
        let of = |to| &self.surroundings.ways[super::surroundings::place(to)];
        let anywhere = of(if toward.ipv6 { Destination::Ipv6 } else { Destination::Ipv4 });
        let far_end = of(Destination::FarEnd);
        if toward.far_end && !far_end.is_empty() { far_end } else { anywhere }
    }

    pub fn way_at(&self, toward: Toward, at: Stamp) -> Option<(At, &'a Hop)> {
        let way = so_at(self.ways(toward), at, |way| way.at)?;
        Some((way.at, way.after?))
    }

    /// The way there left its interface.
    pub fn way_moved(&self, toward: Toward, within: Within) -> Option<Moved<'a>> {
        let ways = self.ways(toward);
        let at_first = ways[..ways.partition_point(|way| way.at.stamp < within.from)].last().and_then(|way| way.after);
        let over = |way: &Way<'a>| way.after.map(|hop| &hop.interface);
        let first = within.first(
            ways,
            |way| way.at,
            |way| at_first.is_some() && over(way) == at_first.map(|hop| &hop.interface),
        );
        let stood = ways[..first].last().and_then(|way| way.after);
        let mut near = ways[first..].iter().take(MOST_LOOKED_AT);
        let left = near.by_ref().take_while(|way| way.at.stamp <= within.to).find_map(|way| {
            let before = way.before.or(stood).filter(|_| !way.found)?;
            let same = way.after.is_some_and(|after| after.interface == before.interface);
            (!same).then_some((way, before))
        });
        let (way, before) = left?;
        let soon = way.at.stamp.plus(ELSEWHERE_WITHIN);
        let mut later = near.take_while(|later| later.at.stamp <= soon).filter_map(|l| Some((l.at, l.after?)));
        let after = way.after.map(|after| (way.at, after)).or_else(|| later.next());
        Some(Moved { at: way.at, before, after })
    }

    /// The interface that holds an address at a moment, and the word that says so.
    pub fn holder(&self, address: Ip, at: Stamp) -> Option<Held<'a>> {
        so_at(self.surroundings.addresses.get(&address)?, at, |held| held.at).copied().filter(|held| !held.gone)
    }

    /// An address was taken away.
    pub fn address_gone(&self, address: Ip, within: Within) -> Option<Held<'a>> {
        let all = self.surroundings.addresses.get(&address)?;
        let first = within.first(all, |held| held.at, |held| !held.gone);
        let mut near = all[first..].iter().take(MOST_LOOKED_AT).take_while(|held| held.at.stamp <= within.to);
        near.find(|held| held.gone).copied()
    }

    /// What came to an interface near the moment at which it lost an address: that one again, or another of its family
    /// that it did not hold already.
    pub fn address_came(&self, lost: Ip, gone: &Held, near: Duration) -> Option<(Ip, At)> {
        let of_family = |address: &Ip| address.is_ipv6() == lost.is_ipv6();
        let mut all = self.surroundings.addresses.iter().take(MOST_STATES).filter(|(address, _)| of_family(address));
        let to = gone.at.stamp.plus(near);
        all.find_map(|(address, held)| {
            let from = if *address == lost { gone.at.stamp } else { gone.at.stamp.minus(near) };
            // A lease that is renewed is told again.
            let is_new = |index: usize| index.checked_sub(1).map_or(!held[index].found, |before| held[before].gone);
            let first = held.partition_point(|held| held.at.stamp < from);
            let near = (first..held.len()).take(MOST_LOOKED_AT).take_while(|index| held[*index].at.stamp <= to);
            let mut came = near.filter(|index| !held[*index].gone && is_new(*index));
            came.find(|index| held[*index].interface == gone.interface).map(|index| (*address, held[index].at))
        })
    }

    pub fn link_kind(&self, interface: &str) -> Option<LinkKind> {
        self.surroundings.links.get(interface)?.iter().take(MOST_LOOKED_AT).find_map(|state| state.kind)
    }

    /// Every word on a link.
    pub fn link_states(&self, interface: &str) -> &[LinkState] {
        self.surroundings.links.get(interface).map_or(&[], Vec::as_slice)
    }

    pub fn link_at(&self, interface: &str, at: Stamp) -> Option<&LinkState> {
        so_at(self.link_states(interface), at, |state| state.at)
    }

    /// Physical interfaces that did not stand at a moment.
    pub fn links_down(&self, at: Stamp) -> Vec<(At, &'a str, LinkWord)> {
        let physical =
            |name: &str| matches!(self.link_kind(name), Some(LinkKind::Wired | LinkKind::Wifi | LinkKind::Mobile));
        let links = self.surroundings.links.iter().take(MOST_LOOKED_AT).filter(|(name, _)| physical(name));
        let told = links.filter_map(|(name, states)| Some((*name, so_at(states, at, |state| state.at)?)));
        told.filter(|(_, state)| state.word != LinkWord::Stands)
            .map(|(name, state)| (state.at, name, state.word))
            .collect()
    }

    pub fn link_watched(&self, interface: &str) -> bool {
        self.surroundings.links.contains_key(interface)
    }

    /// It stood, and now does not. What is seen for the first time, and does not stand, never did.
    fn fell(states: &[LinkState], index: usize) -> bool {
        let now = states[index];
        let stood = match index.checked_sub(1) {
            Some(before) => states[before].word == LinkWord::Stands,
            None => !now.found && matches!(now.word, LinkWord::Gone | LinkWord::NoWifi),
        };
        stood && now.word != LinkWord::Stands
    }

    /// It did not stand, or was not there, and now stands.
    fn rose(states: &[LinkState], index: usize) -> bool {
        let before = index.checked_sub(1).map(|before| states[before].word);
        !states[index].found && states[index].word == LinkWord::Stands && before != Some(LinkWord::Stands)
    }

    /// An interface that stood did not stand any more.
    pub fn link_lost(&self, interface: &str, within: Within) -> Option<LinkLoss<'a>> {
        let (name, states) = self.surroundings.links.get_key_value(interface)?;
        let first = within.first(states, |state| state.at, |state| state.word == LinkWord::Stands);
        let near = states.iter().enumerate().skip(first).take(MOST_LOOKED_AT);
        let (index, lost) =
            near.take_while(|(_, state)| state.at.stamp <= within.to).find(|(index, _)| Self::fell(states, *index))?;
        let back =
            states[index..].iter().take(MOST_STATES).find(|state| state.word == LinkWord::Stands).map(|state| state.at);
        let kind = self.link_kind(interface).unwrap_or(LinkKind::Other);
        Some(LinkLoss { interface: name, kind, at: lost.at, word: lost.word, back })
    }

    /// As `link_lost`, of whichever physical interface: what a tunnel runs over is not told.
    pub fn any_link_lost(&self, within: Within) -> Option<LinkLoss<'a>> {
        let names = self.surroundings.links.keys().take(MOST_LOOKED_AT);
        let physical = |loss: &LinkLoss| matches!(loss.kind, LinkKind::Wired | LinkKind::Wifi | LinkKind::Mobile);
        names.filter_map(|name| self.link_lost(name, within)).filter(physical).min_by_key(|loss| loss.at.stamp)
    }

    /// A physical interface other than this one stood as well.
    pub fn others_stand(&self, interface: &str, at: Stamp) -> bool {
        let physical =
            |name: &str| matches!(self.link_kind(name), Some(LinkKind::Wired | LinkKind::Wifi | LinkKind::Mobile));
        let stands = |name: &str| self.link_at(name, at).is_some_and(|state| state.word == LinkWord::Stands);
        let mut names = self.surroundings.links.keys().take(MOST_LOOKED_AT);
        names.any(|name| *name != interface && physical(name) && stands(name))
    }

    /// A tunnel came, went or changed between the two moments.
    pub fn tunnel_changed(&self, from: Stamp, to: Stamp) -> Option<(&'a str, LinkState)> {
        self.surroundings.links.iter().take(MOST_LOOKED_AT).find_map(|(name, states)| {
            let first = states.partition_point(|state| state.at.stamp < from);
            let state = states.get(first).filter(|state| state.at.stamp <= to)?;
            (self.link_kind(name) == Some(LinkKind::Tunnel)).then_some((*name, *state))
        })
    }

    /// When a link came up last between the two moments, or when it ceased to stand.
    pub fn link_turned(&self, name: &str, up: bool, from: Stamp, to: Stamp) -> Option<LinkState> {
        let states = self.link_states(name);
        let first = states.partition_point(|state| state.at.stamp < from);
        let after = states.partition_point(|state| state.at.stamp <= to);
        let turned = if up { Self::rose } else { Self::fell };
        let near = after.saturating_sub(MOST_LOOKED_AT).max(first)..after.max(first);
        near.rev().find(|index| turned(states, *index)).map(|index| states[index])
    }

    pub fn neighbour_failed(&self, gateway: Ip, from: Stamp, to: Stamp) -> Option<At> {
        let all = self.surroundings.neighbours.get(&gateway)?;
        let first = all.partition_point(|(at, _)| at.stamp < from);
        let mut near = all[first..].iter().take(MOST_LOOKED_AT).take_while(|(at, _)| at.stamp <= to);
        near.find(|(_, state)| *state == Reachability::Failed).map(|(at, _)| *at)
    }

    /// A STUN server saw another address of ours from a moment between the two on.
    pub fn public_changed(&self, from: Stamp, to: Stamp) -> Option<&super::surroundings::PublicAddress<'a>> {
        let all = &self.surroundings.public;
        all.get(all.partition_point(|seen| seen.at.stamp < from)).filter(|seen| seen.at.stamp <= to)
    }

    /// The system's own word of sleep or waking between the two.
    pub fn said_of_power(&self, from: Stamp, to: Stamp) -> impl Iterator<Item = (At, &'a Power)> {
        let all = &self.surroundings.power;
        let first = all.partition_point(|(at, _)| at.stamp < from);
        all[first..].iter().take_while(move |(at, _)| at.stamp <= to).take(4).copied()
    }
}
