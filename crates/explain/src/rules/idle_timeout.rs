//! `idle_timeout`: something on the way, or the service, ends connections that are quiet for so long. Quiet lanes to the
//! same host ended after the same silence, or the call's own connection did again and again; those that talk live.

use super::{look, timer};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline, catalogue,
    limits::{IdleLimit, Who, tolerance},
    rule::{Evidence, Finding, Measured},
    words,
};
use record::fact::Pattern;
use std::time::Duration;
use timer::Ended;

/// With this one: two may be chance, three at the same half second are not.
const REPEATS: usize = 3;
/// Every connection is quiet for a second now and then, and may end in it by any other cause.
const SHORTEST: Duration = Duration::from_secs(3);

struct Idle<'t, 'a> {
    ended: Ended<'t, 'a>,
    limit: Option<&'t IdleLimit>,
    repeats: Vec<Ended<'t, 't>>,
}

fn idle<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<Idle<'t, 'a>> {
    let ended = timer::ended(timeline, drop)?;
    let limit = timeline.limits.idle_of(ended.host()).filter(|limit| fits(limit, &ended));
    let repeats = timer::alike(timeline, drop, &ended, |ended| ended.quiet);
    // Where each was as old as it was quiet, an age explains it as well, and a known one better.
    let aged = timeline.limits.lifetime_of(ended.host()).is_some();
    // A heartbeat that comes more often than that keeps a connection from being quiet.
    let kept_busy = heartbeat(timeline).is_some_and(|every| every + tolerance(every) < ended.quiet);
    let repeated = repeats.len() + 1 >= REPEATS && ended.quiet >= SHORTEST && !kept_busy && !aged;
    (limit.is_some() || repeated).then_some(Idle { ended, limit, repeats })
}

/// Quiet for as long as the limit is; where nobody said that it was dead, for as long or longer.
fn fits(limit: &IdleLimit, ended: &Ended) -> bool {
    let (from, to) = limit.interval();
    let told = ended.close != crate::limits::Close::Silence;
    let give = tolerance(to);
    ended.quiet + give >= from.max(limit.over.unwrap_or_default()) && (!told || ended.quiet <= to + give)
}

fn heartbeat(timeline: &Timeline) -> Option<Duration> {
    timeline.plan?.heartbeat.map(|heartbeat| words::millis(heartbeat.every_ms))
}

/// Who ended it says why: nobody needs to guess by lengths.
fn by_word(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let ended = timer::ended(timeline, drop).filter(Ended::says_idle)?;
    Some(Finding {
        owner: Some(Owner::VoiceService),
        confidence: Confidence::Shown,
        says: format!(
            "The service closed the signaling connection at {} because nothing had come from here for as long as it allows; {}.",
            words::utc_exact(ended.at),
            look::came_back(drop)
        ),
        because: Evidence::of(ended.seq, format!("It ended {}.", how(&ended))),
        measured: Measured::default().word("ended", ended.close.id()),
    })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    if let Some(found) = by_word(timeline, drop) {
        return Some(found);
    }
    let Idle { ended, limit, repeats } = idle(timeline, drop)?;
    let talking = timer::talking(timeline, &ended, limit.map_or(ended.quiet, |limit| limit.under));
    let foretold = timer::foretold(timeline, drop.first_bad, Pattern::Idle);
    let quiet = words::length(ended.quiet);
    let mut because = Evidence::of(
        ended.seq,
        match ended.end {
            Some(end) => format!("It ended {}, {quiet} after its last byte.", words::ended(end)),
            None => format!("What was written after {quiet} of quiet stayed unanswered."),
        },
    );
    if let Some(limit) = limit {
        let at = words::length(limit.exact.map_or(limit.under, |exact| exact.median));
        let died = words::count(limit.died.len(), "quiet connection");
        because = because.and_all(&limit.died, format!("Beside the call {died} died after {at} of silence."));
        if let Some(over) = limit.over {
            let lived = words::count(limit.lived.len(), "quiet connection");
            because =
                because.and_all(&limit.lived, format!("{lived} lived through silences up to {}.", words::length(over)));
        }
    }
    if let Some(other) = repeats.first() {
        because = because.and(
            other.seq,
            format!(
                "The same connection ended after the same silence {} in this hold.",
                words::times(repeats.len() + 1)
            ),
        );
    }
    if let Some((lane, seq)) = talking {
        let manner = crate::rows::lanes::manner(&lane.manner);
        because = because.and(seq, format!("{} lived through it: the control that did not fail.", first_up(&manner)));
    }
    if let Some(made) = foretold {
        because = because.and(made.at.seq, "It was foretold to the second before it happened.");
    }
    let owner = timer::owner(timeline, &ended, limit.map_or(Who::Unknown, |limit| limit.who));
    let shown = foretold.is_some() || (limit.is_some() && talking.is_some());
    let talked = talking.map_or("", |_| ", while one that spoke lived");
    let who = match owner {
        Owner::VoiceService => "the service",
        _ => "a device on the way, or the service's own front,",
    };
    Some(Finding {
        owner: Some(owner),
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "The signaling connection was quiet for {quiet} and then ended {} at {}{}{talked}: {who} ends connections that are quiet for so long; {}.",
            how(&ended),
            words::utc_exact(ended.at),
            match limit {
                Some(limit) => format!(", as {} beside it did", words::count(limit.died.len(), "quiet connection")),
                None => format!(", {} in this hold", words::times(repeats.len() + 1)),
            },
            look::came_back(drop)
        ),
        because,
        measured: Measured::seconds(ended.quiet).word("ended", ended.close.id()),
    })
}

