//! The session, as the engine holds it: adapter, line, call and caretaker, and one loop over what can wake it.

use super::call::{Call, CallEvent};
use super::line::{Line, LineCommand, LineEvent};
use super::{Client, controls, foresight, lanes, system};
use engine::caretaker::{Caretaker, Order};
use engine::signaling::{self, Adapter, In, Out};
use record::fact::{CallEndedBy, End, EndedBy, Mark, Media, Move, Plan, Signaling, SocketPurpose};
use record::profile::Silence;
use record::{Event, Fact, Micros, Policy, Stamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

// As the engine's session.
const ESTABLISH_WITHIN: Duration = Duration::from_secs(30);
const GOODBYE_WITHIN: Duration = Duration::from_millis(1500);
const LOOK_EVERY: Duration = Duration::from_millis(50);

struct Session {
    client: Client,
    adapter: Box<dyn Adapter>,
    caretaker: Caretaker,
    facts: UnboundedReceiver<Arc<Event>>,
    line: Option<Line>,
    conns: u32,
    purpose: SocketPurpose,
    call: Option<Call>,
    wants_call: bool,
    ready: bool,
    fresh: bool,
    reconnect: Option<Micros>,
    started: Stamp,
    established: Option<Stamp>,
}

enum Wake {
    Line(LineEvent),
    Call(CallEvent),
    Fact(Arc<Event>),
    Reconnect,
    Look,
}

pub async fn hold(client: Client, plan: Plan) {
    let facts = client.recorder.listen();
    client.note(Mark::Started(Box::new(plan)));
    let mut tasks = vec![];
    tasks.extend(controls::begin(&client));
    tasks.extend(system::begin(&client));
    tasks.extend(lanes::begin(&client));
    tasks.push(foresight::begin(&client));
    let kind = signaling::by_id(&client.profile.signaling.kind).expect("plan() has checked the kind");
    let started = client.now();
    let mut session = Session {
        adapter: (kind.new)(&client.profile),
        caretaker: Caretaker::new(Policy::from(client.profile.recovery.policy), client.net.throw()),
        facts,
        line: None,
        conns: 0,
        purpose: SocketPurpose::First,
        call: None,
        wants_call: true,
        ready: false,
        fresh: false,
        reconnect: None,
        started,
        established: None,
        client: client.clone(),
    };
    let by = session.run().await;
    session.finish(&by, tasks).await;
}

impl Session {
    async fn run(&mut self) -> EndedBy {
        let mut look = self.client.now().awake;
        self.connect(SocketPurpose::First);
        loop {
            let wake = tokio::select! {
                biased;
                Some(event) = self.facts.recv() => Wake::Fact(event),
                Some(event) = next_of(self.line.as_mut().map(|line| &mut line.events)) => Wake::Line(event),
                Some(event) = next_of(self.call.as_mut().map(|call| &mut call.events)) => Wake::Call(event),
                () = at(&self.client, self.reconnect) => Wake::Reconnect,
                () = self.client.program.sleep_until(look) => Wake::Look,
            };
            if matches!(wake, Wake::Look) {
                look = self.client.now().awake + LOOK_EVERY;
            }
            if let Some(by) = self.handle(wake) {
                return by;
            }
        }
    }

    /// Gives back why the hold ends, if it does.
    fn handle(&mut self, wake: Wake) -> Option<EndedBy> {
        match wake {
            Wake::Line(event) => self.line_event(event),
            Wake::Call(CallEvent::Connected) if self.client.profile.media.silence == Silence::None => {
                self.call_stands(self.client.now());
            }
            Wake::Call(CallEvent::Connected | CallEvent::Failed | CallEvent::FarEndClosed) => {}
            Wake::Fact(event) => {
                self.caretaker.observe(&event);
                if let Fact::Media(Media::Flowing { first }) = &event.fact {
                    self.call_stands(*first);
                }
            }
            Wake::Reconnect => {
                let purpose = self.caretaker.purpose();
                self.connect(purpose);
            }
            Wake::Look => {
                let now = self.client.now();
                if let Some(by) = self.time_is_up(now) {
                    return Some(by);
                }
                if self.adapter.wake_at().is_some_and(|at| now.awake >= at) {
                    self.tell_adapter(In::Tick);
                }
            }
        }
        self.obey()
    }

    fn line_event(&mut self, event: LineEvent) {
        match event {
            LineEvent::Open => self.tell_adapter(In::SocketOpen { conn: self.conns }),
            LineEvent::Text(text) => self.tell_adapter(In::Text(text)),
            LineEvent::Closed(end) => {
                self.line = None;
                self.ready = false;
                self.tell_adapter(In::SocketClosed(end));
            }
        }
    }

    fn time_is_up(&self, now: Stamp) -> Option<EndedBy> {
        match self.established {
            Some(since) => (now.since(since) >= self.client.profile.for_.get()).then_some(EndedBy::TimeUp),
            None => (now.awake_since(self.started) >= ESTABLISH_WITHIN).then_some(EndedBy::NotEstablished),
        }
    }

    fn call_stands(&mut self, since: Stamp) {
        if self.established.is_none() {
            self.established = Some(since);
            let took_ms = record::millis(since.since(self.started));
            self.client.note(Mark::Established { took_ms });
        }
    }

    /// Carries out what the caretaker wants.
    fn obey(&mut self) -> Option<EndedBy> {
        while let Some(order) = self.caretaker.poll(self.client.now()) {
            match order {
                Order::Note(action) => {
                    self.client.note(action);
                }
                Order::End(by) => return Some(by),
                Order::Begin { step, .. } => match step {
                    Move::ProbeSignaling => self.tell_line(LineCommand::Probe),
                    Move::Reconnect { wait_ms, .. } => {
                        let wait = Duration::from_secs_f64(wait_ms / 1e3);
                        self.reconnect = Some(self.client.now().awake + wait);
                    }
                    Move::RestartIce => self.restart(),
                    Move::NewCall => self.call_anew(),
                },
            }
        }
        None
    }

    fn call_anew(&mut self) {
        if let Some(call) = self.call.take() {
            call.give_up();
        }
        self.wants_call = true;
        if self.ready && self.fresh {
            self.place_call_if_wanted();
        } else {
            self.connect(SocketPurpose::NewCall);
        }
    }

    fn connect(&mut self, purpose: SocketPurpose) {
        self.purpose = purpose;
        self.ready = false;
        self.reconnect = None;
        self.tell_adapter(In::Connect { purpose });
    }

    fn tell_line(&self, command: LineCommand) {
        if let Some(line) = &self.line {
            // A line that has ended says so through its events.
            let _ = line.commands.send(command);
        }
    }

    fn tell_adapter(&mut self, input: In) {
        self.adapter.handle(self.client.now(), input);
        while let Some(wish) = self.adapter.poll() {
            match wish {
                Out::OpenSocket(target) => {
                    self.tell_line(LineCommand::LetGo);
                    self.conns += 1;
                    self.line = Some(Line::open(&self.client, *target, self.conns, self.purpose));
                }
                Out::Text(text) => self.tell_line(LineCommand::Text(text)),
                Out::CloseSocket { code, reason } => {
                    self.tell_line(LineCommand::Close { code, reason: reason.to_owned() });
                }
                Out::Note(fact) => {
                    self.client.note(fact);
                }
                Out::Event(event) => self.signaling_event(event),
            }
        }
    }

    fn signaling_event(&mut self, event: signaling::Event) {
        match event {
            signaling::Event::Ready { resumed, lanes, .. } => {
                self.ready = true;
                self.fresh = !resumed;
                self.client.gate.tell(lanes);
                if !resumed {
                    self.place_call_if_wanted();
                }
            }
            signaling::Event::Answer { sdp } => {
                if let Some(call) = &self.call {
                    call.answer(&sdp);
                    self.caretaker.restart_answered();
                }
            }
            signaling::Event::RemoteCandidate { candidate, .. } => {
                if let Some(call) = &self.call {
                    call.remote_candidate(&candidate);
                }
            }
            signaling::Event::Refused { .. } | signaling::Event::CallEnded { .. } | signaling::Event::HungUp => {}
        }
    }

    fn place_call_if_wanted(&mut self) {
        if !self.wants_call || !self.ready {
            return;
        }
        self.wants_call = false;
        self.fresh = false;
        let call = Call::new(&self.client);
        let sdp = call.offer();
        self.call = Some(call);
        self.tell_adapter(In::Offer { sdp, restart: false });
    }

    fn restart(&mut self) {
        if let Some(call) = &mut self.call {
            call.restart();
            let sdp = call.offer();
            self.tell_adapter(In::Offer { sdp, restart: true });
        }
    }

    /// The one way out.
    async fn finish(&mut self, by: &EndedBy, tasks: Vec<crate::sim::time::Task>) {
        if self.ready && self.call.is_some() {
            let says = "the hold is over".into();
            self.client.note(Signaling::CallEnded { conn: self.conns, by: CallEndedBy::Us, code: None, says });
        }
        if let Some(call) = self.call.take() {
            call.close();
        }
        self.client.stop.tell(true);
        // For the last words of lanes.
        self.client.sleep(Duration::from_millis(300)).await;
        drop(tasks);
        if self.line.is_some() {
            self.tell_adapter(In::HangUp { reason: "the hold is over" });
            let program = self.client.program.clone();
            if program.within(GOODBYE_WITHIN, self.say_goodbye()).await.is_none() {
                self.tell_line(LineCommand::LetGo);
                program.within(Duration::from_millis(200), self.say_goodbye()).await;
            }
        }
        self.line = None;
        self.client.note(Mark::Ended { by: by.clone() });
    }

    async fn say_goodbye(&mut self) {
        while let Some(line) = &mut self.line {
            let Some(event) = line.events.recv().await else { return };
            self.line_event(event);
        }
    }
}

async fn next_of<T>(from: Option<&mut UnboundedReceiver<T>>) -> Option<T> {
    match from {
        Some(from) => from.recv().await,
        None => std::future::pending().await,
    }
}

async fn at(client: &Client, when: Option<Micros>) {
    match when {
        Some(awake) => client.program.sleep_until(awake).await,
        None => std::future::pending().await,
    }
}

/// An end without words, for a line that never stood.
pub const NEVER_STOOD: End = End::LetGo;
