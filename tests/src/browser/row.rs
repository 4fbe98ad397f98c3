//! `Row`: one fault as both met it in the same run. Pure.

use super::said::{Said, Sign};
use super::{Beside, Onsets};
use crate::judge::{Label, judge};
use crate::scenario::{
    Scenario,
    ending::{Finding, Plane},
};
use crate::truth::{Played, When};
use crate::verdict::ms_between;
use record::Wall;
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub scenario: String,
    pub story: String,
    pub seed: u64,
    /// What was expected: the causes of its drops, or its findings. None where nothing is lost.
    pub fault: Vec<String>,
    pub held_s: f64,
    pub hold: Hold,
    pub page: Page,
}

#[derive(Clone, Debug, Serialize)]
pub struct Hold {
    pub began: Onsets,
    pub media: Option<Noticed>,
    pub signaling: Option<Noticed>,
    pub findings: Vec<String>,
    /// All that was expected of it was said, and nothing else.
    pub right: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Page {
    pub began: Onsets,
    pub ice: Option<Noticed>,
    pub failed: Option<Noticed>,
    pub poll: Option<Noticed>,
    pub beat: Option<Noticed>,
    pub socket: Option<Noticed>,
    /// Of this computer: it is offline, or the page's timers stood still.
    pub other: Option<Noticed>,
    /// All kinds of signs that it had of a loss, without their times.
    pub signature: BTreeSet<String>,
    pub said: Vec<Said>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Noticed {
    /// Against the first packet that was touched of its own plane; nothing where none was.
    pub after_ms: Option<f64>,
    pub said: String,
}

/// A page's clock is read by a browser, and a packet's by the kernel.
const CLOCKS_MS: f64 = 5.0;

impl Row {
    pub fn of(scenario: &Scenario, seed: u64, played: &Played, beside: &Beside) -> Self {
        let null = scenario.is_null() && scenario.ending.findings.is_empty();
        // A beat that TCP sent twice is no loss; media that stopped is one, even if it was the page's alone.
        let media_alone = Onsets { signaling: None, ..beside.page };
        let (hold, page) = match null {
            true => (&Onsets::default(), &media_alone),
            false => (&beside.hold, &beside.page),
        };
        Self {
            scenario: scenario.name.clone(),
            story: scenario.story.clone(),
            seed,
            fault: fault(scenario),
            held_s: played.verdict.held_s,
            hold: Hold::of(scenario, played, hold),
            page: Page::of(&beside.said, page),
        }
    }

    pub fn is_null(&self) -> bool {
        self.fault.is_empty()
    }

    /// It spoke of a loss where the story has none, and the page's own packets show none either.
    pub fn page_is_wrong(&self) -> bool {
        self.is_null() && self.page.began.first().is_none() && !self.page.signature.is_empty()
    }
}

fn fault(scenario: &Scenario) -> Vec<String> {
    let ending = &scenario.ending;
    let causes: BTreeSet<&str> = ending.drops.iter().map(|drop| drop.cause.as_str()).collect();
    if causes.is_empty() {
        return ending.findings.iter().map(|finding| finding.id.clone()).collect();
    }
    causes.into_iter().map(str::to_owned).collect()
}

/// Cause and owner of every drop, and each finding.
fn named(scenario: &Scenario, played: &Played) -> bool {
    let found = |finding: &Finding| !played.verdict.findings(&finding.id).is_empty();
    let rows = judge(scenario, played).rows;
    rows.iter().all(|row| row.label == Label::Exact) && scenario.ending.findings.iter().all(found)
}

/// Where nothing was even sent, it began when it was done.
fn noticed(onset: Option<When>, at: Wall, said: String) -> Noticed {
    Noticed { after_ms: onset.map(|onset| ms_between(onset.earliest.wall, at).max(0.0)), said }
}

impl Hold {
    fn of(scenario: &Scenario, played: &Played, onsets: &Onsets) -> Self {
        let first = |plane: Plane| {
            let drop = *played.verdict.on(plane.name()).first()?;
            let onset = onsets.of_plane(plane).or(onsets.first());
            Some(noticed(onset, drop.declared, format!("{} ({})", drop.cause, drop.confidence)))
        };
        let findings: BTreeSet<&str> = played.verdict.findings.iter().map(|finding| finding.id.as_str()).collect();
        Self {
            began: *onsets,
            media: first(Plane::Media),
            signaling: first(Plane::Signaling),
            findings: findings.into_iter().map(str::to_owned).collect(),
            right: named(scenario, played),
        }
    }

    /// Whichever plane it knew first.
    pub fn first(&self) -> Option<&Noticed> {
        earliest([&self.media, &self.signaling])
    }
}

impl Page {
    fn of(said: &[Said], onsets: &Onsets) -> Self {
        // Before a packet was touched nothing can be known of it; where none was, all is told.
        let since = onsets.first().map(|first| first.earliest.wall.micros() - (CLOCKS_MS * 1e3) as i64);
        let later = |said: &&Said| since.is_none_or(|since| said.at.micros() >= since);
        let first = |plane: Option<Plane>, sign: fn(&Sign) -> Option<String>| {
            let (at, said) = said.iter().filter(later).find_map(|said| Some((said.at, sign(&said.sign)?)))?;
            let onset = plane.and_then(|plane| onsets.of_plane(plane)).or(onsets.first());
            Some(noticed(onset, at, said))
        };
        let (media, signaling) = (Some(Plane::Media), Some(Plane::Signaling));
        Self {
            began: *onsets,
            ice: first(media, |sign| match sign {
                Sign::Ice { state } if state == "disconnected" || state == "failed" => Some(state.clone()),
                _ => None,
            }),
            failed: first(media, |sign| match sign {
                Sign::Connection { state } if state == "failed" => Some(state.clone()),
                _ => None,
            }),
            poll: first(media, |sign| matches!(sign, Sign::Stalled).then(|| "stalled".into())),
            beat: first(signaling, |sign| matches!(sign, Sign::Late).then(|| "late".into())),
            socket: first(signaling, |sign| match sign {
                Sign::Closed { code, reason, .. } if reason.is_empty() => Some(code.to_string()),
                Sign::Closed { code, reason, .. } => Some(format!("{code} \"{reason}\"")),
                _ => None,
            }),
            other: first(None, |sign| match sign {
                Sign::Offline | Sign::StoodStill { .. } | Sign::Exception { .. } => sign.of_a_loss(),
                _ => None,
            }),
            signature: said.iter().filter(later).filter_map(|said| said.sign.of_a_loss()).collect(),
            said: said.to_vec(),
        }
    }

    /// Whatever it noticed first, by whatever means.
    pub fn first(&self) -> Option<&Noticed> {
        earliest([&self.ice, &self.poll, &self.beat, &self.socket, &self.other])
    }
}

fn earliest<const N: usize>(all: [&Option<Noticed>; N]) -> Option<&Noticed> {
    let after = |noticed: &Noticed| noticed.after_ms.unwrap_or(f64::INFINITY);
    all.into_iter().flatten().min_by(|a, b| after(a).total_cmp(&after(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Stamp;

    fn said(ms: i64, sign: Sign) -> Said {
        Said { at: Wall::from_micros(ms * 1000), sign }
    }

    fn at(ms: i64) -> When {
        When::at(Stamp::new(ms * 1000, ms as u64 * 1000, ms as u64 * 1000))
    }

    #[test]
    fn each_sign_is_timed_against_the_packets_of_its_own_plane() {
        let onsets = Onsets { media: Some(at(1_000)), signaling: Some(at(4_000)) };
        let closed = Sign::Closed { socket: "idle".into(), code: 1006, reason: String::new(), clean: false };
        let all = [said(500, Sign::Late), said(2_400, Sign::Stalled), said(4_003, closed)];
        let page = Page::of(&all, &onsets);
        assert_eq!(page.poll, Some(Noticed { after_ms: Some(1_400.0), said: "stalled".into() }));
        assert_eq!(page.socket, Some(Noticed { after_ms: Some(3.0), said: "1006".into() }));
        assert_eq!((&page.beat, &page.ice), (&None, &None), "what was said before has nothing to do with it");
        assert_eq!(page.signature, ["closed 1006".to_owned(), "stalled".into()].into());
        assert_eq!(page.first().map(|first| first.said.as_str()), Some("1006"));
    }

    #[test]
    fn where_nothing_is_lost_every_sign_is_one_too_many() {
        let page = Page::of(&[said(500, Sign::Offline)], &Onsets::default());
        assert_eq!(page.other, Some(Noticed { after_ms: None, said: "offline".into() }));
        assert_eq!(page.signature.len(), 1);
    }
}
