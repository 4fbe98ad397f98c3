//! Both side by side, for a terminal and for a README alike. Pure.

use super::row::{Noticed, Row};
use crate::score::{Figures, table::lines};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub runs: usize,
    /// Distinct faults among them: causes, or findings where no call is lost.
    pub faults: usize,
    pub named_by_the_hold: usize,
    pub signatures: usize,
    /// Faults whose signs no other fault of these runs shows: at most so many could a page tell from the others.
    pub told_apart: usize,
    /// The fault touched packets of the page, and it had no sign of it.
    pub unnoticed_by_the_page: usize,
    pub delays: Vec<Delay>,
    pub null_runs: usize,
    pub null_minutes: f64,
    pub false_by_the_hold: usize,
    pub false_by_the_page: usize,
}

/// Of one means, over all runs in which something was lost.
#[derive(Clone, Debug, Serialize)]
pub struct Delay {
    pub by: &'static str,
    /// So many runs in which there was something to notice by it.
    pub of: usize,
    pub after_ms: Option<Figures>,
}

struct Means {
    by: &'static str,
    noticed: fn(&Row) -> Option<&Noticed>,
    /// Packets were touched of that which it watches.
    met: fn(&Row) -> bool,
}

const fn means(by: &'static str, noticed: fn(&Row) -> Option<&Noticed>, met: fn(&Row) -> bool) -> Means {
    Means { by, noticed, met }
}

const MEANS: [Means; 10] = [
    means("Linewitness: media", |row| row.hold.media.as_ref(), |row| row.hold.began.media.is_some()),
    means("page: ICE disconnected", |row| row.page.ice.as_ref(), |row| row.page.began.media.is_some()),
    means("page: connection failed", |row| row.page.failed.as_ref(), |row| row.page.began.media.is_some()),
    means("page: getStats, each second", |row| row.page.poll.as_ref(), |row| row.page.began.media.is_some()),
    means("Linewitness: signaling", |row| row.hold.signaling.as_ref(), |row| row.hold.began.signaling.is_some()),
    means("page: WebSocket closed", |row| row.page.socket.as_ref(), |row| row.page.began.signaling.is_some()),
    means("page: own beat unanswered", |row| row.page.beat.as_ref(), |row| row.page.began.signaling.is_some()),
    means("page: offline, timers stood still", |row| row.page.other.as_ref(), |_| true),
    means("Linewitness: whichever first", |row| row.hold.first(), |_| true),
    means("page: whichever first", |row| row.page.first(), |_| true),
];

impl Summary {
    pub fn of(rows: &[Row]) -> Self {
        let (null, lost): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is_null());
        let mut faults: BTreeMap<&[String], Vec<&Row>> = BTreeMap::new();
        let mut signatures: BTreeMap<&BTreeSet<String>, BTreeSet<&[String]>> = BTreeMap::new();
        for row in &lost {
            faults.entry(&row.fault).or_default().push(row);
            signatures.entry(&row.page.signature).or_default().insert(&row.fault);
        }
        let alone = |row: &&Row| !row.page.signature.is_empty() && signatures[&row.page.signature].len() == 1;
        let delays = MEANS.map(|Means { by, noticed, met }| {
            let met: Vec<_> = lost.iter().filter(|row| met(row)).collect();
            let all = met.iter().filter_map(|row| noticed(row)?.after_ms).collect();
            Delay { by, of: met.len(), after_ms: Figures::of(all) }
        });
        Self {
            runs: lost.len(),
            faults: faults.len(),
            named_by_the_hold: faults.values().filter(|rows| rows.iter().all(|row| row.hold.right)).count(),
            signatures: signatures.len(),
            told_apart: faults.values().filter(|rows| rows.iter().all(alone)).count(),
            unnoticed_by_the_page: lost.iter().filter(|row| row.page.signature.is_empty()).count(),
            delays: delays.into(),
            null_runs: null.len(),
            null_minutes: null.iter().map(|row| row.held_s).sum::<f64>() / 60.0 + 0.0,
            false_by_the_hold: null.iter().filter(|row| row.hold.first().is_some()).count(),
            false_by_the_page: null.iter().filter(|row| row.page_is_wrong()).count(),
        }
    }
}

const HEAD: [&str; 8] = [
    "fault",
    "scenario",
    "Linewitness: known after, said",
    "page: ICE disconnected",
    "getStats stalled",
    "WebSocket closed",
    "own beat late",
    "else",
];

pub struct Table<'a>(pub &'a [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(self.0.iter().map(cells));
        lines(f, &rows)
    }
}

