//! The report for a terminal, as wide as it is, in the order of every report.

use super::{
    groups::{Group, groups},
    lines::Lines,
    page,
};
use crate::{
    Confidence, Outcome, Plane, Story,
    story::{LaneView, SpanState},
    verdict::{DropVerdict, RuledOut},
    words,
};
use jiff::tz::TimeZone;
use record::Wall;
use std::fmt::Write;
use std::time::Duration;

/// The lanes' names stand before the picture.
const MARGIN: usize = 14;

/// Times of day are shown in `zone` beside UTC; which one that is, and how wide the terminal, the caller knows.
pub fn text(story: &Story, zone: &TimeZone, width: usize) -> String {
    let mut page = Page { lines: Lines::new(width), zone };
    page.head(story);
    // Where nothing was lost, what was found is what there is to read.
    let nothing_lost = story.head.drops.is_empty();
    if nothing_lost {
        page.findings(story);
    }
    page.picture(story);
    page.tracks(story);
    page.drops(story);
    if !nothing_lost {
        page.findings(story);
    }
    page.list("Tested", story.page.tested.iter().map(String::as_str));
    page.list("Not tested", story.head.not_tested.iter().map(String::as_str));
    page.list("Not seen", story.page.not_seen.iter().map(String::as_str));
    page.recovery(story);
    page.survival(story);
    page.environment(story);
    page.others(story);
    page.lines.out
}

