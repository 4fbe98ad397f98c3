//! The client: the engine's own deciders, fed with what the computed network brings and noting what the engine would note.
//!
//! ```text
//! session ─ adapter, caretaker        line ─ pulse, unanswered        call ─ instruments
//! controls ─ asking                   lanes ─ ladder, talk, calm      system ─ picture, ticks
//! ```

use super::net::Net;
use super::time::Program;
use super::told::Told;
use engine::Recorder;
use record::wire::LaneGate;
use record::{Event, Fact, Profile, Stamp};
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

mod call;
mod controls;
mod foresight;
mod lanes;
mod line;
mod session;
mod system;

#[derive(Clone)]
pub struct Client {
    pub net: Net,
    pub program: Program,
    pub recorder: Recorder,
    pub profile: Rc<Profile>,
    /// Where the far end is reached over TCP: itself, or what stands before it.
    pub far: SocketAddr,
    /// Its name must be asked for.
    pub by_name: bool,
    gate: Told<Option<LaneGate>>,
    stop: Told<bool>,
}

/// A hold under way.
pub struct Hold {
    pub events: UnboundedReceiver<Arc<Event>>,
    over: Rc<Cell<bool>>,
}

impl Hold {
    pub fn is_over(&self) -> bool {
        self.over.get()
    }
}

impl Client {
    pub fn new(net: &Net, profile: Profile, far: SocketAddr, by_name: bool) -> Self {
        let program = net.0.client.program();
        let recorder = Recorder::unwritten(net.0.client.clock().clone());
        let (gate, stop) = (Told::default(), Told::default());
        Self { net: net.clone(), program, recorder, profile: Rc::new(profile), far, by_name, gate, stop }
    }

    /// From the mark that begins it to the mark that ends it.
    pub fn hold(self) -> anyhow::Result<Hold> {
        let events = self.recorder.listen();
        let over = Rc::<Cell<bool>>::default();
        let plan = engine::plan::plan(&self.profile, false)?;
        let (client, ended) = (self.clone(), Rc::clone(&over));
        let held = async move {
            session::hold(client, plan).await;
            ended.set(true);
        };
        self.program.spawn(held).detach();
        Ok(Hold { events, over })
    }

    pub fn now(&self) -> Stamp {
        self.recorder.now()
    }

    pub fn note(&self, fact: impl Into<Fact>) -> u64 {
        self.recorder.note(fact)
    }

    pub async fn sleep(&self, d: Duration) {
        self.program.sleep(d).await;
    }

    /// Ready once the hold ends, and from then on.
    async fn told(&self) {
        self.stop.is(|stop| *stop).await;
    }
}
