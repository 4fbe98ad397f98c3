//! `Session`: one hold from beginning to end. It owns the adapter, the line, the call and the caretaker, carries their
//! wishes between them, and has one loop over one list of things that can wake it.

mod calling;
mod ending;
mod signaling;

use crate::{
    Recorder,
    beside::Beside,
    call::peer::BindWhere,
    caretaker::{Caretaker, Order, Policy},
    line::{Line, LineCommand, LineEvent},
    pulse, punctual,
    signaling::{Adapter, In, by_id},
};
use calling::{CallNews, Calls};
use record::{
    Event, Fact, Profile, Stamp,
    fact::{CandidateKind, EndedBy, Ice, Mark, Media, Move, Plan, SocketPurpose},
    profile::{IcePolicy, IceServer},
};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, Sleep};

/// From the first attempt to the first RTP; beyond it a person has long given up waiting.
pub const ESTABLISH_WITHIN: Duration = Duration::from_secs(30);
/// How often time alone is looked at: deadlines are met to within this.
const LOOK_EVERY: Duration = Duration::from_millis(50);

struct Session {
    profile: Profile,
    recorder: Recorder,
    adapter: Box<dyn Adapter>,
    caretaker: Caretaker,
    facts: UnboundedReceiver<Arc<Event>>,
    line: Option<Line>,
    conns: u32,
    purpose: SocketPurpose,
    calls: Calls,
    /// A TURN server gave us an address.
    has_relay: bool,
    /// A call is wanted and waits for signaling to be ready.
    wants_call: bool,
    ready: bool,
    /// The session that is ready has seen no call yet.
    fresh: bool,
    ice_servers: Vec<IceServer>,
    /// The wait before the next attempt at a socket.
    reconnect: Option<Pin<Box<Sleep>>>,
    started: Stamp,
    established: Option<Stamp>,
    bind: BindWhere,
    beside: Beside,
}

enum Wake {
    Line(LineEvent),
    Call(CallNews),
    Fact(Arc<Event>),
    Reconnect,
    Look,
    Stop,
}

/// Holds the call until the time is up, `stop` resolves, or nothing more can be done.
pub async fn hold(profile: Profile, plan: Plan, recorder: Recorder, stop: impl Future<Output = ()>) -> EndedBy {
    let _punctual = punctual::be();
    let facts = recorder.listen();
    let bind = crate::plan::where_to_bind(&profile, plan.self_test);
    recorder.note(Mark::Started(Box::new(plan)));
    let beat = tokio::spawn(pulse::beat(recorder.clone()));
    let mut session = Session::new(profile, recorder, facts, bind);
    let by = session.run(stop).await;
    session.finish(&by).await;
    beat.abort();
    by
}

impl Session {
    fn new(profile: Profile, recorder: Recorder, facts: UnboundedReceiver<Arc<Event>>, bind: BindWhere) -> Self {
        let kind = by_id(&profile.signaling.kind).expect("plan() has checked the kind");
        let started = recorder.now();
        Self {
            adapter: (kind.new)(&profile),
            // The seed need not be secret; it only has to differ between runs.
            caretaker: Caretaker::new(Policy::from(profile.recovery.policy), started.wall.micros() as u64),
            facts,
            line: None,
            conns: 0,
            purpose: SocketPurpose::First,
            calls: Calls::new(),
            has_relay: false,
            wants_call: true,
            ready: false,
            fresh: false,
            ice_servers: vec![],
            reconnect: None,
            started,
            established: None,
            bind,
            beside: Beside::begin(&profile, &recorder),
            recorder,
            profile,
        }
    }

    async fn run(&mut self, stop: impl Future<Output = ()>) -> EndedBy {
        let mut stop = std::pin::pin!(stop);
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.connect(SocketPurpose::First).await;
        loop {
            let wake = tokio::select! {
                biased;
                () = &mut stop => Wake::Stop,
                Some(event) = self.facts.recv() => Wake::Fact(event),
                Some(event) = next_of(self.line.as_mut().map(|line| &mut line.events)) => Wake::Line(event),
                news = self.calls.next() => Wake::Call(news),
                () = over(self.reconnect.as_mut()) => Wake::Reconnect,
                _ = look.tick() => Wake::Look,
            };
            if let Some(by) = self.handle(wake).await {
                return by;
            }
        }
    }

