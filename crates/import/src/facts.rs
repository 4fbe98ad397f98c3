//! From what a dump shows to facts. A gap in the media is told where no packet of any kind came for long enough; where the
//! path lived on, the far end may have been muted, and that is a note and no gap. Between two looks nothing is known: what came
//! in between is said to have come at the later one, and what stopped to have come last before the earlier one.

use crate::seen::{Connection, Dump, time};
use crate::stats::{Ends, Look};
use record::{
    Event, Fact, Heard, Log, Said, Sense, Stamp, Wall,
    fact::{EndedBy, Ice, IceState, Imported, Mark, Media, MediaSample},
    stamp::to_the_microsecond,
};

/// Of RFC 7675: browsers check the path every 2.5 s, so that two answers are missing by then.
const PATH_SILENT_MS: f64 = 5_000.0;
/// A shorter silence is within what a quiet talker or a busy page makes.
const WORTH_A_NOTE_MS: f64 = 2_000.0;
/// How far looks may lie from a second to be told as one.
const A_SECOND_MS: std::ops::RangeInclusive<f64> = 500.0..=1_500.0;
/// A dump may alternate for ever.
const MOST_NOTES: usize = 200;
/// Before it the clocks that never go back would be at zero, and no stamp can lie earlier.
const CLOCKS_BEGIN_US: u64 = 60_000_000;

/// Of the connection on which something was lost, and else of the one on which most came; nothing where none is a call.
pub fn log(dump: Dump) -> Option<Log> {
    let others = (dump.connections.len() as u32).saturating_sub(1);
    let calls = dump.connections.into_iter().map(in_order).filter(is_call);
    let told = calls.filter_map(|connection| {
        let began = first_moment(&connection)?;
        let mut facts = vec![(began, imported(dump.format, &dump.by, &connection, others))];
        facts.extend(blind().map(|fact| (began, fact)));
        facts.extend(connection.states.iter().map(|(at, state)| (*at, Ice::State { state: *state }.into())));
        Telling { connection: &connection, began, facts: Vec::new(), notes: 0 }.all(&mut facts);
        facts.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let lost = facts.iter().any(|(_, fact)| matches!(fact, Fact::Media(Media::Gap { .. })));
        Some(((lost, came(&connection)), began, facts))
    });
    let (_, began, facts) = told.max_by(|((a, more), ..), ((b, than), ..)| a.cmp(b).then(more.total_cmp(than)))?;
    let events = facts.into_iter().zip(1..).map(|((at, fact), seq)| Event { seq, at: stamp(began, at), fact });
    Some(Log { events: events.collect() })
}

fn in_order(mut connection: Connection) -> Connection {
    connection.looks.sort_by(|a, b| a.at.total_cmp(&b.at));
    connection.states.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    connection
}

fn is_call(connection: &Connection) -> bool {
    came(connection) > 0.0 || connection.states.iter().any(|(_, state)| *state == IceState::Failed)
}

/// How many media packets came in all.
fn came(connection: &Connection) -> f64 {
    connection.looks.iter().map(|look| look.grown.media).sum()
}

fn first_moment(connection: &Connection) -> Option<f64> {
    let looks = connection.looks.first().map(|look| look.at);
    connection.states.iter().map(|(at, _)| *at).chain(looks).chain(connection.closed).reduce(f64::min)
}

/// Only the wall clock is in a dump. The two others are drawn from it, so that neither sleep nor a set clock can be seen, which is
/// said.
fn stamp(began: f64, at: f64) -> Stamp {
    let since = CLOCKS_BEGIN_US + ((at - began).max(0.0) * 1e3) as u64;
    Stamp { wall: Wall::from_micros((at * 1e3) as i64), uptime: record::Micros(since), awake: record::Micros(since) }
}

fn imported(format: &str, by: &str, connection: &Connection, others: u32) -> Fact {
    let mut apart: Vec<f64> = connection.looks.windows(2).map(|two| two[1].at - two[0].at).collect();
    apart.sort_by(f64::total_cmp);
    let every_ms = apart.get(apart.len() / 2).copied().unwrap_or_default();
    let (without_zone, evenly) = (connection.without_zone, connection.evenly);
    let imported = Imported { format: Heard::new(format), by: Heard::new(by), every_ms, others, without_zone, evenly };
    Mark::Imported(imported).into()
}

/// What no dump of a browser holds.
fn blind() -> impl Iterator<Item = Fact> {
    let blind = |watcher, why: &str| Fact::Blind { watcher, why: Said::new(why) };
    [
        blind(Sense::Network, "a dump of a browser does not hold them, so a change of its network is not known"),
        blind(Sense::Sleep, "a dump has the times of the wall clock alone"),
        blind(Sense::Load, "a dump of a browser does not hold it"),
        blind(Sense::TcpInfo, "a dump holds nothing of the signaling connection, nor how it ended"),
        blind(Sense::Controls, "nothing was asked beside an imported call"),
    ]
    .into_iter()
}

struct Telling<'a> {
    connection: &'a Connection,
    began: f64,
    facts: Vec<(f64, Fact)>,
    notes: usize,
}

/// No media since the look at `since`.
struct Quiet {
    last: f64,
    since: f64,
    /// When anything else came last, as far as is known.
    lived: Option<f64>,
    told: bool,
}

/// The way that packets take, as it was told last.
#[derive(Default)]
struct Path {
    ends: Option<Ends>,
    dtls: Option<&'static str>,
}

