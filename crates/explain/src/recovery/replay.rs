//! What others' policies would have done about the same loss: replayed over the moments that the log holds.
//!
//! Replayed is when each would have noticed and when it would have tried, by its waits without their random spread. Of a
//! try, this hold's own attempts are the only witnesses: until the last of them that failed there was no way, and from the
//! one that worked on there was. What the vendor's servers would have answered is not in any log of ours.

use super::{By, Recovery};
use crate::{
    Cause, Drop, Plane, Timeline,
    drops::Loss,
    rules::look,
    words::{self, length},
};
use record::{
    Policy, Stamp,
    fact::{CallEndedBy, End, Move, Outcome, Side},
};
use serde::Serialize;
use std::time::Duration;
use ts_rs::TS;

/// What somebody else's program would have done.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Other {
    pub who: &'static str,
    pub says: String,
    /// So long the loss would have lasted at the least, where that follows.
    pub least: Option<String>,
}

/// How the table is to be read, and where its figures are from.
pub const NOTE: &str = "Beside each is what others' policies would have done: when they would have noticed and tried, by their waits without the random spread, over the moments recorded here. What their servers would have answered is not known. Twilio: Voice JS 2.18.5 with one edge and its default options, and Telnyx: WebRTC JS 2.27.10, both in Chrome, as read in their source and measured; Telnyx builds the media anew with each new connection. A plain page: one in Chromium 156 that does nothing of its own, as measured.";

struct Sdk {
    who: &'static str,
    /// A page without one does nothing of its own.
    policy: Option<Policy>,
    /// Without any sign of life over signaling for so long, the connection is taken for dead.
    silent_for: Duration,
    failed_restart: FailedRestart,
}

/// What follows on an ICE restart that brought nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FailedRestart {
    EndsTheCall,
    /// Signaling is opened anew, and the media with it; which is also all that is done where signaling is gone too.
    BeginsAnew,
}

/// Twilio's client gives a connection up 15 s after the last message. Telnyx's asks after 21.7 s and closes at 27.7 s, as
/// measured. A page hears of it from the system alone: Chromium's TCP keepalive ended a quiet connection after 443.9 s on
/// Linux, and one with bytes under way after 939.5 s.
const SDKS: [Sdk; 3] = [
    Sdk {
        who: "Twilio",
        policy: Some(Policy::AS_TWILIO),
        silent_for: Duration::from_secs(15),
        failed_restart: FailedRestart::EndsTheCall,
    },
    Sdk {
        who: "Telnyx",
        policy: Some(Policy::AS_TELNYX),
        silent_for: Duration::from_millis(27_700),
        failed_restart: FailedRestart::BeginsAnew,
    },
    Sdk {
        who: "A plain page",
        policy: None,
        silent_for: Duration::from_millis(443_900),
        failed_restart: FailedRestart::EndsTheCall,
    },
];

/// Chromium's connectionState was "failed" 16.82 to 17.43 s after the last packet, and stayed so whatever came back.
const PAGE_FAILS: [Duration; 2] = [Duration::from_millis(16_820), Duration::from_millis(17_430)];

/// Enough for every policy to have reached its longest wait, and to be through with a loss of an hour.
const MOST_TRIES: u32 = 256;

pub(crate) fn replay(timeline: &Timeline, drop: &Drop, cause: Cause, recovery: &Recovery) -> Vec<Other> {
    let still = matches!(cause, Cause::Slept | Cause::AppStalled);
    let of = |sdk: &Sdk| {
        let (says, least) = match drop.plane {
            _ if still => ("Tries nothing meanwhile: a program that stands still cannot.".into(), None),
            Plane::Signaling => signaling(timeline, drop, recovery, sdk),
            Plane::Media => media(timeline, drop, recovery, sdk),
        };
        Other { who: sdk.who, says, least: least.map(length) }
    };
    SDKS.iter().map(of).collect()
}

type Told = (String, Option<Duration>);

/// What this hold's own attempts show of the way, from `base` on.
struct Way {
    /// The last moment at which an attempt failed.
    gone_until: Option<Duration>,
    /// The attempt that worked began then.
    back_from: Option<Duration>,
    /// The end of the loss, or of what is known of it.
    over: Duration,
}

fn way(timeline: &Timeline, drop: &Drop, base: Stamp) -> Way {
    let failed = look::failed_attempts(timeline, drop).into_iter().filter_map(|socket| socket.failed);
    let worked = drop.restored.and_then(|restored| {
        let mut attempts = timeline.attempts(drop.last_good, restored);
        attempts.find(|socket| socket.ready.is_some_and(|ready| ready.at.stamp == restored))
    });
    Way {
        gone_until: failed.map(|failed| failed.at.stamp.since(base)).max(),
        back_from: worked.map(|socket| socket.began.stamp.since(base)),
        over: drop.over(timeline).since(base),
    }
}

