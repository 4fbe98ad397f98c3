//! `one_way_loss`: packets passed one way and not the other. The far end's own log says which, or what still arrived; where
//! this computer's own system refused to send, it is not the path that lost them.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{Gap, SendTrouble, Sighting},
    words,
};
use record::{
    Seq, Stamp,
    fact::{Direction, Sight},
};
use std::time::Duration;

/// The far end declares a stop by its own limit, and its clock is known to within half a round trip.
const NEAR: Duration = Duration::from_secs(1);
/// RTCP comes every few seconds and checks every two and a half: one straggler may have been on its way.
const STRAGGLERS: u64 = 1;
const RETURN: Duration = Duration::from_secs(1);
/// A shorter silence may hold no second that lies wholly inside it.
const WHOLE_SECONDS: usize = 2;
struct OneWay {
    lost: Direction,
    shown: bool,
    because: Evidence,
}

fn stopped_there<'t, 'a>(timeline: &'t Timeline<'a>, gap: &Gap, over: Stamp) -> Option<&'t Sighting<'a>> {
    timeline.sights.iter().find(|sighting| {
        matches!(sighting.sight, Sight::MediaStopped { .. } | Sight::MediaResumed { .. })
            && sighting.last.is_some_and(|last| last.plus(NEAR) >= gap.last && last <= over)
    })
}

/// Control packets come back as the media does, and often a moment before it: what arrived in the last second, or since
/// our checks were answered again, speaks of the return.
fn still_lost_at(timeline: &Timeline, media: &Drop, gap: &Gap) -> Stamp {
    let Some(restored) = media.restored else { return media.over(timeline) };
    // They come back one after the other.
    let first = timeline.consent.partition_point(|late| late.back.is_some_and(|back| back.stamp <= gap.last));
    let back = timeline.consent.get(first).and_then(|late| late.back).map(|back| back.stamp);
    back.map_or(restored, |back| back.min(restored)).minus(RETURN)
}

fn one_way(timeline: &Timeline, drop: &Drop) -> Option<OneWay> {
    let (media, gap) = look::gap(timeline, drop)?;
    let over = media.over(timeline);
    let inside = timeline.arrived(gap.last, still_lost_at(timeline, media, gap));
    let long = inside.seconds >= WHOLE_SECONDS;
    let control = inside.rtcp + inside.stun + inside.after_rtp;
    let stopped = stopped_there(timeline, gap, over);
    if control > STRAGGLERS {
        if !long {
            return None;
        }
        let still = inside.control_seq.unwrap_or(gap.at.seq);
        let heard = Evidence::of(
            still,
            format!(
                "While no RTP came back, {control} RTCP and STUN packets of the far end still arrived in {}.",
                words::count(inside.seconds, "second"),
            ),
        );
        // The far end sends our own packets back: with its control packets arriving, it is ours that do not reach it.
        return match stopped {
            Some(sighting) => Some(OneWay {
                lost: Direction::Out,
                shown: true,
                because: heard.and(
                    sighting.at.seq,
                    format!(
                        "The far end saw our last packet at {}.",
                        words::utc_exact(sighting.last.unwrap_or(sighting.when)),
                    ),
                ),
            }),
            None if !timeline.far_testifies() => Some(OneWay { lost: Direction::Out, shown: false, because: heard }),
            None => None,
        };
    }
    if did_not_echo(timeline, over, inside.sent) && inside.sent > 0 {
        return None;
    }
    // Nothing at all arrived here. Only the far end's word that it kept receiving makes that one direction. Where our
    // packets stopped there as well, it is often our own restart that stopped them, well after the loss.
    if let Some((sighting, last)) = stopped.and_then(|sighting| Some((sighting, sighting.last?)))
        && last >= gap.last.plus(NEAR)
        && inside.seconds > 0
    {
        let longer = last.since(gap.last);
        return Some(OneWay {
            lost: Direction::In,
            shown: true,
            because: Evidence::of(gap.at.seq, "No packet of any kind arrived here.").and(
                sighting.at.seq,
                format!("The far end went on receiving our packets for {} longer.", words::length(longer)),
            ),
        });
    }
    if !long || stopped.is_some() || control > 0 || inside.rtp > 0 || inside.sent == 0 {
        return None;
    }
    let (seq, received, lost) = counted(timeline, over)?;
    // Had our packets been lost as well, the far end would miss about as many as were sent in the gap.
    (lost.saturating_mul(2) < inside.sent).then(|| OneWay {
        lost: Direction::In,
        shown: true,
        because: Evidence::of(gap.at.seq, "No packet of any kind arrived here.").and(
            seq,
            format!(
                "The far end received {received} of our packets and missed {lost}, though we sent {} in the gap alone.",
                inside.sent,
            ),
        ),
    })
}

/// What the far end counted, told after the gap.
fn counted(timeline: &Timeline, over: Stamp) -> Option<(Seq, u64, u64)> {
    timeline.sights.iter().find_map(|sighting| match sighting.sight {
        Sight::Counted { received, lost, .. } if sighting.when >= over => Some((sighting.at.seq, *received, *lost)),
        _ => None,
    })
}

