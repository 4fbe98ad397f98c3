//! `not_proven`: none of the causes fits with evidence. It says what is known all the same.

use super::{
    around::{self, Said},
    look, one_way_loss, service_closed,
};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    imported, rows,
    rule::{Evidence, Finding, Measured},
    timeline::PauseKind,
    words,
};
use record::{
    Seq,
    fact::{ControlKind, End},
};
use std::time::Duration;

pub(super) fn finding(timeline: &Timeline, drop: &Drop) -> Finding {
    let ran = look::ran_throughout(timeline, drop, PauseKind::Slept)
        && look::ran_throughout(timeline, drop, PauseKind::Stalled);
    let own = own_fault(timeline, drop);
    let running = match (&own, ran) {
        (Some((_, says)), _) => format!("; {says}"),
        (None, true) => "; this computer was awake and running".into(),
        (None, false) => String::new(),
    };
    let back = look::came_back(drop);
    let at = words::utc_exact(drop.last_good);
    let (says, because) = match (look::twin(timeline, drop), drop.plane) {
        (Some(twin), _) => {
            let (tcp, udp) = if drop.plane == Plane::Signaling { (drop, twin) } else { (twin, drop) };
            let ended = look::socket(timeline, drop).and_then(|socket| socket.closed.as_ref());
            let how = match (tcp.loss, ended) {
                (Loss::SocketEnded(_), Some(closed)) => format!(", and signaling ended {}", words::ended(closed.end)),
                _ => String::new(),
            };
            let udp_good = words::utc_exact(udp.last_good);
            (
                format!(
                    "Everything to the far end stopped at once, TCP and UDP alike, after {udp_good}{how}{running}; {back}."
                ),
                Evidence::of(udp.seq, last_of_media(timeline, udp.loss, &udp_good)).and(
                    tcp.seq,
                    format!("The last sign of life on signaling came at {}.", words::utc_exact(tcp.last_good)),
                ),
            )
        }
        (None, Plane::Media) => {
            let alive = timeline.signaling_alive(drop.last_good, drop.over(timeline));
            let control = alive.map_or("", |_| " while signaling went on");
            (
                match drop.loss {
                    Loss::Consent(_) => {
                        format!(
                            "The path of the media stopped answering our checks after {at}{control}{running}; {back}."
                        )
                    }
                    _ if timeline.imported.is_some() => {
                        format!("Packets stopped arriving some time after {at}; {back}.")
                    }
                    _ => format!("Media stopped arriving after {at}{control}{running}; {back}."),
                },
                Evidence::of(drop.seq, last_of_media(timeline, drop.loss, &at))
                    .and_maybe(alive.map(|seq| (seq, "The signaling connection lived through it.".into()))),
            )
        }
        (None, Plane::Signaling) => {
            let media = timeline.media_alive(drop.first_bad, drop.first_bad);
            let control = media.map_or("", |_| " while media went on");
            let how = match look::socket(timeline, drop).and_then(|socket| socket.closed.as_ref()) {
                Some(closed) => format!("ended {}", words::ended(closed.end)),
                None => "stopped answering".into(),
            };
            (
                format!("The signaling connection {how} after {at}{control}{running}; {back}."),
                Evidence::of(drop.seq, format!("The last sign of life on signaling came at {at}."))
                    .and_maybe(media.map(|seq| (seq, "Media packets arrived after it.".into()))),
            )
        }
    };
    let because = because.and_maybe(own.map(|(seq, says)| (seq, format!("{}.", service_closed::capital(&says)))));
    Finding {
        owner: None,
        confidence: Confidence::NotProven,
        says,
        because: BESIDE.iter().fold(because, |because, kind| because.and_maybe(beside(timeline, drop, *kind))),
        measured: Measured::seconds(drop.over(timeline).since(drop.last_good)),
    }
}

/// In the order in which they are read: the far end first, then outwards from here.
const BESIDE: [ControlKind; 6] = [
    ControlKind::FarUdp,
    ControlKind::FarTcp,
    ControlKind::Stun,
    ControlKind::Https,
    ControlKind::Dns,
    ControlKind::Gateway,
];

