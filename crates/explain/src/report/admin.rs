//! One page for whoever can change something, for each cause: what was seen, what to look for in a log, what did not fail
//! meanwhile, where it is set, the smallest change, how to try it again, and what would prove us wrong.

use super::{groups::Group, retest::Retest};
use crate::{
    Cause, Drop, Plane, Timeline, Verdict,
    catalogue::{self, Kind, Layer, SettingRow},
    drops::Loss,
    limits::{Close, Exact, IdleLimit},
    rules::{around, idle_timeout, look, moved, timer, way},
    timeline::{HeldLane, Socket, host},
    verdict::DropVerdict,
    words,
};
use record::{
    IpPort, Seq, Stamp,
    fact::{ControlKind, End, Manner},
};
use serde::Serialize;
use std::time::Duration;
use ts_rs::TS;

mod found;
mod text;

pub use text::admin;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct AdminPage {
    /// Numbers of its drops; none where nothing was lost and something was found.
    pub drops: Vec<usize>,
    /// "Internet path: quiet connections are ended"
    pub title: String,
    pub sure: Option<String>,
    pub who: String,
    /// "Signaling lost twice, first at 2026-11-21 20:29:39.41 UTC", or nothing.
    pub lost: Option<String>,
    pub seen: Vec<String>,
    pub search: Vec<SearchRow>,
    pub controls: Vec<String>,
    pub ask: String,
    pub settings: Vec<SettingRow>,
    /// What to know of all of them, before they are looked through.
    pub settings_note: Option<String>,
    /// What stands where a setting says DEST.
    pub destination: String,
    pub retest: String,
    pub wrong_if: String,
}

/// What a device's log shows of one drop.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct SearchRow {
    /// "2026-11-21 20:29:39.41 UTC"
    pub at: String,
    /// "TCP 10.81.1.2:58430 to 10.83.0.10:8080"
    pub flow: String,
    /// "ended with a TCP FIN and no close frame"
    pub how: String,
}

/// No device is known to end TCP connections that were quiet for less.
const SHORTEST_TIMER: Duration = Duration::from_secs(20);
/// More rows are a list for a machine; the bundle has them all.
const MOST_ROWS: usize = 8;

pub(super) fn pages(timeline: &Timeline, head: &Verdict, groups: &[Group], retest: &Retest) -> Vec<AdminPage> {
    let of_drops = groups.iter().filter_map(|group| of_group(timeline, group, retest));
    let told = |cause: Cause| groups.iter().any(|group| group.cause == cause);
    of_drops.chain(found::pages(timeline, &head.findings, told, retest)).collect()
}

fn of_group(timeline: &Timeline, group: &Group, retest: &Retest) -> Option<AdminPage> {
    let first = *group.drops.first()?;
    let drop = lost(timeline, first)?;
    let advice = &first.advice;
    let because = first.because.iter().map(|because| because.says.clone());
    let again = if retest.of_limit { retest.says.clone() } else { retest.advised(&advice.retest) };
    let (mut settings, settings_note) = settings(timeline, drop, group.cause);
    let named = look::socket(timeline, drop).and_then(|socket| named_itself(socket, &mut settings));
    let settings_note = named.into_iter().chain(settings_note).reduce(|one, other| format!("{one} {other}"));
    Some(AdminPage {
        drops: group.drops.iter().map(|drop| drop.id).collect(),
        title: group.head(),
        sure: group.how_sure().map(|sure| sure.to_string()),
        who: advice.who.clone(),
        lost: Some(when(group)),
        seen: std::iter::once(first.says.clone()).chain(because).chain(counted(timeline, drop, group.cause)).collect(),
        search: group.drops.iter().filter_map(|told| row(timeline, told)).take(MOST_ROWS).collect(),
        controls: controls(timeline, drop),
        ask: advice.what.clone(),
        settings,
        settings_note,
        destination: destination(timeline),
        retest: again,
        wrong_if: advice.wrong_if.clone(),
    })
}

fn when(group: &Group) -> String {
    let often = group.how_often();
    match group.onset().filter(|_| !group.never_stood) {
        Some(onset) => {
            let date = onset.timestamp().strftime("%Y-%m-%d");
            format!("{often}, {} {date} {} UTC", group.at(), words::hundredths(onset))
        }
        None => often,
    }
}

/// The verdict counts drops in the timeline's order.
fn lost<'t>(timeline: &'t Timeline, told: &DropVerdict) -> Option<&'t Drop> {
    timeline.drops.get(told.id.checked_sub(1)?)
}

