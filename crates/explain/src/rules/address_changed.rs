//! `address_changed`: the address of this computer that the lost flows used was taken away, by the system's own word.

use super::{
    around, look,
    moved::{self, GOES_ON_WITHIN},
    way,
};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    timeline::networks::Held,
    words,
};
use record::{Ip, Seq, Stamp};
use std::time::Duration;

/// A lease is renewed, or a network left and another joined, within this.
const ANOTHER_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn taken<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<(Ip, Held<'a>)> {
    let onset = around::onset_near_by(timeline, drop)?;
    let address = way::our_address(timeline, drop)?;
    Some((address, timeline.address_gone(address, onset.blamed())?))
}

fn another(timeline: &Timeline, address: Ip, gone: &Held) -> Option<(Ip, Seq, Stamp)> {
    let (other, at) = timeline.address_came(address, gone, ANOTHER_WITHIN)?;
    Some((other, at.seq, at.stamp))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let (address, gone) = taken(timeline, drop)?;
    let at = words::utc_exact(gone.at.stamp);
    let now = another(timeline, address, &gone);
    let then = match now {
        Some((other, ..)) if other == address => " and got it back".to_owned(),
        Some((other, ..)) => format!(" and has {other} since"),
        None => String::new(),
    };
    let mut measured = Measured::seconds(around::lasted(timeline, drop))
        .word("interface", gone.interface)
        .word("address_before", address.to_string());
    if let Some((other, ..)) = now {
        measured = measured.word("address_after", other.to_string());
    }
    // A flow that came back without an address to live on had another reason to stop.
    let got_back = now.filter(|(other, _, _)| *other == address).map(|(.., back)| back);
    let lasted_on = got_back.is_some_and(|back| around::over(timeline, drop).since(back) > GOES_ON_WITHIN);
    let agrees = drop.restored.is_none() || now.is_some() || way::our_address_later(timeline, drop) != Some(address);
    Some(Finding {
        owner: None,
        confidence: if agrees && !lasted_on { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "The interface {} lost the address {address}, which the call used, at {at}{then}; {}.",
            gone.interface,
            moved::came_back(timeline, drop)
        ),
        because: Evidence::of(
            gone.at.seq,
            format!("This computer's own system said: {address} is gone from {}.", gone.interface),
        )
        .and(drop.seq, around::last_sign(timeline, drop))
        .and_maybe(now.map(|(other, seq, _)| (seq, format!("{} got the address {other}.", gone.interface))))
        .and_maybe(around::answered_around(timeline, drop)),
        measured,
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let taken = taken(timeline, drop);
    let at = words::utc(taken.as_ref().map_or(drop.first_bad, |(_, gone)| gone.at.stamp));
    let name = taken.as_ref().map_or("the interface", |(_, gone)| gone.interface);
    let before = taken.as_ref().map(|(address, _)| *address);
    let after = taken.as_ref().and_then(|(address, gone)| another(timeline, *address, gone)).map(|(other, ..)| other);
    let after = after.filter(|after| Some(*after) != before);
    let addresses = words::list([before, after].into_iter().flatten().map(|address| address.to_string()));
    Advice {
        who: "Whoever looks after this computer".into(),
        what: format!(
            "Find how {name} came to change its address at {at}: by hand, by DHCP, or by another network on the same interface. If by DHCP, the network administrator: the DHCP server's log then for {addresses} (lease time, address conflict, reservation)."
        ),
        retest: match (before, after) {
            (Some(before), Some(_)) => look::retest_renewing(timeline, before),
            _ => look::retest(timeline, "With a reserved address"),
        },
        wrong_if: format!("the system's own log shows the same address on {name} before and after {at}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let onset = around::onset(timeline, drop)?;
    let address = way::our_address(timeline, drop)?;
    let held = timeline.holder(address, onset.earliest())?;
    timeline
        .address_gone(address, onset.unchanged())
        .is_none()
        .then(|| format!("The address {address} stayed with {}.", held.interface))
}

pub const RULE: Rule = Rule {
    id: Cause::AddressChanged,
    owner: Owner::ThisComputer,
    title: "its address changed",
    advice,
    outranks: around::further_than(Cause::AddressChanged),
    settle: Duration::from_secs(3),
    find,
    rules_out: Some(rules_out),
};
