//! `Recorder`: everything that happens passes through `note`, which numbers it, stamps it, sends it to the disk and to
//! whoever listens.
//!
//! A dedicated thread writes each line at once, so that a killed process loses nothing that the kernel was given, and
//! syncs once a second, so that a power loss costs no more than that.

use crate::Clock;
use record::{Event, Fact, Seq, Stamp, fact::System, log};
use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A power loss costs at most this much of the log.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// While the disk refuses, this much waits for it: an hour of the densest log.
const MOST_PENDING: usize = 16 * 1024 * 1024;

#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    clock: Clock,
    /// The disk refused, and no fact says so yet.
    refused: Arc<Mutex<Option<String>>>,
    state: Mutex<State>,
}

struct State {
    next: Seq,
    listeners: Vec<UnboundedSender<Arc<Event>>>,
    disk: Option<Sender<ToDisk>>,
}

impl State {
    fn note(&mut self, clock: &Clock, fact: Fact) -> Seq {
        let event = Arc::new(Event { seq: self.next, at: clock.now(), fact });
        self.next += 1;
        if let Some(disk) = &self.disk
            && disk.send(ToDisk::Line(log::line(&event))).is_err()
        {
            // The writer has ended, which it does only with its last sender.
            self.disk = None;
        }
        self.listeners.retain(|listener| listener.send(Arc::clone(&event)).is_ok());
        event.seq
    }
}

enum ToDisk {
    Line(Vec<u8>),
    /// Write and sync all that came before, then answer.
    Settle(Sender<io::Result<()>>),
}

impl Recorder {
    /// Appends to `events`. `failed` is told when the disk begins to refuse.
    pub fn to_file(clock: Clock, events: File, failed: impl Fn(&io::Error) + Send + 'static) -> Self {
        let (to_disk, lines) = channel();
        let refused = Arc::new(Mutex::new(None));
        let failed = {
            let refused = Arc::clone(&refused);
            move |error: &io::Error| {
                *refused.lock().expect("no holder panics") = Some(error.to_string());
                failed(error);
            }
        };
        std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || write_lines(events, &lines, failed))
            .expect("the system starts a thread at program start");
        Self::new(clock, Some(to_disk), refused)
    }

    /// Keeps nothing; listeners hear everything. For tests and for parts that run without a log.
    pub fn unwritten(clock: Clock) -> Self {
        Self::new(clock, None, Arc::default())
    }

    fn new(clock: Clock, disk: Option<Sender<ToDisk>>, refused: Arc<Mutex<Option<String>>>) -> Self {
        Self(Arc::new(Shared { clock, refused, state: Mutex::new(State { next: 1, listeners: Vec::new(), disk }) }))
    }

    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub fn now(&self) -> Stamp {
        self.0.clock.now()
    }

    /// The stamp is taken inside the lock, so that the order of numbers is the order of time.
    pub fn note(&self, fact: impl Into<Fact>) -> Seq {
        let fact = fact.into();
        let refused = self.0.refused.lock().expect("no holder panics").take();
        let mut state = self.0.state.lock().expect("no holder panics");
        if let Some(says) = refused {
            state.note(&self.0.clock, System::RecordFailing { says: says.as_str().into() }.into());
        }
        state.note(&self.0.clock, fact)
    }

    /// How many events the whole log has by now, whatever the disk took of them.
    pub fn noted(&self) -> Seq {
        self.0.state.lock().expect("no holder panics").next - 1
    }

    /// Everything noted from now on.
    pub fn listen(&self) -> UnboundedReceiver<Arc<Event>> {
        let (to, from) = unbounded_channel();
        self.0.state.lock().expect("no holder panics").listeners.push(to);
        from
    }

    /// Waits until all that was noted is safe on the disk.
    pub fn settle(&self) -> io::Result<()> {
        let (answer, settled) = channel();
        {
            let state = self.0.state.lock().expect("no holder panics");
            let Some(disk) = &state.disk else { return Ok(()) };
            if disk.send(ToDisk::Settle(answer)).is_err() {
                return Err(io::Error::other("the log could not be written"));
            }
        }
        settled.recv().unwrap_or_else(|_| Err(io::Error::other("the log could not be written")))
    }
}

