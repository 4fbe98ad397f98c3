//! Short lines, ready to be pasted into a ticket: who is asked to do what, when it was and on which flow, why, how sure that
//! is, how it is tried again, and what was not seen.

use super::{admin::AdminPage, groups::Group};
use crate::{Outcome, Plane, Story, Timeline, verdict::DropVerdict, words};
use record::Wall;

/// More moments than this are a list for a machine; the bundle has them all.
const MOST_MOMENTS: usize = 6;
/// A ticket, and no list.
const MOST_FINDINGS: usize = 3;
const MOST_BECAUSE: usize = 3;
const MOST_RULED_OUT: usize = 3;
const MOST_NOT_SEEN: usize = 3;

pub fn ticket(story: &Story) -> String {
    let mut parts: Vec<String> = story.page.groups.iter().map(|group| group.paragraph.clone()).collect();
    if parts.is_empty() {
        let found = story.head.findings.iter().map(|finding| finding.says.clone());
        let found = found.chain(story.outages.iter().cloned()).take(MOST_FINDINGS);
        parts.push([story.head.headline.clone()].into_iter().chain(found).collect::<Vec<_>>().join(" "));
    }
    parts.extend(story.head.unconfirmed.iter().map(|unconfirmed| unconfirmed.says.clone()));
    parts.push(limits(story));
    parts.join("\n")
}

/// What was seen of one cause, and what is asked for. `asked`: the page of the same cause.
pub fn of(timeline: &Timeline, group: &Group, asked: Option<&AdminPage>) -> Option<String> {
    let first = *group.drops.first()?;
    let advice = &first.advice;
    let mut lines = vec![
        format!("For {}: {}", lower(&advice.who), advice.what),
        format!("When: {}. {}", group.how_often(), moments(timeline, group)),
    ];
    let lived = asked.map(|page| page.controls.join(" ")).filter(|lived| !lived.is_empty());
    lines.push(why(group, first, lived.is_some()));
    lines.extend(lived.map(|lived| format!("Did not fail at the same time, on the same computer: {lived}")));
    let retest = asked.map_or(&advice.retest, |page| &page.retest);
    lines.extend([how_sure(group, first), format!("Retest: {retest}")]);
    Some(lines.join("\n"))
}

/// `controls`: what did not fail is told on a line of its own.
fn why(group: &Group, first: &DropVerdict, controls: bool) -> String {
    let word = group.how_sure().map(|sure| format!(" ({sure})")).unwrap_or_default();
    let mut says = format!("Why: {}{word}. {}", group.head(), first.says);
    let told = |says: &str| said(&first.says, says) || controls && says.contains("the control that did not fail");
    for because in first.because.iter().filter(|because| !told(&because.says)).take(MOST_BECAUSE) {
        says.push_str(&format!(" {}", because.says));
    }
    says
}

fn how_sure(group: &Group, first: &DropVerdict) -> String {
    let mut says = group.confidence.meaning().to_owned();
    if !first.ruled_out.is_empty() {
        let out: Vec<&str> = first.ruled_out.iter().take(MOST_RULED_OUT).map(|out| out.says.as_str()).collect();
        says.push_str(&format!(" Ruled out: {}{}", out.join(" "), more(first.ruled_out.len(), out.len())));
    }
    format!("{says} We are wrong if {}", first.advice.wrong_if)
}

/// " 9 more stand in the report."
fn more(all: usize, said: usize) -> String {
    match all.saturating_sub(said) {
        0 => String::new(),
        1 => " 1 more stands in the report.".into(),
        n => format!(" {n} more stand in the report."),
    }
}

/// A sentence that only repeats what was said.
fn said(before: &str, says: &str) -> bool {
    before.to_lowercase().contains(says.trim_end_matches('.').to_lowercase().as_str())
}

