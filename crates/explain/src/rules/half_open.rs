//! `half_open`: the TCP connection died and nobody said so: what was written stays unanswered, and no FIN or RST comes. Where
//! others to the same far end died with it, something forgot many flows at once.

use super::{around, look, service_closed, timer};
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{HeldLane, Silence, Socket},
    words,
};
use record::{
    IpPort, Seq, Stamp,
    fact::{ConnectStage, ControlKind, End, Trouble},
};
use std::time::Duration;

/// "Timed out", as Linux, macOS and Windows number it: the kernel itself gave up sending again.
const TIMED_OUT: [i32; 3] = [110, 60, 10060];

/// No device is known to forget a TCP connection that was quiet for less.
const SHORTEST_TIMER: Duration = Duration::from_secs(20);

struct Dead<'t, 'a> {
    socket: &'t Socket<'a>,
    silence: Option<&'t Silence>,
    since: Stamp,
}

fn dead<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<Dead<'t, 'a>> {
    match drop.loss {
        Loss::Unanswered { socket, silence } => {
            let socket = timeline.sockets.get(socket)?;
            let silence = socket.silences.get(silence)?;
            Some(Dead { socket, silence: Some(silence), since: silence.since })
        }
        Loss::SocketEnded(socket) => {
            let socket = timeline.sockets.get(socket)?;
            let closed = socket.closed.as_ref()?;
            let silent = match closed.end {
                End::Silence { .. } => true,
                End::Local { errno: Some(errno), .. } => TIMED_OUT.contains(errno),
                _ => false,
            };
            silent.then_some(Dead { socket, silence: None, since: closed.last_in })
        }
        _ => None,
    }
}

/// Other TCP connections to the same far end that went unanswered with it and stayed so. One moment between the two fits
/// all of them.
struct Beside<'t, 'a> {
    there: IpPort,
    lanes: Vec<&'t HeldLane<'a>>,
    seqs: Vec<Seq>,
    from: Stamp,
    to: Stamp,
}

fn beside<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop, dead: &Dead) -> Option<Beside<'t, 'a>> {
    let there = dead.socket.tcp?.remote;
    let (from, to) = (drop.last_good, dead.silence.map_or(drop.first_bad, |silence| silence.since));
    let mut found = Beside { there, lanes: vec![], seqs: vec![], from, to };
    let to_it = |lane: &&HeldLane| lane.carrier().is_some() && lane.stands.is_some_and(|stands| stands.remote == there);
    for lane in timeline.lanes.iter().filter(to_it) {
        let with_it = |from: Stamp, to: Stamp| {
            lane.silences.iter().find(|s| s.back.is_none() && s.last_ok <= to && from <= s.asked)
        };
        if let Some(silence) = with_it(found.from, found.to) {
            found.lanes.push(lane);
            found.seqs.push(silence.at.seq);
            (found.from, found.to) = (found.from.max(silence.last_ok), found.to.min(silence.asked));
        }
    }
    (!found.lanes.is_empty()).then_some(found)
}

/// More are a list for a machine.
const MOST_PORTS: usize = 8;

impl Beside<'_, '_> {
    /// "10.0.0.1:40001 and 10.0.0.1:40002"
    fn ours(&self) -> String {
        let ours = self.lanes.iter().filter_map(|lane| lane.stands).map(|stands| stands.local.to_string());
        words::list(ours.take(MOST_PORTS))
    }

    fn when(&self) -> String {
        format!("between {} and {}", words::utc_exact(self.from), words::utc_exact(self.to))
    }
}

