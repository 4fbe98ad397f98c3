//! `Damage`: something in a bundle or run folder that could not be read or trusted. What could be, was.

use crate::{Seq, Wall};
use std::fmt;

#[derive(Clone, PartialEq, Debug)]
pub enum Damage {
    /// The last line breaks off, as after a crash: at most the last second is lost.
    TornEnd {
        line: usize,
    },
    BadLine {
        line: usize,
        why: String,
    },
    /// More lines are unreadable than are worth listing.
    MoreBadLines {
        count: usize,
    },
    LineTooLong {
        line: usize,
    },
    TooManyEvents {
        kept: usize,
    },
    /// Events are missing or out of order between these two.
    Jump {
        after: Seq,
        next: Seq,
    },
    MissingMember {
        name: String,
    },
    BadMember {
        name: String,
        why: String,
    },
    WrongHash {
        name: String,
    },
    TooLarge {
        name: String,
        limit: u64,
    },
    StrangeMember {
        name: String,
    },
    /// The rest is told by the chain over the events (`bundle::chain`).
    Altered {
        first: Seq,
        last: Seq,
    },
    /// `after` is 0 where they stood before all others.
    Missing {
        after: Seq,
        count: u64,
        between: Option<(Wall, Wall)>,
    },
    CutEnd {
        after: Seq,
        count: u64,
        at: Option<Wall>,
    },
    Moved {
        event: Seq,
        after: Seq,
    },
    PutIn {
        line: usize,
        event: Option<Seq>,
    },
    /// More of these than are worth listing.
    MoreBreaks {
        count: usize,
    },
    /// Each link fits, and yet they are not as many as were written.
    OtherCount {
        told: u64,
        here: u64,
    },
    /// Each link fits, and they are as many as were written, and yet not the same ones.
    OtherHead,
    LinksRemoved,
    HeadRemoved,
}

impl Damage {
    /// Whether it tells of a bundle that is not as it was written. What broke off or was not written at all is damage of the
    /// recording, and may have been so when its bundle was made.
    pub fn is_of_the_recording(&self) -> bool {
        matches!(
            self,
            Self::TornEnd { .. }
                | Self::BadLine { .. }
                | Self::MoreBadLines { .. }
                | Self::LineTooLong { .. }
                | Self::TooManyEvents { .. }
                | Self::Jump { .. }
        )
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornEnd { line } => {
                write!(
                    f,
                    "events.jsonl: line {line}, the last, breaks off; the run was cut short there and everything before it is whole"
                )
            }
            Self::BadLine { line, why } => write!(f, "events.jsonl: line {line} was left out: {why}"),
            Self::MoreBadLines { count } => write!(f, "events.jsonl: {count} more lines were left out"),
            Self::LineTooLong { line } => {
                write!(f, "events.jsonl: line {line} was left out: it is longer than any event can be")
            }
            Self::TooManyEvents { kept } => write!(f, "events.jsonl: only the first {kept} events were read"),
            Self::Jump { after, next } => {
                write!(
                    f,
                    "events.jsonl: event {after} is followed by event {next}; what stood between is missing or was moved"
                )
            }
            Self::MissingMember { name } => write!(f, "{name} is missing"),
            Self::BadMember { name, why } => write!(f, "{name} could not be read: {why}"),
            Self::WrongHash { name } => {
                write!(f, "{name} is not as it was written: its SHA-256 differs from the one in about.json")
            }
            Self::TooLarge { name, limit } => {
                write!(f, "{name} was cut: it unpacks to more than {} MB", limit / 1_000_000)
            }
            Self::StrangeMember { name } => {
                write!(f, "{name} does not belong into a witness bundle and was not opened")
            }
            Self::Altered { first, last } if first == last => write!(f, "events.jsonl: event {first} was altered"),
            Self::Altered { first, last } => write!(f, "events.jsonl: events {first} to {last} were altered"),
            Self::Missing { after, count, between } => {
                match after {
                    0 => write!(f, "events.jsonl: the first {} missing", are(*count))?,
                    _ => write!(f, "events.jsonl: {} missing after event {after}", are(*count))?,
                }
                match between {
                    Some((from, to)) => write!(f, ", between {} and {} UTC", time(*from), time(*to)),
                    None => Ok(()),
                }
            }
            Self::CutEnd { after, count, at } => {
                write!(f, "events.jsonl: the end was cut off: {} missing after event {after}", are(*count))?;
                at.map_or(Ok(()), |at| write!(f, ", from {} UTC on", time(at)))
            }
            Self::Moved { event, after } => {
                write!(f, "events.jsonl: event {event} was moved: it stands after event {after}")
            }
            Self::PutIn { line, event: Some(event) } => {
                write!(f, "events.jsonl: line {line} was put in: it is not the event {event} that was recorded")
            }
            Self::PutIn { line, event: None } => write!(f, "events.jsonl: line {line} was put in or altered"),
            Self::MoreBreaks { count } => write!(f, "events.jsonl: and {count} more such places"),
            Self::OtherCount { told, here } => {
                write!(f, "events.jsonl holds {here} events, and about.json tells of {told}")
            }
            Self::OtherHead => write!(
                f,
                "events.jsonl was written anew, or about.json altered: each event fits the one before it, and their head is not the one in about.json"
            ),
            Self::LinksRemoved => {
                write!(f, "events.jsonl was altered: its events carry no links, and about.json tells of some")
            }
            Self::HeadRemoved => {
                write!(f, "about.json was altered: it tells nothing of the links that the events carry")
            }
        }
    }
}

fn are(count: u64) -> String {
    match count {
        1 => "1 event is".into(),
        count => format!("{count} events are"),
    }
}

fn time(at: Wall) -> String {
    at.timestamp().strftime("%H:%M:%S").to_string()
}