    /// Gives back why the hold ends, if it does.
    async fn handle(&mut self, wake: Wake) -> Option<EndedBy> {
        match wake {
            Wake::Stop => return Some(EndedBy::User),
            Wake::Line(event) => self.line_event(event).await,
            Wake::Call(CallNews::Event(event)) => self.call_event(event).await,
            Wake::Call(CallNews::Made(made)) => {
                if let Some(by) = self.call_made(made).await {
                    return Some(by);
                }
            }
            Wake::Fact(event) => {
                if let Some(by) = self.learn(&event) {
                    return Some(by);
                }
            }
            Wake::Reconnect => {
                self.reconnect = None;
                let purpose = self.caretaker.purpose();
                self.connect(purpose).await;
            }
            Wake::Look => {
                let now = self.recorder.now();
                if let Some(by) = self.time_is_up(now) {
                    return Some(by);
                }
                if self.adapter.wake_at().is_some_and(|at| now.awake >= at) {
                    self.tell_adapter(In::Tick).await;
                }
            }
        }
        self.obey().await
    }

    fn time_is_up(&self, now: Stamp) -> Option<EndedBy> {
        match self.established {
            // On the clock that runs through sleep: four hours are over four hours later.
            Some(since) => (now.since(since) >= self.profile.for_.get()).then_some(EndedBy::TimeUp),
            None => (now.awake_since(self.started) >= ESTABLISH_WITHIN).then_some(EndedBy::NotEstablished),
        }
    }

    /// Gives back why the hold ends, if the fact leaves nothing to hope for.
    fn learn(&mut self, event: &Event) -> Option<EndedBy> {
        self.caretaker.observe(event);
        match &event.fact {
            Fact::Media(Media::Flowing { first }) => self.call_stands(*first),
            Fact::Ice(Ice::LocalCandidate { kind: CandidateKind::Relay, .. }) => self.has_relay = true,
            // Every TURN server has answered or been given up, and none will carry the call.
            Fact::Ice(Ice::GatheringDone { .. }) if self.established.is_none() => {
                let nothing = self.profile.ice.policy == IcePolicy::Relay && !self.has_relay;
                return nothing.then_some(EndedBy::NotEstablished);
            }
            _ => {}
        }
        None
    }

    fn call_stands(&mut self, since: Stamp) {
        if self.established.is_none() {
            self.established = Some(since);
            let took_ms = record::millis(since.since(self.started));
            self.recorder.note(Mark::Established { took_ms });
        }
    }

    /// Carries out what the caretaker wants.
    async fn obey(&mut self) -> Option<EndedBy> {
        while let Some(order) = self.caretaker.poll(self.recorder.now()) {
            match order {
                Order::Note(action) => {
                    self.recorder.note(action);
                }
                Order::End(by) => return Some(by),
                Order::Begin { step, .. } => match step {
                    Move::ProbeSignaling => self.tell_line(LineCommand::Probe),
                    Move::Reconnect { wait_ms, .. } => {
                        self.reconnect = Some(Box::pin(tokio::time::sleep(Duration::from_secs_f64(wait_ms / 1e3))));
                    }
                    Move::RestartIce => self.restart().await,
                    Move::NewCall => self.call_anew().await,
                },
            }
        }
        None
    }
}

/// The next of something that may not be there; without it, never.
async fn next_of<T>(from: Option<&mut UnboundedReceiver<T>>) -> Option<T> {
    match from {
        Some(from) => from.recv().await,
        None => std::future::pending().await,
    }
}

async fn over(wait: Option<&mut Pin<Box<Sleep>>>) {
    match wait {
        Some(wait) => wait.await,
        None => std::future::pending().await,
    }
}
