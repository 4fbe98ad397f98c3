//! `nat_expired`: the NAT forgot the UDP flow of the media, because nothing crossed it for longer than it remembers. Quiet
//! UDP rungs beside the call died by their length.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    limits::UdpLimit,
    rule::{Evidence, Finding, Measured},
    words,
};
use record::{
    Seq,
    fact::{MediaSample, Opened},
};
use std::time::Duration;

/// Of the call just before the loss: how far apart its packets were. Over a minute even slow checks come a dozen times.
const LOOK_BACK: Duration = Duration::from_secs(60);

struct Expired<'t> {
    limit: &'t UdpLimit,
    quiet: Duration,
    /// The last second in which anything crossed.
    seq: Seq,
}

fn expired<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<Expired<'t>> {
    if drop.plane != Plane::Media || look::twin(timeline, drop).is_some() {
        return None;
    }
    // The call's own flow carried packets both ways.
    let limit = timeline.limits.udp.iter().find(|l| l.opened == Opened::Stream && l.unclear.is_none())?;
    let (quiet, seq) = quiet_before(timeline, drop)?;
    (quiet >= limit.over.unwrap_or(limit.under)).then_some(Expired { limit, quiet, seq })
}

/// The longest stretch without a packet either way before the last sign of life. What came after it was lost already, and
/// nobody can tell from it how quiet the flow had been.
fn quiet_before(timeline: &Timeline, drop: &Drop) -> Option<(Duration, Seq)> {
    let until = timeline.samples.partition_point(|(at, _)| at.stamp <= drop.last_good.plus(Duration::from_secs(1)));
    let floor = drop.last_good.minus(LOOK_BACK);
    let crossed = |sample: &MediaSample| {
        [sample.rtp_in, sample.rtp_out, sample.rtcp_in, sample.stun_in, sample.checks_in].iter().any(|count| *count > 0)
    };
    let before = timeline.samples[..until].iter().rev().take_while(|(at, _)| at.stamp >= floor);
    let mut crossings = before.filter(|(_, sample)| crossed(sample)).map(|(at, _)| *at);
    let last = crossings.next()?;
    let mut later = last.stamp;
    let apart = crossings.map(|at| std::mem::replace(&mut later, at.stamp).since(at.stamp)).max()?;
    Some((apart, last.seq))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let Expired { limit, quiet, seq } = expired(timeline, drop)?;
    let signaling = timeline.signaling_alive(drop.last_good, drop.over(timeline));
    let measured = Measured::seconds(quiet);
    let (quiet, under) = (words::length(quiet), words::length(limit.under));
    Some(Finding {
        owner: None,
        // That this very flow was forgotten, nothing but its fit with the others shows.
        confidence: Confidence::Likely,
        says: format!(
            "Media was lost after {}: its packets were up to {quiet} apart, and the router or firewall here forgets UDP flows after {under} of quiet or less; {}.",
            words::utc_exact(drop.last_good),
            look::came_back(drop)
        ),
        because: Evidence::of(
            seq,
            format!("In the minute before, packets of the call's flow were up to {quiet} apart."),
        )
        .and_all(&limit.died, format!("Beside the call a UDP flow that was quiet for {under} was dead."))
        .and_maybe(signaling.map(|seq| (seq, "The signaling connection lived through it.".into()))),
        measured,
    })
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let under = timeline.limits.udp.iter().map(|limit| limit.under).min().unwrap_or_default();
    Advice {
        who: "The network administrator".into(),
        what: format!(
            "Set the UDP session timeout of the router or firewall to 300 s for the media ports, or have calls send a packet at least every {}: {}.",
            words::length(under / 2),
            look::search(timeline, drop)
        ),
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!(
            "a UDP flow from here that is left quiet for {} is still reached from outside.",
            words::length(under)
        ),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    if drop.plane != Plane::Media {
        return None;
    }
    let (quiet, _) = quiet_before(timeline, drop)?;
    let survived = timeline.lanes.iter().filter(|lane| lane.carrier().is_none() && lane.talks().is_none());
    let survived = survived.filter_map(|lane| lane.proved.map(|proof| proof.quiet)).max()?;
    (survived > quiet).then(|| {
        format!(
            "The media's flow was never quiet for longer than {}, and beside it {} of quiet were survived on UDP.",
            words::length(quiet.max(Duration::from_secs(1))),
            words::length(survived)
        )
    })
}

pub const RULE: Rule = Rule {
    id: Cause::NatExpired,
    owner: Owner::LocalNetwork,
    title: "the NAT forgot a quiet flow",
    advice,
    outranks: &[Cause::OneWayLoss, Cause::NotProven],
    settle: Duration::from_secs(10),
    find,
    rules_out: Some(rules_out),
};
