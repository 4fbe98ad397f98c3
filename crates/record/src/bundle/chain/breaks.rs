//! Where a chain is broken, and by what. A line is genuine where it fits the link of the event before it, wherever that
//! stands now; so one that was altered does not spoil what is known of the others.

use super::{Chain, Link, START, lines, link, split};
use crate::damage::Damage;
use crate::log::MOST_EVENTS;
use crate::{Seq, Wall};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Whoever edits by hand touches a few; after so many the file is plainly another one.
const MOST_LISTED: usize = 20;
/// Lines that claim one number: of so many each is tried.
const MOST_TWINS: usize = 4;

struct Line<'a> {
    /// In the file, counted from 1.
    number: usize,
    text: &'a [u8],
    event: Option<Seq>,
    chained: Option<(&'a [u8], Link)>,
    /// It fits the line before it.
    in_place: bool,
    genuine: bool,
}

pub fn breaks(events: &[u8], told: Option<&Chain>) -> Vec<Damage> {
    let written = told.map_or(0, |told| told.events);
    let mut lines = read(events);
    let links = links(&lines);
    judge(&mut lines, &links, written);
    let all: BTreeSet<Seq> = lines.iter().filter_map(|line| line.event).collect();
    let genuine: BTreeSet<Seq> = lines.iter().filter(|line| line.genuine).filter_map(|line| line.event).collect();

    let (mut found, mut seen) = (Found::default(), BTreeSet::new());
    // The event up to which all is told, its line, and how many of those written that accounts for.
    let (mut last, mut last_text, mut accounted): (Seq, &[u8], u64) = (0, b"", 0);
    for line in &lines {
        let Some(event) = line.event else {
            if line.chained.is_some() && !line.in_place {
                found.note(Damage::PutIn { line: line.number, event: None });
            }
            continue;
        };
        let altered = !line.genuine && !genuine.contains(&event) && follows_one(&links, event);
        if !(line.genuine || altered) || !seen.insert(event) {
            found.note(Damage::PutIn { line: line.number, event: Some(event) });
            continue;
        }
        accounted += 1;
        if event < last && line.genuine {
            found.note(Damage::Moved { event, after: last });
            continue;
        }
        let expected = last.saturating_add(1);
        if !line.in_place && event > expected {
            let here = all.range(expected..event).count() as u64;
            let count = event - expected - here;
            if count > 0 {
                accounted = accounted.saturating_add(count);
                found.note(Damage::Missing { after: last, count, between: wall(last_text).zip(wall(line.text)) });
            }
        }
        if altered {
            found.altered(event);
        }
        if event > last {
            (last, last_text) = (event, line.text);
        }
    }
    if written > accounted && written > last && lines.last().is_some_and(|line| line.genuine) {
        found.note(Damage::CutEnd { after: last, count: written - accounted, at: wall(last_text) });
    }
    if found.list.is_empty() {
        let odd = lines.iter().find(|line| !line.in_place);
        odd.into_iter().for_each(|line| found.note(Damage::PutIn { line: line.number, event: None }));
    }
    found.told()
}

#[derive(Default)]
struct Found {
    list: Vec<Damage>,
    more: usize,
}

impl Found {
    fn note(&mut self, damage: Damage) {
        match self.list.len() {
            MOST_LISTED => self.more += 1,
            _ => self.list.push(damage),
        }
    }
    /// Those in a row are one place.
    fn altered(&mut self, event: Seq) {
        match self.list.last_mut() {
            Some(Damage::Altered { last, .. }) if last.checked_add(1) == Some(event) => *last = event,
            _ => self.note(Damage::Altered { first: event, last: event }),
        }
    }
    fn told(mut self) -> Vec<Damage> {
        if self.more > 0 {
            self.list.push(Damage::MoreBreaks { count: self.more });
        }
        self.list
    }
}

/// The last event of a log that is in order, and when it was.
pub fn end(events: &[u8]) -> (Seq, Option<Wall>) {
    let last = lines(events).filter(|line| split(line).is_some()).last();
    last.map_or((0, None), |line| (number(line).unwrap_or(0), wall(line)))
}

fn read(events: &[u8]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for (index, text) in events.split(|byte| *byte == b'\n').enumerate() {
        let chained = split(text);
        // Without a link it counts where it is an event: other rubbish the log tells of.
        if (chained.is_none() && serde_json::from_slice::<crate::Event>(text).is_err()) || lines.len() == MOST_EVENTS {
            continue;
        }
        lines.push(Line { number: index + 1, text, event: number(text), chained, in_place: false, genuine: false });
    }
    lines
}

/// By number, for those that have both.
fn links(lines: &[Line<'_>]) -> Vec<(Seq, Link)> {
    let mut links: Vec<_> = lines.iter().filter_map(|line| Some((line.event?, line.chained?.1))).collect();
    links.sort_unstable();
    links
}

fn judge(lines: &mut [Line<'_>], links: &[(Seq, Link)], written: u64) {
    let (mut before, mut rightly) = (START, START);
    for line in &mut *lines {
        let Some((recorded, own)) = line.chained else { continue };
        let fits = |before: Link| link(before, recorded) == own;
        line.in_place = fits(before);
        // The one before it may stand elsewhere by now; or only its link was altered.
        line.genuine =
            line.in_place || fits(rightly) || line.event.is_some_and(|event| comes_after(links, event, fits));
        (before, rightly) = (own, link(before, recorded));
    }
    // After those that are missing, a line is held against the next one.
    for index in 0..lines.len() {
        let Some(event) = lines[index].event else { continue };
        if lines[index].chained.is_some() && !lines[index].genuine && !follows_one(links, event) {
            lines[index].genuine = match lines.get(index + 1) {
                Some(next) => next.in_place && next.event == event.checked_add(1),
                None => event <= written,
            };
        }
    }
}

fn comes_after(links: &[(Seq, Link)], event: Seq, fits: impl Fn(Link) -> bool) -> bool {
    match event.checked_sub(1) {
        None => false,
        Some(0) => fits(START),
        Some(previous) => {
            let from = links.partition_point(|(seq, _)| *seq < previous);
            let twins = links[from..].iter().take_while(|(seq, _)| *seq == previous);
            twins.take(MOST_TWINS).any(|(_, link)| fits(*link))
        }
    }
}

/// Whether there is a link that the event can be held against.
fn follows_one(links: &[(Seq, Link)], event: Seq) -> bool {
    let is_here = |previous: Seq| links.binary_search_by_key(&previous, |(seq, _)| *seq).is_ok();
    event.checked_sub(1).is_some_and(|previous| previous == 0 || is_here(previous))
}

/// As every line of ours begins.
fn number(line: &[u8]) -> Option<Seq> {
    let digits = line.strip_prefix(br#"{"seq":"#)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

fn wall(line: &[u8]) -> Option<Wall> {
    #[derive(Deserialize)]
    struct Stamped {
        at: At,
    }
    #[derive(Deserialize)]
    struct At {
        wall: Wall,
    }
    Some(serde_json::from_slice::<Stamped>(line).ok()?.at.wall)
}
