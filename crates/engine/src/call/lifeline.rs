//! Tells the session what it must act on, and the death of the stack exactly once: the stack itself dies without a word.

use super::CallEvent;
use super::instruments::Instruments;
use record::Heard;
use record::fact::Ice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc::UnboundedSender;

pub struct Lifeline {
    events: UnboundedSender<CallEvent>,
    instruments: Arc<Instruments>,
    /// Closed on purpose, or already told to be dead.
    over: AtomicBool,
}

impl Lifeline {
    pub fn new(events: UnboundedSender<CallEvent>, instruments: Arc<Instruments>) -> Self {
        Self { events, instruments, over: AtomicBool::new(false) }
    }

    pub fn tell(&self, event: CallEvent) {
        if !self.over.load(Ordering::Relaxed) {
            // Nobody listens once the session has let go of the call.
            let _ = self.events.send(event);
        }
    }

    pub fn died(&self, says: &str) {
        if !self.over.swap(true, Ordering::Relaxed) {
            self.instruments.note(Ice::StackDied { says: Heard::new(says) });
            let _ = self.events.send(CallEvent::StackDied);
        }
    }

    /// What ends from now on, ends because we want it.
    pub fn over(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.instruments.settle();
    }
}
