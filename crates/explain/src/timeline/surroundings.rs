//! This computer, its networks and the controls, as the timeline keeps them. What is asked of them stands in `networks` and
//! `controls`.

use super::{
    At, Timeline,
    controls::{Asked, Portal, Told, Unheard},
    networks::{Held, LinkState, LinkWord, Way},
    not_after,
};
use record::{
    Heard, Ip, IpPort,
    fact::{Control, Destination, Net, Power, Reachability},
};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Surroundings<'a> {
    pub(super) controls: BTreeMap<u32, Asked<'a>>,
    /// One list for each destination, as `Destination` orders them.
    pub(super) ways: [Vec<Way<'a>>; 3],
    pub(super) links: BTreeMap<&'a str, Vec<LinkState>>,
    pub(super) addresses: BTreeMap<Ip, Vec<Held<'a>>>,
    pub(super) neighbours: BTreeMap<Ip, Vec<(At, Reachability)>>,
    pub resolvers: Vec<(At, &'a [Ip])>,
    pub public: Vec<PublicAddress<'a>>,
    /// When the system said that it goes to sleep, and that it has woken.
    pub power: Vec<(At, &'a Power)>,
}

/// A STUN server saw another address or port than before.
#[derive(Clone, Copy, Debug)]
pub struct PublicAddress<'a> {
    pub at: At,
    pub server: &'a Heard,
    pub public: IpPort,
    pub before: IpPort,
}

/// Far more than a profile can ask for; a forged log may count on.
const MOST_CONTROLS: usize = 64;

pub(super) fn place(to: Destination) -> usize {
    match to {
        Destination::Ipv4 => 0,
        Destination::Ipv6 => 1,
        Destination::FarEnd => 2,
    }
}

impl<'a> Timeline<'a> {
    pub(super) fn take_control(&mut self, at: At, fact: &'a Control) {
        let asked = &mut self.surroundings.controls;
        match fact {
            Control::Asking { control, kind, target, rationed } => {
                if asked.len() < MOST_CONTROLS || asked.contains_key(control) {
                    let line = asked.entry(*control).or_insert_with(|| Asked::new(*kind));
                    line.targets.push((at, target));
                    line.rationed |= rationed;
                }
            }
            Control::Sample { control, asked: questions, answered, last_ok, .. } => {
                if let (Some(line), Some(last_ok)) = (asked.get_mut(control), last_ok) {
                    let last_ok = not_after(*last_ok, at);
                    line.told.push(Told { at, asked: *questions, answered: *answered, last_ok });
                }
            }
            Control::Silent { control, asked: since, last_ok, refused, .. } => {
                if let Some(line) = asked.get_mut(control) {
                    let floor = line.silences.last().map(|before| before.back.map(|back| back.stamp));
                    // A second one inside a silence that was never ended is the same.
                    if floor != Some(None) {
                        let since = not_after(*since, at);
                        line.silences.push(Unheard {
                            at,
                            since: floor.flatten().map_or(since, |floor| since.max(floor)),
                            last_ok: last_ok.map(|last_ok| not_after(last_ok, at)),
                            refused: *refused,
                            back: None,
                        });
                    }
                }
            }
            Control::Back { control, .. } => {
                if let Some(silence) = asked.get_mut(control).and_then(|line| line.silences.last_mut()) {
                    silence.back.get_or_insert(at);
                }
            }
            Control::Portal { control, status, leads_to } => {
                if let Some(line) = asked.get_mut(control)
                    && line.portals.last().is_none_or(|portal| portal.gone.is_some())
                {
                    line.portals.push(Portal { at, status: *status, leads_to: leads_to.as_ref(), gone: None });
                }
            }
            Control::PortalGone { control } => {
                if let Some(portal) = asked.get_mut(control).and_then(|line| line.portals.last_mut()) {
                    portal.gone.get_or_insert(at);
                }
            }
            // Who stands between is kept in `between`.
            Control::Issuer { .. } => {}
        }
    }

    pub(super) fn take_net(&mut self, at: At, fact: &'a Net) {
        let around = &mut self.surroundings;
        let link = |word, kind, found| LinkState { at, kind, word, found };
        match fact {
            Net::Link { name, kind, up, carrier, found, .. } => {
                let word = match (up, carrier) {
                    (true, true) => LinkWord::Stands,
                    (true, false) => LinkWord::NoCarrier,
                    (false, _) => LinkWord::SwitchedOff,
                };
                around.links.entry(name.as_str()).or_default().push(link(word, Some(*kind), *found));
            }
            Net::LinkGone { name, kind } => {
                around.links.entry(name.as_str()).or_default().push(link(LinkWord::Gone, Some(*kind), false));
            }
            // A radio that is on no network has no carrier, whether or not the link says so too.
            Net::Wifi { interface, link: None, found } => {
                around.links.entry(interface.as_str()).or_default().push(link(LinkWord::NoWifi, None, *found));
            }
            Net::Wifi { interface, link: Some(_), found } => {
                let states = around.links.entry(interface.as_str()).or_default();
                if states.last().is_some_and(|state| state.word == LinkWord::NoWifi) {
                    states.push(link(LinkWord::Stands, None, *found));
                }
            }
            Net::Address { interface, address, found, .. } => {
                let held = Held { at, interface: interface.as_str(), gone: false, found: *found };
                around.addresses.entry(*address).or_default().push(held);
            }
            Net::AddressGone { interface, address } => {
                let held = Held { at, interface: interface.as_str(), gone: true, found: false };
                around.addresses.entry(*address).or_default().push(held);
            }
            Net::Route { to, before, after, found } => {
                let way = Way { at, before: before.as_ref(), after: after.as_ref(), found: *found };
                around.ways[place(*to)].push(way);
            }
            Net::Neighbour { address, state, .. } => {
                around.neighbours.entry(*address).or_default().push((at, *state));
            }
            Net::Resolvers { servers, .. } => around.resolvers.push((at, servers)),
            Net::PublicAddress { server, public, before: Some(before), .. } => {
                around.public.push(PublicAddress { at, server, public: *public, before: *before });
            }
            Net::PublicAddress { before: None, .. } | Net::SystemProxy { .. } => {}
        }
    }

    pub(super) fn take_power(&mut self, at: At, fact: &'a Power) {
        if matches!(fact, Power::AboutToSleep | Power::Woke) {
            self.surroundings.power.push((at, fact));
        }
    }
}
