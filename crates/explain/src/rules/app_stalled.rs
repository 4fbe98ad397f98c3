//! `app_stalled`: the computer was awake and this program did not run: stopped, frozen, or starved of the processor.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{Pause, PauseKind},
    words,
};
use record::fact::{End, Side};
use std::time::Duration;

/// The last packet before a stall is at most a packet interval and a missed tick old.
const BEGINS_WITHIN: Duration = Duration::from_millis(1_000);
/// Answers to our checks come up to five seconds apart.
const BEGINS_WITHIN_CHECKS: Duration = Duration::from_secs(5);
/// A service that gives up a client that does not answer says so at once when it runs again.
const FOUND_WITHIN: Duration = Duration::from_secs(10);
/// No far end that we know gives up a socket after a shorter silence.
const ENDS_SOCKETS_FROM: Duration = Duration::from_secs(5);

fn stall<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<&'t Pause> {
    let fits = |stall: &&Pause| {
        let found = drop.declared.awake_since(stall.to) <= FOUND_WITHIN;
        match (drop.plane, drop.loss) {
            (_, Loss::NeverStood) => false,
            (Plane::Media, _) => {
                let within = match drop.loss {
                    Loss::Consent(_) => BEGINS_WITHIN_CHECKS,
                    _ => BEGINS_WITHIN,
                };
                let begins = stall.from <= drop.last_good.plus(within);
                // A short stall at the start of a long gap is not what it is made of, unless the call had to be mended
                // after it: then the stall is long by itself.
                let lost_for = drop.over(timeline).awake_since(drop.last_good);
                begins && found && (stall.length() * 2 >= lost_for || stall.length() >= ENDS_SOCKETS_FROM)
            }
            (Plane::Signaling, loss) => {
                found && stall.length() >= ENDS_SOCKETS_FROM && !of_its_own(timeline, drop, loss, stall)
            }
        }
    };
    timeline
        .pauses_in(PauseKind::Stalled, drop.last_good, drop.declared)
        .filter(fits)
        .max_by_key(|stall| stall.length())
}

/// The kernel acknowledges and sends again while a program stands still: bytes that it sends in vain after the stall are
/// lost on the way. A code that says what was wrong says more than any silence of ours.
fn of_its_own(timeline: &Timeline, drop: &Drop, loss: Loss, stall: &Pause) -> bool {
    match loss {
        Loss::Unanswered { socket, silence } => {
            let silence = timeline.sockets.get(socket).and_then(|socket| socket.silences.get(silence));
            silence.is_some_and(|silence| silence.since > stall.to) && look::acknowledged(timeline, drop).is_none()
        }
        _ => look::closed(timeline, drop).is_some_and(|(_, closed)| {
            matches!(closed.end, End::CloseFrame { by: Side::Them, code: Some(1003..=1015), .. })
        }),
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let stall = stall(timeline, drop)?;
    let stood = words::length(stall.length());
    Some(Finding {
        owner: None,
        confidence: Confidence::Shown,
        says: format!(
            "This program did not run for {stood}, from {} to {}, while the computer was awake; nothing was received because nobody received it.",
            words::utc_exact(stall.from),
            words::utc_exact(stall.to),
        ),
        because: Evidence::of(
            stall.seq,
            format!("Our own ten ticks a second did not come for {stood}, and the computer did not sleep."),
        )
        .and(drop.seq, "The loss was found when the program ran again."),
        measured: Measured::seconds(stall.length()),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let second = stall(timeline, drop).map_or_else(|| words::utc(drop.first_bad), |stall| words::utc(stall.from));
    Advice {
        who: "Whoever looks after this computer".into(),
        what: format!(
            "Find what held this program up at {second}: a full processor, memory being swapped to disk, a security scan, or a debugger."
        ),
        retest: look::retest(timeline, "Close what used the processor at that time"),
        wrong_if: format!("another program of this computer shows the same loss at {second} while it ran."),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let paused_later = || timeline.pauses_in(PauseKind::Stalled, drop.declared, drop.over(timeline)).next().is_some();
    let ran = || if paused_later() { "This program ran when it was lost." } else { "This program ran throughout." };
    look::ran_throughout(timeline, drop, PauseKind::Stalled).then(|| ran().into())
}

pub const RULE: Rule = Rule {
    id: Cause::AppStalled,
    owner: Owner::ThisComputer,
    title: "this program did not run",
    advice,
    outranks: &[
        Cause::IdleTimeout,
        Cause::LifetimeCap,
        Cause::NatExpired,
        Cause::NatRebound,
        Cause::GatewayLost,
        Cause::PeerLeft,
        Cause::ServiceOverloaded,
        Cause::ServiceRestarted,
        Cause::ServiceClosed,
        Cause::TurnFailed,
        Cause::ServiceUnreachable,
        Cause::DnsFailed,
        Cause::UdpBlocked,
        Cause::PacketLoss,
        Cause::PathLost,
        Cause::OneWayLoss,
        Cause::HalfOpen,
        Cause::ConnectionReset,
        Cause::NotProven,
    ],
    settle: Duration::ZERO,
    find,
    rules_out: Some(rules_out),
};
