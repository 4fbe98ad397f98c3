//! One paragraph, ready to be pasted into a ticket: what an administrator or a vendor needs to act, and to contradict.

use super::groups::{Group, groups};
use crate::{Outcome, Story, words};
use record::Wall;

/// More moments than this are a list for a machine; the bundle has them all.
const MOST_MOMENTS: usize = 6;
/// A paragraph, and no list.
const MOST_FINDINGS: usize = 3;

pub fn ticket(story: &Story) -> String {
    let mut parts: Vec<String> = Vec::new();
    let groups = groups(&story.head);
    if groups.is_empty() {
        parts.push(story.head.headline.clone());
    }
    for group in &groups {
        parts.extend(of(group));
    }
    if groups.is_empty() {
        let found = story.head.findings.iter().map(|finding| finding.says.clone());
        parts.extend(found.chain(story.outages.iter().cloned()).take(MOST_FINDINGS));
    }
    parts.extend(story.head.unconfirmed.iter().map(|unconfirmed| unconfirmed.says.clone()));
    parts.push(run(story));
    parts.extend(flows(story));
    parts.extend(story.setup.calibrated.clone());
    parts.push(format!("Not tested: {}", story.head.not_tested.join(" ")));
    parts.join(" ")
}

/// What was seen of one cause, and what is asked for.
pub fn of(group: &Group) -> Option<String> {
    let first = *group.drops.first()?;
    let word = group.how_sure().map(|sure| format!(" ({sure})")).unwrap_or_default();
    let mut says = format!("{}{word}. {}: {}", group.head(), group.how_often(), moments(group));
    says.push_str(&format!(" {}", first.says));
    for because in first.because.iter().filter(|because| !said(&first.says, &because.says)) {
        says.push_str(&format!(" {}", because.says));
    }
    if !first.ruled_out.is_empty() {
        let out: Vec<&str> = first.ruled_out.iter().take(4).map(|out| out.says.as_str()).collect();
        says.push_str(&format!(" Ruled out: {}", out.join(" ")));
    }
    let advice = &first.advice;
    says.push_str(&format!(
        " For {}: {} To confirm: {} We are wrong if {}",
        lower(&advice.who),
        advice.what,
        advice.retest,
        advice.wrong_if
    ));
    Some(says)
}

/// A sentence that only repeats what was said.
fn said(before: &str, says: &str) -> bool {
    before.to_lowercase().contains(says.trim_end_matches('.').to_lowercase().as_str())
}

/// UTC to the hundredth, with the last proof of life before it.
fn moments(group: &Group) -> String {
    let mut list: Vec<String> = group
        .drops
        .iter()
        .take(MOST_MOMENTS)
        .map(|drop| {
            let back = match drop.recovery.took_s {
                Some(took) => format!(", back {} later", words::length(words::millis(took * 1e3))),
                None => String::new(),
            };
            if group.never_stood {
                return format!("first failure at {}", hundredths(drop.first_bad));
            }
            format!("last good {}, first bad {}{back}", hundredths(drop.last_good), hundredths(drop.first_bad))
        })
        .collect();
    if group.drops.len() > MOST_MOMENTS {
        list.push(format!("{} more in the bundle", group.drops.len() - MOST_MOMENTS));
    }
    format!("{}.", list.join("; "))
}

fn hundredths(wall: Wall) -> String {
    format!("{}T{}Z", wall.timestamp().strftime("%Y-%m-%d"), words::hundredths(wall))
}

fn run(story: &Story) -> String {
    let setup = &story.setup;
    let to = if setup.to.is_empty() { "the far end" } else { &setup.to };
    if story.head.outcome == Outcome::NotEstablished {
        return format!(
            "The call to {to} was tried from {} on, for {}.",
            hundredths(story.head.started),
            words::length(words::millis(story.axis.length_s * 1e3))
        );
    }
    format!(
        "The call to {to} began at {} and was held for {}.",
        hundredths(story.head.started),
        words::length(words::millis(story.head.held_s * 1e3))
    )
}

fn flows(story: &Story) -> Option<String> {
    let setup = &story.setup;
    let session = setup.session.as_ref().map(|session| format!("session {session}"));
    let all: Vec<String> =
        [setup.signaling_flow.clone(), setup.media_flow.clone(), session].into_iter().flatten().collect();
    (!all.is_empty()).then(|| format!("Latest flows: {}.", all.join("; ")))
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
