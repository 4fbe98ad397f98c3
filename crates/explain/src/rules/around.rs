//! What was around a loss: when it can have begun, and what the controls and the other plane did meanwhile.

use super::{look, moved, way};
use crate::{
    Cause, Confidence, Drop, Plane,
    drops::Loss,
    rows,
    timeline::{Timeline, controls::shortest, networks::Within},
    words,
};
use record::{
    Seq, Stamp,
    fact::{ControlKind, End, LinkKind, Side},
};
use std::time::Duration;

/// The system tells of links, addresses and routes within milliseconds; the last packet of the call is up to 400 ms old,
/// and what was on its way still arrives. Two seconds hold both, and a busy machine's delay.
pub const NEAR: Duration = Duration::from_secs(2);

/// The truth lies between the two; with both planes lost at once, where they agree.
#[derive(Clone, Copy, Debug)]
pub struct Onset {
    pub good: Stamp,
    pub bad: Stamp,
    /// Until when something that is to blame can have been told.
    pub latest: Stamp,
}

/// Of a loss on the way: what was ended by word, or never stood, has no onset that a network could have made.
pub fn onset(timeline: &Timeline, drop: &Drop) -> Option<Onset> {
    if matches!(drop.loss, Loss::NeverStood | Loss::CallEnded { .. }) {
        return None;
    }
    let (mut good, mut bad) = (drop.last_good, drop.first_bad);
    if let Some(twin) = look::twin(timeline, drop) {
        let (later, earlier) = (good.max(twin.last_good), bad.min(twin.first_bad));
        if later <= earlier {
            (good, bad) = (later, earlier);
        }
    }
    // An end that came over the wire shows that the wire was whole until then.
    let by_wire = look::closed(timeline, drop).is_some_and(|(_, closed)| {
        matches!(closed.end, End::CloseFrame { by: Side::Them, .. } | End::Fin | End::CloseNotify)
    });
    Some(Onset { good, bad, latest: if by_wire { bad } else { bad.plus(NEAR) } })
}

impl Onset {
    pub fn earliest(&self) -> Stamp {
        self.good.minus(NEAR)
    }
    /// When a change that is to blame was told.
    pub fn blamed(&self) -> Within {
        Within { from: self.earliest(), good: self.good, to: self.latest }
    }
    /// When nothing may have changed, not even for a moment, for it to be said that all stayed as it was.
    pub fn unchanged(&self) -> Within {
        Within::any(self.earliest(), self.bad.plus(NEAR))
    }
}

/// The onset of a loss that a fault in this computer's own network, or right beside it, can have made: nothing where the
/// other plane went on over the same interface, nor where the far end said goodbye.
pub fn onset_near_by(timeline: &Timeline, drop: &Drop) -> Option<Onset> {
    let shared_stood = other_plane_went_on(timeline, drop).is_some() && !way::apart(timeline, drop);
    onset_before_goodbye(timeline, drop).filter(|_| !shared_stood)
}

/// Nothing where the far end said goodbye, for its word came over a way that stood.
pub fn onset_before_goodbye(timeline: &Timeline, drop: &Drop) -> Option<Onset> {
    let onset = onset(timeline, drop)?;
    let said_goodbye = look::closed(timeline, drop).is_some_and(|(_, closed)| {
        let with_it = look::twin(timeline, drop).is_none() || look::media_ended_with(timeline, drop, closed).is_some();
        with_it && matches!(closed.end, End::CloseFrame { by: Side::Them, .. })
    });
    (!said_goodbye).then_some(onset)
}

/// Causes in this computer and its own network, and what they look like from further away: each fits where those after it do,
/// and says more.
const FROM_NEAR_TO_FAR: &[Cause] = &[
    Cause::LinkDown,
    Cause::VpnChanged,
    Cause::NetworkSwitched,
    Cause::AddressChanged,
    Cause::GatewayLost,
    Cause::DnsFailed,
    Cause::UdpBlocked,
    Cause::ProxyRefused,
    Cause::IdleTimeout,
    Cause::LifetimeCap,
    Cause::NatExpired,
    Cause::NatRebound,
    Cause::PacketLoss,
    Cause::PathLost,
    Cause::ServiceRestarted,
    Cause::ServiceUnreachable,
    Cause::TurnFailed,
    Cause::OneWayLoss,
    Cause::HalfOpen,
    Cause::ConnectionReset,
    Cause::NotProven,
];

pub const fn further_than(cause: Cause) -> &'static [Cause] {
    let mut after = FROM_NEAR_TO_FAR;
    while let [first, rest @ ..] = after {
        after = rest;
        if *first as u8 == cause as u8 {
            break;
        }
    }
    after
}