fn signaling(timeline: &Timeline, drop: &Drop, recovery: &Recovery, sdk: &Sdk) -> Told {
    let told = was_told(timeline, drop);
    let (base, notices, after) = match told {
        true => (drop.first_bad, Duration::ZERO, "after the end"),
        false => (drop.last_good, sdk.silent_for, "after the last sign of life"),
    };
    let way = way(timeline, drop, base);
    if notices >= way.over {
        return unnoticed(drop, recovery, sdk, way.over);
    }
    let Some(policy) = &sdk.policy else {
        let hears =
            if told { "Hears of the end at once".into() } else { format!("Hears of it {} {after}", length(notices)) };
        return (format!("{hears} and does nothing of its own."), None);
    };
    if recovery.by == Some(By::Itself) {
        let (waits, lasted) = (length(notices), length(way.over));
        return (format!("Gives the connection up {waits} {after}, though it went on by itself after {lasted}."), None);
    }
    if let Some(gone) = call_gone(timeline, drop) {
        let first = length(notices + policy.wait(1, 0.0));
        return (format!("First tries {first} {after}; but {gone}, so the call is over."), None);
    }
    tries(policy, notices, after, &way)
}

/// Each try fails at once where there is no way: later ones then come no sooner than here.
fn tries(policy: &Policy, notices: Duration, after: &str, way: &Way) -> Told {
    let most = policy.attempts.unwrap_or(MOST_TRIES).min(MOST_TRIES);
    let mut at = notices;
    let mut first = None;
    for attempt in 1..=most {
        at += policy.wait(attempt, 0.0);
        let since = *first.get_or_insert(at);
        if way.back_from.is_none() && at >= way.over {
            let tried = attempt - 1;
            let so_far = match tried {
                0 => "Has not tried yet when the recording ends.".into(),
                _ => format!(
                    "First tries {} {after}, and {} until the recording ends.",
                    length(since),
                    words::times(tried as usize)
                ),
            };
            return (so_far, None);
        }
        if way.gone_until.is_some_and(|gone| at <= gone) {
            continue;
        }
        let there = match way.back_from {
            Some(back) if at >= back => "the way was back by then",
            _ => "whether the way was back by then was not seen",
        };
        let first = length(since);
        let says = match attempt {
            1 => format!("First tries {first} {after}: {there}."),
            _ => {
                let vain = words::times(attempt as usize - 1);
                format!("First tries {first} {after}, {vain} in vain; then after {}: {there}.", length(at))
            }
        };
        return (says, Some(at));
    }
    (format!("Tries {most} times in vain and gives up {} {after}: the call is over.", length(at)), None)
}

/// The loss was over before it would have been noticed.
fn unnoticed(drop: &Drop, recovery: &Recovery, sdk: &Sdk, lasted: Duration) -> Told {
    let waits = length(sdk.silent_for);
    let says = match (drop.restored, recovery.by) {
        (None, _) => format!("Has not noticed when the recording ends: it waits {waits} for a sign of life."),
        (_, Some(By::Itself)) => {
            format!("Does not notice: it waits {waits} for a sign of life, and one came after {}.", length(lasted))
        }
        _ => format!("Waits {waits} for a sign of life; whether the old connection gives one by then was not seen."),
    };
    (says, None)
}

