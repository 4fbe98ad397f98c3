//! `Log`: the events of one run in order, and how one is read from lines that may be damaged.

use crate::Event;
pub use crate::damage::Damage;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Log {
    pub events: Vec<Event>,
}

/// Longer than any event we write by a factor of ten: a line beyond it is not ours.
const LONGEST_LINE: usize = 256 * 1024;
/// Eight hours at forty events a second, four times what the densest run makes.
pub(crate) const MOST_EVENTS: usize = 4_000_000;
/// After so many bad lines the file is plainly not a log, and a longer list helps nobody.
const MOST_BAD_LINES: usize = 20;

impl Log {
    /// One event a line. Never fails: what cannot be read is listed.
    pub fn read_lines(bytes: &[u8]) -> (Self, Vec<Damage>) {
        let mut events: Vec<Event> = Vec::with_capacity((bytes.len() / 160).min(MOST_EVENTS));
        let mut damage = Vec::new();
        let mut bad_lines = 0;
        let mut rest = bytes;
        let mut line = 0;
        while !rest.is_empty() {
            line += 1;
            let end = rest.iter().position(|b| *b == b'\n');
            let (text, after) = end.map_or((rest, &rest[rest.len()..]), |i| (&rest[..i], &rest[i + 1..]));
            rest = after;
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if text.len() > LONGEST_LINE {
                damage.push(Damage::LineTooLong { line });
                continue;
            }
            if events.len() == MOST_EVENTS {
                damage.push(Damage::TooManyEvents { kept: MOST_EVENTS });
                break;
            }
            match serde_json::from_slice::<Event>(text) {
                Ok(event) => {
                    let expected = events.last().map_or(event.seq, |last| last.seq.saturating_add(1));
                    if event.seq != expected {
                        damage.push(Damage::Jump { after: expected.saturating_sub(1), next: event.seq });
                    }
                    // Out of order would break every reader that searches by number. The largest number has no next.
                    if events.last().is_none_or(|last| event.seq > last.seq) {
                        events.push(event);
                    }
                }
                Err(_) if end.is_none() => damage.push(Damage::TornEnd { line }),
                Err(error) => {
                    bad_lines += 1;
                    if bad_lines <= MOST_BAD_LINES {
                        damage.push(Damage::BadLine { line, why: reason(&error) });
                    }
                }
            }
        }
        if bad_lines > MOST_BAD_LINES {
            damage.push(Damage::MoreBadLines { count: bad_lines - MOST_BAD_LINES });
        }
        (Self { events }, damage)
    }

    pub fn write_lines(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.events.len() * 160);
        for event in &self.events {
            out.extend_from_slice(&line(event));
        }
        out
    }
}

/// One event as it stands in `events.jsonl`, with its line end.
pub fn line(event: &Event) -> Vec<u8> {
    let mut text =
        serde_json::to_vec(event).expect("an event holds no map with other keys than text, and no reader fails");
    text.push(b'\n');
    text
}

/// serde's reason without the stretch of the line it may quote: that is a stranger's text.
fn reason(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof => "not valid JSON",
        serde_json::error::Category::Data => "not an event this version knows",
        serde_json::error::Category::Io => "could not be read",
    };
    format!("{kind}, at column {}", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Fact, Stamp,
        fact::{Control, Media},
    };

    fn log(n: u64) -> Log {
        let event = |seq| {
            let at = Stamp::new(1_795_255_200_000_000 + seq as i64, seq, seq);
            Event { seq, at, fact: Media::Flowing { first: at }.into() }
        };
        Log { events: (1..=n).map(event).collect() }
    }

    #[test]
    fn a_log_reads_as_it_was_written() {
        let written = log(3).write_lines();
        assert_eq!(Log::read_lines(&written), (log(3), vec![]));
        let (_, damage) = Log::read_lines(b"");
        assert_eq!(damage, []);
    }

    #[test]
    fn a_silence_of_before_refusals_were_told_apart_is_read_as_one_that_was_not_refused() {
        let at = r#"{"wall":"2026-11-21T10:00:00.000000Z","uptime":1,"awake":1}"#;
        let silent = format!(r#"{{"control":{{"silent":{{"control":3,"asked":{at},"last_ok":null,"says":"x"}}}}}}"#);
        let line = format!(r#"{{"seq":1,"at":{at},"fact":{silent}}}"#);
        let (read, damage) = Log::read_lines(format!("{line}\n").as_bytes());
        assert_eq!(damage, []);
        assert!(matches!(read.events[0].fact, Fact::Control(Control::Silent { refused: false, .. })));
    }

    #[test]
    fn a_torn_last_line_costs_that_line() {
        let bytes = log(3).write_lines();
        let (read, damage) = Log::read_lines(&bytes[..bytes.len() - 9]);
        assert_eq!((read, damage), (log(2), vec![Damage::TornEnd { line: 3 }]));
    }

    #[test]
    fn a_bad_line_in_the_middle_is_named_and_the_rest_is_read() {
        let mut bytes = log(1).write_lines();
        bytes.extend_from_slice(b"{\"seq\":2,\"at\":\n\xff\xfe\n");
        let mut third = log(4).events.split_off(2);
        bytes.extend_from_slice(&Log { events: std::mem::take(&mut third) }.write_lines());
        let (read, damage) = Log::read_lines(&bytes);
        assert_eq!(read.events.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(damage.len(), 3, "{damage:?}");
        assert!(matches!(damage[2], Damage::Jump { after: 1, next: 3 }));
    }

    #[test]
    fn events_out_of_order_are_said_and_left_out() {
        let mut swapped = log(3);
        swapped.events.swap(1, 2);
        let (read, damage) = Log::read_lines(&swapped.write_lines());
        assert_eq!(read.events.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(damage.len(), 2);
    }

    #[test]
    fn a_file_of_rubbish_gives_a_short_list() {
        let (read, damage) = Log::read_lines(&b"rubbish\n".repeat(100_000));
        assert!(read.events.is_empty());
        assert_eq!(damage.len(), MOST_BAD_LINES + 1);
    }
}
