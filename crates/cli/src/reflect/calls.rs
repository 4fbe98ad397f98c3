//! One line for each call that begins and one for each that ends, for a log that somebody reads.
//!
//! A thread of its own writes them, so that a reader who stops reading stops the lines and no call. Strangers can make
//! calls begin and end without end: so many lines a second are written, and the rest are counted.

mod words;

use crate::{
    backlog::{Backlog, Next},
    say,
};
use record::Stamp;
use reflector::Entry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// An office that loses its line and gets it back is told whole; a flood fills a disk by a few hundred megabytes a day.
const LINES_A_SECOND: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);
/// Some seconds of a flood; who comes back to a stopped terminal reads no more.
const MOST_WAITING: usize = 200;
/// A reader who takes nothing for so long at the end is not reading.
const READ_WITHIN: Duration = Duration::from_secs(2);

pub struct CallLines {
    backlog: Arc<Backlog<Entry>>,
    written: oneshot::Receiver<()>,
}

impl CallLines {
    pub fn begin() -> std::io::Result<Self> {
        let backlog = Arc::new(Backlog::of_at_most(MOST_WAITING));
        let (done, written) = oneshot::channel();
        std::thread::Builder::new().name("calls".into()).spawn({
            let backlog = Arc::clone(&backlog);
            move || {
                write(&backlog, say::line);
                // Nobody waits any more for a reader who was given up.
                let _ = done.send(());
            }
        })?;
        Ok(Self { backlog, written })
    }

    /// Never waits.
    pub fn listener(&self) -> impl Fn(Entry) + Send + Sync + 'static {
        let backlog = Arc::clone(&self.backlog);
        move |entry| backlog.push(entry)
    }

    /// Whether all was taken by somebody.
    pub async fn end(self) -> bool {
        self.backlog.close();
        tokio::time::timeout(READ_WITHIN, self.written).await.is_ok()
    }
}

fn write(backlog: &Backlog<Entry>, out: impl Fn(String)) {
    let mut allowance = Allowance::default();
    loop {
        match backlog.next(SECOND) {
            Next::Item { item, lost } => {
                allowance.left_out += lost;
                let admitted = allowance.admits(item.at);
                if admitted {
                    allowance.tell(&out);
                    out(words::line(&item));
                }
            }
            Next::Quiet => allowance.tell(&out),
            Next::Over => return allowance.tell(&out),
        }
    }
}

#[derive(Default)]
struct Allowance {
    /// Since when lines are counted.
    since: Option<Stamp>,
    written: u32,
    left_out: u64,
}

impl Allowance {
    fn admits(&mut self, at: Stamp) -> bool {
        if self.since.is_none_or(|since| at.awake_since(since) >= SECOND) {
            self.since = Some(at);
            self.written = 0;
        }
        let admits = self.written < LINES_A_SECOND;
        match admits {
            true => self.written += 1,
            false => self.left_out += 1,
        }
        admits
    }

    fn tell(&mut self, out: impl Fn(String)) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            out(format!(
                "… {left_out} lines were left out here: more came than are written, {LINES_A_SECOND} a second"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reflector::Told;
    use std::cell::RefCell;

    fn began(n: u64, at_ms: u64) -> Entry {
        let at = Stamp::new(0, at_ms * 1000, at_ms * 1000);
        Entry { at, call: format!("{n:08x}"), from: ([192, 0, 2, 1], 50_000).into(), what: Told::Began }
    }

    fn written(entries: impl IntoIterator<Item = Entry>, most: usize) -> Vec<String> {
        let backlog = Backlog::of_at_most(most);
        entries.into_iter().for_each(|entry| backlog.push(entry));
        backlog.close();
        let lines = RefCell::new(vec![]);
        write(&backlog, |line| lines.borrow_mut().push(line));
        lines.into_inner()
    }

    #[test]
    fn a_flood_gets_twenty_lines_a_second_and_one_that_counts_the_rest() {
        // Ten seconds of a hundred calls each, and one call after it.
        let flood = (0..1000).map(|n| began(n, n * 10)).chain([began(1000, 60_000)]);
        let lines = written(flood, 2000);
        let (left_out, calls): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.starts_with('…'));
        assert_eq!((calls.len(), left_out.len()), (201, 10), "{lines:#?}");
        assert!(left_out.iter().all(|line| line.starts_with("… 80 lines")), "{left_out:#?}");
        assert!(calls.last().expect("there").contains("000003e8"), "after the flood everything is told again");
    }

    #[test]
    fn what_found_no_reader_is_counted_too_and_the_last_count_is_told_at_the_end() {
        let lines = written((0..50).map(|n| began(n, 0)), 30);
        assert_eq!(lines.len(), 22, "{lines:#?}");
        assert!(lines[0].starts_with("… 20 lines") && lines[21].starts_with("… 10 lines"), "{lines:#?}");
    }
}