/// The end of it, on whichever plane it lasted longer.
pub fn over(timeline: &Timeline, drop: &Drop) -> Stamp {
    let twin = look::twin(timeline, drop).map(|twin| twin.over(timeline));
    drop.over(timeline).max(twin.unwrap_or(drop.declared))
}

/// The other plane is seen to work in the middle of it, so what both travel over did not fail.
pub fn other_plane_went_on(timeline: &Timeline, drop: &Drop) -> Option<Seq> {
    let onset = onset(timeline, drop)?;
    if look::twin(timeline, drop).is_some() {
        return None;
    }
    match drop.plane {
        Plane::Signaling => timeline.media_alive(onset.bad, onset.bad),
        Plane::Media => {
            let over = drop.over(timeline);
            let first = timeline.heartbeats.partition_point(|beat| beat.at.stamp <= onset.bad);
            let mut beats = timeline.heartbeats[first..].iter().take_while(|beat| beat.at.stamp <= over);
            // Both the question and its answer crossed.
            let whole = |stamp: Stamp, rtt_ms: f64| stamp.minus(words::millis(rtt_ms)) >= onset.bad;
            beats.find(|beat| whole(beat.at.stamp, beat.rtt_ms)).map(|beat| beat.at.seq)
        }
    }
}

/// "wired interface eth0"
pub fn interface(kind: LinkKind, name: &str) -> String {
    match kind {
        LinkKind::Other => format!("interface {name}"),
        kind => format!("{} interface {name}", rows::surroundings::link(kind)),
    }
}

/// What the controls of a kind did at the onset; the event says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    Alive(Seq),
    Silent(Seq),
    Nothing,
}

impl Said {
    pub fn alive(self) -> Option<Seq> {
        if let Self::Alive(seq) = self { Some(seq) } else { None }
    }
    pub fn silent(self) -> Option<Seq> {
        if let Self::Silent(seq) = self { Some(seq) } else { None }
    }
}

/// After the shortest loss that a control can speak for, for its next answer to come.
const ONE_MORE: Duration = Duration::from_secs(1);

pub fn said(timeline: &Timeline, drop: &Drop, kind: ControlKind) -> Said {
    let Some(onset) = onset(timeline, drop) else { return Said::Nothing };
    let to = over(timeline, drop).min(onset.bad.plus(shortest(kind) + ONE_MORE));
    if let Some(seq) = timeline.control_alive(kind, onset.good, to) {
        return Said::Alive(seq);
    }
    timeline.control_silent(kind, onset.good, onset.bad).map_or(Said::Nothing, |silence| Said::Silent(silence.at.seq))
}

/// Through all of the loss, or only as it began: what is known of whoever was answered at its onset.
pub fn how_long(timeline: &Timeline, drop: &Drop, kinds: &[ControlKind]) -> &'static str {
    let through = |kind: &ControlKind| throughout(timeline, drop, *kind);
    if kinds.iter().any(through) { "throughout" } else { "as the loss began" }
}

/// For a loss through which no control can speak: who answered before it and after it.
pub fn answered_around(timeline: &Timeline, drop: &Drop) -> Option<(Seq, String)> {
    let (from, to) = (onset(timeline, drop)?.good, over(timeline, drop));
    drop.restored?;
    let asked = [
        (ControlKind::Gateway, gateway(timeline, drop)),
        (ControlKind::FarTcp, "the far end over new TCP connections".to_owned()),
        (ControlKind::FarUdp, "the far end over UDP".to_owned()),
        (ControlKind::Https, "a web server elsewhere".to_owned()),
        (ControlKind::Stun, "a STUN server elsewhere".to_owned()),
    ];
    let unheard = asked.into_iter().filter(|(kind, _)| said(timeline, drop, *kind) == Said::Nothing);
    let answered: Vec<(Seq, Stamp, String)> = unheard
        .filter_map(|(kind, who)| {
            let (seq, after) = timeline.control_answered_around(kind, from, to)?;
            (after.since(to) <= SOON).then_some((seq, after, who))
        })
        .collect();
    let last = answered.iter().map(|(_, after, _)| *after).max()?;
    let seq = answered.first()?.0;
    let within = last.since(to).as_millis().div_ceil(1_000).max(1);
    let who = words::list(answered.into_iter().map(|(.., who)| who));
    Some((
        seq,
        format!(
            "{} answered before and within {within} s after; whether in the {} itself was not seen.",
            words::capital(&who),
            words::length(to.since(from))
        ),
    ))
}

/// What is answered later says little of a loss.
const SOON: Duration = Duration::from_secs(10);

