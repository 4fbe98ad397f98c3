//! `idle_timeout`: something on the way, or the service, ends connections that are quiet for so long. Quiet lanes to the
//! same host ended after the same silence, or the call's own connection did again and again; those that talk live.

use super::{look, timer};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline, catalogue, findings,
    limits::{Close, IdleLimit, Who, tolerance},
    rule::{Evidence, Finding, Measured},
    words,
};
use record::{Stamp, fact::Pattern};
use std::time::Duration;
use timer::{Ended, Front};

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

impl Idle<'_, '_> {
    /// Whose limit it is. Where the service has a front that closes connections, it is most likely that one's; a device
    /// before it could do the same.
    fn whose(&self, timeline: &Timeline) -> (Owner, Option<Front>) {
        let owner = timer::owner(timeline, &self.ended, self.limit.map_or(Who::Unknown, |limit| limit.who));
        let front = timer::front(timeline, &self.ended).filter(|_| owner != Owner::VoiceService);
        (if front.is_some() { Owner::VoiceService } else { owner }, front)
    }
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
    let found = idle(timeline, drop)?;
    let (owner, front) = found.whose(timeline);
    let Idle { ended, limit, repeats } = found;
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
        let died = words::count(limit.died.len(), "quiet connection");
        let after = match limit.exact.filter(|exact| exact.count >= limit.died.len()) {
            Some(exact) => format!(" after {} of silence", words::length(exact.median)),
            None => format!("; the shortest silence that killed was {}", words::length(limit.under)),
        };
        because = because.and_all(&limit.died, format!("Beside the call {died} died{after}."));
        if let Some(over) = limit.over {
            let lived = words::count(limit.lived.len(), "quiet connection");
            because = because.and_all(
                &limit.lived,
                format!("{lived} lived; the longest silence that was survived was {}.", words::length(over)),
            );
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
    // That it was a timer may be shown, and still not whose.
    let shown = front.is_none() && (foretold.is_some() || (limit.is_some() && talking.is_some()));
    let talked = talking.map_or("", |_| ", while one that spoke lived");
    let who = match (&front, owner) {
        (Some(front), _) => format!("most likely a proxy in front of the service at {}", front.dialled),
        (None, _) => "the service".into(),
    };
    let ends = match (&front, owner) {
        (None, owner) if owner != Owner::VoiceService => {
            let beyond = ended.dialled();
            format!(
                "connections that are quiet for so long are ended, and whose device does it is not shown: first the firewall or NAT here, then whoever runs {beyond}"
            )
        }
        _ => format!("{who} ends connections that are quiet for so long"),
    };
    if let Some(front) = &front {
        because = because.and(
            front.at.seq,
            format!(
                "The service sees what goes to {} come from {}: something there takes connections and makes its own to the service.",
                front.dialled, front.seen
            ),
        );
    }
    Some(Finding {
        owner: Some(owner),
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "The signaling connection was quiet for {quiet} and then ended {} at {}{}{talked}: {ends}; {}.",
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
    let (owner, front) = found.as_ref().map_or((Owner::InternetPath, None), |found| found.whose(timeline));
    let limit = found.as_ref().and_then(|found| found.limit);
    let quiet = found.as_ref().map(|found| found.ended.quiet).unwrap_or_default();
    let known = limit.and_then(catalogue::idle).map(|known| known.sentence()).unwrap_or_default();
    let shortest = limit.and_then(|_| timeline.limits.shortest_idle()).map_or(quiet, IdleLimit::least);
    let heartbeat = findings::often(timeline, shortest)
        .map(|often| format!(" If that is not possible, the maker of the app: a heartbeat {often}."));
    let (who, raise) = match (&front, owner) {
        (Some(front), _) => (
            format!("Whoever runs the proxy in front of the service at {}", front.dialled),
            "Raise the proxy's idle timeout for this service to 3600 s",
        ),
        (None, Owner::VoiceService) => {
            ("Whoever runs the voice service".into(), "Raise its idle timeout for connections to 3600 s")
        }
        (None, _) => {
            ("The network administrator".into(), "Raise the idle or session timeout for this destination to 3600 s")
        }
    };
    let aged_out = in_a_log(timeline, drop).map(|moments| format!(" {moments}")).unwrap_or_default();
    let by_us = front.map_or("", |_| ", or the proxy's log shows that the connection was ended from our side");
    let decided = found.as_ref().filter(|_| owner != Owner::VoiceService).and_then(|found| found.in_its_table());
    let wrong_if = decided.unwrap_or_else(|| {
        format!(
            "a connection from here to the same destination that is left quiet for {} stays up before anything is changed{by_us}.",
            words::planned(surely_beyond(limit.map_or(quiet, |limit| limit.under)))
        )
    });
    Advice {
        who,
        what: format!("{raise}: {}.{aged_out}{known}{}", look::search(timeline, drop), heartbeat.unwrap_or_default()),
        retest: look::retest(timeline, "After the change"),
        wrong_if,
    }
}

/// The next whole second that lies well above the shortest silence that killed.
pub fn surely_beyond(shortest: Duration) -> Duration {
    let margin = tolerance(shortest) / 2;
    Duration::from_secs((shortest + margin).as_millis().div_ceil(1_000) as u64)
}

/// Within so much a limit is told as one moment.
const ONE_MOMENT: Duration = Duration::from_secs(2);

impl Idle<'_, '_> {
    /// When what forgets connections without a word ended the session: not when its loss was felt.
    fn aged_out(&self) -> Option<(Stamp, Stamp)> {
        let limit = self.limit.filter(|_| self.ended.close == Close::Silence)?;
        let used = self.ended.at.minus(self.ended.quiet);
        let (from, to) = (limit.over?, limit.under.min(self.ended.quiet));
        (from <= to).then(|| (used.plus(from), used.plus(to)))
    }

    /// What an administrator can decide from the tables and logs of that day.
    fn in_its_table(&self) -> Option<String> {
        let (_, until) = self.aged_out()?;
        Some(format!(
            "your session table still held {} after {}, or your log shows it forwarding the packet of {}.",
            words::flow(self.ended.socket),
            tenths(until),
            words::utc_exact(self.ended.at)
        ))
    }
}

/// What a device's log shows of it.
pub fn in_a_log(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let found = idle(timeline, drop)?;
    let (from, to) = found.aged_out()?;
    let width = to.since(from);
    let aged_out = match width <= ONE_MOMENT {
        true => format!("about {}", tenths(from.plus(width / 2))),
        false => format!("between {} and {}", tenths(from), tenths(to)),
    };
    Some(format!(
        "The session was last used at {}; expected in a log as aged out {aged_out}; the first packet without an answer went out at {}.",
        words::utc_exact(found.ended.at.minus(found.ended.quiet)),
        words::utc_exact(found.ended.at)
    ))
}

/// "10:00:08.1 UTC": no device's timer is known better.
fn tenths(at: Stamp) -> String {
    let mut moment = words::hundredths(at.wall);
    moment.pop();
    format!("{moment} UTC")
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
