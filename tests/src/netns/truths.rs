//! What each step really did, from packets: the copies that a fault's rules make, and where a deed has no rule, the capture
//! of all that left and reached the client.

use super::capture::Packet;
use super::crossing::{self, Ends};
use super::flows::Flows;
use crate::packets::Head;
use crate::scenario::{Deed, ending::Plane};
use crate::truth::{Effect, Truth, When};
use crate::witness::Hit;
use anyhow::{Context, Result, ensure};
use record::Stamp;
use std::time::Duration;

/// A step as it was carried out.
#[derive(Clone)]
pub struct Carried {
    pub deed: Deed,
    /// Around the command; what it did lies between them or after.
    pub began: (Stamp, Stamp),
    pub undone: Option<(Stamp, Stamp)>,
    /// What carried the call when it was done.
    pub flows: Flows,
    /// What carried the call of the page beside it.
    pub pages: Flows,
    /// Each packet that it touched, where a rule did it.
    pub hits: Option<Vec<Hit>>,
}

pub struct Seen<'a> {
    /// At the client's end, where the call is told of.
    pub packets: &'a [Packet],
    pub ends: Ends<'a>,
    /// All that ever carried the call.
    pub flows: &'a Flows,
    /// When the call was over: what did not come after that was not lost.
    pub over: Stamp,
}

/// Packets that were past the fault when it began arrive in the next moments.
const UNDERWAY: Duration = Duration::from_millis(10);
/// No path of the lab's is as slow, and delayed acknowledgements take 40 ms.
const ANSWERED_WITHIN_MS: f64 = 400.0;
/// A packet is lost on its way there or on its way back, and the next is due 20 ms later.
const APART_MS: f64 = 25.0;
/// Media pauses for less than this in health too.
const PAUSE_MS: f64 = 200.0;

/// What the world itself ends without any step: the first segment that says so.
pub fn ended(seen: &Seen) -> Option<When> {
    let ends = |packet: &&Packet| {
        let last = packet.head.tcp.is_some_and(|tcp| tcp.fin || tcp.rst);
        packet.inward && last && packet.at <= seen.over && seen.flows.has(Plane::Signaling, &packet.head)
    };
    seen.packets.iter().find(ends).map(|end| When::at(end.at))
}

impl Carried {
    /// The same step, as the page beside the hold met it.
    pub fn met_by_the_page(&self) -> Self {
        Self { flows: self.pages.clone(), ..self.clone() }
    }

    pub fn truth(&self, seen: &Seen) -> Truth {
        Truth { signaling: self.effect(Plane::Signaling, seen), media: self.effect(Plane::Media, seen) }
    }

    /// It did something to somebody; else the run proves nothing.
    pub fn touched(&self, truth: &Truth) -> bool {
        let by_nature = matches!(
            self.deed,
            Deed::Nothing
                | Deed::Bridge
                | Deed::SecondUplink
                | Deed::TunnelUp
                | Deed::Busy
                | Deed::ClockStep { .. }
                | Deed::FarEndStarted
                | Deed::NameServerKilled
                | Deed::RelayStarted
        );
        let hit = self.hits.as_ref().is_some_and(|hits| !hits.is_empty());
        by_nature || hit || truth.signaling.began.is_some() || truth.media.began.is_some()
    }

    /// A rule that takes all media away is seen by its copies and by the capture; two that see the same thing must say the
    /// same.
    pub fn seen_alike(&self, seen: &Seen) -> Result<()> {
        let all = [
            Deed::BlackHole,
            Deed::Rejected,
            Deed::UdpLost,
            Deed::UdpRejected,
            Deed::UdpToServerLost,
            Deed::UdpToClientLost,
            Deed::MediaVanishes,
            Deed::GatewaySilent,
            Deed::GatewayHangs,
        ];
        // Checks are seconds apart, and some are never answered.
        let talks = self.talks(seen);
        let (Some(hits), true) = (&self.hits, talks && all.contains(&self.deed)) else { return Ok(()) };
        let (Some(hit), Some(paused)) =
            (self.first_hit(Plane::Media, hits, seen), self.without_rule(Plane::Media, seen).0)
        else {
            return Ok(());
        };
        let apart = paused.ms_to(hit.earliest.wall);
        ensure!(
            apart.abs() <= APART_MS.max(self.spacing_ms(seen)),
            "void: {:?} by its rule and by the capture lie {apart:.1} ms apart",
            self.deed
        );
        Ok(())
    }

