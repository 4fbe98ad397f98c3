//! What a page shows above and below the picture, in finished words: causes with what to do, tracks, tables. The terminal
//! says the same.

use super::{
    admin::{self, AdminPage},
    groups,
    retest::{self, Retest},
    ticket,
};
use crate::{
    Cause, Confidence, Drop, Outcome, Owner, Plane, Timeline, Verdict,
    recovery::{replay, survival},
    story::Setup,
    unconfirmed,
    verdict::{By, DropVerdict, not_seen},
    words,
};
use record::Wall;
use serde::Serialize;
use ts_rs::TS;

mod tested;

pub use crate::recovery::{
    replay::Other,
    survival::{Answer, QUESTIONS},
};

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Page {
    pub groups: Vec<GroupView>,
    pub tracks: [TrackView; 2],
    pub tested: Vec<String>,
    pub not_seen: Vec<String>,
    pub recovery: Vec<RecoveryRow>,
    /// How to read what others would have done; nothing where it is not told.
    pub recovery_note: Option<&'static str>,
    /// Above the answers of each row of `survival`.
    pub questions: [&'static str; 4],
    pub survival: Vec<SurvivalRow>,
    pub admin: Vec<AdminPage>,
    pub retest: Retest,
    pub environment: Vec<Named>,
}

/// Drops of one cause: what is read in ten seconds, and what is sent to who can act on it.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct GroupView {
    /// Numbers of its drops, as the verdict counts them.
    pub drops: Vec<usize>,
    pub cause: Cause,
    pub owner: Owner,
    pub confidence: Confidence,
    /// "Internet path"
    pub whose: String,
    /// "quiet connections are ended"
    pub title: &'static str,
    /// "Shown"; nothing where the owner's place says it.
    pub sure: Option<String>,
    /// "Signaling lost twice"
    pub lost: String,
    /// "first at", before the onset; nothing where there was no moment of loss.
    pub at: Option<&'static str>,
    #[ts(type = "string")]
    pub onset: Wall,
    pub who: String,
    pub what: String,
    pub retest: String,
    pub wrong_if: String,
    /// To be pasted into a ticket or a mail.
    pub paragraph: String,
}

/// Signaling or media: how often it was lost.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct TrackView {
    pub plane: Plane,
    pub label: &'static str,
    pub says: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct RecoveryRow {
    pub drop: usize,
    pub plane: &'static str,
    pub by: &'static str,
    pub attempts: usize,
    /// From the first sign of death to the return.
    pub after: Option<String>,
    /// From the last proof of life to the return.
    pub gone: Option<String>,
    /// What other policies would have done about it.
    pub others: Vec<Other>,
}

/// What the call needed to survive a drop: an answer to each question.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct SurvivalRow {
    pub drop: usize,
    pub plane: &'static str,
    pub answers: [Answer; 4],
}

/// Of how many drops it is told what others would have done, and what the call needed: a list of thousands helps nobody.
const MOST_REPLAYED: usize = 40;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Named {
    pub name: String,
    pub value: String,
}

pub(crate) fn page(timeline: &Timeline, head: &Verdict, setup: &Setup, length_s: f64) -> Page {
    let rows = environment(head, setup, length_s).into_iter();
    let stood = head.outcome != Outcome::NotEstablished;
    let groups = groups::groups(head);
    let retest = retest::plan(timeline, head);
    let lost = || timeline.drops.iter().zip(&head.drops).filter(|_| stood);
    let survival = |(drop, told): (&Drop, &DropVerdict)| SurvivalRow {
        drop: told.id,
        plane: name(told.plane),
        answers: survival::answers(timeline, drop, &told.recovery),
    };
    let admin = admin::pages(timeline, head, &groups, &retest);
    Page {
        groups: groups.iter().filter_map(|of| group(timeline, of, &admin)).collect(),
        tracks: [Plane::Signaling, Plane::Media].map(|plane| track(head, plane)),
        tested: tested::list(timeline),
        not_seen: not_seen::list(timeline),
        recovery: lost().map(|(drop, told)| recovery(timeline, drop, told)).collect(),
        recovery_note: (stood && !head.drops.is_empty()).then_some(replay::NOTE),
        questions: QUESTIONS,
        survival: lost().take(MOST_REPLAYED).map(survival).collect(),
        admin,
        retest,
        environment: rows.map(|(name, value)| Named { name: words::capital(name), value }).collect(),
    }
}

