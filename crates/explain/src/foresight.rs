//! Foresight: from ends that repeat, when the next one is due. What is foretold is noted before it happens, and comes true
//! or is missed; neither can be had afterwards.
//!
//! `foresee` gives the facts that should be noted now and are not in the log yet. It is asked every few seconds.

use crate::{Timeline, drops, limits, timeline::Foretold, words};
use record::{
    Log, Said, Stamp, Wall,
    fact::{Pattern, Prediction},
};
use std::time::Duration;

mod call;
mod lane;

/// A prediction that holds a tenth of the period or more comes true by chance too often, and beyond five seconds either
/// way nobody would call it one.
const WIDEST: Duration = Duration::from_secs(5);
const SHARE: u32 = 20;
/// Proxies look at their timers once a second.
const LEAST: Duration = Duration::from_millis(300);
/// It must have been said before: the note itself takes a moment, and this is asked every few seconds.
const AHEAD: Duration = Duration::from_secs(1);
/// The end is noted a moment after it came; a half-open socket is found within this.
const NOTED_LATE: Duration = Duration::from_secs(3);
/// So often foretold and right is proof enough; so often wrong, and the pattern is none.
const ENOUGH_HITS: usize = 5;
const ENOUGH_MISSES: usize = 2;

/// Something that is due: so long after `since`, give or take.
pub(crate) struct Due {
    pub pattern: Pattern,
    /// Absent means the call.
    pub lane: Option<u32>,
    /// What makes a second prediction of the same end unnecessary: one made after this is of this very connection.
    pub since: Stamp,
    pub after: Duration,
    /// How far the ends it is taken from lay apart.
    pub spread: Duration,
    /// "the bare WebSocket will end", and its condition "if it stays quiet".
    pub what: &'static str,
    pub condition: &'static str,
}

/// What became of a subject's end, as far as the log knows.
pub(crate) enum Came {
    /// The wall clock at its end.
    At(Wall),
    Otherwise,
    NotYet,
}

pub fn foresee(log: &Log) -> Vec<Prediction> {
    let mut timeline = Timeline::read(log);
    timeline.goes_on = true;
    timeline.drops = drops::find(&timeline);
    timeline.limits = limits::find(&timeline);
    let mut facts = resolved(&timeline);
    if timeline.is_over() || timeline.hung_up.is_some() {
        return facts;
    }
    let mut id = timeline.foretold.iter().map(|made| made.id).max().unwrap_or(0);
    for due in call::due(&timeline).into_iter().chain(lane::due(&timeline)) {
        if let Some(next) = id.checked_add(1)
            && let Some(made) = made(&timeline, &due, next)
        {
            id = next;
            facts.push(made);
        }
    }
    facts
}

/// Of each that was made and has had its time.
fn resolved(timeline: &Timeline) -> Vec<Prediction> {
    let open = timeline.foretold.iter().filter(|made| made.came_true.is_none() && made.missed.is_none());
    open.filter_map(|made| {
        let id = made.id;
        let now = timeline.until.wall;
        match came(timeline, made) {
            Came::At(wall) if made.from <= wall && wall <= made.to => Some(Prediction::CameTrue { id }),
            Came::At(_) | Came::Otherwise => Some(Prediction::Missed { id }),
            Came::NotYet if now > made.to.plus_micros(NOTED_LATE.as_micros() as i64) => Some(Prediction::Missed { id }),
            Came::NotYet => None,
        }
    })
    .collect()
}

fn came(timeline: &Timeline, made: &Foretold) -> Came {
    match made.lane {
        Some(number) => lane::came(timeline, made, number),
        None => call::came(timeline, made),
    }
}

fn made(timeline: &Timeline, due: &Due, id: u32) -> Option<Prediction> {
    let about = |made: &&Foretold| made.lane.is_none() == due.lane.is_none() && made.pattern == due.pattern;
    let earlier = || timeline.foretold.iter().filter(about);
    let (hits, misses) = (
        earlier().filter(|made| made.came_true.is_some()).count(),
        earlier().filter(|made| made.missed.is_some()).count(),
    );
    let said = timeline.foretold.iter().any(|made| {
        made.lane == due.lane && (made.at.stamp >= due.since || made.came_true.is_none() && made.missed.is_none())
    });
    if said || hits >= ENOUGH_HITS || (misses >= ENOUGH_MISSES && hits == 0) {
        return None;
    }
    let most = WIDEST.min(due.after / SHARE);
    let give = (due.spread * 2).max(LEAST).max(due.after / 100).min(most);
    // What lies further apart than that is not regular enough to be foretold.
    if due.spread > give || give.is_zero() {
        return None;
    }
    let at = due.since.plus(due.after);
    if at.minus(give) < timeline.until.plus(AHEAD) {
        return None;
    }
    let us = give.as_micros() as i64;
    // By the wall clock as it stands now: it may have been set since.
    let wall = timeline.until.wall.plus_micros(at.since(timeline.until).as_micros() as i64);
    let clock = wall.timestamp().strftime("%H:%M:%S");
    let (from, to) = (wall.plus_micros(-us), wall.plus_micros(us));
    let says =
        Said::new(&format!("{} at {clock} UTC, within {} either way{}", due.what, words::length(give), due.condition));
    Some(Prediction::Made { id, pattern: due.pattern, lane: due.lane, from, to, says })
}