    /// What takes packets away underway shows at both ends: the first that left one and did not reach the other is what the
    /// truth is about.
    pub fn crossed_alike(&self, truth: &Truth, seen: &Seen) -> Result<()> {
        let takes: &[Plane] = match self.deed {
            Deed::BlackHole | Deed::Rejected | Deed::GatewaySilent => &[Plane::Signaling, Plane::Media],
            Deed::SignalingVanishes => &[Plane::Signaling],
            Deed::Unrouted | Deed::UdpLost | Deed::UdpToServerLost | Deed::UdpToClientLost | Deed::MediaVanishes => {
                &[Plane::Media]
            }
            _ => &[],
        };
        takes.iter().try_for_each(|plane| {
            // Through a relay media has no numbers of its own.
            let numbered = |head: &Head| head.tcp.is_some() || head.is_rtp();
            let is_of = |head: &Head| self.flows.has(*plane, head) && numbered(head);
            // A goodbye's own packets are underway when all is over.
            let began = truth.of(*plane).began.filter(|began| began.latest.plus(crossing::UNDERWAY) < seen.over);
            let (Some(began), true) = (began, seen.packets.iter().any(|packet| is_of(&packet.head))) else {
                return Ok(());
            };
            let lost = seen.ends.first_lost(is_of, self.began.0, seen.over);
            let lost = lost.with_context(|| format!("void: {:?}, and all packets reached the other end", self.deed))?;
            let apart = began.ms_to(lost.at.wall);
            ensure!(
                apart.abs() <= APART_MS.max(self.spacing_ms(seen)),
                "void: the truth of {:?} and the first packet that did not cross lie {apart:.1} ms apart",
                self.deed
            );
            Ok(())
        })
    }

    fn effect(&self, plane: Plane, seen: &Seen) -> Effect {
        let (began, ended) = match &self.hits {
            Some(hits) => (self.first_hit(plane, hits, seen), false),
            None => self.without_rule(plane, seen),
        };
        let undone = self.undone.map(|(before, after)| When { earliest: before, latest: after });
        let back = began.and_then(|began| self.back(plane, began.latest, ended, seen));
        let passed = match (self.deed, began) {
            (Deed::Loss { .. }, Some(began)) => self.passed(plane, began.latest, seen),
            _ => Vec::new(),
        };
        Effect { began, undone, back: back.map(When::at), passed }
    }

    /// What came all the same, on whatever flow carried the plane.
    fn passed(&self, plane: Plane, began: Stamp, seen: &Seen) -> Vec<Stamp> {
        let talks = self.talks(seen);
        let of_it = |head: &Head| match plane {
            Plane::Signaling => true,
            Plane::Media => !talks || head.is_media(),
        };
        let came = seen.packets.iter().filter(|packet| {
            packet.inward && packet.at > began && seen.flows.has(plane, &packet.head) && of_it(&packet.head)
        });
        came.map(|packet| packet.at).collect()
    }

    fn first_hit(&self, plane: Plane, hits: &[Hit], seen: &Seen) -> Option<When> {
        let of = |flows: &Flows| {
            let hit = hits.iter().find(|hit| hit.head.is_some_and(|head| flows.has(plane, &head)));
            hit.map(|hit| When::at(hit.at))
        };
        // A connection that was being made anew at that moment is not in use yet.
        of(&self.flows).or_else(|| of(seen.flows))
    }

    /// When it began, and whether the flow ended by it.
    fn without_rule(&self, plane: Plane, seen: &Seen) -> (Option<When>, bool) {
        let flow = |packet: &&Packet| self.flows.has(plane, &packet.head) && packet.at <= seen.over;
        let mut flow: Vec<&Packet> = seen.packets.iter().filter(flow).collect();
        if plane == Plane::Media && flow.iter().any(|packet| packet.head.is_media()) {
            // Checks may cross where media does not; where nothing else is sent they are all that there is.
            flow.retain(|packet| packet.head.is_media() || packet.head.tcp.is_some());
        }
        let before = self.began.0;
        let ends = |packet: &&&Packet| {
            let closes = |bytes: [u8; 2]| bytes[0] == 0x88;
            // A connection that is taken away here is ended from here.
            (packet.inward || self.deed == Deed::SocketTaken)
                && packet.at >= before
                && packet.head.tcp.is_some_and(|tcp| tcp.fin || tcp.rst || packet.head.begins.is_some_and(closes))
        };
        let end = flow.iter().find(ends).map(|end| When::at(end.at));
        let began = match plane {
            Plane::Signaling => self.unanswered(&flow, seen.over),
            Plane::Media => self.paused(&flow, seen.over),
        };
        let takes_address = matches!(self.deed, Deed::AddressChanged | Deed::Renumbered);
        match (began, end) {
            // A connection that was dead long before is ended in words at last.
            (Some(began), Some(end)) if began.latest < end.earliest => (Some(began), takes_address),
            (began, None) => (began, takes_address),
            (_, end) => (end, true),
        }
    }

    /// One segment answers another. The kernel of a program that stands still acknowledges in its place.
    fn answers(&self, answer: &Packet, packet: &Packet) -> bool {
        match self.deed {
            Deed::FarEndFrozen => answer.inward && answer.head.begins.is_some() && answer.at >= packet.at,
            _ => answer.head.acknowledges(&packet.head),
        }
    }

