//! `path_lost`: the gateway answers, and nothing beyond it does; or nothing of the far end does, the Internet otherwise
//! being reached, and no word of the service says that it is the service.

use super::{
    around::{self, Said},
    look, way,
};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    rule::{Evidence, Finding, Measured},
    words,
};
use record::{Seq, fact::ControlKind};
use std::time::Duration;

/// A path that lets some packets pass is there. A clean cut has two seconds of which it takes a part, and a third is none.
const TRICKLES: usize = 3;
const AROUND: Duration = Duration::from_secs(1);

struct Dead {
    gateway: Seq,
    far: Option<Seq>,
    others: Said,
}

fn dead(timeline: &Timeline, drop: &Drop) -> Option<Dead> {
    let gateway = around::said(timeline, drop, ControlKind::Gateway).alive()?;
    let far = around::said_by_any(timeline, drop, &around::FAR);
    let (from, over) = (drop.last_good.minus(AROUND), drop.over(timeline));
    if timeline.trickling_seconds(from, over.plus(AROUND)) >= TRICKLES {
        return None;
    }
    if far.alive().is_some() || around::other_plane_went_on(timeline, drop).is_some() {
        return None;
    }
    // Something at the far end said no, so the path to it stood.
    let refused = look::failed_attempts(timeline, drop).iter().any(|attempt| look::refused_at_once(attempt));
    if refused || around::refused_anew(timeline, drop).is_some() {
        return None;
    }
    // Of media alone it is not known that TCP died too, unless the controls say it.
    let tcp = around::said(timeline, drop, ControlKind::FarTcp).silent();
    // An answer to a name may come from a memory near by; that none comes shows that more is dead than the far end.
    let names = around::said(timeline, drop, ControlKind::Dns);
    let others = match around::said_by_any(timeline, drop, &around::OTHERS) {
        Said::Nothing if names.silent().is_some() => names,
        said => said,
    };
    let udp = around::said(timeline, drop, ControlKind::FarUdp).silent();
    let whole = match drop.plane {
        _ if look::twin(timeline, drop).is_some() => true,
        // Of media that goes elsewhere, a dead far end tells nothing; that other servers died too does.
        Plane::Media => tcp.is_some() && (way::to_far_end(timeline, drop) || others.silent().is_some()),
        Plane::Signaling => tcp.is_some() && (udp.is_some() || others.silent().is_some()),
    };
    whole.then_some(Dead { gateway, far: far.silent(), others })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Dead { gateway, far, others } = dead(timeline, drop)?;
    let name = around::gateway(timeline, drop);
    let at = words::utc_exact(drop.last_good);
    let back = look::came_back(drop);
    let (says, shown) = match others {
        Said::Silent(_) => (
            format!(
                "After {at} {name} answered on and nothing beyond it did: the far end and other servers fell silent together; {back}."
            ),
            true,
        ),
        // A far end that was switched off looks the same.
        Said::Nothing => (
            format!(
                "After {at} {name} answered on and nothing of the far end beyond it did; nobody else beyond it was asked, so whether {name}, the line, or the far end itself failed is not known; {back}."
            ),
            false,
        ),
        // The path to it, or the service itself: from here the two look alike.
        Said::Alive(_) => (
            format!(
                "After {at} nothing of the far end answered, neither TCP nor UDP, while {name} and other servers beyond it did; {back}."
            ),
            false,
        ),
    };
    let other = match others {
        Said::Silent(seq) => {
            Some((seq, "Another server beyond the gateway fell silent in the same seconds.".to_owned()))
        }
        Said::Alive(seq) => {
            let how_long = around::how_long(timeline, drop, &around::OTHERS);
            Some((seq, format!("Another server beyond the gateway answered {how_long}.")))
        }
        Said::Nothing => None,
    };
    let how_long = around::how_long(timeline, drop, &[ControlKind::Gateway]);
    let mut measured = Measured::seconds(around::lasted(timeline, drop));
    if let Some(gateway) = way::carrying(timeline, drop).and_then(|carrying| carrying.gateway) {
        measured = measured.word("gateway", gateway.to_string());
    }
    measured = measured.word("lost", if others.silent().is_some() { "everything" } else { "far_end" });
    Some(Finding {
        owner: None,
        confidence: if shown { Confidence::Shown } else { Confidence::Likely },
        says,
        because: Evidence::of(gateway, format!("The gateway answered {how_long}: the control that did not fail."))
            .and(drop.seq, around::last_sign(timeline, drop))
            .and_maybe(far.map(|seq| (seq, "New questions to the far end stayed unanswered from then on.".into())))
            .and_maybe(other),
        measured,
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let gateway = around::gateway(timeline, drop);
    let at = words::utc(drop.last_good);
    let others = dead(timeline, drop).map_or(Said::Nothing, |dead| dead.others);
    let far_only = others.alive().is_some();
    let (who, what) = match others {
        Said::Alive(_) => (
            "The network administrator, with the voice service's support",
            format!(
                "Compare the firewall's log for {} at {at} with the service's own: whether our packets of that second left here and arrived there: {}.",
                way::far_hosts(timeline),
                look::search(timeline, drop)
            ),
        ),
        Said::Silent(_) => (
            "The network administrator, with the internet provider",
            format!(
                "Look up in {gateway}'s log whether its line to the provider was lost at {at}, then give the provider that second: {}.",
                look::search_outside(timeline, drop)
            ),
        ),
        Said::Nothing => (
            "The network administrator, then the internet provider or the voice service's support",
            format!(
                "Look up in {gateway}'s log whether it passed packets on, and whether its line to the provider was lost, at {at}; if neither, ask whoever runs {} about that second: {}.",
                way::far_hosts(timeline),
                look::search_outside(timeline, drop)
            ),
        ),
    };
    let beyond = if others.silent().is_some() { "the Internet" } else { "the far end" };
    Advice {
        who: who.into(),
        what,
        retest: look::retest(timeline, "Over another line, such as a telephone's"),
        wrong_if: match far_only {
            true => format!("the service's log shows our packets arriving at {at}."),
            false => format!("another computer behind {gateway} reached {beyond} at {at}."),
        },
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    if !way::to_far_end(timeline, drop) {
        return None;
    }
    if around::throughout(timeline, drop, ControlKind::FarTcp) {
        let answered = around::answered_anew(timeline, drop);
        return Some(format!("{}, so the path to it stood.", answered.trim_end_matches('.')));
    }
    around::throughout(timeline, drop, ControlKind::FarUdp)
        .then(|| "The far end answered over UDP throughout, so the path to it stood.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::PathLost,
    owner: Owner::InternetPath,
    title: "the far end was out of reach",
    advice,
    outranks: &[Cause::OneWayLoss, Cause::HalfOpen, Cause::ConnectionReset, Cause::NotProven],
    // So long after it the answers of its first seconds may still be told.
    settle: Duration::from_secs(20),
    find,
    rules_out: Some(rules_out),
};
