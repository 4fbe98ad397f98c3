//! `idle_limit`: something on the way to a host ends TCP connections that are quiet for so long.

use super::Finding;
use crate::{
    Timeline,
    catalogue::{self, Known},
    limits::{Against, IdleLimit, Only, Unclear, Who},
    rule::Measured,
    words,
};
use record::fact::{RungCarrier, Side};

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    timeline.limits.idle.iter().map(of).collect()
}

/// `idle_unclear`: quiet connections met what no single limit explains.
pub(super) fn unclear(timeline: &Timeline) -> Vec<Finding> {
    timeline.limits.unclear.iter().map(contradicting).collect()
}

fn of(limit: &IdleLimit) -> Finding {
    let who = match limit.who {
        Who::FarEnd => format!("{} itself", limit.host),
        Who::Between => format!("Something between here and the service at {}", limit.host),
        Who::Unknown => format!("{} or a device before it", limit.host),
    };
    let only = match limit.only {
        Some(Only::Said(Side::Them)) => " in the far end's direction, while what we send first still crosses",
        Some(Only::Said(Side::Us)) => " in our direction, while what the far end sends first still crosses",
        Some(Only::On(_) | Only::Each(_)) | None => "",
    };
    let what = match limit.only {
        Some(Only::On(RungCarrier::Websocket)) => "WebSockets, and no plain TCP connections,",
        Some(Only::On(RungCarrier::Tcp)) => "plain TCP connections, and no WebSockets,",
        Some(Only::Each(RungCarrier::Websocket)) => "WebSockets",
        Some(Only::Each(RungCarrier::Tcp)) => "plain TCP connections",
        Some(Only::Said(_)) | None => "TCP connections",
    };
    let how = limit.close.map_or_else(|| "in several ways".into(), |close| close.words());
    let survived = match (limit.lived.len(), limit.over) {
        (0, _) | (_, None) => String::new(),
        (n, Some(over)) => {
            format!("; {} up to {} lived", words::count(n, "quiet connection"), words::length(over))
        }
    };
    let busy =
        if limit.activity.by_both == Some(true) { "; one that spoke both ways stayed up beside them" } else { "" };
    let activity = limit.activity.words().map(|words| format!("; {words}")).unwrap_or_default();
    let known = catalogue::idle(limit);
    let named = known.as_ref().map(Known::sentence).unwrap_or_default();
    Finding {
        id: "idle_limit",
        measured: measured(limit).word_maybe("consistent_with", known.map(|known| known.names())),
        says: format!(
            "{who} ends {what} that are quiet for {}{only}, {how} ({}){survived}{busy}{activity}: raise its idle timeout for this destination to 3600 s, or keep connections busy.{named}",
            length(limit),
            counted(limit),
        ),
    }
}

/// "60.1 s", or "more than 45 s and less than 58 s".
pub(super) fn length(limit: &IdleLimit) -> String {
    match (limit.exact, limit.over) {
        (Some(exact), _) => words::length(exact.median),
        (None, Some(over)) => {
            format!("some time between {} and {}", words::length(over), words::length(limit.under))
        }
        (None, None) => format!("{} or less", words::length(limit.under)),
    }
}

/// "11 of 11 ended so, spread 0.40 s"
fn counted(limit: &IdleLimit) -> String {
    let ended = words::count(limit.died.len(), "end");
    match limit.exact {
        Some(exact) if exact.count > 1 => format!("{ended}, spread {}", words::length(exact.spread)),
        _ => ended,
    }
}

fn measured(limit: &IdleLimit) -> Measured {
    let mut measured = Measured::default();
    if let Some(over) = limit.over {
        measured = measured.number("over_s", over.as_secs_f64());
    }
    measured = measured.number("under_s", limit.under.as_secs_f64());
    if let Some(exact) = limit.exact {
        measured =
            measured.number("seconds", exact.median.as_secs_f64()).number("spread_s", exact.spread.as_secs_f64());
    }
    measured = measured.number("ends", limit.died.len() as f64).word("host", limit.host.clone());
    if let Some(close) = limit.close {
        measured = measured.word("ended", close.id());
    }
    let tried = [
        ("bytes_of_ours", limit.activity.by_us),
        ("bytes_of_theirs", limit.activity.by_them),
        ("tcp_keepalive", limit.activity.by_keepalive),
    ];
    for (what, counts) in tried {
        if let Some(counts) = counts {
            measured = measured.word(what, if counts { "counts" } else { "does_not_count" });
        }
    }
    measured
}

fn contradicting(unclear: &Unclear) -> Finding {
    let died = words::length(unclear.died);
    let (met, name, against) = match unclear.against {
        Against::Lived(lived) => {
            (format!("one was dead after {died} and another lived for {}", words::length(lived)), "lived_s", lived)
        }
        Against::Ended(last) => {
            (format!("they ended after silences from {died} to {}", words::length(last)), "last_ended_s", last)
        }
    };
    Finding {
        id: "idle_unclear",
        measured: Measured::default()
            .number("died_s", unclear.died.as_secs_f64())
            .number(name, against.as_secs_f64())
            .word("host", unclear.host.clone()),
        says: format!(
            "No single idle limit explains what quiet TCP connections to {} met: {met}. Run the same profile once more before anything is changed.",
            unclear.host
        ),
    }
}
