//! The table of causes, and how one of them is chosen for a drop.

use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline, imported,
    rule::{Because, Finding, Measured},
};

mod address_changed;
mod app_stalled;
pub(crate) mod around;
mod auth_rejected;
mod captive_portal;
mod connection_reset;
mod dns_failed;
mod gateway_lost;
mod half_open;
mod handshake_failed;
pub(crate) mod idle_timeout;
mod lifetime_cap;
mod link_down;
pub(crate) mod look;
pub(crate) mod moved;
mod nat_expired;
mod nat_rebound;
mod network_switched;
mod not_proven;
mod one_way_loss;
mod packet_loss;
mod path_lost;
mod peer_left;
mod proxy_refused;
mod service_closed;
mod service_overloaded;
mod service_restarted;
mod service_unreachable;
mod slept;
pub(crate) mod timer;
mod turn_failed;
mod udp_blocked;
mod vpn_changed;
pub(crate) mod way;

pub(crate) use look::search;

/// Every cause. The order is that in which "ruled out" is listed, and settles what `outranks` leaves open.
pub const RULES: &[&Rule] = &[
    &slept::RULE,
    &app_stalled::RULE,
    &link_down::RULE,
    &vpn_changed::RULE,
    &network_switched::RULE,
    &address_changed::RULE,
    &captive_portal::RULE,
    &gateway_lost::RULE,
    &peer_left::RULE,
    &service_overloaded::RULE,
    &auth_rejected::RULE,
    &service_restarted::RULE,
    &lifetime_cap::RULE,
    &idle_timeout::RULE,
    &nat_rebound::RULE,
    &nat_expired::RULE,
    &service_closed::RULE,
    &turn_failed::RULE,
    &service_unreachable::RULE,
    &proxy_refused::RULE,
    &dns_failed::RULE,
    &udp_blocked::RULE,
    &packet_loss::RULE,
    &path_lost::RULE,
    &one_way_loss::RULE,
    &half_open::RULE,
    &connection_reset::RULE,
    &handshake_failed::RULE,
    &not_proven::RULE,
];

/// What is said about one drop.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    pub cause: Cause,
    pub title: &'static str,
    pub owner: Owner,
    pub confidence: Confidence,
    pub says: String,
    pub because: Vec<Because>,
    pub measured: Measured,
    pub ruled_out: Vec<(Cause, String)>,
    pub advice: Advice,
}

pub fn rule(cause: Cause) -> &'static Rule {
    RULES.iter().copied().find(|rule| rule.id == cause).unwrap_or(&not_proven::RULE)
}

/// `rules`: those that may speak; all of them, but where it is asked what one of them is needed for.
pub fn judge(rules: &[&'static Rule], timeline: &Timeline, drop: &Drop) -> Judgement {
    let rules = imported::allowed(rules, timeline);
    let found: Vec<(&'static Rule, Finding)> =
        rules.iter().filter_map(|rule| Some((*rule, (rule.find)(timeline, drop)?))).collect();
    let beaten = |rule: &Rule| found.iter().any(|(other, _)| other.outranks.contains(&rule.id));
    let best = found
        .iter()
        .filter(|(rule, _)| !beaten(rule))
        // The first of equals: `min_by_key` keeps it, and the table's order is the last word.
        .min_by_key(|(_, finding)| finding.confidence)
        .or(found.first());
    let (rule, finding) = match best {
        Some((rule, finding)) => (*rule, finding.clone()),
        None => (&not_proven::RULE, not_proven::finding(timeline, drop)),
    };
    let ruled_out = rules
        .iter()
        .filter(|other| other.id != rule.id && !found.iter().any(|(rule, _)| rule.id == other.id))
        .filter_map(|other| Some((other.id, other.rules_out?(timeline, drop)?)))
        .collect();
    let settled = timeline.is_over() || timeline.until.since(drop.declared) >= rule.settle;
    let confidence = match finding.confidence {
        Confidence::Shown if !settled => Confidence::Likely,
        other => other,
    };
    Judgement {
        cause: rule.id,
        title: rule.title,
        owner: finding.owner.unwrap_or(rule.owner),
        confidence,
        because: finding.because.iter().cloned().collect(),
        says: finding.says,
        measured: finding.measured,
        ruled_out,
        advice: (rule.advice)(timeline, drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_causes_outrank_each_other_even_by_way_of_others() {
        fn below(cause: Cause, seen: &mut Vec<Cause>) {
            for lower in rule(cause).outranks {
                if !seen.contains(lower) {
                    seen.push(*lower);
                    below(*lower, seen);
                }
            }
        }
        for rule in RULES {
            let mut seen = Vec::new();
            below(rule.id, &mut seen);
            assert!(!seen.contains(&rule.id), "{:?} outranks itself", rule.id);
        }
    }

    #[test]
    fn each_cause_stands_once_in_the_table() {
        let mut causes: Vec<Cause> = RULES.iter().map(|rule| rule.id).collect();
        causes.sort();
        causes.dedup();
        assert_eq!(causes.len(), RULES.len());
        assert_eq!(causes.last(), Some(&Cause::NotProven));
    }
}