    /// The first thing said that had no answer; where nothing could even be said, the time in which nothing was.
    fn unanswered(&self, flow: &[&Packet], over: Stamp) -> Option<When> {
        let before = self.began.0;
        // Without its address or its cable a connection is dead before it has anything to say; what it says at last, when
        // another has taken its place, is no first effect.
        let cut = [Deed::AddressChanged, Deed::Renumbered, Deed::LinkDown, Deed::CableOut, Deed::TunnelGone];
        if cut.contains(&self.deed) {
            return Some(within(before, self.began.1));
        }
        let unanswered = |packet: &&&Packet| {
            let soon = |answer: &Packet| ms_between(packet.at, answer.at) < ANSWERED_WITHIN_MS;
            !packet.inward
                && packet.at >= before
                && packet.head.begins.is_some()
                && ms_between(packet.at, over) > ANSWERED_WITHIN_MS
                && !flow.iter().any(|answer| self.answers(answer, packet) && soon(answer))
        };
        if let Some(first) = flow.iter().find(unanswered) {
            return Some(When::at(first.at));
        }
        // Without a way out nothing is even sent that could be seen.
        let no_way = [Deed::RouteGone, Deed::Frozen, Deed::Starved, Deed::Sleep];
        let next = flow.iter().find(|packet| packet.at >= self.began.1).map_or(over, |packet| packet.at);
        no_way.contains(&self.deed).then(|| within(before, next))
    }

    /// The first packet that had no echo, or that should have left and did not.
    fn paused(&self, flow: &[&Packet], over: Stamp) -> Option<When> {
        let before = self.began.0;
        let came: Vec<Stamp> = flow.iter().filter(|packet| packet.inward).map(|packet| packet.at).collect();
        let healthy = came.partition_point(|at| *at < before);
        let mut apart: Vec<f64> = came[..healthy].windows(2).map(|two| ms_between(two[0], two[1])).collect();
        apart.sort_by(f64::total_cmp);
        let usual = apart.get(apart.len() / 2).copied()?;
        let pauses = |n: usize| {
            let next = came.get(n + 1).copied().unwrap_or(over);
            ms_between(came[n], next) > PAUSE_MS.max(usual * 3.0)
        };
        let last = came[(healthy.checked_sub(1)?..came.len()).find(|n| pauses(*n))?];
        let due = last.plus(Duration::from_micros((usual * 1_500.0) as u64));
        let lost = flow.iter().find(|packet| !packet.inward && packet.at > last && packet.at <= due);
        Some(match lost {
            Some(lost) => When::at(lost.at),
            None => within(last.max(before), due),
        })
    }

    /// Media was sent on the flow in use.
    fn talks(&self, seen: &Seen) -> bool {
        let media = |packet: &Packet| self.flows.has(Plane::Media, &packet.head) && packet.head.is_media();
        seen.packets.iter().any(media)
    }

    /// How far apart its packets are sent. In comfort noise a rule may touch an answer long before the next of them.
    fn spacing_ms(&self, seen: &Seen) -> f64 {
        let sent =
            |packet: &&Packet| !packet.inward && packet.head.is_media() && self.flows.has(Plane::Media, &packet.head);
        let mut all = seen.packets.iter().filter(sent);
        let (Some(first), Some(last)) = (all.next(), seen.packets.iter().rev().find(sent)) else { return 0.0 };
        ms_between(first.at, last.at) / all.count().max(1) as f64
    }

    /// The first that crossed again, whatever flow carries the plane since.
    fn back(&self, plane: Plane, began: Stamp, ended: bool, seen: &Seen) -> Option<Stamp> {
        let (began, after) = (began.minus(UNDERWAY), began.plus(UNDERWAY));
        let talks = self.talks(seen);
        // On the flow that was hit, what was lost must have arrived by now; what the far end says of its own is no answer.
        let lost = seen.packets.iter().find(|packet| {
            !packet.inward && packet.at >= began && packet.head.begins.is_some() && self.flows.has(plane, &packet.head)
        });
        let answers = |packet: &Packet| match lost {
            Some(lost) if self.flows.has(plane, &packet.head) => self.answers(packet, lost),
            _ => true,
        };
        let back = seen.packets.iter().find(|packet| {
            packet.inward
                && packet.at > after
                && seen.flows.has(plane, &packet.head)
                && match plane {
                    Plane::Signaling => !(ended && self.flows.has(plane, &packet.head)) && answers(packet),
                    Plane::Media => !talks || packet.head.is_media() || packet.head.tcp.is_some(),
                }
        });
        back.map(|packet| packet.at)
    }
}

fn within(earliest: Stamp, latest: Stamp) -> When {
    When { earliest, latest: latest.max(earliest) }
}

/// Negative if `b` is earlier.
pub(super) fn ms_between(a: Stamp, b: Stamp) -> f64 {
    (b.uptime.0 as f64 - a.uptime.0 as f64) / 1e3
}
