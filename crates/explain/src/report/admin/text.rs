//! The pages for a mail: text that is pasted as it is.

use super::AdminPage;
use crate::{Outcome, Story, report::lines::Lines};

/// One page for each cause, as wide as `width`.
pub fn admin(story: &Story, width: usize) -> String {
    let mut lines = Lines::new(width);
    let pages = &story.page.admin;
    if pages.is_empty() {
        lines.wrapped("", &format!("{} Nothing in it asks for a change by an administrator.", story.head.headline));
    }
    for (index, page) in pages.iter().enumerate() {
        if index > 0 {
            lines.line("");
            lines.line(&"-".repeat(lines.width));
            lines.line("");
        }
        one(&mut lines, story, page);
    }
    lines.out
}

fn one(lines: &mut Lines, story: &Story, page: &AdminPage) {
    lines.wrapped("", &format!("For: {}", page.who));
    let sure = page.sure.as_ref().map(|sure| format!(" ({sure})")).unwrap_or_default();
    lines.wrapped("", &format!("{}{sure}", page.title));
    let told = story.head.drops.iter().filter(|drop| page.drops.contains(&drop.id));
    if let Some(confidence) = told.map(|drop| drop.confidence).max() {
        lines.wrapped("", confidence.meaning());
    }
    if let Some(lost) = &page.lost {
        lines.wrapped("", &format!("{lost}, in {}.", run(story)));
    } else {
        lines.wrapped("", &format!("Found in {}.", run(story)));
    }
    lines.title("What we ask");
    lines.wrapped("  ", &page.ask);
    lines.list("What was seen", page.seen.iter().map(String::as_str));
    if !page.search.is_empty() {
        lines.title("To find in your log");
        for row in &page.search {
            lines.wrapped("  - ", &format!("{}: {}, {}", row.at, row.flow, row.how));
        }
    }
    match page.controls.is_empty() {
        false => lines
            .list("What did not fail at the same time, on the same computer", page.controls.iter().map(String::as_str)),
        true if page.lost.is_some() && story.head.outcome != Outcome::NotEstablished => {
            lines.list("What did not fail at the same time", ["Nothing that was held or asked beside it."].into_iter());
        }
        true => {}
    }
    settings(lines, page);
    lines.title("Retest");
    lines.wrapped("  ", &page.retest);
    if !story.setup.self_test && !story.setup.to.is_empty() {
        lines.wrapped("  ", "Whoever has the report makes the file:");
        lines.wrapped("    ", "linewitness report BUNDLE --retest after.witness-profile");
        lines.wrapped("  ", "Whoever lost the call opens it, or:");
        lines.wrapped("    ", "linewitness hold after.witness-profile");
    }
    lines.title("We are wrong if");
    lines.wrapped("  ", &page.wrong_if);
    lines.list("Not tested", story.head.not_tested.iter().map(String::as_str));
    lines.list("Not seen", story.page.not_seen.iter().map(String::as_str));
}

fn settings(lines: &mut Lines, page: &AdminPage) {
    if page.settings.is_empty() {
        return;
    }
    lines.title("Where it is set, and the smallest change");
    lines.wrapped("  ", "Note the present value first, so that it can be set back.");
    if let Some(note) = &page.settings_note {
        lines.wrapped("  ", note);
    }
    if page.settings.iter().any(|row| row.smallest.contains("DEST")) {
        lines.wrapped("  ", &format!("DEST stands for {}.", page.destination));
    }
    for row in &page.settings {
        let default = match (&row.default, row.fits) {
            (Some(default), true) => format!(" (default {default}, which fits)"),
            (Some(default), false) => format!(" (default {default})"),
            (None, _) => String::new(),
        };
        lines.wrapped("  - ", &format!("{}{default}: {}", row.product, row.setting));
        if !row.smallest.is_empty() {
            lines.wrapped("      ", &row.smallest);
        }
    }
}

/// "a hold of 35.0 s to ws://10.83.0.10:8080/call from 2026-11-21 20:29:26 UTC"
fn run(story: &Story) -> String {
    let started = story.head.started.timestamp().strftime("%Y-%m-%d %H:%M:%S");
    let length = crate::words::length(crate::words::millis(story.axis.length_s * 1e3));
    let to = if story.setup.to.is_empty() { "the far end" } else { story.setup.to.as_str() };
    let what = if story.head.outcome == Outcome::NotEstablished { "a try" } else { "a hold" };
    format!("{what} of {length} to {to} that began at {started} UTC")
}
