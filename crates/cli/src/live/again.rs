//! `Again`: events that were let go from memory because nobody read them, taken from the run's log once somebody does.

use record::{Event, Seq};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

/// The log's own thread writes a line within milliseconds of its event; only a disk that refuses takes longer than this.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub struct Again {
    path: PathBuf,
    log: Option<BufReader<File>>,
    /// Read already, and later than what was wanted then.
    ahead: Option<(Seq, String)>,
}

impl Again {
    pub fn from_log(path: PathBuf) -> Self {
        Self { path, log: None, ahead: None }
    }

    /// Shows the lines of `from` up to, but without, `to`, and gives back how many of them are not in the log. Each call
    /// must want later events than the one before.
    pub fn show(&mut self, from: Seq, to: Seq, out: impl Fn(&str)) -> u64 {
        let (mut shown, mut patience) = (0, WRITTEN_WITHIN);
        loop {
            match self.line() {
                Some((seq, _)) if seq < from => {}
                Some((seq, line)) if seq < to => {
                    out(&line);
                    shown += 1;
                    if seq + 1 == to {
                        break;
                    }
                }
                Some(later) => {
                    self.ahead = Some(later);
                    break;
                }
                None if patience.is_zero() => break,
                None => {
                    std::thread::sleep(LOOK_EVERY);
                    patience = patience.saturating_sub(LOOK_EVERY);
                }
            }
        }
        (to - from) - shown
    }

    /// The next whole line; a line still being written, or one that cannot be read, is none.
    fn line(&mut self) -> Option<(Seq, String)> {
        if let Some(ahead) = self.ahead.take() {
            return Some(ahead);
        }
        if self.log.is_none() {
            self.log = File::open(&self.path).ok().map(BufReader::new);
        }
        let log = self.log.as_mut()?;
        let mut line = String::new();
        let read = log.read_line(&mut line).ok()?;
        if !line.ends_with('\n') {
            log.seek_relative(-i64::try_from(read).ok()?).ok()?;
            return None;
        }
        let event: Event = serde_json::from_str(&line).ok()?;
        Some((event.seq, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::io::Write;

    fn line(seq: Seq) -> Vec<u8> {
        let at = engine::Clock::real().now();
        record::log::line(&Event { seq, at, fact: record::fact::Mark::Note { text: "x".into() }.into() })
    }

    fn seqs(shown: &RefCell<Vec<String>>) -> Vec<Seq> {
        shown.borrow().iter().map(|line| serde_json::from_str::<Event>(line).expect("an event").seq).collect()
    }

    #[test]
    fn what_memory_let_go_is_read_from_the_log_and_what_is_not_there_is_counted() {
        let desk = tempfile::tempdir().expect("a temporary folder");
        let path = desk.path().join("events.jsonl");
        let mut file = File::create(&path).expect("writable");
        (1..=5).chain([8, 9]).for_each(|seq| file.write_all(&line(seq)).expect("writable"));
        let (mut again, shown) = (Again::from_log(path), RefCell::new(vec![]));
        let out = |line: &str| shown.borrow_mut().push(line.to_owned());
        assert_eq!(again.show(2, 4, out), 0);
        assert_eq!(again.show(5, 9, out), 2, "6 and 7 are not in the log");
        assert_eq!(seqs(&shown), [2, 3, 5, 8]);

        // A line that is only half on the disk is waited for, and shown whole.
        let mut head = line(10);
        let tail = head.split_off(9);
        file.write_all(&head).expect("writable");
        let late = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            file.write_all(&tail).expect("writable");
        });
        assert_eq!(again.show(10, 11, out), 0);
        late.join().expect("written");
        assert_eq!(seqs(&shown), [2, 3, 5, 8, 10]);
    }
}