/// By its own count the far end received far more of us than it sent back: then nothing was there to be lost on the way.
fn did_not_echo(timeline: &Timeline, over: Stamp, missing: u64) -> bool {
    timeline.sights.iter().any(|sighting| match sighting.sight {
        Sight::Counted { received, echoed, .. } if sighting.when >= over => {
            received.saturating_sub(*echoed).saturating_mul(2) > missing
        }
        _ => false,
    })
}

pub(super) fn found(timeline: &Timeline, drop: &Drop) -> bool {
    find(timeline, drop).is_some()
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    // A call that was ended by word was not lost on the way.
    if matches!(drop.loss, Loss::NeverStood | Loss::CallEnded { .. } | Loss::SocketEnded(_)) {
        return None;
    }
    if let Some(media) = look::side(timeline, drop, Plane::Media)
        && let Some(trouble) = timeline.send_trouble(media.last_good, media.declared)
    {
        return refused_here(timeline, drop, trouble);
    }
    let found = one_way(timeline, drop)?;
    let (way, other) = match found.lost {
        Direction::Out => ("from this computer to the far end", "the other way"),
        Direction::In => ("from the far end to this computer", "the other way"),
    };
    Some(Finding {
        owner: None,
        confidence: if found.shown && look::both_ran(timeline, drop) { Confidence::Shown } else { Confidence::Likely },
        says: format!(
            "From {} on packets {way} were lost, while those {other} arrived; {}.",
            words::utc_exact(drop.last_good),
            look::came_back(drop)
        ),
        because: found.because,
        measured: Measured::seconds(drop.over(timeline).since(drop.last_good)).word(
            "direction",
            match found.lost {
                Direction::Out => "out",
                Direction::In => "in",
            },
        ),
    })
}

/// Our own system did not let the media out, and nothing came back of what never left.
fn refused_here(timeline: &Timeline, drop: &Drop, trouble: &SendTrouble) -> Option<Finding> {
    // With signaling gone as well there is more to it; media that went on for long without us was not ended by it.
    if look::twin(timeline, drop).is_some() || trouble.first.plus(NEAR) < drop.last_good {
        return None;
    }
    let alive = timeline.signaling_alive(drop.last_good, drop.over(timeline));
    let at = words::utc_exact(trouble.first);
    Some(Finding {
        owner: Some(Owner::ThisComputer),
        confidence: Confidence::Shown,
        says: format!(
            "This computer's own system refused to send media from {at} on ({}), so none of it reached the network; {}.",
            look::own_error(trouble),
            look::came_back(drop)
        ),
        because: Evidence::of(trouble.at.seq, format!("Sending failed with {}.", look::own_error(trouble)))
            .and(drop.seq, format!("The last media packet came at {}.", words::utc_exact(drop.last_good)))
            .and_maybe(alive.map(|seq| (seq, "The signaling connection lived through it.".into()))),
        measured: Measured::seconds(drop.over(timeline).since(drop.last_good)).word("direction", "out"),
    })
}

pub(super) fn advice_on_refusal(timeline: &Timeline, media: &Drop) -> Advice {
    let at = words::utc(media.first_bad);
    Advice {
        who: "Whoever looks after this computer".into(),
        what: format!(
            "Find what on this computer refused to send: its own firewall, security software, a VPN, or a route that was gone: {}.",
            look::search(timeline, media)
        ),
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!("another program of this computer sent UDP to the same address at {at}."),
    }
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    if let Some(media) = look::side(timeline, drop, Plane::Media)
        && timeline.send_trouble(media.last_good, media.declared).is_some()
    {
        return advice_on_refusal(timeline, media);
    }
    let way = match one_way(timeline, drop).map(|found| found.lost) {
        Some(Direction::In) => "inbound",
        _ => "outbound",
    };
    Advice {
        who: "The network administrator, with the internet provider".into(),
        what: format!(
            "Look for a rule or queue that dropped {way} packets only, on the local router first: {}.",
            look::search_outside(timeline, drop)
        ),
        retest: look::retest(timeline, "After the change"),
        wrong_if: "a capture at the edge of the local network shows packets of both directions in that second.".into(),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    let (media, gap) = look::gap(timeline, drop)?;
    let over = media.over(timeline);
    let inside = timeline.arrived(gap.last, still_lost_at(timeline, media, gap));
    let both = stopped_there(timeline, gap, over).is_some_and(|there| there.last < Some(gap.last.plus(NEAR)))
        && inside.seconds >= WHOLE_SECONDS
        && inside.rtcp + inside.stun == 0
        && inside.rtp == 0;
    both.then(|| {
        "Both directions stopped: the far end received nothing of us either, and nothing of it arrived here.".into()
    })
}

pub const RULE: Rule = Rule {
    id: Cause::OneWayLoss,
    owner: Owner::InternetPath,
    title: "one direction was lost",
    advice,
    outranks: &[Cause::HalfOpen, Cause::NotProven],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
