//! Tells the session what it must act on, and the death of the stack exactly once: the stack itself dies without a word.

use super::CallEvent;
use super::instruments::Instruments;
use record::Said;
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
            self.instruments.note(Ice::StackDied { says: Said::new(says) });
            let _ = self.events.send(CallEvent::StackDied);
        }
    }

    /// What ends from now on, ends because we want it.
    pub fn over(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.instruments.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Recorder};
    use record::Fact;
    use record::profile::Silence;
    use tokio::sync::mpsc::unbounded_channel;

    #[test]
    fn a_stack_dies_once_and_never_after_a_wanted_end() {
        let recorder = Recorder::unwritten(Clock::real());
        let mut facts = recorder.listen();
        let instruments = Arc::new(Instruments::new(Silence::Frames, recorder, record::Scrub::default()));
        let (events, mut told) = unbounded_channel();
        let lifeline = Lifeline::new(events.clone(), Arc::clone(&instruments));
        lifeline.tell(CallEvent::Connected);
        lifeline.died("its driver has ended by itself");
        lifeline.died("it takes no more packets");
        lifeline.tell(CallEvent::Failed);
        assert!(matches!(told.try_recv(), Ok(CallEvent::Connected)));
        assert!(matches!(told.try_recv(), Ok(CallEvent::StackDied)));
        assert!(told.try_recv().is_err(), "the last word");
        assert!(matches!(facts.try_recv().expect("noted").fact, Fact::Ice(Ice::StackDied { .. })));
        assert!(facts.try_recv().is_err());

        let lifeline = Lifeline::new(events, instruments);
        lifeline.over();
        lifeline.died("its driver has ended by itself");
        assert!(told.try_recv().is_err() && facts.try_recv().is_err());
    }
}
