//! What `hold` shows while it holds: one live line on a terminal with the notable facts scrolling by above it, plain
//! lines elsewhere, or every event as JSON.
//!
//! A thread of its own writes it, so that a reader who stops reading (Ctrl-S, a full pipe) stops the picture and nothing
//! of the hold. Lines for a person that find no room are dropped, oldest first, and counted; JSON lines are let go from
//! memory alone, and read again from the run's log when the reader goes on.

mod again;

use crate::{
    args::Format,
    backlog::{Backlog, Next},
    say,
};
use again::Again;
use engine::{Recorder, session};
use explain::now::Now;
use jiff::tz::TimeZone;
use record::{
    Event, Fact, Seq, Stamp,
    fact::{Beside, Mark, Plan},
    log,
};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc::UnboundedReceiver, oneshot};
use tokio::task::JoinHandle;

/// Four times a second the clock is seen to run and the eye is not bothered.
const REDRAW: Duration = Duration::from_millis(250);
/// Some screens full; who comes back to a stopped terminal reads no more.
const MOST_LINES: usize = 200;
/// About a megabyte of events, and minutes of an eventful call.
const MOST_EVENTS: usize = 2048;
/// All facts are noted by the time the hold is over, and handing them on takes no time of its own.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(2);
/// A reader who takes nothing for so long at the end is not reading.
const READER_PATIENCE: Duration = Duration::from_secs(2);
/// A reader who takes little by little is waited for no longer than this: Ctrl-C has been used up by then.
const READER_LIMIT: Duration = Duration::from_secs(30);

pub struct Screen {
    shared: Arc<Shared>,
    hand_over: JoinHandle<()>,
    drawn: oneshot::Receiver<()>,
}

struct Shared {
    backlog: Backlog<Shown>,
    /// Knows of every fact, also of those that are not drawn.
    now: Mutex<Now>,
}

enum Shown {
    /// For a program.
    Event(Arc<Event>),
    /// For a person: when, and what.
    Line(Stamp, String),
    Words(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Live,
    Lines,
    Json,
}

impl Screen {
    /// `log` is the file into which `recorder` writes.
    pub fn begin(format: Format, plan: &Plan, recorder: Recorder, log: PathBuf) -> std::io::Result<Self> {
        let manner = match format {
            Format::Jsonl => Manner::Json,
            Format::Human if std::io::stdout().is_terminal() => Manner::Live,
            Format::Human => Manner::Lines,
        };
        let most = if manner == Manner::Json { MOST_EVENTS } else { MOST_LINES };
        let shared = Arc::new(Shared { backlog: Backlog::of_at_most(most), now: Mutex::default() });
        if manner != Manner::Json {
            shared.backlog.push(Shown::Words(format!("{}\n", opening(plan))));
        }
        let hand_over = tokio::spawn(hand_over(manner, recorder.listen(), Arc::clone(&shared)));
        let (done, drawn) = oneshot::channel();
        let thread = std::thread::Builder::new().name("screen".into());
        thread.spawn({
            let shared = Arc::clone(&shared);
            move || {
                match manner {
                    Manner::Json => show_json(&shared.backlog, &mut Again::from_log(log), say::raw),
                    Manner::Live | Manner::Lines => show_lines(&shared, manner, || recorder.now(), say::raw),
                }
                // Nobody waits any more for a reader who was given up.
                let _ = done.send(());
            }
        })?;
        Ok(Self { shared, hand_over, drawn })
    }