/// Of each drop the flow and the first sign of it, to the hundredth, with the last proof of life before it. What all of them
/// share is said of the first.
fn moments(timeline: &Timeline, group: &Group) -> String {
    let mut list: Vec<String> = Vec::new();
    let mut how_before = None;
    for drop in group.drops.iter().take(MOST_MOMENTS) {
        let failed = hundredths(drop.first_bad);
        if group.never_stood {
            list.push(format!("First failure at {failed}."));
            continue;
        }
        let last = words::hundredths(drop.last_good);
        let when = match drop.plane {
            Plane::Signaling => format!("First bad {failed} (last good {last})"),
            Plane::Media => format!("First bad {failed} (last packet in {last})"),
        };
        let row = super::admin::row(timeline, drop);
        let how = row.as_ref().map(|row| row.how.clone()).filter(|_| drop.plane == Plane::Signaling);
        let flow = row.map(|row| match row.flow.split_once(" (outside") {
            Some((flow, _)) if !list.is_empty() => flow.to_owned(),
            _ => row.flow,
        });
        let back = match drop.recovery.took_s {
            Some(took) => format!("back {} later", words::length(words::millis(took * 1e3))),
            None => "not back".to_owned(),
        };
        let new = how.clone().filter(|_| how != how_before);
        let parts: Vec<String> = [Some(when), flow, new].into_iter().flatten().collect();
        list.push(format!("{}; {back}.", parts.join(", ")));
        how_before = how.or(how_before);
    }
    if group.drops.len() > MOST_MOMENTS {
        list.push(format!("{} more in the bundle.", group.drops.len() - MOST_MOMENTS));
    }
    list.join(" ")
}

fn hundredths(wall: Wall) -> String {
    format!("{} {} UTC", wall.timestamp().strftime("%Y-%m-%d"), words::hundredths(wall))
}

/// What the rest rests on, and what it does not say.
fn limits(story: &Story) -> String {
    let mut says = vec![run(story)];
    says.extend(flows(story));
    says.extend(story.setup.calibrated.clone());
    // What bears on the fault before what a single watcher could not see, of which one is enough.
    let not_seen = &story.page.not_seen;
    let of_the_fault = not_seen.iter().filter(|says| !says.contains("could not be seen")).take(MOST_NOT_SEEN);
    let mut said: Vec<&str> = of_the_fault.map(String::as_str).collect();
    if said.is_empty() {
        said.extend(not_seen.first().map(String::as_str));
    }
    if !said.is_empty() {
        says.push(format!("Not seen: {}{}", said.join(" "), more(not_seen.len(), said.len())));
    }
    if let Some(first) = story.head.not_tested.first() {
        says.push(format!("Not tested: {first}{}", more(story.head.not_tested.len(), 1)));
    }
    format!("Limits: {}", says.join(" "))
}

fn run(story: &Story) -> String {
    let setup = &story.setup;
    let to = if setup.to.is_empty() { "the far end" } else { &setup.to };
    let began = hundredths(story.head.started);
    if story.head.outcome == Outcome::NotEstablished {
        let tried = words::length(words::millis(story.axis.length_s * 1e3));
        return format!("The call to {to} was tried from {began} on, for {tried}.");
    }
    let held = words::length(words::millis(story.head.held_s * 1e3));
    format!("The call to {to} began at {began} and was held for {held}.")
}

/// As they stood last: after a drop these are not the ones that failed, and media that was not lost needs no finding.
fn flows(story: &Story) -> Option<String> {
    let setup = &story.setup;
    let drops = &story.head.drops;
    let media_matters = drops.is_empty() || drops.iter().any(|drop| drop.plane == Plane::Media);
    let told = |flow: &&String| story.page.groups.iter().any(|group| group.paragraph.contains(flow.as_str()));
    // With the last flow stands who knows what the names stand for.
    let under_names = |flow: &&String| flow.contains("`linewitness map");
    let at_the_end = [
        ("signaling at the end", setup.signaling_flow.as_ref().filter(|flow| !told(flow))),
        (
            "media at the end",
            setup.media_flow.as_ref().filter(|flow| (media_matters || under_names(flow)) && !told(flow)),
        ),
        ("session", setup.session.as_ref()),
    ];
    let all: Vec<String> =
        at_the_end.iter().filter_map(|(name, value)| Some(format!("{name}: {}", (*value)?))).collect();
    (!all.is_empty()).then(|| format!("{}.", words::capital(&all.join("; "))))
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
