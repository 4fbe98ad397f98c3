//! A call's beginning and end, in plain words.

use jiff::SignedDuration;
use record::Stamp;
use reflector::{Audio, CallEnd, Disconnect, Entry, Seen, Told};
use std::time::Duration;

pub fn line(entry: &Entry) -> String {
    let Entry { at, call, from, what } = entry;
    let what = match what {
        Told::Began => "began.".to_owned(),
        Told::Ended { lasted, how, seen } => {
            format!("ended after {}: {}. {}.", whole(*lasted), why(*how), drops(seen, *at))
        }
    };
    format!("{}  Call {call} from {from} {what}", clock(*at))
}

/// Local, with the date and the offset: such a log is read weeks later, and elsewhere.
fn clock(at: Stamp) -> String {
    at.wall.timestamp().to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

fn why(how: CallEnd) -> &'static str {
    match how {
        CallEnd::Bye => "the caller hung up",
        CallEnd::Forgotten => "its connection was gone and nobody came back",
        CallEnd::Shutdown => "this reflector was stopped",
        CallEnd::Fault => "its media failed here; that is a fault of this program",
    }
}

fn drops(seen: &Seen, end: Stamp) -> String {
    let mut drops = vec![];
    if let Some(last) = seen.last_ended {
        let times = times(seen.sockets_ended);
        let which = if seen.sockets_ended == 1 { "" } else { "the last time " };
        drops.push(format!("its connection was lost {times} ({which}{})", lost(last)));
    }
    if seen.gaps > 0 {
        let longest = tenths(seen.longest_gap);
        let of = if seen.gaps == 1 { format!("for {longest}") } else { format!("the longest for {longest}") };
        drops.push(format!("its audio was missing {} ({of})", times(seen.gaps)));
    }
    if let Some(silence) = seen.silent_for(end.wall) {
        drops.push(format!("its audio had been missing for {} at the end", whole(silence)));
    }
    if seen.stood_still > 0 {
        drops.push(format!("this reflector itself stood still {}", times(seen.stood_still)));
    }
    let mut says = match drops.is_empty() {
        true => "No drop was seen".to_owned(),
        false => format!("Seen here: {}", drops.join("; ")),
    };
    if seen.audio == Audio::NeverCame {
        says.push_str("; no audio ever came");
    } else if seen.lost > 0 {
        says.push_str(&format!("; {} of its {} packets were lost", seen.lost, seen.lost.saturating_add(seen.received)));
    }
    says
}

/// How a signaling connection was lost.
fn lost(how: Disconnect) -> &'static str {
    match how {
        Disconnect::Bye => "the caller hung up",
        Disconnect::ClientClosed => "the caller closed it",
        Disconnect::Dropped => "it ended without a goodbye",
        Disconnect::Reset => "it was reset",
        Disconnect::Unanswered => "what was sent on it went unanswered",
        Disconnect::Idle => "nothing had come on it for too long",
        Disconnect::Replaced => "the caller took another",
        Disconnect::Shutdown => "this reflector was stopped",
        Disconnect::TooLarge => "a message was too large",
        Disconnect::BadRequest => "it broke the protocol",
        Disconnect::Auth => "its token was refused",
        Disconnect::Overloaded => "there was no room for it",
        Disconnect::Fault => "this reflector failed",
    }
}

fn times(n: u32) -> String {
    match n {
        1 => "once".into(),
        2 => "twice".into(),
        n => format!("{n} times"),
    }
}

/// `15m 2s`.
fn whole(length: Duration) -> String {
    format!("{:#}", SignedDuration::from_secs(i64::try_from(length.as_secs()).unwrap_or(i64::MAX)))
}

fn tenths(length: Duration) -> String {
    format!("{:.1} s", length.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Wall;

    const END: i64 = 1_795_255_200_000_000;

    fn ended(how: CallEnd, seen: Seen) -> String {
        let what = Told::Ended { lasted: Duration::from_millis(902_400), how, seen };
        let entry =
            Entry { at: Stamp::new(END, 0, 0), call: "3f2a91bc".into(), from: ([192, 0, 2, 7], 40_000).into(), what };
        let line = line(&entry);
        line.split_once("  ").expect("a time and words").1.to_owned()
    }

    #[test]
    fn an_end_says_how_long_why_and_what_was_lost() {
        let clean = Seen { audio: Audio::Comes, received: 45_000, ..Seen::default() };
        assert_eq!(
            ended(CallEnd::Bye, clean.clone()),
            "Call 3f2a91bc from 192.0.2.7:40000 ended after 15m 2s: the caller hung up. No drop was seen."
        );
        let hurt = Seen {
            sockets_ended: 2,
            last_ended: Some(Disconnect::Reset),
            gaps: 1,
            longest_gap: Duration::from_millis(3240),
            lost: 162,
            ..clean
        };
        assert_eq!(
            ended(CallEnd::Bye, hurt),
            "Call 3f2a91bc from 192.0.2.7:40000 ended after 15m 2s: the caller hung up. Seen here: its connection was \
             lost twice (the last time it was reset); its audio was missing once (for 3.2 s); 162 of its 45162 packets \
             were lost."
        );
        let gone = Seen {
            sockets_ended: 1,
            last_ended: Some(Disconnect::Unanswered),
            audio: Audio::Stopped { last: Wall::from_micros(END - 120_000_000) },
            stood_still: 1,
            ..Seen::default()
        };
        assert_eq!(
            ended(CallEnd::Forgotten, gone),
            "Call 3f2a91bc from 192.0.2.7:40000 ended after 15m 2s: its connection was gone and nobody came back. Seen \
             here: its connection was lost once (what was sent on it went unanswered); its audio had been missing for 2m \
             at the end; this reflector itself stood still once."
        );
        assert!(
            ended(CallEnd::Shutdown, Seen::default()).ends_with("was stopped. No drop was seen; no audio ever came.")
        );
    }

    #[test]
    fn a_line_begins_with_the_date_the_time_and_its_offset() {
        let at = Stamp::new(END, 0, 0);
        let entry = Entry { at, call: "3f2a91bc".into(), from: ([192, 0, 2, 7], 40_000).into(), what: Told::Began };
        let line = line(&entry);
        let (time, what) = line.split_once("  ").expect("a time and words");
        let time = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %:z", time).expect("readable").to_timestamp();
        assert_eq!(time.expect("whole"), at.wall.timestamp());
        assert_eq!(what, "Call 3f2a91bc from 192.0.2.7:40000 began.");
    }
}
