//! `lifetime_cap`: connections are ended at the same age, however busy they are.

use super::{idle_timeout::how, look, timer};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline, catalogue,
    limits::{LifetimeLimit, Who, same, tolerance},
    rule::{Evidence, Finding, Measured},
    words,
};
use record::fact::Pattern;
use std::time::Duration;
use timer::Ended;

/// With this one.
const REPEATS: usize = 3;

struct Aged<'t, 'a> {
    ended: Ended<'t, 'a>,
    limit: Option<&'t LifetimeLimit>,
    repeats: Vec<Ended<'t, 't>>,
}

fn aged<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<Aged<'t, 'a>> {
    let ended = timer::ended(timeline, drop).filter(|ended| !ended.says_idle())?;
    let limit = timeline.limits.lifetime_of(ended.host()).filter(|limit| same(limit.exact.median, ended.age));
    let repeats = timer::alike(timeline, drop, &ended, |ended| ended.age);
    // Of a connection that was quiet all its life nobody can say which of the two it was.
    let busy = ended.quiet < ended.age / 2;
    (limit.is_some() || (repeats.len() + 1 >= REPEATS && busy)).then_some(Aged { ended, limit, repeats })
}

/// A lane of another age that lived through the moment.
fn younger(timeline: &Timeline, ended: &Ended) -> Option<(String, record::Seq)> {
    timeline.lanes.iter().filter(|lane| lane.carrier().is_some()).find_map(|lane| {
        let seq = lane.lived_through(ended.at.minus(Duration::from_secs(1)), ended.at)?;
        let age = ended.at.since(lane.stands?.at.stamp);
        let another = age.abs_diff(ended.age) > tolerance(ended.age);
        another.then(|| (format!("A connection of another age, {}, lived through it.", words::length(age)), seq))
    })
}

/// Beside the call, not counting its own.
fn others(limit: &LifetimeLimit) -> String {
    words::count(limit.lanes.len(), "busy connection")
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Aged { ended, limit, repeats } = aged(timeline, drop)?;
    let foretold = timer::foretold(timeline, drop.first_bad, Pattern::Lifetime);
    let beside = limit.filter(|limit| !limit.lanes.is_empty());
    let control = younger(timeline, &ended);
    let age = words::length(ended.age);
    let mut because = Evidence::of(
        ended.seq,
        format!("It was {age} old, and had carried its last byte {} before.", words::length(ended.quiet)),
    );
    if let Some(limit) = beside {
        because = because.and_all(
            &limit.lanes,
            format!(
                "Beside the call {} ended at that age; all {} lie within {} of each other.",
                others(limit),
                words::count(limit.exact.count, "end"),
                words::length(limit.exact.spread)
            ),
        );
    }
    if let Some(other) = repeats.first() {
        because = because.and(
            other.seq,
            format!("The call's connection ended at the same age {} in this hold.", words::times(repeats.len() + 1)),
        );
    }
    if let Some((says, seq)) = &control {
        because = because.and(*seq, says.clone());
    }
    if let Some(made) = foretold {
        because = because.and(made.at.seq, "It was foretold to the second before it happened.");
    }
    let owner = timer::owner(timeline, &ended, limit.map_or(Who::Unknown, |limit| limit.who));
    let who = match owner {
        Owner::VoiceService => "the service",
        _ => "a device on the way, or the service's own front,",
    };
    // A clock would have made the same come true.
    let clock = limit.is_some_and(|limit| limit.every.is_some());
    let shown = match control {
        Some(_) => foretold.is_some() || beside.is_some(),
        None => foretold.is_some() && !clock,
    };
    Some(Finding {
        owner: Some(owner),
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "The signaling connection ended {} at {}, {age} old{}: {who} ends connections at that age, however busy they are; {}.",
            how(&ended),
            words::utc_exact(ended.at),
            match (beside, repeats.len()) {
                (Some(limit), 0) => format!(", as {} beside it did", others(limit)),
                (Some(limit), n) =>
                    format!(", as {} beside it did, and {} in this hold", others(limit), words::times(n + 1)),
                (None, n) => format!(", {} in this hold", words::times(n + 1)),
            },
            look::came_back(drop)
        ),
        because,
        measured: Measured::seconds(ended.age).word("ended", ended.close.id()),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let found = aged(timeline, drop);
    let age = found.as_ref().map_or_else(String::new, |found| words::length(found.ended.age));
    let known = found.as_ref().and_then(|found| found.limit).and_then(catalogue::lifetime);
    Advice {
        who: "Whoever runs the voice service, with the network administrator".into(),
        what: format!(
            "Find what limits a connection or request to {age}, and raise it beyond the longest call, or open the next connection before the old one ends; a heartbeat does not help: {}.{}",
            look::search(timeline, drop),
            known.map(|known| known.sentence()).unwrap_or_default()
        ),
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!("a connection from here to the same destination becomes older than {age}."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let ended = timer::ended(timeline, drop)?;
    let hosts = timeline.lanes.iter().filter(|lane| lane.carrier().is_some() && lane.host() == ended.host());
    let older = hosts.filter_map(|lane| Some(lane.answers.last()?.stamp.since(lane.stands?.at.stamp))).max()?;
    (older > ended.age + tolerance(ended.age)).then(|| {
        format!(
            "The connection was {} old, and one beside it became {}.",
            words::length(ended.age),
            words::length(older)
        )
    })
}

pub const RULE: Rule = Rule {
    id: Cause::LifetimeCap,
    owner: Owner::InternetPath,
    title: "connections are ended at a fixed age",
    advice,
    outranks: &[Cause::IdleTimeout, Cause::ServiceClosed, Cause::ConnectionReset, Cause::HalfOpen, Cause::NotProven],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