/// The kernel was seen to send in vain.
fn unacknowledged(timeline: &Timeline, drop: &Drop, dead: &Dead) -> bool {
    let over = drop.over(timeline);
    let closed = dead.socket.closed.as_ref();
    dead.silence.is_some_and(|silence| silence.retransmits.is_some_and(|times| times > 0))
        || dead.socket.resending.iter().any(|(at, _)| at.stamp > dead.since && at.stamp <= over)
        || closed.is_some_and(|closed| {
            matches!(closed.end, End::Local { .. }) || closed.tcp.is_some_and(|tcp| tcp.unacked > 0)
        })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    let dead = dead(timeline, drop)?;
    // What was acknowledged went through: the connection lived, and it is the program at its other end that did not answer.
    if look::acknowledged(timeline, drop).is_some() {
        return None;
    }
    // With media gone as well it is not this connection that died, but what both travel over.
    if drop.plane != Plane::Signaling || look::twin(timeline, drop).is_some() {
        return None;
    }
    let until = drop.over(timeline).min(drop.declared.plus(Duration::from_secs(2)));
    let media = timeline.media_alive(dead.since, until);
    let anew = around::said(timeline, drop, ControlKind::FarTcp).alive();
    let shut = shut_out(timeline, drop);
    let mut because = match dead.silence {
        Some(silence) => Evidence::of(
            silence.at.seq,
            format!(
                "What was written at {} on {} stayed unanswered.",
                words::utc_exact(silence.since),
                words::flow(dead.socket)
            ),
        ),
        None => Evidence::of(
            drop.seq,
            format!("{} ended without a word.", service_closed::capital(&words::flow(dead.socket))),
        ),
    };
    let resent = dead.socket.resending.iter().rfind(|(at, _)| at.stamp > dead.since && at.stamp <= until);
    let retransmits = resent.map(|(_, tcp)| tcp.retransmits).or(dead.silence.and_then(|s| s.retransmits));
    if let Some((at, tcp)) = resent {
        because = because.and(
            at.seq,
            format!(
                "The kernel had sent the same bytes {} again, and the last acknowledgement was {} old.",
                words::times(tcp.retransmits as usize),
                words::length(words::millis(tcp.last_ack_recv_ms))
            ),
        );
    }
    because = because
        .and_maybe(media.map(|seq| (seq, "Media went on: the control that did not fail.".into())))
        .and_maybe(anew.map(|seq| (seq, around::answered_anew(timeline, drop))));
    if let Some(seq) = shut {
        because = because.and(seq, "New TCP connections to it were not answered either.");
    }
    let with_it = beside(timeline, drop, &dead);
    let mut with_it_words = String::new();
    if let Some(with_it) = &with_it {
        let others = format!("{} to {}", words::count(with_it.lanes.len(), "other TCP connection"), with_it.there);
        because = because.and_all(
            &with_it.seqs,
            format!(
                "{others} (from {}) went unanswered with it: one moment {} fits all of them.",
                with_it.ours(),
                with_it.when()
            ),
        );
        with_it_words = format!("; {others} stopped being answered {} too", with_it.when());
        if anew.is_some() && shut.is_none() {
            with_it_words.push_str(", and new ones worked");
        }
    }
    let silent_for = drop.over(timeline).since(drop.last_good);
    let mut measured = Measured::seconds(silent_for).word("ended", "silence");
    if let Some(retransmits) = retransmits {
        measured = measured.number("retransmits", f64::from(retransmits));
    }
    Some(Finding {
        owner: None,
        // Where the kernel does not tell of them, a program that hangs at the other end looks the same.
        confidence: if media.or(anew).is_some() && shut.is_none() && unacknowledged(timeline, drop, &dead) {
            Confidence::Shown
        } else {
            Confidence::Likely
        },
        says: format!(
            "The signaling connection went silently dead after {}: what was written stayed unanswered, neither FIN nor RST came{}{with_it_words}; {}.",
            words::utc_exact(drop.last_good),
            match (media, anew) {
                (Some(_), _) if shut.is_some() => {
                    ", and new TCP connections stayed unanswered as well, while media went on: whether a device between or the far end's own dropped them is not known"
                }
                (Some(_), _) => ", and media went on",
                (None, Some(_)) => ", and new connections to the far end were answered",
                (None, None) => "",
            },
            look::came_back(drop)
        ),
        because,
        measured,
    })
}

