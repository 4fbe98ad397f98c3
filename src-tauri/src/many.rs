//! Many bundles beside each other: a row each, groups of what they share, and drops in the same second.

mod groups;

use crate::opened::{OpenedBundles, problem, title};
use crate::taking::file_name;
use crate::wire::{Desk, DeskRow, Line};
use desk::{files, sealed};
use explain::{Cause, Outcome, Owner, Plane, Story, rules};
use jiff::tz::TimeZone;
use record::{Fact, Log, Wall, fact::Net};
use std::path::{Path, PathBuf};

/// More than a desk looks at in a day; each is read whole.
const MOST: usize = 500;

/// A row, and when each of its drops began, for comparing.
pub struct Read {
    pub row: DeskRow,
    pub drops: Vec<Wall>,
}

impl OpenedBundles {
    pub fn open_many(&self, paths: &[PathBuf]) -> Desk {
        let (mut read, mut problems) = (Vec::new(), Vec::new());
        for path in paths.iter().take(MOST) {
            match files::open(path) {
                Ok(opened) => {
                    let story = explain::story(&opened.log);
                    problems.extend(
                        files::warning(&opened.damage).map(|warning| format!("{}: {warning}", file_name(path))),
                    );
                    let id = format!("row-{}", read.len() + 1);
                    read.push(Read {
                        row: row(id, path, &story, &opened.log),
                        drops: story.head.drops.iter().map(|drop| drop.first_bad).collect(),
                    });
                }
                Err(_) if sealed::is_encrypted(path) => problems.push(format!(
                    "{}: this report is encrypted; open it by itself, with the identity for it",
                    file_name(path)
                )),
                Err(failure) => problems.push(problem(path, &failure)),
            }
        }
        if let Some(left) = paths.len().checked_sub(MOST).filter(|left| *left > 0) {
            problems.push(format!("{left} files were left out: {MOST} at most are laid beside each other"));
        }
        desk(read, problems)
    }
}

fn desk(mut read: Vec<Read>, problems: Vec<String>) -> Desk {
    read.sort_by(|a, b| (&a.row.started, &a.row.path).cmp(&(&b.row.started, &b.row.path)));
    let title = match read.len() {
        1 => "1 report".to_owned(),
        n => format!("{n} reports"),
    };
    Desk {
        title,
        spans: spans(&read),
        groups: groups::groups(&read),
        same_second: groups::same_second(&read),
        rows: read.into_iter().map(|read| read.row).collect(),
        problems,
    }
}

/// "Fri 20 Nov 2026, 09:02 to 09:58 UTC"
fn spans(read: &[Read]) -> String {
    let times: Vec<jiff::Timestamp> = read.iter().filter_map(|read| read.row.started.parse().ok()).collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else { return String::new() };
    let utc = |at: &jiff::Timestamp, format: &str| at.to_zoned(TimeZone::UTC).strftime(format).to_string();
    let (day, until) = (utc(first, "%a %-d %b %Y"), utc(last, "%a %-d %b %Y"));
    let (from, to) = (utc(first, "%H:%M"), utc(last, "%H:%M"));
    match (day == until, from == to) {
        (true, true) => format!("{day}, {from} UTC"),
        (true, false) => format!("{day}, {from} to {to} UTC"),
        (false, _) => format!("{day}, {from} to {until}, {to} UTC"),
    }
}

fn row(id: String, path: &Path, story: &Story, log: &Log) -> DeskRow {
    let head = &story.head;
    let main = head.drops.iter().find(|drop| drop.owner == head.owner).or(head.drops.first());
    let (owner, cause, confidence) = match (main, head.outcome) {
        (Some(drop), _) => (drop.owner.to_string(), cause(drop.cause), drop.confidence.to_string()),
        (None, Outcome::NotEstablished) => (head.owner.to_string(), "the call never stood".into(), String::new()),
        (None, _) => ("Held".into(), "nothing lost".into(), String::new()),
    };
    DeskRow {
        id,
        path: path.display().to_string(),
        name: file_name(path).trim_end_matches(".witness").to_owned(),
        started: head.started.millis(),
        first_lost: head.drops.iter().map(|drop| drop.first_bad).min().map(|wall| wall.millis()),
        outcome: outcome(head.outcome).into(),
        owner: if head.owner == Owner::NotProven && main.is_some() { Owner::NotProven.to_string() } else { owner },
        cause,
        confidence,
        drops: head.drops.len(),
        interval_s: interval(story),
        // A bundle names no place; the name that a desk gave its profile is the nearest thing to one.
        site: Some(title(story)).filter(|_| !story.setup.name.is_empty()),
        network: network(log),
        headline: head.headline.clone(),
        line: line(story),
    }
}

fn cause(cause: Cause) -> String {
    if cause == Cause::NotProven { "not proven".into() } else { rules::rule(cause).title.to_owned() }
}

pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Held => "Held",
        Outcome::Dropped => "Dropped",
        Outcome::NotEstablished => "Never stood",
        Outcome::EndedByUser => "Ended early",
    }
}

/// After which time connections were ended, where the verdict measured one.
fn interval(story: &Story) -> Option<f64> {
    let timed = |cause| matches!(cause, Cause::IdleTimeout | Cause::LifetimeCap | Cause::NatExpired);
    let drop = story.head.drops.iter().find(|drop| timed(drop.cause))?;
    drop.measured.iter().find_map(|(_, figure)| match figure {
        explain::rule::Figure::Number(seconds) => Some(*seconds),
        explain::rule::Figure::Word(_) => None,
    })
}

/// As the world sees it, else by its gateway. A name that only counts within one recording says nothing beside another.
fn network(log: &Log) -> Option<String> {
    let nets = || log.events.iter().filter_map(|event| if let Fact::Net(net) = &event.fact { Some(net) } else { None });
    let public = nets().find_map(|net| match net {
        Net::PublicAddress { public, .. } => Some(public.ip()).filter(|ip| ip.is_known_beyond_this_recording()),
        _ => None,
    });
    public.map(|ip| ip.to_string()).or_else(|| {
        nets().find_map(|net| match net {
            Net::Route { after: Some(hop), .. } => {
                let gateway = hop.gateway.filter(|ip| ip.is_known_beyond_this_recording())?;
                Some(format!("behind {gateway} ({})", hop.interface))
            }
            _ => None,
        })
    })
}

pub fn line(story: &Story) -> Line {
    let end = story.axis.length_s;
    let lost = |plane| story.drops.iter().filter(move |drop| drop.plane == plane);
    // Media first: where both were lost, one line shows what was heard.
    let lost = lost(Plane::Media).chain(lost(Plane::Signaling));
    Line {
        planned_s: story.head.planned_s,
        held_s: story.head.held_s,
        lost: lost.map(|drop| (drop.last_good, drop.restored.unwrap_or(end))).collect(),
        asleep: story.pauses.iter().filter(|pause| pause.slept).map(|pause| (pause.from, pause.to)).collect(),
    }
}

#[cfg(test)]
mod tests;