/// For evidence, where new connections were answered at its onset. A refusal is an answer of the host, and not of the
/// service on it.
pub fn answered_anew(timeline: &Timeline, drop: &Drop) -> String {
    let how_long = how_long(timeline, drop, &[ControlKind::FarTcp]);
    let attempts = look::failed_attempts(timeline, drop);
    match attempts.into_iter().filter(|attempt| look::refused_at_once(attempt)).count() {
        0 => format!("New TCP connections to the far end were answered {how_long}."),
        refused => format!(
            "The far end's host could be reached {how_long}: it answered new TCP connections, {refused} of the call's own with a refusal."
        ),
    }
}

/// For evidence, where one of `OTHERS` was answered at its onset.
pub fn other_answered(timeline: &Timeline, drop: &Drop) -> String {
    let how_long = how_long(timeline, drop, &OTHERS);
    format!("Another server answered {how_long}: the control that did not fail.")
}

/// Answered on both sides of the loss and within it, at the pace at which it is asked.
pub fn throughout(timeline: &Timeline, drop: &Drop, kind: ControlKind) -> bool {
    onset(timeline, drop).is_some_and(|onset| timeline.control_alive_throughout(kind, onset.good, over(timeline, drop)))
}

pub fn said_by_any(timeline: &Timeline, drop: &Drop, kinds: &[ControlKind]) -> Said {
    let all = || kinds.iter().map(|kind| said(timeline, drop, *kind));
    let alive = all().find(|said| said.alive().is_some());
    alive.or_else(|| all().find(|said| said.silent().is_some())).unwrap_or(Said::Nothing)
}

/// Servers that have nothing to do with the far end.
pub const OTHERS: [ControlKind; 2] = [ControlKind::Https, ControlKind::Stun];
pub const FAR: [ControlKind; 2] = [ControlKind::FarTcp, ControlKind::FarUdp];

/// How sure it is that a change of the way made the loss: more than this plane died with it, and the connection was not
/// ended by a word that came over the wire after the change.
pub fn confidence(timeline: &Timeline, drop: &Drop) -> Confidence {
    let asked = [&FAR[..], &OTHERS, &[ControlKind::Gateway]].concat();
    let more = look::twin(timeline, drop).is_some() || said_by_any(timeline, drop, &asked).silent().is_some();
    let by_wire = onset(timeline, drop).is_some_and(|onset| onset.latest == onset.bad);
    if more && !by_wire { Confidence::Shown } else { Confidence::Likely }
}

/// The whole way out was dead and not only that to the far end: another server fell silent too, and none answered.
pub fn everywhere_dead(timeline: &Timeline, drop: &Drop) -> Option<Seq> {
    said_by_any(timeline, drop, &OTHERS).silent()
}

/// New connections to the far end's address were refused from the onset on: the way to it stood.
pub fn refused_anew(timeline: &Timeline, drop: &Drop) -> Option<(Seq, Stamp)> {
    let onset = onset(timeline, drop)?;
    let silence = timeline.control_silent(ControlKind::FarTcp, onset.good, onset.bad)?;
    silence.refused.then_some((silence.at.seq, silence.since))
}

/// Who was asked, in the words of its control: "stun.example:3478".
pub fn target(timeline: &Timeline, kind: ControlKind, at: Stamp) -> String {
    let target = timeline.controls_of(kind).find_map(|asked| asked.target(at));
    target.map_or_else(|| rows::surroundings::asked(kind).to_owned(), ToString::to_string)
}

/// For evidence: "The gateway 10.0.0.254 …".
pub fn gateway(timeline: &Timeline, drop: &Drop) -> String {
    match way::carrying(timeline, drop).and_then(|carrying| carrying.gateway) {
        Some(gateway) => format!("the gateway {gateway}"),
        None => "the gateway".into(),
    }
}

/// What the loss itself says, for its own event.
pub fn last_sign(timeline: &Timeline, drop: &Drop) -> String {
    let at = words::utc_exact(drop.last_good);
    if let Some(closed) = moved::given_up(timeline, drop).filter(|closed| closed.last_in > drop.last_good) {
        return format!(
            "The last byte on signaling came at {}, the last answer to a question of ours at {at}; at {} this program gave the connection up, because its way had moved.",
            words::utc_exact(closed.last_in),
            words::utc_exact(drop.first_bad)
        );
    }
    match (drop.loss, drop.plane) {
        (Loss::Consent(_), _) => format!("The last answer to our checks came at {at}."),
        (_, Plane::Media) => format!("The last media packet came at {at}."),
        (_, Plane::Signaling) => format!("The last sign of life on signaling came at {at}."),
    }
}

pub fn lasted(timeline: &Timeline, drop: &Drop) -> Duration {
    drop.over(timeline).since(drop.last_good)
}