/// After "and then ended ".
pub(super) fn how(ended: &Ended) -> String {
    match ended.end {
        Some(end) => words::ended(end),
        None => "in silence: what was written next stayed unanswered".into(),
    }
}

pub(super) fn first_up(text: &str) -> String {
    super::service_closed::capital(text)
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    if by_word(timeline, drop).is_some() {
        return Advice {
            who: "Whoever runs the voice service".into(),
            what: format!(
                "Raise its idle limit (the reflector's --idle-timeout) to twice the heartbeat or more: {}.",
                look::search(timeline, drop)
            ),
            retest: look::retest(timeline, "After the change"),
            wrong_if: "its log shows another reason for the close in that second.".into(),
        };
    }
    let found = idle(timeline, drop);
    let least = found.as_ref().and_then(|found| found.limit).map(IdleLimit::least);
    let quiet = least.or(found.as_ref().map(|found| found.ended.quiet)).unwrap_or_default();
    let known = found.as_ref().and_then(|found| found.limit).and_then(catalogue::idle);
    let service = found.is_some_and(|found| {
        timer::owner(timeline, &found.ended, found.limit.map_or(Who::Unknown, |limit| limit.who)) == Owner::VoiceService
    });
    Advice {
        who: if service { "Whoever runs the voice service" } else { "The network administrator" }.into(),
        what: format!(
            "Raise the idle or session timeout for this destination to 3600 s, or set a heartbeat under {}: {}.{}",
            words::length(quiet / 2),
            look::search(timeline, drop),
            known.map(|known| known.sentence()).unwrap_or_default()
        ),
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!(
            "a connection from here to the same destination that is left quiet for {} stays up.",
            words::length(quiet * 2)
        ),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let ended = timer::ended(timeline, drop)?;
    let quiet = words::length(ended.quiet);
    if let Some(limit) = timeline.limits.idle_of(ended.host()) {
        return Some(format!(
            "The connection had been quiet for {quiet} only; it takes {} here to be ended for it.",
            words::length(limit.least())
        ));
    }
    let hosts = timeline.lanes.iter().filter(|l| l.carrier().is_some() && l.is_quiet() && l.host() == ended.host());
    let survived = hosts.filter_map(|lane| lane.proved.map(|proof| proof.quiet)).max()?;
    (survived > ended.quiet + tolerance(ended.quiet)).then(|| {
        format!(
            "The connection had been quiet for {quiet}, and beside it a silence of {} was survived.",
            words::length(survived)
        )
    })
}

pub const RULE: Rule = Rule {
    id: Cause::IdleTimeout,
    owner: Owner::InternetPath,
    title: "quiet connections are ended",
    advice,
    outranks: &[Cause::ServiceClosed, Cause::ConnectionReset, Cause::HalfOpen, Cause::NotProven],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