impl Telling<'_> {
    fn all(mut self, into: &mut Vec<(f64, Fact)>) {
        let mut flowed = None;
        let mut quiet: Option<Quiet> = None;
        let mut path = Path::default();
        // The look before the last one, in which packets had come since.
        let mut before: Option<&Look> = None;
        let looks = &self.connection.looks;
        for (index, look) in looks.iter().enumerate() {
            let previous = index.checked_sub(1).map(|index| &looks[index]);
            self.path(look, &mut path);
            if let Some(previous) = previous {
                self.sample(previous, look);
            }
            if look.grown.media > 0.0 {
                if flowed.replace(look.at).is_none() {
                    self.flows(look.at);
                }
                if let Some(quiet) = quiet.take() {
                    self.back(&quiet, look.at);
                }
            } else if let Some(previous) = previous.filter(|_| flowed.is_some()) {
                let quiet = quiet.get_or_insert_with(|| Quiet {
                    last: last_packet(before, previous),
                    since: previous.at,
                    lived: None,
                    told: false,
                });
                // In the first stretch without media, the rest may have come before the loss as well.
                if previous.at > quiet.since && look.grown.anything > 0.0 {
                    quiet.lived = Some(look.at);
                }
                self.is_silent(quiet, look);
            }
            before = previous.filter(|_| look.grown.media > 0.0).or(before);
        }
        self.end(flowed, quiet);
        into.append(&mut self.facts);
    }

    fn tell(&mut self, at: f64, fact: impl Into<Fact>) {
        self.facts.push((at, fact.into()));
    }

    fn stamp(&self, at: f64) -> Stamp {
        stamp(self.began, at)
    }

    fn note(&mut self, at: f64, text: &str) {
        self.notes += 1;
        if self.notes <= MOST_NOTES {
            self.tell(at, Mark::Note { text: text.into() });
        }
    }

    fn flows(&mut self, at: f64) {
        let first = self.stamp(at);
        self.tell(at, Media::Flowing { first });
        self.tell(at, Mark::Established { took_ms: at - self.began });
    }

    fn path(&mut self, look: &Look, known: &mut Path) {
        if let Some(dtls) = look.dtls
            && known.dtls.replace(dtls) != Some(dtls)
        {
            self.tell(look.at, Ice::Dtls { state: Heard::new(dtls) });
        }
        if let Some(ends) = look.ends
            && known.ends.replace(ends) != Some(ends)
        {
            let [(local, local_kind), (remote, remote_kind)] = ends;
            self.tell(look.at, Ice::Pair { local, local_kind, remote, remote_kind });
        }
    }

    /// Only of seconds; of longer stretches no second is known.
    fn sample(&mut self, previous: &Look, look: &Look) {
        if !A_SECOND_MS.contains(&(look.at - previous.at)) {
            return;
        }
        let grown = &look.grown;
        self.tell(
            look.at,
            Media::Sample(MediaSample {
                rtp_in: grown.media as u32,
                rtp_out: grown.sent as u32,
                lost_in: grown.lost as u32,
                stun_in: grown.answers as u32,
                checks_in: grown.checks as u32,
                jitter_in_ms: look.jitter_s.map(|s| to_the_microsecond(s * 1e3)),
                stun_rtt_ms: look.round_trip_s.map(|s| to_the_microsecond(s * 1e3)),
                ..MediaSample::default()
            }),
        );
    }

    fn is_silent(&mut self, quiet: &mut Quiet, look: &Look) {
        if quiet.told {
            return;
        }
        let now = look.at;
        let life = quiet.lived.unwrap_or(quiet.since);
        let states = &self.connection.states;
        let since = states.partition_point(|(at, _)| *at < life);
        let mut until_now = states[since..].iter().take_while(|(at, _)| *at <= now);
        let given_up = until_now.any(|(_, state)| matches!(state, IceState::Disconnected | IceState::Failed));
        let known = look.tells_of_life;
        if given_up || (known && now - life >= PATH_SILENT_MS) {
            quiet.told = true;
            // The path lived until then, whatever became of the media before.
            let last = self.stamp(quiet.lived.map_or(quiet.last, |lived| quiet.last.max(lived)));
            self.tell(now, Media::Gap { last });
        }
    }

    fn back(&mut self, quiet: &Quiet, at: f64) {
        if quiet.told {
            let (last, first) = (self.stamp(quiet.last), self.stamp(at));
            self.tell(at, Media::Back { last, first });
        } else {
            self.silence(quiet, at);
        }
    }

    fn silence(&mut self, quiet: &Quiet, until: f64) {
        let long = until - quiet.since;
        if long >= WORTH_A_NOTE_MS {
            let why = match quiet.lived {
                Some(_) => "the path lived on: the far end may have been muted",
                None => "whether the path lived is not known",
            };
            self.note(until, &format!("no media came for {:.0} s, and {why}", long / 1e3));
        }
    }

    fn end(&mut self, flowed: Option<f64>, quiet: Option<Quiet>) {
        let looked = self.connection.looks.last().map(|look| look.at);
        if let Some((quiet, at)) = quiet.filter(|quiet| !quiet.told).zip(looked) {
            self.silence(&quiet, at);
        }
        let states = self.connection.states.iter().map(|(at, _)| *at);
        let Some(last) = states.chain(looked).chain(self.connection.closed).reduce(f64::max) else { return };
        match (flowed, self.connection.closed) {
            (None, _) => self.tell(last, Mark::Ended { by: EndedBy::NotEstablished }),
            (Some(_), Some(_)) => self.tell(last, Mark::Ended { by: EndedBy::TimeUp }),
            // Taken while the call stood: what came after is not known.
            (Some(_), None) => {}
        }
    }
}

/// When media came last: as the browser says, where that lies between its looks; else before the earlier of the two.
fn last_packet(before: Option<&Look>, look: &Look) -> f64 {
    let earlier = before.map_or(look.at, |before| before.at);
    let told = look.last_packet.and_then(time);
    told.filter(|at| (earlier..=look.at).contains(at)).unwrap_or(earlier)
}