/// Lines are written as they come; a failure is told once, and tried again with the next line, because a full disk may
/// be emptied and the hold goes on meanwhile. The file stays open throughout: its lock tells others that this run lives.
fn write_lines(mut events: File, lines: &Receiver<ToDisk>, failed: impl Fn(&io::Error)) {
    let mut writer = Writer { pending: Vec::new(), unsynced: None, failing: false };
    loop {
        let wait = writer.unsynced.map_or(SYNC_EVERY, |since| SYNC_EVERY.saturating_sub(since.elapsed()));
        let done = match lines.recv_timeout(wait) {
            Ok(ToDisk::Line(line)) => writer.write(&mut events, &line),
            Ok(ToDisk::Settle(answer)) => {
                let settled = writer.write(&mut events, b"").and_then(|()| events.sync_data());
                writer.unsynced = None;
                // The asker may be gone; then nobody waits for the answer.
                let _ = answer.send(settled);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                if let Err(error) = writer.write(&mut events, b"").and_then(|()| events.sync_data()) {
                    failed(&error);
                }
                return;
            }
        };
        let done = done.and_then(|()| writer.sync_if_due(&events));
        match done {
            Ok(()) => writer.failing &= !writer.pending.is_empty(),
            Err(error) if !writer.failing => {
                writer.failing = true;
                failed(&error);
            }
            Err(_) => {}
        }
    }
}

struct Writer {
    /// What the disk has not taken yet, from the middle of a line at worst.
    pending: Vec<u8>,
    /// When the oldest line that is not synced was written.
    unsynced: Option<SinceThen>,
    failing: bool,
}

impl Writer {
    fn write(&mut self, events: &mut File, line: &[u8]) -> io::Result<()> {
        if self.pending.len() + line.len() <= MOST_PENDING {
            self.pending.extend_from_slice(line);
        }
        while !self.pending.is_empty() {
            let taken = events.write(&self.pending)?;
            if taken == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.pending.drain(..taken);
            self.unsynced.get_or_insert_with(SinceThen::now);
        }
        Ok(())
    }

    fn sync_if_due(&mut self, events: &File) -> io::Result<()> {
        if self.unsynced.is_some_and(|since| since.elapsed() >= SYNC_EVERY) {
            self.unsynced = None;
            events.sync_data()?;
        }
        Ok(())
    }
}

/// A timer of this thread's own, which is no reading of time that could reach the log.
#[derive(Clone, Copy)]
struct SinceThen(std::time::Instant);

impl SinceThen {
    fn now() -> Self {
        #[expect(clippy::disallowed_methods, reason = "how long to wait, never a stamp")]
        let now = std::time::Instant::now();
        Self(now)
    }
    fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// With `/dev/full`, and with a disk that is written as Linux does.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use record::fact::Mark;

    /// `/dev/full` refuses every byte, as a full disk does.
    #[test]
    fn a_full_disk_is_told_once_and_the_hold_goes_on() {
        let full = File::options().append(true).open("/dev/full").expect("Linux has it");
        let (told, failures) = channel();
        let recorder = Recorder::to_file(Clock::real(), full, move |error| {
            told.send(error.kind()).expect("the test listens");
        });
        let mut heard = recorder.listen();
        for _ in 0..50 {
            recorder.note(Mark::Note { text: "x".into() });
        }
        assert_eq!(recorder.settle().expect_err("nothing was taken").kind(), io::ErrorKind::StorageFull);
        assert_eq!(failures.recv().expect("told"), io::ErrorKind::StorageFull);
        recorder.note(Mark::Note { text: "y".into() });
        let heard: Vec<Fact> = std::iter::from_fn(|| heard.try_recv().ok()).map(|event| event.fact.clone()).collect();
        let failing = heard.iter().filter(|fact| matches!(fact, Fact::System(System::RecordFailing { .. }))).count();
        assert_eq!((heard.len(), failing), (52, 1), "listeners hear everything, and that it is not written");
        drop(recorder);
        assert!(failures.iter().count() <= 1, "told again only at the very end");
    }

    #[test]
    fn what_is_written_is_synced_within_about_a_second_though_lines_keep_coming() {
        // Lines come far more often than once a second: the sync must not wait for a pause that never comes.
        let file = tempfile::tempfile().expect("a file");
        let mut writer = Writer { pending: vec![], unsynced: None, failing: false };
        let mut events = file;
        let mut synced = 0;
        for _ in 0..130 {
            writer.write(&mut events, b"line\n").expect("written");
            let was_due = writer.unsynced.is_some();
            writer.sync_if_due(&events).expect("synced");
            synced += u32::from(was_due && writer.unsynced.is_none());
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(synced, 1, "in 1.3 s");
    }
}