pub(super) fn row(timeline: &Timeline, told: &DropVerdict) -> Option<SearchRow> {
    let drop = lost(timeline, told)?;
    let date = drop.first_bad.wall.timestamp().strftime("%Y-%m-%d");
    let (flow, ends, how, at) = match drop.plane {
        Plane::Signaling => {
            let socket = look::socket(timeline, drop)?;
            let how = match (drop.loss, look::closed(timeline, drop)) {
                _ if way_moved(told.cause) && moved::given_up(timeline, drop).is_some() => {
                    "given up by this computer, because its way had moved".into()
                }
                (_, Some((_, closed))) if matches!(closed.end, End::LetGo) => {
                    "left without an answer, and closed by this computer".into()
                }
                (Loss::SocketEnded(_), Some((_, closed))) => format!("ended {}", words::ended(closed.end)),
                _ => "what was written stayed unanswered".into(),
            };
            (words::flow(socket), socket.tcp.as_ref().map(|tcp| (tcp.local, tcp.remote)), how, drop.first_bad)
        }
        Plane::Media => {
            let pair = timeline.pair_at(drop.declared)?;
            (
                words::media_flow(timeline, pair),
                Some((pair.local, pair.remote)),
                "last packet that came in".into(),
                drop.last_good,
            )
        }
    };
    let outside = ends.and_then(|ends| outside(timeline, ends, drop.first_bad));
    let flow = format!("{flow}{}", outside.unwrap_or_default());
    let moments = (told.cause == Cause::IdleTimeout).then(|| idle_timeout::in_a_log(timeline, drop)).flatten();
    let how = match moments {
        Some(moments) => format!("{how}. {}", moments.trim_end_matches('.')),
        None => how,
    };
    Some(SearchRow { at: format!("{date} {}", words::utc_exact(at)), flow, how })
}

/// As whoever sits beyond a NAT meets the flow. One that was not itself looked at has a port of its own there.
fn outside(timeline: &Timeline, (local, remote): (IpPort, IpPort), before: Stamp) -> Option<String> {
    let of_ours =
        timeline.outside(before).filter(|seen| seen.local.ip() == local.ip() && seen.seen.ip() != remote.ip());
    let best = of_ours.max_by_key(|seen| (seen.local == local, seen.by_server, seen.at.seq))?;
    match best.local == local {
        _ if best.seen.ip() == local.ip() => None,
        true => Some(format!(" (outside from {})", best.seen)),
        false => Some(format!(" (outside from {}, port not recorded)", best.seen.ip())),
    }
}

/// As a rule names it. Behind a web proxy the only address seen is the proxy's.
fn destination(timeline: &Timeline) -> String {
    match timeline.plan.filter(|_| timeline.sockets.iter().any(|socket| socket.through_proxy)) {
        Some(plan) => host(plan.to.as_str()).to_owned(),
        None => way::far_hosts(timeline),
    }
}

fn way_moved(cause: Cause) -> bool {
    matches!(cause, Cause::VpnChanged | Cause::NetworkSwitched | Cause::AddressChanged)
}

/// What was asked, or held, at the same time on the same computer and did not fail.
fn controls(timeline: &Timeline, drop: &Drop) -> Vec<String> {
    let mut lived = Vec::new();
    if around::other_plane_went_on(timeline, drop).is_some() {
        lived.push(match drop.plane {
            Plane::Signaling => "The call's media went on.".to_owned(),
            Plane::Media => "The call's signaling went on being answered.".to_owned(),
        });
    }
    if let Some(ended) = timer::ended(timeline, drop)
        && let Some((lane, _)) = timer::talking(timeline, &ended, ended.quiet)
    {
        lived
            .push(format!("{} to the same host stayed up.", words::capital(&crate::rows::lanes::manner(&lane.manner))));
    }
    let asked = [
        (ControlKind::Gateway, "The gateway"),
        (ControlKind::Dns, "The name servers"),
        (ControlKind::FarTcp, "The far end's host"),
        (ControlKind::FarUdp, "The far end, over UDP,"),
        (ControlKind::Https, "A web server elsewhere"),
        (ControlKind::Stun, "A STUN server elsewhere"),
    ];
    let answered = asked.iter().filter(|(kind, _)| around::said(timeline, drop, *kind).alive().is_some());
    lived.extend(answered.map(|(kind, who)| match kind {
        // Its host may have answered with a refusal.
        ControlKind::FarTcp => around::answered_anew(timeline, drop),
        kind => format!("{who} answered {}.", around::how_long(timeline, drop, &[*kind])),
    }));
    if lived.is_empty() {
        lived.extend(around::answered_around(timeline, drop).map(|(_, says)| says));
    }
    lived
}

/// How many ended, of which kinds, when, and how near to each other.
fn counted(timeline: &Timeline, drop: &Drop, cause: Cause) -> Option<String> {
    let ended = timer::of(timeline, drop.loss).filter(|_| cause == Cause::IdleTimeout)?;
    let limit = timeline.limits.idle_of(ended.host())?;
    let exact = limit.exact.filter(|exact| exact.count > 1)?;
    Some(format!(
        "{} of {} quiet connections beside the call ended, after {}, spread {}{}.",
        limit.died.len(),
        limit.died.len() + limit.lived.len(),
        words::length(exact.median),
        words::length(exact.spread),
        of_kinds(timeline, limit).unwrap_or_default()
    ))
}

