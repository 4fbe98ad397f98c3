//! `Recorder`: everything that happens passes through `note`, which numbers it, stamps it, sends it to the disk and to
//! whoever listens.
//!
//! A dedicated thread writes each line at once, so that a killed process loses nothing that the kernel was given, and
//! syncs once a second, so that a power loss costs no more than that.

use crate::Clock;
use record::{Event, Fact, Seq, Stamp, log};
use std::fs::File;
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A power loss costs at most this much of the log.
const SYNC_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    next: Seq,
    listeners: Vec<UnboundedSender<Arc<Event>>>,
    disk: Option<Sender<ToDisk>>,
}

enum ToDisk {
    Line(Vec<u8>),
    /// Write and sync all that came before, then answer.
    Settle(Sender<std::io::Result<()>>),
}

impl Recorder {
    /// Appends to `events`. `failed` is told, once, when the disk refuses.
    pub fn to_file(clock: Clock, events: File, failed: impl Fn(std::io::Error) + Send + 'static) -> Self {
        let (to_disk, lines) = channel();
        std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || write_lines(events, &lines, failed))
            .expect("the system starts a thread at program start");
        Self::new(clock, Some(to_disk))
    }

    /// Keeps nothing; listeners hear everything. For tests and for parts that run without a log.
    pub fn unwritten(clock: Clock) -> Self {
        Self::new(clock, None)
    }

    fn new(clock: Clock, disk: Option<Sender<ToDisk>>) -> Self {
        Self(Arc::new(Shared { clock, state: Mutex::new(State { next: 1, listeners: Vec::new(), disk }) }))
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
        let mut state = self.0.state.lock().expect("no holder panics");
        let event = Arc::new(Event { seq: state.next, at: self.0.clock.now(), fact });
        state.next += 1;
        if let Some(disk) = &state.disk
            && disk.send(ToDisk::Line(log::line(&event))).is_err()
        {
            // The writer has told its own end through `failed`; listeners still hear everything.
            state.disk = None;
        }
        state.listeners.retain(|listener| listener.send(Arc::clone(&event)).is_ok());
        event.seq
    }

    /// Everything noted from now on.
    pub fn listen(&self) -> UnboundedReceiver<Arc<Event>> {
        let (to, from) = unbounded_channel();
        self.0.state.lock().expect("no holder panics").listeners.push(to);
        from
    }

    /// Waits until all that was noted is safe on the disk.
    pub fn settle(&self) -> std::io::Result<()> {
        let (answer, settled) = channel();
        {
            let state = self.0.state.lock().expect("no holder panics");
            let Some(disk) = &state.disk else { return Ok(()) };
            if disk.send(ToDisk::Settle(answer)).is_err() {
                return Err(std::io::Error::other("the log could not be written"));
            }
        }
        settled.recv().unwrap_or_else(|_| Err(std::io::Error::other("the log could not be written")))
    }
}

fn write_lines(mut events: File, lines: &Receiver<ToDisk>, failed: impl Fn(std::io::Error)) {
    let mut unsynced = false;
    loop {
        let done = match lines.recv_timeout(SYNC_EVERY) {
            Ok(ToDisk::Line(line)) => {
                unsynced = true;
                events.write_all(&line)
            }
            Ok(ToDisk::Settle(answer)) => {
                unsynced = false;
                // The asker may be gone; then nobody waits for the answer.
                let _ = answer.send(events.sync_data());
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) if unsynced => {
                unsynced = false;
                events.sync_data()
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                if let Err(error) = events.sync_data() {
                    failed(error);
                }
                return;
            }
        };
        if let Err(error) = done {
            failed(error);
            return;
        }
    }
}