fn group(timeline: &Timeline, group: &groups::Group, admin: &[AdminPage]) -> Option<GroupView> {
    let first = *group.drops.first()?;
    let advice = &first.advice;
    let asked = admin.iter().find(|page| page.drops.contains(&first.id));
    Some(GroupView {
        drops: group.drops.iter().map(|drop| drop.id).collect(),
        cause: group.cause,
        owner: group.owner,
        confidence: group.confidence,
        whose: group.owner.to_string(),
        title: group.title,
        sure: group.how_sure().map(|sure| sure.to_string()),
        lost: group.how_often(),
        at: (!group.never_stood).then(|| group.at()),
        onset: group.onset()?,
        who: advice.who.clone(),
        what: advice.what.clone(),
        retest: asked.map_or(&advice.retest, |page| &page.retest).clone(),
        wrong_if: advice.wrong_if.clone(),
        paragraph: ticket::of(timeline, group, asked)?,
    })
}

fn track(head: &Verdict, plane: Plane) -> TrackView {
    let drops: Vec<&DropVerdict> = head.drops.iter().filter(|drop| drop.plane == plane).collect();
    let longest = drops.iter().filter_map(|drop| drop.recovery.took_s).fold(0.0, f64::max);
    let back = match drops.iter().all(|drop| drop.restored.is_some()) {
        true if drops.len() == 1 => format!("back {} after the first sign of it", length_s(longest)),
        true => format!("each time back within {} of the first sign of it", length_s(longest)),
        false => "and not back at the end".to_owned(),
    };
    let says = match (head.outcome, drops.len()) {
        (Outcome::NotEstablished, _) => "It never stood.".to_owned(),
        (_, 0) => match head.unconfirmed.as_ref().filter(|unconfirmed| unconfirmed.plane == plane) {
            Some(unconfirmed) => format!("Not seen to be lost; {}.", unconfirmed::since(unconfirmed.since)),
            None => "Never lost.".to_owned(),
        },
        (_, times) => format!("Lost {}, {back}.", words::times(times)),
    };
    TrackView { plane, label: name(plane), says }
}

fn recovery(timeline: &Timeline, drop: &Drop, told: &DropVerdict) -> RecoveryRow {
    let others = match told.id {
        ..=MOST_REPLAYED => replay::replay(timeline, drop, told.cause, &told.recovery),
        _ => vec![],
    };
    RecoveryRow {
        drop: told.id,
        plane: name(told.plane),
        by: back_by(told),
        attempts: told.recovery.attempts,
        after: told.recovery.took_s.map(length_s),
        gone: told.restored.map(|back| length_s((back.micros() - told.last_good.micros()).max(0) as f64 / 1e6)),
        others,
    }
}

pub(super) fn back_by(drop: &DropVerdict) -> &'static str {
    match drop.recovery.by {
        Some(By::Itself) => "by itself",
        Some(By::IceRestart) => "by an ICE restart",
        Some(By::Reconnect) => "by a new connection",
        Some(By::NewCall) => "by a new call, which is not the old one recovered",
        None => "not back",
    }
}

/// Names and values, in the order of every report.
pub(super) fn environment(head: &Verdict, setup: &Setup, whole_s: f64) -> Vec<(&'static str, String)> {
    // With a loss in it, the time is that of the watch and not of the call.
    let (name, seconds) = match (head.outcome, head.drops.is_empty()) {
        (Outcome::NotEstablished, _) => ("tried for", whole_s),
        (_, true) => ("held", head.held_s),
        (_, false) => ("watched", head.held_s),
    };
    let every = setup.heartbeat_every_s.map(|s| format!("every {}", length_s(s)));
    let rows = [
        (name, Some(length_s(seconds))),
        ("to", (!setup.to.is_empty()).then(|| format!("{} ({})", setup.to, setup.kind))),
        ("heartbeat", every.or_else(|| (!setup.to.is_empty()).then(|| "none".into()))),
        ("signaling", setup.signaling_flow.clone()),
        ("media", setup.media_flow.clone()),
        ("session", setup.session.clone()),
        ("proof", setup.calibrated.clone()),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn name(plane: Plane) -> &'static str {
    match plane {
        Plane::Signaling => "Signaling",
        Plane::Media => "Media",
    }
}

fn length_s(seconds: f64) -> String {
    words::length(words::millis(seconds * 1e3))
}