struct Page<'z> {
    lines: Lines,
    zone: &'z TimeZone,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.lines.line(text);
    }

    fn wrapped(&mut self, first: &str, text: &str) {
        self.lines.wrapped(first, text);
    }

    fn title(&mut self, text: &str) {
        self.lines.title(text);
    }

    /// `11:00:20 (10:00:20 UTC)`, or once where both are the same.
    fn moment(&self, wall: Wall) -> String {
        let utc = wall.timestamp().strftime("%H:%M:%S").to_string();
        let local = wall.timestamp().to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string();
        if local == utc { format!("{utc} UTC") } else { format!("{local} ({utc} UTC)") }
    }

    /// The same to the hundredth, for what happened.
    fn moment_exact(&self, wall: Wall) -> String {
        let utc = words::hundredths(wall);
        let local = wall.timestamp().to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string();
        let parts = utc.get(local.len()..).unwrap_or_default();
        match utc.starts_with(&local) {
            true => format!("{utc} UTC"),
            false => format!("{local}{parts} ({utc} UTC)"),
        }
    }

    fn head(&mut self, story: &Story) {
        let groups = groups(&story.head);
        if groups.is_empty() {
            self.wrapped("", &story.head.headline);
        }
        for (index, group) in groups.iter().enumerate() {
            if index > 0 {
                self.line("");
            }
            self.group(group);
            if !groups[..index].iter().any(|before| before.confidence == group.confidence) {
                self.wrapped("", group.confidence.meaning());
            }
        }
        if !groups.is_empty() {
            for note in &story.notes {
                self.wrapped("", &format!("Note: {note}."));
            }
        }
        if let Some(unconfirmed) = &story.head.unconfirmed {
            self.wrapped("", &unconfirmed.says);
        }
    }

    fn group(&mut self, group: &Group) {
        let disc = match group.confidence {
            Confidence::Shown => "●",
            Confidence::Likely => "◐",
            Confidence::NotProven => "○",
        };
        let sure = group.how_sure().map(|sure| format!(" {sure}")).unwrap_or_default();
        self.wrapped("", &format!("{}  {disc}{sure}", group.head()));
        let Some(first) = group.drops.first() else { return };
        if group.never_stood {
            let (began, failed) = (self.moment_exact(first.last_good), self.moment_exact(first.first_bad));
            self.wrapped("", &format!("{}; tried from {began}, and first failed at {failed}.", group.how_often()));
        } else {
            let onset = group.onset().unwrap_or(first.first_bad);
            self.wrapped("", &format!("{}, {} {}.", group.how_often(), group.at(), self.moment_exact(onset)));
        }
        self.wrapped("", &format!("{}: {}", first.advice.who, first.advice.what));
    }

    fn picture(&mut self, story: &Story) {
        if story.axis.length_s <= 0.0 {
            return;
        }
        self.line("");
        let columns = self.lines.width - MARGIN - 2;
        for lane in story.lanes.iter().filter(|lane| !lane.spans.is_empty()) {
            let strip = strip(story, lane, columns);
            self.line(&format!("{:<MARGIN$}{strip}", lane.label));
        }
        let end = words::length(words::millis(story.axis.length_s * 1e3));
        self.line(&format!("{:MARGIN$}0{end:>width$}", "", width = columns - 1));
        self.wrapped(&" ".repeat(MARGIN), "━ alive   ┄ unknown   ╳ lost   ╱ asleep   blank: not held then");
    }

    fn drops(&mut self, story: &Story) {
        for (index, drop) in story.head.drops.iter().enumerate() {
            let plane = match drop.plane {
                Plane::Signaling => "Signaling",
                Plane::Media => "Media",
            };
            let earlier: Vec<&DropVerdict> =
                story.head.drops[..index].iter().filter(|d| d.cause == drop.cause && d.owner == drop.owner).collect();
            let alike = earlier.iter().find(|d| d.plane == drop.plane);
            self.title(&format!("Drop {}: {plane}", drop.id));
            match alike {
                Some(first) => self.wrapped("  ", &format!("As drop {}: {}", first.id, drop.says)),
                None => self.wrapped("  ", &drop.says),
            }
            self.times(story, drop);
            self.because(drop);
            // What was ruled out and what to do read the same for each drop of a cause.
            if alike.is_none() {
                self.doubt(story, drop, &earlier);
            }
        }
    }

    fn times(&mut self, story: &Story, drop: &DropVerdict) {
        if story.head.outcome == Outcome::NotEstablished {
            let (began, failed) = (hundredths(drop.last_good), hundredths(drop.first_bad));
            return self.line(&format!("  tried from {began}   first failed at {failed}"));
        }
        self.line(&format!("  last good {}   first bad {}", hundredths(drop.last_good), hundredths(drop.first_bad)));
        let back = match drop.restored {
            Some(restored) => {
                let gone = Duration::from_micros((restored.micros() - drop.last_good.micros()).max(0) as u64);
                format!("{}, gone for {}", hundredths(restored), words::length(gone))
            }
            None => "never".to_owned(),
        };
        self.line(&format!("  back      {back}"));
    }

    fn because(&mut self, drop: &DropVerdict) {
        for because in &drop.because {
            self.wrapped(&format!("{:>11}  ", format!("event {}", because.seq)), &because.says);
        }
    }

    /// What an earlier drop of the same group said already is left out.
    fn doubt(&mut self, story: &Story, drop: &DropVerdict, earlier: &[&DropVerdict]) {
        // The sentence says what was not so; the cause's own name would only say it again. Of two that begin alike the
        // longer says what the shorter does.
        let all = || drop.ruled_out.iter().map(|out| out.says.trim_end_matches('.'));
        let said_before = |out: &RuledOut| earlier.iter().any(|drop| drop.ruled_out.contains(out));
        let said_longer = |says: &str| all().any(|other| other.len() > says.len() && other.starts_with(says));
        let new = drop.ruled_out.iter().filter(|out| !said_before(out) && !said_longer(out.says.trim_end_matches('.')));
        let list: Vec<&str> = new.map(|out| out.says.as_str()).collect();
        if !list.is_empty() {
            self.wrapped("  ruled out  ", &list.join(" "));
        }
        if !earlier.iter().any(|d| d.advice.retest == drop.advice.retest) {
            let page = story.page.admin.iter().find(|page| page.drops.contains(&drop.id));
            self.wrapped("     retest  ", page.map_or(&drop.advice.retest, |page| &page.retest));
        }
        self.wrapped("   wrong if  ", &drop.advice.wrong_if);
    }

    fn list<'t>(&mut self, title: &str, items: impl Iterator<Item = &'t str>) {
        self.lines.list(title, items);
    }

    fn findings(&mut self, story: &Story) {
        let found = story.head.findings.iter().map(|finding| finding.says.as_str());
        self.list("Findings", found.chain(story.outages.iter().map(String::as_str)));
    }

    /// Of each plane in one line; a call that never stood has none.
    fn tracks(&mut self, story: &Story) {
        if story.drops.is_empty() {
            return;
        }
        self.line("");
        for track in &story.page.tracks {
            self.wrapped(&format!("{:<MARGIN$}", track.label), &track.says);
        }
    }

    fn recovery(&mut self, story: &Story) {
        if story.drops.is_empty() {
            return;
        }
        self.title("Recovery");
        for drop in &story.head.drops {
            let by = page::back_by(drop);
            let mut line = format!("  drop {}: {by}", drop.id);
            if let Some(took) = drop.recovery.took_s {
                let _ = write!(line, ", {} after the first sign of it", words::length(words::millis(took * 1e3)));
            }
            if drop.recovery.attempts > 0 {
                let _ = write!(line, ", {}", words::count(drop.recovery.attempts, "attempt"));
            }
            self.wrapped("  ", line.trim_start());
        }
    }

    /// Behind all that was seen: nobody named here had a part in it.
    fn others(&mut self, story: &Story) {
        let rows = &story.page.recovery;
        if rows.iter().all(|row| row.others.is_empty()) {
            return;
        }
        self.title("What others' software would have done");
        let seen = match story.setup.to.is_empty() {
            true => "Nothing was seen of these services",
            false => "None of these services was involved in this call",
        };
        self.wrapped("  ", &format!("{seen}: it is what their software would have done about the same losses."));
        for row in rows.iter().filter(|row| !row.others.is_empty()) {
            // What reads the same after an earlier drop is not said again.
            if let Some(alike) = rows.iter().find(|earlier| earlier.drop < row.drop && earlier.others == row.others) {
                self.line(&format!("  drop {}: as after drop {}", row.drop, alike.drop));
                continue;
            }
            self.line(&format!("  drop {}", row.drop));
            for other in &row.others {
                let least = other.least.as_ref().map(|least| format!(" Lost for {least} at the least."));
                let says = format!("{}{}", other.says, least.unwrap_or_default());
                self.wrapped(&format!("    {:<14}", other.who), &says);
            }
        }
        if let Some(note) = story.page.recovery_note {
            self.line("");
            self.wrapped("  ", note);
        }
    }

    fn survival(&mut self, story: &Story) {
        if story.page.survival.is_empty() {
            return;
        }
        self.title("What the call needed to survive (and the event that shows it)");
        let head: String = page::QUESTIONS.iter().map(|question| format!("  {question}")).collect();
        self.line(&format!("            {head}"));
        for row in &story.page.survival {
            let mut line = format!("  {:<10}", format!("drop {}", row.drop));
            for (question, answer) in page::QUESTIONS.iter().zip(&row.answers) {
                let seq = answer.seq.map(|seq| format!(" ({seq})")).unwrap_or_default();
                let word = format!("{}{seq}", answer.word);
                let _ = write!(line, "  {word:<width$}", width = question.len());
            }
            self.line(&line);
        }
        for row in &story.page.survival {
            for (question, answer) in
                page::QUESTIONS.iter().zip(&row.answers).filter(|(_, answer)| answer.word != "yes")
            {
                self.wrapped("  ", &format!("drop {}, {question}: {}", row.drop, answer.says));
            }
        }
    }

    fn environment(&mut self, story: &Story) {
        self.title("The run");
        let started = story.head.started;
        let date = started.timestamp().strftime("%Y-%m-%d").to_string();
        self.line(&format!("  started    {date} {}", self.moment(started)));
        for (name, value) in page::environment(&story.head, &story.setup, story.axis.length_s) {
            self.wrapped(&format!("  {name:<11}"), &value);
        }
    }
}

