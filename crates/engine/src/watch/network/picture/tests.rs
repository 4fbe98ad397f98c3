use super::*;
use record::fact::{Destination::*, LinkKind::*, Reachability::*};

fn link(index: u32, name: &str, nature: Nature) -> Link {
    Link { index, name: name.into(), nature, driver: "".into(), up: true, carrier: true, mtu: 1500 }
}
fn wired(index: u32, name: &str) -> News {
    News::Link(link(index, name, Nature::Is(Wired)))
}
fn address(index: u32, text: &str) -> News {
    News::Address(Address { index, address: ip(text), prefix: 24, temporary: false })
}
fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
fn way(index: u32, gateway: &str) -> Option<Way> {
    Some(Way { index, gateway: Some(ip(gateway)), source: None })
}
/// A fact in few words, so that a test reads as a story.
fn told(facts: Vec<Net>) -> Vec<String> {
    let found = |found: bool| if found { " found" } else { "" };
    let hop = |hop: &Option<Hop>| hop.as_ref().map_or("none".into(), |h| format!("{}/{:?}", h.interface, h.kind));
    let told = |fact: &Net| match fact {
        Net::Link { name, kind, up, carrier, found: f, .. } => {
            format!("link {name} {kind:?} {up}/{carrier}{}", found(*f))
        }
        Net::LinkGone { name, kind } => format!("gone {name} {kind:?}"),
        Net::Address { interface, address, found: f, .. } => format!("address {interface} {address}{}", found(*f)),
        Net::AddressGone { interface, address } => format!("lost {interface} {address}"),
        Net::Route { to, before, after, found: f } => {
            format!("{to:?}: {} -> {}{}", hop(before), hop(after), found(*f))
        }
        Net::Neighbour { address, state, found: f, .. } => format!("{address} {state:?}{}", found(*f)),
        other => format!("{other:?}"),
    };
    facts.iter().map(told).collect()
}
/// One wired interface with an address and a way.
fn home() -> Picture {
    let mut picture = Picture::default();
    picture.see(vec![wired(2, "eth0"), address(2, "10.0.0.5")]);
    picture.way(Ipv4, way(2, "10.0.0.1"));
    picture
}

#[test]
fn what_was_there_is_found_and_what_comes_later_is_not() {
    let mut picture = Picture::default();
    let first = picture.see(vec![wired(2, "eth0"), address(2, "10.0.0.5")]);
    assert_eq!(told(first), ["link eth0 Wired true/true found", "address eth0 10.0.0.5 found"]);
    assert_eq!(told(picture.hear(address(2, "10.0.0.6"))), ["address eth0 10.0.0.6"]);
    assert_eq!(told(picture.hear(wired(3, "eth1"))), ["link eth1 Wired true/true"]);
}

#[test]
fn each_message_that_changes_something_is_one_fact_and_a_repeated_one_is_none() {
    let mut picture = home();
    let down = News::Link(Link { carrier: false, ..link(2, "eth0", Nature::Is(Wired)) });
    assert_eq!(told(picture.hear(down.clone())), ["link eth0 Wired true/false"]);
    assert!(picture.hear(down).is_empty());
    assert_eq!(told(picture.hear(wired(2, "eth0"))), ["link eth0 Wired true/true"]);
    assert!(picture.hear(address(2, "10.0.0.5")).is_empty(), "a renewed lifetime");
}

#[test]
fn a_flap_between_two_looks_is_two_facts_where_messages_tell_and_none_where_nothing_was_told() {
    let mut picture = home();
    let gone = News::AddressGone { index: 2, address: ip("10.0.0.5") };
    let facts: Vec<_> = [gone, address(2, "10.0.0.5")].into_iter().flat_map(|news| picture.hear(news)).collect();
    assert_eq!(told(facts), ["lost eth0 10.0.0.5", "address eth0 10.0.0.5"]);
    assert!(picture.see(vec![wired(2, "eth0"), address(2, "10.0.0.5")]).is_empty());
}

#[test]
fn after_messages_were_lost_the_difference_is_told() {
    let mut picture = home();
    let facts = picture.see(vec![wired(3, "eth1"), address(3, "10.1.0.5")]);
    let expected = ["lost eth0 10.0.0.5", "gone eth0 Wired", "link eth1 Wired true/true", "address eth1 10.1.0.5"];
    assert_eq!(told(facts), expected);
}

#[test]
fn the_end_of_a_pair_is_the_cable_where_it_has_an_address_and_stays_one_when_it_loses_it() {
    let mut container = Picture::default();
    let eth0 = link(2, "eth0", Nature::Pair);
    let facts = container.see(vec![News::Link(eth0.clone()), address(2, "172.17.0.2"), address(2, "fe80::2")]);
    assert_eq!(told(facts)[0], "link eth0 Wired true/true found");
    container.hear(News::AddressGone { index: 2, address: ip("172.17.0.2") });
    let facts = container.hear(News::Link(Link { up: false, carrier: false, ..eth0 }));
    assert_eq!(told(facts), ["link eth0 Wired false/false"]);
}

#[test]
fn the_end_of_a_pair_becomes_the_cable_with_its_first_address() {
    let mut picture = Picture::default();
    picture.see(vec![]);
    assert_eq!(told(picture.hear(News::Link(link(2, "eth0", Nature::Pair)))), ["link eth0 Virtual true/true"]);
    assert_eq!(told(picture.hear(address(2, "fe80::2"))), ["address eth0 fe80::2"], "every interface has such a one");
    let facts = picture.hear(address(2, "172.17.0.2"));
    assert_eq!(told(facts), ["link eth0 Wired true/true", "address eth0 172.17.0.2"]);
}