    /// Shows the last words and ends when all is read, or when nobody reads.
    pub async fn end(mut self, last_words: Option<String>) {
        if !matches!(tokio::time::timeout(HANDED_OVER_WITHIN, &mut self.hand_over).await, Ok(Ok(()))) {
            tracing::warn!("the last facts did not come to the screen; the bundle holds them");
        }
        if let Some(words) = last_words {
            self.shared.backlog.push(Shown::Words(words));
        }
        self.shared.backlog.close();
        let read_to_its_end = async {
            let mut taken = self.shared.backlog.taken();
            while tokio::time::timeout(READER_PATIENCE, &mut self.drawn).await.is_err() {
                let by_now = self.shared.backlog.taken();
                if by_now == taken {
                    return false;
                }
                taken = by_now;
            }
            true
        };
        if !tokio::time::timeout(READER_LIMIT, read_to_its_end).await.unwrap_or(false) {
            tracing::warn!("nobody reads standard output, so its end is left unshown; the bundle holds everything");
        }
    }
}

fn opening(plan: &Plan) -> String {
    let what = match (plan.self_test, plan.name.as_str()) {
        (true, _) => "Self-test: a call to this computer itself. It shows that the program works here,\nand says nothing about any network.".to_owned(),
        (false, "") => format!("Calling {}", plan.to),
        (false, name) => format!("{name}\nCalling {}", plan.to),
    };
    let limits =
        |beside: &Beside| beside.bare_websocket || !beside.quiet_ladder_s.is_empty() || !beside.udp_ladder_s.is_empty();
    let beside = match plan.beside.as_ref().is_some_and(limits) {
        true => {
            "Other connections run beside the call and are ended on purpose, to find limits; the report tells of them.\n"
        }
        false => "",
    };
    format!("{what}\n{beside}Ctrl-C ends it early; what happened is saved either way.\n")
}

/// Every fact as it is noted, until the mark of the log's end. Never waits.
async fn hand_over(manner: Manner, mut events: UnboundedReceiver<Arc<Event>>, shared: Arc<Shared>) {
    while let Some(event) = events.recv().await {
        let notable = shared.now.lock().unwrap_or_else(PoisonError::into_inner).observe(&event);
        let end = matches!(event.fact, Fact::Mark(Mark::Ended { .. }));
        match (manner, notable) {
            (Manner::Json, _) => shared.backlog.push(Shown::Event(event)),
            (_, Some(says)) => shared.backlog.push(Shown::Line(event.at, says)),
            (_, None) => {}
        }
        if end {
            break;
        }
    }
}

/// Every event of the log in its order, also those that the backlog had to let go.
fn show_json(backlog: &Backlog<Shown>, again: &mut Again, out: impl Fn(&str)) {
    let mut next: Seq = 1;
    loop {
        match backlog.next(REDRAW) {
            Next::Item { item: Shown::Event(event), .. } => {
                if event.seq > next {
                    let missing = again.show(next, event.seq, &out);
                    if missing > 0 {
                        say::aside(format_args!(
                            "{missing} events were not read in time, and are not in the log either"
                        ));
                    }
                }
                out(&String::from_utf8_lossy(&log::line(&event)));
                next = event.seq + 1;
            }
            // JSON lines are the log and nothing else.
            Next::Item { item: Shown::Words(_) | Shown::Line(..), .. } | Next::Quiet => {}
            Next::Over => return,
        }
    }
}

fn show_lines(shared: &Shared, manner: Manner, now: impl Fn() -> Stamp, out: impl Fn(&str)) {
    let clear = if manner == Manner::Live { "\r\x1b[K" } else { "" };
    loop {
        match shared.backlog.next(REDRAW) {
            Next::Item { item, lost } => {
                if lost > 0 {
                    out(&format!("{clear}… {lost} lines found no reader in time; the bundle holds them all\n"));
                }
                match item {
                    Shown::Words(words) => out(&format!("{clear}{words}")),
                    Shown::Line(at, says) => out(&format!("{clear}{}  {says}\n", clock(at, &TimeZone::system()))),
                    // Events are for programs.
                    Shown::Event(_) => {}
                }
            }
            Next::Quiet => {}
            Next::Over => {
                out(clear);
                return;
            }
        }
        let line = || status(&shared.now.lock().unwrap_or_else(PoisonError::into_inner), now());
        if let Some(line) = (manner == Manner::Live).then(line).flatten() {
            out(&format!("{clear}{}", clip(&line, say::width())));
        }
    }
}

/// `Holding  01:12 of 15:00 (13:48 left)  rtt 24 ms  lost 0  beside it: 3 ended`; nothing once it is over.
fn status(now: &Now, at: Stamp) -> Option<String> {
    let state = now.state(at);
    if now.is_over() {
        return None;
    }
    let Some(since) = now.established else {
        let tried = now.started.map_or(Duration::ZERO, |since| at.since(since));
        let most = explain::planned(session::ESTABLISH_WITHIN);
        return Some(format!("{state}  {}  it is tried for {most} at most", minutes(tried)));
    };
    let held = at.since(since);
    // In whole seconds, so that what is held and what is left always add up.
    let left = Duration::from_secs(now.planned.as_secs().saturating_sub(held.as_secs()));
    let rtt = now.rtt_ms.map(|ms| format!("  rtt {ms:.0} ms")).unwrap_or_default();
    let figures = if now.media_flows() { format!("{rtt}  lost {}", now.lost_in) } else { String::new() };
    let beside = now.beside().map(|says| format!("  beside it: {says}")).unwrap_or_default();
    Some(format!(
        "{state}  {} of {} ({} left){figures}{beside}",
        minutes(held.min(now.planned)),
        minutes(now.planned),
        minutes(left),
    ))
}

fn minutes(d: Duration) -> String {
    let s = d.as_secs();
    match s / 3600 {
        0 => format!("{:02}:{:02}", s / 60, s % 60),
        hours => format!("{hours}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

/// `18:07:28 UTC`, or local time first where that is another: sentences speak of UTC, as the logs of others do.
fn clock(at: Stamp, zone: &TimeZone) -> String {
    let utc = at.wall.timestamp();
    let local = utc.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
    let utc = utc.strftime("%H:%M:%S").to_string();
    if local == utc { format!("{utc} UTC") } else { format!("{local} ({utc} UTC)") }
}

/// One line, and where it is cut, that is seen.
fn clip(line: &str, width: usize) -> String {
    let room = width.saturating_sub(1);
    if line.chars().count() <= room {
        return line.to_owned();
    }
    line.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn events(count: Seq) -> Vec<Arc<Event>> {
        let recorder = Recorder::unwritten(engine::Clock::real());
        let mut noted = recorder.listen();
        for n in 1..count {
            recorder.note(Mark::Note { text: n.to_string().as_str().into() });
        }
        recorder.note(Mark::Ended { by: record::fact::EndedBy::User });
        std::iter::from_fn(|| noted.try_recv().ok()).collect()
    }

    #[test]
    fn json_lines_that_memory_let_go_come_from_the_log_in_their_order() {
        let desk = tempfile::tempdir().expect("a temporary folder");
        let (path, all) = (desk.path().join("events.jsonl"), events(50));
        let whole: Vec<u8> = all.iter().flat_map(|event| log::line(event)).collect();
        std::fs::write(&path, &whole).expect("writable");
        let backlog = Backlog::of_at_most(3);
        all.into_iter().for_each(|event| backlog.push(Shown::Event(event)));
        backlog.close();
        let shown = RefCell::new(String::new());
        show_json(&backlog, &mut Again::from_log(path), |line| shown.borrow_mut().push_str(line));
        assert_eq!(shown.borrow().as_bytes(), whole);
    }

    #[test]
    fn lines_that_found_no_reader_are_counted_in_one_line() {
        let shared = Shared { backlog: Backlog::of_at_most(3), now: Mutex::default() };
        for event in events(50) {
            let says = shared.now.lock().expect("not poisoned").observe(&event).expect("a mark is shown");
            shared.backlog.push(Shown::Line(event.at, says));
        }
        shared.backlog.close();
        let shown = RefCell::new(String::new());
        let now = || engine::Clock::real().now();
        show_lines(&shared, Manner::Lines, now, |line| shown.borrow_mut().push_str(line));
        let shown = shown.borrow();
        assert_eq!(shown.lines().count(), 4, "{shown}");
        assert!(shown.starts_with("… 47 lines found no reader") && shown.contains("Ended by the user"), "{shown}");
    }

    #[test]
    fn a_line_has_local_time_first_and_utc_once() {
        let at = Stamp::new(1_795_255_200_000_000, 0, 0);
        assert_eq!(clock(at, &TimeZone::UTC), "10:00:00 UTC");
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        assert_eq!(clock(at, &zone), "05:00:00 (10:00:00 UTC)");
    }

    #[test]
    fn until_the_call_stands_the_line_says_how_long_it_is_tried() {
        let recorder = Recorder::unwritten(engine::Clock::real());
        let mut now = Now::default();
        now.started = Some(recorder.now());
        let line = status(&now, recorder.now()).expect("it is not over");
        assert_eq!(line, "Connecting  00:00  it is tried for 30 s at most");
    }
}