fn hundredths(wall: Wall) -> String {
    format!("{} UTC", words::hundredths(wall))
}

/// One character for each stretch of the axis, the worst that happened in it.
fn strip(story: &Story, lane: &LaneView, columns: usize) -> String {
    let column = |at: f64| ((at / story.axis.length_s * columns as f64) as usize).min(columns - 1);
    let mut ranks = vec![0u8; columns];
    let mut paint = |from: f64, to: f64, rank: u8| {
        for cell in ranks.iter_mut().take(column(to) + 1).skip(column(from)) {
            *cell = (*cell).max(rank);
        }
    };
    for span in &lane.spans {
        paint(
            span.from,
            span.to,
            match span.state {
                SpanState::Alive => 1,
                SpanState::Unknown => 2,
                SpanState::Lost => 3,
            },
        );
    }
    let own = |plane: Plane| match plane {
        Plane::Signaling => lane.id == "signaling",
        Plane::Media => lane.id == "media",
    };
    for drop in story.drops.iter().filter(|drop| own(drop.plane)) {
        paint(drop.first_bad, drop.restored.unwrap_or(story.axis.length_s), 3);
    }
    for pause in story.pauses.iter().filter(|pause| pause.slept) {
        paint(pause.from, pause.to, 4);
    }
    // An unknown stretch that was a drop is the end of something, however short.
    ranks.iter().map(|rank| [' ', '━', '┄', '╳', '╱'][usize::from(*rank)]).collect()
}
