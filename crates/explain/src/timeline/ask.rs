//! What rules ask of a timeline.

use super::{At, Pause, PauseKind, Ready, Socket, Step, Timeline};
use crate::words;
use record::{Heard, Ip, Seq, Stamp};
use std::time::Duration;

/// What arrived from the far end in a stretch, from the seconds that lie wholly inside it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Arrived {
    pub seconds: usize,
    pub rtp: u64,
    pub rtcp: u64,
    pub stun: u64,
    /// RTCP and STUN in the second that holds the last packet, after it.
    pub after_rtp: u64,
    pub sent: u64,
    /// The first second in which RTCP or STUN came.
    pub control_seq: Option<Seq>,
    pub first_seq: Option<Seq>,
}

/// A sample is written when its second is over, a little late on a busy machine.
const SAMPLE: Duration = Duration::from_millis(1_050);

/// A heartbeat each second for an hour; through a longer loss nothing is said of them.
const MOST_BEATS: usize = 3_600;

/// No call gathers more relay addresses; a forged log may.
const MOST_RELAYS: usize = 64;

impl<'a> Timeline<'a> {
    /// When the hold was over: hung up, ended, or the last thing known.
    pub fn hold_end(&self) -> Stamp {
        self.hung_up.or(self.ended.map(|(at, _)| at)).map_or(self.until, |at| at.stamp)
    }

    /// The far end is on this computer: no network lies between.
    pub fn is_loopback(&self) -> bool {
        let address = self.plan.map_or("", |plan| super::host(plan.to.as_str()));
        address == "localhost" || address.trim_matches(['[', ']']).parse::<Ip>().is_ok_and(|ip| ip.is_loopback())
    }

    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// When media first flowed, if ever: a call that stood.
    pub fn stood(&self) -> Option<At> {
        self.established.or_else(|| self.flowing.first().map(|(at, _)| *at))
    }

    /// `from` is when the media's last packet came: of the second that holds it, what came after that packet counts too.
    pub fn arrived(&self, from: Stamp, to: Stamp) -> Arrived {
        let mut sum = Arrived::default();
        let first = self.samples.partition_point(|(at, _)| at.stamp < from);
        let mut before: Option<Stamp> = None;
        for (at, sample) in self.samples[first..].iter().take_while(|(at, _)| at.stamp <= to) {
            // A second is as long as it is since the one before it was told; the first of all may be longer.
            let began_inside = before.replace(at.stamp).is_some() || at.stamp.awake_since(from) >= SAMPLE;
            if !began_inside {
                sum.after_rtp += u64::from(sample.after_rtp);
                if sample.after_rtp > 0 {
                    sum.control_seq.get_or_insert(at.seq);
                }
                continue;
            }
            sum.seconds += 1;
            sum.rtp += u64::from(sample.rtp_in);
            sum.rtcp += u64::from(sample.rtcp_in);
            sum.stun += u64::from(sample.stun_in) + u64::from(sample.checks_in);
            sum.sent += u64::from(sample.rtp_out);
            sum.first_seq.get_or_insert(at.seq);
            if sample.rtcp_in + sample.stun_in + sample.checks_in > 0 {
                sum.control_seq.get_or_insert(at.seq);
            }
        }
        sum
    }

    /// A second with media at or shortly after `from`, with no gap open between `from` and it.
    pub fn media_alive(&self, from: Stamp, to: Stamp) -> Option<Seq> {
        // The second that holds the moment is written up to one second after it, and the next proves that it went on.
        let to = to.max(from.plus(Duration::from_millis(2_100)));
        let open_at = self.gaps.partition_point(|gap| gap.back.is_some_and(|(_, first)| first < from));
        let broken = self.gaps.get(open_at).is_some_and(|gap| gap.last <= to);
        if broken {
            return None;
        }
        let first = self.samples.partition_point(|(at, _)| at.stamp < from);
        self.samples[first..]
            .iter()
            .take_while(|(at, _)| at.stamp <= to)
            .find(|(_, sample)| sample.rtp_in > 0)
            .map(|(at, _)| at.seq)
    }

    /// A heartbeat answered on a socket that stood through the whole stretch: the socket lived through it.
    pub fn signaling_alive(&self, from: Stamp, to: Stamp) -> Option<Seq> {
        let stands = |socket: &&Socket| {
            socket.ready.is_some_and(|ready| ready.at.stamp <= from)
                && socket.closed.is_none_or(|closed| closed.at.stamp > to)
                && !socket.silences.iter().any(|s| s.last_good <= to && s.again.is_none_or(|again| again.stamp >= from))
        };
        // The one that became ready last before it; an older one was given up for it.
        let before = self.readied.partition_point(|i| self.sockets[*i].ready.is_none_or(|r| r.at.stamp <= from));
        let conn = self.readied[..before].last().map(|i| &self.sockets[*i]).filter(stands)?.conn;
        let after = self.heartbeats.partition_point(|beat| beat.at.stamp <= from);
        self.heartbeats[after..].iter().find(|beat| beat.conn == conn).map(|beat| beat.at.seq)
    }