fn cells(row: &Row) -> [String; 8] {
    let fault = match (row.is_null(), row.page.began.media) {
        (false, _) => row.fault.join(", "),
        (true, None) => "(nothing lost)".to_owned(),
        (true, Some(_)) => "(nothing lost but by the page)".to_owned(),
    };
    let time = |noticed: &Option<Noticed>| noticed.as_ref().map_or("–".into(), seconds);
    let with_word = |noticed: &Option<Noticed>| {
        noticed.as_ref().map_or("–".into(), |noticed| format!("{}: {}", seconds(noticed), noticed.said))
    };
    [
        fault,
        row.scenario.clone(),
        told(row),
        time(&row.page.ice),
        time(&row.page.poll),
        with_word(&row.page.socket),
        time(&row.page.beat),
        with_word(&row.page.other),
    ]
}

fn told(row: &Row) -> String {
    match row.hold.first() {
        Some(first) => format!("{}: {}", seconds(first), first.said),
        None if row.is_null() || row.hold.findings.is_empty() => "–".into(),
        None => format!("found {}", row.hold.findings.join(", ")),
    }
}

fn seconds(noticed: &Noticed) -> String {
    match noticed.after_ms {
        Some(ms) if ms < 10.0 => "< 0.01 s".into(),
        Some(ms) => format!("{:.2} s", ms / 1e3),
        None => "falsely".into(),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["known by", "in runs", "median", "p95"].map(str::to_owned)];
        rows.extend(self.delays.iter().map(|delay| {
            let figure = |pick: fn(Figures) -> f64| {
                delay.after_ms.map_or("–".to_owned(), |figures| format!("{:.2} s", pick(figures) / 1e3))
            };
            let runs = format!("{} of {}", delay.after_ms.map_or(0, |figures| figures.count), delay.of);
            [delay.by.to_owned(), runs, figure(|figures| figures.p50), figure(|figures| figures.p95)]
        }));
        lines(f, &rows)?;
        writeln!(
            f,
            "\n{} faults in {} runs: Linewitness named {}. The page had {} different signatures; {} faults have one that no other \
             shows. In {} runs it had no sign at all.",
            self.faults,
            self.runs,
            self.named_by_the_hold,
            self.signatures,
            self.told_apart,
            self.unnoticed_by_the_page
        )?;
        writeln!(
            f,
            "Nothing was lost in {} runs of {:.1} minutes together: Linewitness spoke of a loss in {}, the page, with none in its own packets, in {}.",
            self.null_runs, self.null_minutes, self.false_by_the_hold, self.false_by_the_page
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Onsets,
        row::{Hold, Page},
    };
    use super::*;

    fn row(fault: &str, hold_ms: f64, poll_ms: Option<f64>, signs: &[&str]) -> Row {
        let noticed = |ms, said: &str| Noticed { after_ms: Some(ms), said: said.into() };
        let stamp = record::Stamp::new(0, 0, 0);
        let began = Onsets { media: Some(crate::truth::When::at(stamp)), signaling: None };
        let media = (!fault.is_empty()).then(|| noticed(hold_ms, fault));
        Row {
            scenario: "a".into(),
            story: "A.".into(),
            seed: 1,
            fault: fault.split_terminator(' ').map(str::to_owned).collect(),
            held_s: 30.0,
            hold: Hold { began, media, signaling: None, findings: vec![], right: true },
            page: Page {
                began,
                ice: None,
                failed: None,
                poll: poll_ms.map(|ms| noticed(ms, "stalled")),
                beat: None,
                socket: None,
                other: None,
                signature: signs.iter().map(|sign| (*sign).to_owned()).collect(),
                said: vec![],
            },
        }
    }

    #[test]
    fn faults_that_look_alike_to_the_page_are_not_told_apart() {
        let rows = [
            row("path_lost", 300.0, Some(1_400.0), &["stalled"]),
            row("udp_blocked", 300.0, Some(1_500.0), &["stalled"]),
            row("link_down", 300.0, Some(1_100.0), &["stalled", "offline"]),
            row("nat_rebound", 300.0, None, &[]),
            row("", 0.0, None, &[]),
        ];
        let summary = Summary::of(&rows);
        assert_eq!((summary.runs, summary.faults, summary.null_runs), (4, 4, 1));
        assert_eq!((summary.signatures, summary.told_apart, summary.unnoticed_by_the_page), (3, 1, 1));
        let poll = summary.delays.iter().find(|delay| delay.by.contains("getStats")).and_then(|delay| delay.after_ms);
        assert_eq!(poll.map(|poll| (poll.count, poll.p50)), Some((3, 1_400.0)));
        let closed = summary.delays.iter().find(|delay| delay.by.contains("WebSocket"));
        assert_eq!(closed.map(|closed| closed.of), Some(0), "no packet of a WebSocket was touched");
        assert_eq!((summary.false_by_the_hold, summary.false_by_the_page), (0, 0));
    }

    #[test]
    fn the_table_says_what_each_knew_and_where_one_knew_nothing() {
        let text = Table(&[row("path_lost", 300.0, Some(1_400.0), &["stalled"])]).to_string();
        let line = text.lines().nth(2).expect("under the head and its line");
        assert!(line.contains("0.30 s: path_lost") && line.contains("1.40 s") && line.contains('–'), "{text}");
    }
}
