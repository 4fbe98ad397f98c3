//! The one sentence that stands above everything.

use super::{Outcome, held};
use crate::{
    Cause, Confidence, Drop, Owner, Plane, Timeline, Unconfirmed, imported, rules::Judgement, unconfirmed, words,
};
use record::fact::EndedBy;

/// The loss the headline speaks of: of the cause with most drops; of equals the better proven, then the earlier. Sleep
/// is accounted for, so it leads only when nothing else was lost.
pub(super) fn main<'j, 't>(judged: &'j [(&'t Drop, Judgement)]) -> Option<&'j (&'t Drop, Judgement)> {
    let count = |cause: Cause| judged.iter().filter(|(_, judgement)| judgement.cause == cause).count();
    judged.iter().min_by_key(|(_, judgement)| {
        (judgement.cause == Cause::Slept, std::cmp::Reverse(count(judgement.cause)), judgement.confidence)
    })
}

/// `beside` is how much was found besides losses.
pub(super) fn of(
    timeline: &Timeline,
    outcome: Outcome,
    judged: &[(&Drop, Judgement)],
    beside: usize,
    unconfirmed: Option<&Unconfirmed>,
) -> String {
    let length = words::length(held(timeline));
    let mut says = match (main(judged), outcome) {
        (Some((_, judgement)), Outcome::NotEstablished) => {
            format!("{}: {}", head(judgement), without_stop(&judgement.says))
        }
        (Some((_, judgement)), _) => {
            let others = judged.iter().filter(|(_, other)| other.cause != judgement.cause).count();
            let also = match others {
                0 => String::new(),
                1 => ", and 1 loss of another cause".into(),
                n => format!(", and {n} losses of other causes"),
            };
            let lost = lost(judged, judgement.cause);
            format!("{}; {lost}{also}, in a hold of {length}", head(judgement))
        }
        (None, Outcome::NotEstablished) => "The call does not stand yet, and nothing has failed".into(),
        (None, Outcome::EndedByUser) if timeline.stood().is_none() => "Ended by the user before the call stood".into(),
        (None, Outcome::EndedByUser) => format!("Held for {length} until the user ended it; nothing dropped"),
        (None, _) if timeline.is_over() => format!("Held for {length}; nothing dropped"),
        (None, _) if timeline.goes_on => format!("Holding for {length}; nothing dropped so far"),
        (None, _) => format!("{length} on record; nothing dropped until then"),
    };
    // An all-clear that is none must not be read as one.
    if judged.is_empty() && beside > 0 {
        says.push_str(&format!("; {} beside it", words::count(beside, "finding")));
    }
    if let Some(unconfirmed) = unconfirmed {
        says.push_str(&format!("; signaling {}", unconfirmed::since(unconfirmed.since)));
    }
    for note in notes(timeline) {
        says.push_str("; ");
        says.push_str(&note);
    }
    says.push('.');
    says
}

/// What must be known before anything is believed: that the recording breaks off, or that no network was in it.
pub(crate) fn notes(timeline: &Timeline) -> Vec<String> {
    let mut notes = Vec::new();
    match timeline.ended {
        None if timeline.goes_on => {}
        None => notes.push("the recording breaks off there, without an end of its own".into()),
        Some((_, EndedBy::Fault { says: fault })) => {
            notes.push(format!("Linewitness itself then failed{}", words::quoted(fault)));
        }
        Some(_) => {}
    }
    if timeline.imported.is_some() {
        notes.push(imported::NOTE.into());
    }
    if timeline.plan.is_some_and(|plan| plan.self_test) {
        notes.push("a self-test of this computer alone, which says nothing about any network".into());
    }
    notes
}

/// "Internet path: the connection was reset (Likely)"; what is not proven says so once.
fn head(judgement: &Judgement) -> String {
    match (judgement.owner, judgement.confidence) {
        (Owner::NotProven, Confidence::NotProven) => format!("{}: {}", judgement.owner, judgement.title),
        (owner, confidence) => format!("{owner}: {} ({confidence})", judgement.title),
    }
}

/// "signaling and media lost once, at 10:42:07 UTC"
fn lost(judged: &[(&Drop, Judgement)], cause: Cause) -> String {
    let of = |plane: Plane| judged.iter().filter(move |(drop, j)| j.cause == cause && drop.plane == plane);
    let (signaling, media) = (of(Plane::Signaling).count(), of(Plane::Media).count());
    let what = match (signaling, media) {
        (s, m) if s == m => format!("signaling and media lost {}", words::times(s)),
        (0, m) => format!("media lost {}", words::times(m)),
        (s, 0) => format!("signaling lost {}", words::times(s)),
        (s, m) => format!("signaling lost {} and media {}", words::times(s), words::times(m)),
    };
    let first = judged.iter().find(|(_, j)| j.cause == cause).map(|(drop, _)| onset(drop));
    let first_word = if signaling.max(media) > 1 { "first " } else { "" };
    first.map_or(what.clone(), |at| format!("{what}, {first_word}at {}", words::utc(at)))
}

/// The last media packet is close to the truth; signaling may have been quiet long before it ended.
fn onset(drop: &Drop) -> record::Stamp {
    match drop.plane {
        Plane::Media => drop.last_good,
        Plane::Signaling => drop.first_bad,
    }
}

fn without_stop(says: &str) -> &str {
    says.strip_suffix('.').unwrap_or(says)
}