    /// Heartbeats went and came at their pace from one moment to the other, at least one of them within.
    pub fn signaling_asked_through(&self, from: Stamp, to: Stamp) -> bool {
        let Some(every) = self.plan.and_then(|plan| plan.heartbeat.as_ref()).map(|beat| words::millis(beat.every_ms))
        else {
            return false;
        };
        // A beat waits for its answer, and a busy machine delays one a little.
        let longest = every + every / 2;
        let first = self.heartbeats.partition_point(|beat| beat.at.stamp < from.minus(longest));
        let near: Vec<Stamp> = self.heartbeats[first..]
            .iter()
            .map(|beat| beat.at.stamp)
            .take_while(|at| *at <= to.plus(longest))
            .take(MOST_BEATS)
            .collect();
        let paced = near.windows(2).all(|pair| pair[1].since(pair[0]) <= longest);
        let on_both_sides = near.first().is_some_and(|at| *at <= from) && near.last().is_some_and(|at| *at >= to);
        let within = near.iter().any(|at| from < *at && *at < to);
        paced && on_both_sides && within && self.signaling_alive(from, to).is_some()
    }

    pub fn next_ready(&self, after: Stamp, other_than: u32) -> Option<(&Socket<'a>, Ready<'a>)> {
        let ready_at = |index: &usize| self.sockets[*index].ready.map(|ready| ready.at.stamp);
        let first = self.readied.partition_point(|index| ready_at(index).is_none_or(|at| at < after));
        let socket =
            self.readied[first..].iter().map(|i| &self.sockets[*i]).find(|socket| socket.conn != other_than)?;
        Some((socket, socket.ready?))
    }

    /// Attempts to connect that began in a stretch, a moment of grace at its start.
    pub fn attempts(&self, from: Stamp, to: Stamp) -> impl Iterator<Item = &Socket<'a>> {
        let first = self.sockets.partition_point(|socket| socket.began.stamp < from);
        self.sockets[first..].iter().take_while(move |socket| socket.began.stamp <= to)
    }

    pub fn pauses_in(&self, kind: PauseKind, from: Stamp, to: Stamp) -> impl Iterator<Item = &Pause> {
        // They follow each other.
        let first = self.pauses.partition_point(|pause| pause.to < from);
        self.pauses[first..].iter().take_while(move |pause| pause.from <= to).filter(move |pause| pause.kind == kind)
    }

    pub fn steps_in(&self, from: Stamp, to: Stamp) -> impl Iterator<Item = &Step<'a>> {
        let first = self.steps.partition_point(|step| step.at.stamp < from);
        self.steps[first..].iter().take_while(move |step| step.at.stamp <= to)
    }

    pub fn pair_at(&self, at: Stamp) -> Option<&super::Pair> {
        self.pairs[..self.pairs.partition_point(|pair| pair.at.stamp <= at)].last()
    }

    /// Our own system refused to send media when a loss began that was last well at `from` and sure at `declared`.
    pub fn send_trouble(&self, from: Stamp, declared: Stamp) -> Option<&super::SendTrouble<'a>> {
        // They follow each other, apart from several errors of one refusal, which end together.
        let first = self.send_troubles.partition_point(|trouble| trouble.until.is_some_and(|until| until < from));
        self.send_troubles.get(first).filter(|trouble| trouble.first <= declared)
    }

    /// Our own media stack was found dead while this was lost.
    pub fn stack_death(&self, from: Stamp, to: Stamp) -> Option<At> {
        let first = self.stack_deaths.partition_point(|(at, _)| at.stamp < from);
        self.stack_deaths.get(first).map(|(at, _)| *at).filter(|at| at.stamp <= to)
    }

    /// The server that gave the relay address of a pair.
    pub fn relay_of(&self, pair: &super::Pair) -> Option<&'a Heard> {
        let address = pair.local.to_string();
        let before = self.relays.partition_point(|(at, ..)| at.stamp <= pair.at.stamp);
        self.relays[..before]
            .iter()
            .rev()
            .take(MOST_RELAYS)
            .find(|(_, given, _)| given.as_str() == address)
            .map(|(.., server)| *server)
    }

    /// The far end speaks of what it saw at all.
    pub fn far_testifies(&self) -> bool {
        !self.sights.is_empty()
    }
}