/// ": 4 of 9 of the ladder, and 2 of 3 bare WebSockets"; nothing where there was one kind.
fn of_kinds(timeline: &Timeline, limit: &IdleLimit) -> Option<String> {
    let bare = |seq: &&Seq| {
        let of = |lane: &&HeldLane| {
            lane.ended.is_some_and(|end| end.at.seq == **seq) || lane.proved.is_some_and(|proof| proof.at.seq == **seq)
        };
        timeline.lanes.iter().find(of).is_some_and(|lane| lane.manner == Manner::BareWebsocket)
    };
    let (died, lived) = (limit.died.iter().filter(bare).count(), limit.lived.iter().filter(bare).count());
    let all = limit.died.len() + limit.lived.len();
    (died + lived > 0 && died + lived < all).then(|| {
        let rungs = (limit.died.len() - died, all - died - lived);
        let bare = words::count(died + lived, "bare WebSocket");
        format!(": {} of {} of the ladder, and {died} of {bare}", rungs.0, rungs.1)
    })
}

/// What answered says what it is: that product comes first.
fn named_itself(socket: &Socket, rows: &mut [SettingRow]) -> Option<String> {
    let called = socket.server?.as_str();
    let product = called.split(['/', ' ']).next().filter(|product| !product.is_empty())?.to_lowercase();
    let is_it = |row: &SettingRow| row.product.to_lowercase().split(' ').next() == Some(product.as_str());
    rows.sort_by_key(|row| !is_it(row));
    rows.first().filter(|row| is_it(row))?;
    Some(format!(
        "What answered on {} calls itself {called}: it comes first, and the others are for what else may stand there.",
        host(socket.to)
    ))
}

fn settings(timeline: &Timeline, drop: &Drop, cause: Cause) -> (Vec<SettingRow>, Option<String>) {
    let ended = timer::of(timeline, drop.loss);
    let close = ended.as_ref().map(|ended| ended.close);
    let host = ended.as_ref().map_or("", |ended| ended.host());
    let limits = &timeline.limits;
    match cause {
        // It said so itself: no other device need be looked at.
        Cause::IdleTimeout if ended.as_ref().is_some_and(timer::Ended::says_idle) => {
            (catalogue::of_cause("idle_timeout"), None)
        }
        Cause::IdleTimeout => {
            let limit = limits.idle_of(host);
            let known = limit.and_then(catalogue::idle);
            let rows = catalogue::of_limits(
                Kind::Idle,
                &[Layer::Websocket, Layer::Tcp],
                close,
                limit.map(IdleLimit::interval),
                known.as_ref(),
            );
            (rows, limit.and_then(|limit| limit.exact).filter(|_| known.is_none()).map(fits_none))
        }
        Cause::LifetimeCap => {
            let limit = limits.lifetime_of(host);
            let known = limit.and_then(catalogue::lifetime);
            let measured = limit.map(|limit| (limit.exact.median, limit.exact.median));
            let rows = catalogue::of_limits(Kind::Lifetime, &[Layer::Websocket], close, measured, known.as_ref());
            (rows, limit.map(|limit| limit.exact).filter(|_| known.is_none()).map(fits_none))
        }
        Cause::NatExpired => udp(timeline),
        // Of a connection that spoke a moment before, no timer that anybody sets is to blame.
        Cause::HalfOpen | Cause::ConnectionReset if ended.as_ref().is_none_or(|ended| ended.quiet < SHORTEST_TIMER) => {
            (vec![], None)
        }
        Cause::HalfOpen => (catalogue::of_limits(Kind::Idle, &[Layer::Tcp], Some(Close::Silence), None, None), None),
        Cause::ConnectionReset => (catalogue::of_limits(Kind::Idle, &[Layer::Tcp], close, None, None), None),
        cause => {
            let name = serde_json::to_value(cause).ok();
            (catalogue::of_cause(name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default()), None)
        }
    }
}

fn fits_none(limit: Exact) -> String {
    format!(
        "No default known to us is {}, so somebody set it: look for that number in what stands on the way. What is met most often comes first.",
        words::length(limit.median)
    )
}

fn udp(timeline: &Timeline) -> (Vec<SettingRow>, Option<String>) {
    let limit = timeline.limits.udp.first();
    let measured = limit.map(|limit| (limit.over.unwrap_or_default(), limit.under));
    let known = limit.and_then(catalogue::udp);
    (catalogue::of_limits(Kind::Idle, &[Layer::UdpStream, Layer::UdpOnePacket], None, measured, known.as_ref()), None)
}
