//! `turn_failed`: the relay that carried the media refused to go on, or its connection was lost. Once the call stood, only
//! what took something away from the path in use counts: a server that refused us an address that another gave, or a way
//! to a candidate that was not taken, did not end anything.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{Pair, TurnTrouble},
    words,
};
use record::{
    fact::{CandidateKind, TurnRequest},
    profile::IcePolicy,
};
use std::time::Duration;

/// An allocation lives ten minutes from its last refresh: a refused refresh may take that long to be felt.
const LIFETIME: Duration = Duration::from_secs(600);
/// A lost connection to the relay stops the media in the same moment; the news of it may come later.
const LOST_NEAR: Duration = Duration::from_secs(2);

/// The pair in use when the media was last well, if it went over a relay of ours.
fn relayed<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<&'t Pair> {
    timeline.pair_at(drop.last_good).filter(|pair| pair.local_kind == CandidateKind::Relay)
}

/// It took away what the pair in use needs.
fn takes_away(trouble: &TurnTrouble, pair: &Pair) -> bool {
    match trouble.refused {
        Some((TurnRequest::Refresh, _)) => true,
        // Before the pair was taken they were for candidates of which it is not known that any was needed.
        Some((TurnRequest::ChannelBind | TurnRequest::CreatePermission, _)) => trouble.at.stamp >= pair.at.stamp,
        Some((TurnRequest::Allocate | TurnRequest::Other, _)) | None => false,
    }
}

fn trouble<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<&'t TurnTrouble<'a>> {
    if drop.loss == Loss::NeverStood {
        let relay_only = timeline.plan.is_some_and(|plan| plan.ice_policy == IcePolicy::Relay);
        // It failed before a relay was needed, or with one.
        let for_want_of_it = timeline.failed_in_media() && timeline.relays.is_empty();
        return timeline.turn.iter().find(|_| relay_only && for_want_of_it);
    }
    // With signaling lost as well it is not the relay that went, but the way to everything.
    if drop.plane != Plane::Media || look::twin(timeline, drop).is_some() {
        return None;
    }
    let pair = relayed(timeline, drop)?;
    let server = timeline.relay_of(pair);
    let of_the_pair = |trouble: &&TurnTrouble| server.is_some_and(|server| server == trouble.server);
    let refused = timeline.turn.iter().rev().filter(of_the_pair).find(|trouble| {
        takes_away(trouble, pair)
            && trouble.at.stamp <= drop.declared
            && drop.last_good.awake_since(trouble.at.stamp) <= LIFETIME
    });
    refused.or_else(|| {
        timeline.turn.iter().filter(of_the_pair).find(|trouble| {
            trouble.refused.is_none()
                && trouble.at.stamp.plus(LOST_NEAR) >= drop.last_good
                && trouble.at.stamp <= drop.declared.plus(LOST_NEAR)
        })
    })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let trouble = trouble(timeline, drop)?;
    let at = words::utc_exact(trouble.at.stamp);
    let server = trouble.server;
    match trouble.refused {
        Some((request, code)) => Some(Finding {
            owner: None,
            confidence: Confidence::Shown,
            says: format!(
                "The TURN server {server} refused to {} with code {code} ({}) at {at}{}.",
                asked(request),
                meaning(code),
                words::quoted(trouble.says)
            ),
            because: Evidence::of(trouble.at.seq, format!("TURN error {code} from {server}.")),
            measured: Measured::default().number("code", f64::from(code)),
        }),
        None => {
            let alive = timeline.signaling_alive(drop.last_good, drop.over(timeline));
            Some(Finding {
                owner: None,
                confidence: if alive.is_some() { Confidence::Shown } else { Confidence::Likely },
                says: format!(
                    "The connection to the TURN server {server}, which carried the media, was lost at {at}{}.",
                    words::quoted(trouble.says)
                ),
                because: Evidence::of(trouble.at.seq, format!("The connection to {server} was lost."))
                    .and_maybe(alive.map(|seq| (seq, "The signaling connection lived through it.".into()))),
                measured: Measured::default(),
            })
        }
    }
}

fn asked(request: TurnRequest) -> &'static str {
    match request {
        TurnRequest::Allocate => "allocate a relay address",
        TurnRequest::Refresh => "keep the relay address",
        TurnRequest::CreatePermission => "let the far end's packets through",
        TurnRequest::ChannelBind => "bind a channel",
        TurnRequest::Other => "serve a request",
    }
}

fn meaning(code: u16) -> &'static str {
    match code {
        401 => "credentials missing or wrong",
        403 => "forbidden",
        437 => "it does not know the allocation",
        438 => "stale nonce",
        441 => "credentials other than those of the allocation",
        442 => "transport not supported",
        486 => "allocation quota reached",
        508 => "out of relay addresses",
        _ => "a code of its own",
    }
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let trouble = trouble(timeline, drop);
    let server = trouble.map_or_else(|| "the TURN server".into(), |trouble| trouble.server.to_string());
    let at = trouble.map_or(drop.first_bad, |trouble| trouble.at.stamp);
    let what = match trouble.and_then(|trouble| trouble.refused) {
        Some((_, 401 | 403 | 441)) => "Check the TURN credentials: that they are right and outlive the call",
        Some((_, 486 | 508)) => "Raise the TURN server's quota (coturn: user-quota, total-quota, port range)",
        Some(_) => "Look up the refused request in the TURN server's log",
        None => "Look up in the TURN server's log why the connection ended",
    };
    Advice {
        who: "Whoever runs the TURN server".into(),
        what: format!("{what}: {server} at {}.", words::utc(at)),
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!("its log shows the allocation alive at {}.", words::utc(drop.first_bad)),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let pair = timeline.pair_at(drop.last_good)?;
    (drop.plane == Plane::Media && pair.local_kind != CandidateKind::Relay)
        .then(|| "The media did not go over a TURN server of ours.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::TurnFailed,
    owner: Owner::VoiceService,
    title: "the TURN server failed",
    advice,
    outranks: &[Cause::OneWayLoss, Cause::HandshakeFailed, Cause::NotProven],
    settle: Duration::from_secs(3),
    find,
    rules_out: Some(rules_out),
};