/// What a control met in those seconds: it proves no cause, and whoever looks for one needs it.
fn beside(timeline: &Timeline, drop: &Drop, kind: ControlKind) -> Option<(Seq, String)> {
    let asked = rows::surroundings::asked(kind);
    match around::said(timeline, drop, kind) {
        Said::Alive(seq) if kind == ControlKind::FarTcp => Some((seq, around::answered_anew(timeline, drop))),
        Said::Alive(seq) => {
            let how_long = around::how_long(timeline, drop, &[kind]);
            Some((seq, format!("Beside the call, asking {asked} was answered {how_long}.")))
        }
        Said::Silent(seq) => Some((seq, format!("Beside the call, asking {asked} was not answered from then on."))),
        Said::Nothing => None,
    }
}

fn last_of_media(timeline: &Timeline, loss: Loss, at: &str) -> String {
    match loss {
        _ if timeline.imported.is_some() => {
            format!("The dump shows packets arriving until {at} and none from then on.")
        }
        Loss::Consent(_) => format!("The last answer to our checks came at {at}."),
        _ => format!("The last media packet came at {at}."),
    }
}

/// What this computer itself did about the media at the onset.
fn own_fault(timeline: &Timeline, drop: &Drop) -> Option<(Seq, String)> {
    let media = look::side(timeline, drop, Plane::Media)?;
    if let Some(trouble) = timeline.send_trouble(media.last_good, media.declared) {
        let at = words::utc_exact(trouble.first);
        let error = look::own_error(trouble);
        return Some((
            trouble.at.seq,
            format!("this computer's own system refused to send media from {at} on ({error})"),
        ));
    }
    let dead = timeline.stack_death(media.last_good, media.over(timeline))?;
    Some((dead.seq, format!("this program's own media stack was found dead at {}", words::utc_exact(dead.stamp))))
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    Some(finding(timeline, drop))
}

/// Our own system ended the connection: nothing on the way did.
fn ended_here(timeline: &Timeline, drop: &Drop) -> bool {
    drop.plane == Plane::Signaling
        && look::socket(timeline, drop)
            .and_then(|socket| socket.closed.as_ref())
            .is_some_and(|closed| matches!(closed.end, End::Local { errno: Some(ABORTED), .. }))
}

/// ECONNABORTED as Linux numbers it: some program here took the connection away. Other errors may have causes outside.
const ABORTED: i32 = 103;

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    if timeline.imported.is_some() {
        return imported::advice(timeline, drop);
    }
    if ended_here(timeline, drop) {
        let at = words::utc(drop.first_bad);
        return Advice {
            who: "Whoever looks after this computer".into(),
            what: format!(
                "Find what on this computer ended its connection at {at} (security software, a VPN client, an administrator's tool): {}.",
                look::search(timeline, drop)
            ),
            retest: look::retest(timeline, "With that program off"),
            wrong_if: "a capture on this computer shows an RST or FIN of the far end in that second.".into(),
        };
    }
    if let Some(media) = look::side(timeline, drop, Plane::Media)
        && timeline.send_trouble(media.last_good, media.declared).is_some()
    {
        return one_way_loss::advice_on_refusal(timeline, media);
    }
    Advice {
        who: "The support desk".into(),
        what: format!(
            "Compare with the local network's own log (router, access point, VPN) and the service's at the same second: {}.",
            look::search(timeline, drop)
        ),
        retest: look::retest(timeline, "Go to another network, such as a telephone's"),
        wrong_if: format!(
            "a capture on this computer shows {} of the far end arriving between {} and {}.",
            match drop.plane {
                Plane::Signaling => "bytes on the signaling connection",
                Plane::Media => "media packets",
            },
            words::utc_exact(drop.last_good),
            words::utc_exact(drop.over(timeline))
        ),
    }
}

pub const RULE: Rule = Rule {
    id: Cause::NotProven,
    owner: Owner::NotProven,
    title: "the connection was lost, and nothing recorded proves why",
    advice,
    outranks: &[],
    settle: Duration::ZERO,
    find,
    rules_out: None,
};