/// No new connection was answered either: not the state of one flow was lost, its port is shut.
fn shut_out(timeline: &Timeline, drop: &Drop) -> Option<Seq> {
    let silent = timeline.control_silent(ControlKind::FarTcp, drop.last_good, drop.declared);
    let silent = silent.filter(|silence| !silence.refused).map(|silence| silence.at.seq);
    let attempts = look::failed_attempts(timeline, drop);
    let mut unanswered = attempts
        .iter()
        .filter_map(|attempt| attempt.failed)
        .filter(|failed| failed.stage == ConnectStage::Tcp && matches!(failed.trouble, Trouble::NoAnswer { .. }));
    silent.or_else(|| unanswered.next().map(|failed| failed.at.seq))
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    if shut_out(timeline, drop).is_some() {
        return Advice {
            who: "The network administrator, then the voice service's support".into(),
            what: format!(
                "Look for a rule, here or before the service, that dropped TCP to this address and port, new connections too: {}.",
                look::search_outside(timeline, drop)
            ),
            retest: look::retest(timeline, "After the change"),
            wrong_if: format!(
                "a capture beside the service shows our connection requests arriving at {}.",
                words::utc(drop.first_bad)
            ),
        };
    }
    let dead = dead(timeline, drop);
    let with_it = dead.as_ref().and_then(|dead| Some((dead, beside(timeline, drop, dead)?)));
    let quiet = timer::of(timeline, drop.loss).map(|ended| ended.quiet);
    let (what, retest) = match (with_it, quiet) {
        (Some((dead, with_it)), _) => (
            format!(
                "Look for a reload, a failover, a cleared session table or a changed rule {} in a firewall or NAT: it forgot {} at once without an RST: {}, and with it {}. Let it send an RST when it drops a session.",
                with_it.when(),
                words::count(with_it.lanes.len() + 1, "TCP connection"),
                words::flow(dead.socket),
                with_it.ours()
            ),
            look::retest_over_a_change(timeline),
        ),
        (None, Some(quiet)) if quiet >= SHORTEST_TIMER => (
            format!(
                "Look for a firewall or NAT that dropped the state of one flow without an RST: {}. Set its session timeout for this destination to 3600 s and let it send an RST when it drops a session.",
                look::search(timeline, drop)
            ),
            look::retest(timeline, "After the change"),
        ),
        (None, _) => (
            format!(
                "Look for a cleared session, a reload, a failover or a changed rule in a firewall or NAT that dropped the state of one flow without an RST: {}. Let it send an RST when it drops a session.",
                look::search(timeline, drop)
            ),
            look::retest_over_a_change(timeline),
        ),
    };
    Advice {
        who: "The network administrator".into(),
        what,
        retest,
        wrong_if: format!(
            "a capture beside the service shows our bytes arriving after {}.",
            words::utc(drop.first_bad)
        ),
    }
}

fn rules_out(timeline: &Timeline, drop: &Drop) -> Option<String> {
    if drop.loss == Loss::NeverStood {
        return None;
    }
    if look::acknowledged(timeline, drop).is_some() {
        return Some("The TCP connection lived: the kernel had everything acknowledged that was written on it.".into());
    }
    if let Some((_, closed)) = look::closed(timeline, drop)
        && dead(timeline, drop).is_none()
    {
        return Some(format!("The end was told: the connection ended {}.", words::ended(closed.end)));
    }
    (drop.plane == Plane::Media && look::twin(timeline, drop).is_none())
        .then(|| timeline.signaling_asked_through(drop.last_good, drop.over(timeline)))?
        .then(|| "The signaling connection answered throughout.".into())
}

pub const RULE: Rule = Rule {
    id: Cause::HalfOpen,
    owner: Owner::InternetPath,
    title: "the connection died silently",
    advice,
    outranks: &[Cause::NotProven],
    settle: Duration::from_secs(3),
    find,
    rules_out: Some(rules_out),
};