fn media(timeline: &Timeline, drop: &Drop, recovery: &Recovery, sdk: &Sdk) -> Told {
    let back = drop.restored.map(|restored| restored.since(drop.last_good));
    let Some(policy) = &sdk.policy else { return page(back, recovery) };
    if matches!(drop.loss, Loss::CallEnded { .. })
        || recovery.by == Some(By::NewCall)
        || call_gone(timeline, drop).is_some()
    {
        return ("Places no other call: when this one is lost it is over.".into(), None);
    }
    let restarts = policy.restart_after;
    let within = restarts + policy.restart_within * policy.restarts;
    let lasted = drop.over(timeline).since(drop.last_good);
    // An offer needs signaling to be sent over.
    let mute = look::twin(timeline, drop).is_some_and(|twin| {
        let at = drop.last_good.plus(restarts);
        twin.last_good <= at && twin.restored.is_none_or(|restored| restored > at)
    });
    let after = length(restarts);
    let then = match (mute, sdk.failed_restart) {
        (false, FailedRestart::EndsTheCall) if lasted > within => {
            format!(
                "Restarts ICE {after} after the last packet, and gives the call up after about {:.0} s",
                within.as_secs_f64()
            )
        }
        (false, FailedRestart::BeginsAnew) if lasted > within => {
            format!(
                "Restarts ICE {after} after the last packet, and begins signaling and media anew after {}",
                length(within)
            )
        }
        (false, _) => format!("Restarts ICE {after} after the last packet"),
        (true, FailedRestart::BeginsAnew) => {
            "Leaves ICE alone while signaling is gone too, and builds the media anew once that is back".into()
        }
        (true, FailedRestart::EndsTheCall) => {
            format!("Wants to restart ICE {after} after the last packet, and cannot say so while signaling is gone too")
        }
    };
    let Some(back) = back else {
        let ends =
            if lasted > within && !mute { "." } else { &format!("; the recording ends after {}.", length(lasted)) };
        return (format!("{then}{ends}"), None);
    };
    let gone = length(back);
    if lasted > within && !mute && sdk.failed_restart == FailedRestart::EndsTheCall {
        return (format!("{then}: here media came back only after {gone}."), None);
    }
    if recovery.by == Some(By::Itself) {
        return match back <= restarts {
            true => (
                format!("Waits: it restarts ICE {after} after the last packet, and media was back before."),
                Some(back),
            ),
            false => (format!("{then}; here media came back by itself after {gone}."), Some(back)),
        };
    }
    if mute {
        return (format!("{then}; here a restart brought media back after {gone}."), None);
    }
    let began = restart_began(timeline, drop).map(|began| began.since(drop.last_good));
    match began.filter(|began| *began <= restarts) {
        Some(began) => {
            let (began, least) = (length(began), back.min(restarts));
            (format!("{then}; here the restart that worked began after {began}."), Some(least))
        }
        None => (format!("{then}; whether that works so soon was not seen here."), Some(back.min(restarts))),
    }
}

/// A page that does nothing lives from what comes back by itself, until its PeerConnection has failed.
fn page(back: Option<Duration>, recovery: &Recovery) -> Told {
    let [first, last] = PAGE_FAILS.map(length);
    let fails = format!("its PeerConnection fails after {first} to {last}");
    match (back, recovery.by) {
        (Some(back), Some(By::Itself)) if back < PAGE_FAILS[0] => {
            (format!("Does nothing, and needs nothing: {fails}, and media was back before."), Some(back))
        }
        (Some(_), Some(By::Itself)) => (format!("Does nothing: {fails} and stays so, though the way came back."), None),
        (Some(_), Some(By::NewCall)) => ("Does nothing: the call is over.".into(), None),
        (Some(_), _) => {
            (format!("Does nothing; {fails} unless media comes back by itself, which was not seen here."), None)
        }
        (None, _) => (format!("Does nothing; {fails} and stays so."), None),
    }
}

/// The end was said, and not found by waiting.
fn was_told(timeline: &Timeline, drop: &Drop) -> bool {
    match drop.loss {
        Loss::SocketEnded(socket) => {
            timeline.sockets.get(socket).and_then(|socket| socket.closed).is_some_and(|closed| {
                !matches!(closed.end, End::Silence { .. } | End::LetGo | End::CloseFrame { by: Side::Us, .. })
            })
        }
        Loss::CallEnded { .. } => true,
        Loss::MediaGap(_) | Loss::Consent(_) | Loss::Unanswered { .. } | Loss::NeverStood => false,
    }
}

/// The far end had ended the call, or did not know it any more: no connection brings that back.
fn call_gone(timeline: &Timeline, drop: &Drop) -> Option<&'static str> {
    let over = drop.over(timeline);
    let from = timeline.call_ends.partition_point(|end| end.at.stamp < drop.last_good);
    let mut ends = timeline.call_ends[from..].iter().take_while(|end| end.at.stamp <= over);
    if ends.any(|end| end.by != CallEndedBy::Us) {
        return Some("the far end ended the call");
    }
    let came = timeline.next_ready(drop.first_bad, u32::MAX).filter(|(_, ready)| ready.at.stamp <= over);
    came.filter(|(_, ready)| !ready.resumed).map(|_| "the far end did not know the call any more")
}

fn restart_began(timeline: &Timeline, drop: &Drop) -> Option<Stamp> {
    let steps = timeline.steps_in(drop.last_good, drop.over(timeline));
    let restarts = steps.filter(|step| matches!(step.step, Move::RestartIce));
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. });
    let worked = restarts.filter(|step| step.ended.is_none_or(|(_, outcome)| !failed(outcome)));
    worked.last().map(|step| step.at.stamp)
}
