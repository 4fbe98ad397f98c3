//! `peer_left`: the far end hung up a call that the hold still wanted.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::CallEnd,
    words,
};
use record::fact::{CallEndedBy, Sight};
use std::time::Duration;

/// The goodbye and the last packet leave together and arrive by different ways.
const TOGETHER: Duration = Duration::from_secs(2);

/// The word that ended the call at the onset of this loss.
pub(super) fn goodbye<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop, by: CallEndedBy) -> Option<&'t CallEnd<'a>> {
    if let Loss::CallEnded { end, .. } = drop.loss {
        return timeline.call_ends.get(end).filter(|end| end.by == by);
    }
    if drop.loss == Loss::NeverStood {
        return None;
    }
    let from = drop.last_good.minus(TOGETHER);
    let onset = match drop.plane {
        crate::Plane::Media => drop.last_good,
        crate::Plane::Signaling => drop.first_bad,
    };
    timeline.call_ends.iter().find(|end| end.by == by && end.at.stamp >= from && end.at.stamp <= onset.plus(TOGETHER))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let end = goodbye(timeline, drop, CallEndedBy::FarEnd)?;
    let code = end.code.map(|code| format!(" with code {code}")).unwrap_or_default();
    Some(Finding {
        owner: None,
        confidence: Confidence::Shown,
        says: format!("The far end hung up{code} at {}{}.", words::utc_exact(end.at.stamp), words::quoted(end.says)),
        because: Evidence::of(
            end.at.seq,
            format!("The far end ended the call by word{code}{}.", words::quoted(end.says)),
        ),
        measured: end.code.map_or_else(Measured::default, |code| Measured::default().word("code", code.as_str())),
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "Whoever runs the far end".into(),
        what: format!("Look up in its log why it ended the call: {}.", look::search(timeline, drop)),
        retest: look::retest(timeline, "Remove the limit or rule that ended it"),
        wrong_if: "its log shows that the call was ended from this side.".into(),
    }
}

fn rules_out(timeline: &Timeline, _: &Drop) -> Option<String> {
    let by_word = timeline.call_ends.iter().any(|end| end.by != CallEndedBy::Us);
    let leaving = timeline.sights.iter().any(|seen| matches!(seen.sight, Sight::ShuttingDown));
    let said = by_word || leaving;
    (!said && timeline.stood().is_some()).then(|| "The far end never said that it hung up.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::PeerLeft,
    owner: Owner::VoiceService,
    title: "the far end hung up",
    advice,
    outranks: &[
        Cause::ServiceRestarted,
        Cause::ServiceClosed,
        Cause::ServiceUnreachable,
        Cause::ConnectionReset,
        Cause::OneWayLoss,
        Cause::NotProven,
    ],
    settle: Duration::ZERO,
    find,
    rules_out: Some(rules_out),
};
