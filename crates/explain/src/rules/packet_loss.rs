//! `packet_loss`: so many packets were lost, while others passed, that what needs answers did not get them in time. Where
//! they were lost is told by the gateway at the most: asked in the same seconds, it lay before the loss or behind it.

use super::{around, look};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::At,
    words,
};
use record::{
    Seq, Stamp,
    fact::{ControlKind, End},
};
use std::time::Duration;

/// The seconds in which a clean cut begins and ends hold some packets and miss others; a third is no edge.
const SECONDS: usize = 3;
/// Before the first sign and after the last: loss that silenced a connection began to before.
const AROUND: Duration = Duration::from_secs(3);
/// Through a loss that lasts, its beginning is looked at.
const LOOKED_AT: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Lossy {
    seconds: usize,
    first: Option<At>,
    last: Option<At>,
    came: u64,
    lost_in: u64,
    sent: u64,
    lost_out: u64,
}

/// Heavy loss around this drop, in most of the seconds in which anything arrived; or in the midst of it, where a clean cut
/// lets nothing arrive.
fn lossy(timeline: &Timeline, drop: &Drop) -> Option<Lossy> {
    let from = drop.last_good.minus(AROUND);
    let (over, looked_at) = (drop.over(timeline), drop.declared.plus(LOOKED_AT));
    let to = over.min(looked_at).plus(AROUND);
    let mut sum = Lossy::default();
    let (mut clean, mut amidst) = (0, 0);
    // A loss that goes on after the drop is looked at to its end.
    let until = if over < looked_at { to.plus(LOOKED_AT) } else { to };
    let seconds = timeline.seconds(from, until).filter(|(_, sample, _)| sample.rtp_in > 0);
    let goes_on = seconds.take_while(|(at, _, lost)| at.stamp <= to || lost.heavily() == Some(true));
    for (at, sample, lost) in goes_on {
        match lost.heavily() {
            Some(true) => {}
            Some(false) => {
                // It may have begun at any time after the last proof of life.
                let before_it = at.stamp > drop.last_good && at.stamp <= drop.first_bad && sum.first.is_none();
                clean += usize::from(!before_it);
                continue;
            }
            None => continue,
        }
        amidst += usize::from(before(at.stamp) > drop.first_bad && at.stamp < over);
        sum.seconds += 1;
        sum.first.get_or_insert(at);
        sum.last = Some(at);
        sum.came += u64::from(sample.rtp_in);
        sum.lost_in += u64::from(sample.lost_in);
        sum.sent += u64::from(sample.rtp_out);
        sum.lost_out += lost.of(sample.rtp_out);
    }
    (amidst >= SECONDS || sum.seconds >= SECONDS && sum.seconds >= clean).then_some(sum)
}

/// Nobody said a word of an end: what is lost with packets.
fn silent(timeline: &Timeline, drop: &Drop) -> bool {
    match drop.loss {
        Loss::MediaGap(_) | Loss::Unanswered { .. } => true,
        Loss::SocketEnded(_) => {
            look::closed(timeline, drop).is_some_and(|(_, closed)| matches!(closed.end, End::Silence { .. }))
        }
        Loss::Consent(_) | Loss::CallEnded { .. } | Loss::NeverStood => false,
    }
}

/// Where it was lost, as far as the gateway tells.
enum Place {
    Beyond(Seq),
    Before(Seq),
    NotKnown,
}

