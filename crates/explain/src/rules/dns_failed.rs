//! `dns_failed`: a name that was needed did not resolve, while addresses still answered. A connection that stands needs no
//! name: this is why a lost one did not come back, or a call never stood.

use super::{around, look};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{
        Failed,
        controls::{Unheard, shortest},
    },
    words,
};
use record::{
    Seq, Stamp,
    fact::{ConnectStage, ControlKind, Trouble},
};
use std::time::Duration;

struct Unresolved<'t, 'a> {
    first: Failed<'a>,
    last: Failed<'a>,
    times: usize,
    /// The control that asks for a name was silent in the middle of it.
    control: Option<&'t Unheard>,
    /// Something was reached by its address in the middle of it.
    reached: Option<(Seq, &'static str)>,
}

fn by_name<'a>(failed: Option<Failed<'a>>) -> Option<Failed<'a>> {
    failed.filter(|failed| failed.stage == ConnectStage::Dns)
}

fn unresolved<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<Unresolved<'t, 'a>> {
    if drop.plane == Plane::Media && drop.loss != Loss::NeverStood && look::twin(timeline, drop).is_none() {
        return None;
    }
    let over = around::over(timeline, drop);
    let from = if drop.loss == Loss::NeverStood { timeline.began } else { drop.last_good };
    let mut all =
        timeline.attempts(from, over).filter_map(|attempt| Some((attempt.began.stamp, by_name(attempt.failed)?)));
    // A look-up may hang for ten seconds before it has failed.
    let (asked, first) = all.next()?;
    let (times, last) = all.fold((1, first), |(times, _), (_, failed)| (times + 1, failed));
    // What else kept it lost for longer than the names did is the cause.
    let waited_for_names = over.since(asked);
    let waited = over.since(drop.first_bad);
    if drop.loss == Loss::NeverStood {
        if timeline.failed_stage().0 != ConnectStage::Dns {
            return None;
        }
    } else if waited_for_names * 2 < waited {
        return None;
    }
    let silent_at = |at: Stamp| timeline.controls_of(ControlKind::Dns).find_map(|control| control.silent_at(at));
    let control = silent_at(asked).or_else(|| silent_at(first.at.stamp));
    let reached = reached(timeline, asked, over);
    // A name that does not exist is wrong itself; where nothing was reached either, it is not the names that failed.
    let told = matches!(first.trouble, Trouble::NameFailed { .. } | Trouble::NoAnswer { .. }) || control.is_some();
    let not_all = reached.is_some() || (drop.loss != Loss::NeverStood && !anything_asked(timeline));
    (told && not_all).then_some(Unresolved { first, last, times, control, reached })
}

/// An address that answered while names did not.
fn reached(timeline: &Timeline, from: Stamp, over: Stamp) -> Option<(Seq, &'static str)> {
    let to = over.min(from.plus(shortest(ControlKind::FarTcp)));
    let by_address = [
        (ControlKind::FarTcp, "the far end's address"),
        (ControlKind::FarUdp, "the far end's address"),
        (ControlKind::Gateway, "the gateway"),
    ];
    let control = by_address.into_iter().find_map(|(kind, name)| Some((timeline.control_alive(kind, from, to)?, name)));
    control.or_else(|| Some((timeline.media_alive(from, from)?, "the call's own media")))
}

fn anything_asked(timeline: &Timeline) -> bool {
    timeline
        .controls()
        .any(|asked| matches!(asked.kind, ControlKind::FarTcp | ControlKind::FarUdp | ControlKind::Gateway))
}

fn servers(timeline: &Timeline, at: Stamp) -> Option<String> {
    let list = &timeline.surroundings.resolvers;
    let after = list.partition_point(|(told, _)| told.stamp <= at);
    let (_, servers) = list.get(after.saturating_sub(1))?;
    let names: Vec<String> = servers.iter().take(4).map(ToString::to_string).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Unresolved { first, last, times, control, reached } = unresolved(timeline, drop)?;
    let servers = servers(timeline, first.at.stamp);
    let asked = servers.as_ref().map(|servers| format!(" of {servers}")).unwrap_or_default();
    let meanwhile = reached.map(|(_, what)| format!(", while {what} answered")).unwrap_or_default();
    let again = match drop.loss {
        Loss::NeverStood => "the call could not be placed".to_owned(),
        _ => format!("the connection could not be made anew; {}", look::came_back(drop)),
    };
    let since = control.map_or(first.at.stamp, |silence| silence.since.min(first.at.stamp));
    let mut measured = Measured::seconds(last.at.stamp.since(since)).number("times", times as f64);
    if let Some(servers) = &servers {
        measured = measured.word("resolvers", servers.clone());
    }
    // That there is no such name is an answer, and whoever keeps the name may have meant it.
    let denied = matches!(first.trouble, Trouble::NoSuchName { .. });
    let what = match denied {
        true => format!(
            "the name was said{} not to exist",
            servers.as_ref().map(|s| format!(" by {s}")).unwrap_or_default()
        ),
        false => format!("no answer{asked} came to questions for names"),
    };
    let shown = control.is_some() && reached.is_some() && !denied;
    Some(Finding {
        owner: None,
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says: format!("From {} on {what}{meanwhile}, and {again}.", words::utc_exact(since)),
        because: Evidence::of(
            first.at.seq,
            format!("The name look-up failed {}: {}.", words::times(times), words::trouble(first.trouble)),
        )
        .and_maybe(control.map(|silence| {
            (silence.at.seq, "A name asked for once a second beside the call did not resolve either.".into())
        }))
        .and_maybe(reached.map(|(seq, what)| (seq, format!("{} answered.", words::capital(what))))),
        measured,
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let at = unresolved(timeline, drop).map_or(drop.first_bad, |found| found.first.at.stamp);
    let servers = servers(timeline, at).unwrap_or_else(|| "the name servers of this network".into());
    Advice {
        who: "The network administrator".into(),
        what: format!(
            "Look up in the log of {servers} why no answer was given at {}, and add a second server.",
            words::utc(at)
        ),
        retest: look::retest(timeline, "With another name server set on this computer"),
        wrong_if: format!("the same name resolved on this computer at {}.", words::utc(at)),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let asked = around::throughout(timeline, drop, ControlKind::Dns);
    let over = around::over(timeline, drop);
    let failed = timeline.attempts(drop.last_good, over).any(|attempt| by_name(attempt.failed).is_some());
    (asked && !failed).then(|| "Names resolved throughout.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::DnsFailed,
    owner: Owner::LocalNetwork,
    title: "names did not resolve",
    advice,
    outranks: &[
        Cause::ServiceClosed,
        Cause::ServiceUnreachable,
        Cause::HalfOpen,
        Cause::ConnectionReset,
        Cause::HandshakeFailed,
        Cause::NotProven,
    ],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