#[test]
fn the_hosts_end_of_a_container_is_virtual_and_aside() {
    let mut host = home();
    // First it is a plain pair, then it is put into the bridge.
    let facts = host.hear(News::Link(link(7, "veth7", Nature::Pair)));
    assert_eq!(told(facts.clone()), ["link veth7 Virtual true/true"]);
    assert!(host.is_aside(&facts[0]));
    assert!(host.hear(News::Link(link(7, "veth7", Nature::Is(Virtual)))).iter().all(|fact| host.is_aside(fact)));
    let gone = host.hear(News::LinkGone { index: 7 });
    assert!(host.is_aside(&gone[0]));
    let ours = host.hear(News::Link(Link { carrier: false, ..link(2, "eth0", Nature::Is(Wired)) }));
    assert!(!host.is_aside(&ours[0]));
}

#[test]
fn a_bridge_that_carries_a_way_is_not_aside() {
    let mut picture = Picture::default();
    let found = picture.see(vec![News::Link(link(4, "br0", Nature::Is(Virtual)))]);
    assert!(picture.is_aside(&found[0]));
    picture.way(Ipv4, way(4, "10.0.0.1"));
    assert!(!picture.is_aside(&found[0]));
}

#[test]
fn a_tunnel_that_takes_the_way_along_is_told_with_both_ends() {
    let mut picture = home();
    picture.hear(News::Link(link(9, "wg0", Nature::Is(Tunnel))));
    let through = Some(Way { index: 9, gateway: None, source: Some(ip("10.8.0.2")) });
    assert_eq!(told(picture.way(Ipv4, through)), ["Ipv4: eth0/Wired -> wg0/Tunnel"]);
    assert!(picture.hear(News::LinkGone { index: 9 }).len() == 1);
    assert_eq!(told(picture.way(Ipv4, way(2, "10.0.0.1"))), ["Ipv4: wg0/Tunnel -> eth0/Wired"]);
    assert_eq!(told(picture.way(Ipv4, None)), ["Ipv4: eth0/Wired -> none"]);
    assert!(picture.way(Ipv4, None).is_empty());
}

#[test]
fn no_way_at_all_is_found_once() {
    let mut picture = home();
    assert_eq!(told(picture.way(Ipv6, None)), ["Ipv6: none -> none found"]);
    assert!(picture.way(Ipv6, None).is_empty());
}

#[test]
fn another_far_end_has_a_way_of_its_own_and_no_change_of_ways() {
    let mut picture = home();
    picture.hear(wired(3, "eth1"));
    picture.another_far_end();
    assert_eq!(told(picture.way(FarEnd, way(2, "10.0.0.1"))), ["FarEnd: none -> eth0/Wired found"]);
    picture.another_far_end();
    assert!(picture.way(FarEnd, way(2, "10.0.0.1")).is_empty(), "nothing new to say");
    picture.another_far_end();
    assert_eq!(told(picture.way(FarEnd, way(3, "10.1.0.1"))), ["FarEnd: none -> eth1/Wired found"]);
    assert_eq!(told(picture.way(FarEnd, way(2, "10.0.0.1"))), ["FarEnd: eth1/Wired -> eth0/Wired"]);
}

#[test]
fn a_way_over_an_interface_not_yet_told_of_waits_for_it() {
    let mut picture = home();
    assert!(picture.way(Ipv4, way(9, "10.9.0.1")).is_empty());
    picture.hear(wired(9, "eth9"));
    assert_eq!(told(picture.way(Ipv4, way(9, "10.9.0.1"))), ["Ipv4: eth0/Wired -> eth9/Wired"]);
}

#[test]
fn only_the_gateway_counts_among_neighbours_and_renewals_do_not() {
    let mut picture = home();
    let near = |address: &str, state| News::Neighbour { index: 2, address: ip(address), state };
    assert_eq!(picture.unknown_gateways(), [(2, ip("10.0.0.1"))]);
    assert_eq!(told(picture.gateway(2, ip("10.0.0.1"), Some(Reachable))), ["10.0.0.1 Reachable found"]);
    let day = [Stale, Reachable, Stale, Failed, Probing, Failed, Probing, Reachable, Stale];
    let facts: Vec<_> = day.into_iter().flat_map(|state| picture.hear(near("10.0.0.1", state))).collect();
    assert_eq!(told(facts), ["10.0.0.1 Failed", "10.0.0.1 Reachable"]);
    assert!(picture.hear(near("10.0.0.77", Failed)).is_empty());
    picture.way(Ipv4, None);
    assert!(picture.hear(near("10.0.0.1", Failed)).is_empty(), "no gateway any more");
}

#[test]
fn a_renamed_interface_is_gone_under_its_old_name() {
    let mut picture = home();
    assert_eq!(told(picture.hear(wired(2, "lan0"))), ["gone eth0 Wired", "link lan0 Wired true/true"]);
}

#[test]
fn what_is_told_of_unknown_things_is_no_fact() {
    let mut picture = home();
    for news in [
        News::LinkGone { index: 99 },
        News::AddressGone { index: 99, address: ip("10.9.9.9") },
        News::AddressGone { index: 2, address: ip("10.9.9.9") },
        address(99, "10.9.9.9"),
        News::Ways,
    ] {
        assert!(picture.hear(news).is_empty());
    }
}