/// A gap may be shorter than two questions lie apart: then the lossy seconds around it are looked at.
fn place(timeline: &Timeline, drop: &Drop, lossy: &Lossy) -> Place {
    let said = around::said(timeline, drop, ControlKind::Gateway);
    match (said.alive(), said.silent()) {
        (Some(seq), _) => Place::Beyond(seq),
        (None, Some(seq)) => Place::Before(seq),
        (None, None) => {
            let seconds = lossy.first.zip(lossy.last);
            let alive = seconds.and_then(|(first, last)| {
                timeline.control_alive(ControlKind::Gateway, before(first.stamp), last.stamp)
            });
            alive.map_or(Place::NotKnown, Place::Beyond)
        }
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    if !silent(timeline, drop) {
        return None;
    }
    counted(timeline, drop).or_else(|| crossed(timeline, drop))
}

/// What was lost, as the numbers of the packets tell that came.
fn counted(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let lossy = lossy(timeline, drop)?;
    // Its kernel had everything: what was lost came through in the end, and its program did not answer; unless packets were
    // still being lost, and its answer may have been among them.
    let goes_on = lossy.last.is_some_and(|last| last.stamp >= drop.declared);
    if !goes_on && look::acknowledged(timeline, drop).is_some() {
        return None;
    }
    let first = lossy.first?;
    let all_in = lossy.came + lossy.lost_in;
    let back = match lossy.lost_out {
        0 => String::new(),
        lost => format!(" and {lost} of {} to it", lossy.sent),
    };
    let counted = format!("{} of {all_in} media packets from the far end{back}", lossy.lost_in);
    let missing = format!(
        "{counted} were missing in {} from {} on",
        words::count(lossy.seconds, "second"),
        words::utc(before(first.stamp))
    );
    let because = Evidence::of(first.seq, format!("From this second on, {counted} were missing, and others arrived."));
    let measured = Measured::seconds(around::lasted(timeline, drop))
        .number("lost_in", share(lossy.lost_in, all_in))
        .number("lost_out", share(lossy.lost_out, lossy.sent));
    Some(finding(timeline, drop, place(timeline, drop, &lossy), &missing, because, measured))
}

/// No media came whose numbers could tell. But some of what was sent passed, each way, while questions were not answered.
fn crossed(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let crossed = timeline.crossed(drop.last_good, drop.over(timeline))?;
    let passed = format!(
        "in {} something of the far end came all the same, and {} after our last packet from it the far end still received ours",
        words::count(crossed.seconds, "second"),
        words::length(crossed.later)
    );
    let because = Evidence::of(crossed.here, "Packets of the far end came in the middle of it.")
        .and(crossed.there, format!("The far end still received our packets {} later.", words::length(crossed.later)));
    let place = place(timeline, drop, &Lossy::default());
    let measured = Measured::seconds(around::lasted(timeline, drop));
    Some(finding(timeline, drop, place, &passed, because, measured))
}

fn finding(
    timeline: &Timeline,
    drop: &Drop,
    place: Place,
    how: &str,
    because: Evidence,
    measured: Measured,
) -> Finding {
    let (owner, confidence, control) = match place {
        Place::Beyond(seq) => {
            let says = "The gateway answered in the same seconds, nearly always at once: the loss lay beyond it.";
            (Owner::InternetPath, Confidence::Likely, Some((seq, says)))
        }
        Place::Before(seq) => {
            let says = "The gateway's answers were missing too: the loss lay before it, or at it.";
            (Owner::LocalNetwork, Confidence::Likely, Some((seq, says)))
        }
        Place::NotKnown => (Owner::NotProven, Confidence::NotProven, None),
    };
    let what = match drop.plane {
        Plane::Signaling => "signaling got no answer in time",
        Plane::Media => "for a time no media came through",
    };
    Finding {
        owner: Some(owner),
        confidence,
        says: format!("Packets were lost in great number: {how}, and {what}; {}.", look::came_back(drop)),
        because: because
            .and(drop.seq, around::last_sign(timeline, drop))
            .and_maybe(control.map(|(seq, says)| (seq, says.to_owned()))),
        measured,
    }
}

/// A sample is written when its second is over.
fn before(told: Stamp) -> Stamp {
    told.minus(Duration::from_secs(1))
}

fn share(lost: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { lost as f64 / all as f64 }
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let at = words::utc(drop.first_bad);
    let search = look::search_outside(timeline, drop);
    let lossy = lossy(timeline, drop).unwrap_or_default();
    let (who, what) = match place(timeline, drop, &lossy) {
        Place::Beyond(_) => (
            "The network administrator, with the internet provider",
            format!(
                "Look up errors, drops and load on {}'s way out at {at}, then give the provider that second: {search}.",
                around::gateway(timeline, drop)
            ),
        ),
        Place::Before(_) => (
            "The network administrator",
            format!(
                "Look up errors, retries and load between this computer and {} at {at}: the radio link, the cable, the switch port: {search}.",
                around::gateway(timeline, drop)
            ),
        ),
        Place::NotKnown => (
            "The network administrator",
            format!(
                "Look up errors, drops and load on the way out at {at}, beginning with this computer's own link: {search}."
            ),
        ),
    };
    Advice {
        who: who.into(),
        what,
        retest: look::retest(timeline, "Over a cable, and once over another line"),
        wrong_if: format!("a capture at the edge of the local network shows the packets of {at} complete both ways."),
    }
}

pub const RULE: Rule = Rule {
    id: Cause::PacketLoss,
    owner: Owner::InternetPath,
    title: "many packets were lost",
    advice,
    // Silent ends at one age are chance among so many that were lost.
    outranks: &[
        Cause::LifetimeCap,
        Cause::ServiceUnreachable,
        Cause::UdpBlocked,
        Cause::PathLost,
        Cause::OneWayLoss,
        Cause::HalfOpen,
        Cause::NotProven,
    ],
    settle: Duration::from_secs(10),
    find,
    rules_out: None,
};
