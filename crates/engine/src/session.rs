//! `Session`: one hold from beginning to end. It owns the adapter, the line, the call and the caretaker, carries their
//! wishes between them, and has one loop over one list of things that can wake it.

use crate::{
    Recorder,
    beside::Beside,
    call::{Call, CallEvent, CallSetup, peer::BindWhere},
    caretaker::{Caretaker, Order, Policy},
    line::{self, Line, LineCommand, LineEvent},
    pulse,
    signaling::{self, Adapter, In, Out},
};
use record::{
    Event, Fact, Profile, Stamp,
    fact::{CallEndedBy, CandidateKind, End, EndedBy, Ice, Mark, Media, Move, Plan, Signaling, SocketPurpose},
    profile::{IcePolicy, IceServer, Silence},
};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, Sleep};

/// From the first attempt to the first RTP; beyond it a person has long given up waiting.
pub const ESTABLISH_WITHIN: Duration = Duration::from_secs(30);
/// How long a goodbye may take before we leave without its answer.
const GOODBYE_WITHIN: Duration = Duration::from_millis(1500);
/// Dropping a socket takes no answer of anybody.
const GONE_WITHIN: Duration = Duration::from_millis(200);
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
    call: Option<Call>,
    /// Events of the call that stands; those of one given up are dropped with it.
    call_events: Option<UnboundedReceiver<CallEvent>>,
    /// How many calls were placed.
    calls: u32,
    /// Answers of slow deeds that must not hold up the loop.
    deeds: UnboundedReceiver<Deed>,
    deeds_to: UnboundedSender<Deed>,
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

/// What came of something that took its time.
enum Deed {
    CallMade { number: u32, made: anyhow::Result<(Call, UnboundedReceiver<CallEvent>, String)> },
}

enum Wake {
    Line(LineEvent),
    Call(CallEvent),
    Fact(Arc<Event>),
    Deed(Deed),
    Reconnect,
    Look,
    Stop,
}

/// Holds the call until the time is up, `stop` resolves, or nothing more can be done.
pub async fn hold(profile: Profile, plan: Plan, recorder: Recorder, stop: impl Future<Output = ()>) -> EndedBy {
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
        let kind = signaling::by_id(&profile.signaling.kind).expect("plan() has checked the kind");
        let started = recorder.now();
        let (deeds_to, deeds) = unbounded_channel();
        Self {
            adapter: (kind.new)(&profile),
            // The seed need not be secret; it only has to differ between runs.
            caretaker: Caretaker::new(Policy::from(profile.recovery.policy), started.wall.micros() as u64),
            facts,
            line: None,
            conns: 0,
            purpose: SocketPurpose::First,
            call: None,
            call_events: None,
            calls: 0,
            has_relay: false,
            deeds,
            deeds_to,
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
                Some(event) = next_of(self.call_events.as_mut()) => Wake::Call(event),
                Some(deed) = self.deeds.recv() => Wake::Deed(deed),
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
            Wake::Call(event) => self.call_event(event).await,
            Wake::Deed(Deed::CallMade { number, made }) => {
                // One that was overtaken by another call is closed by being dropped.
                if number == self.calls {
                    return self.call_made(made).await;
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

    async fn line_event(&mut self, event: LineEvent) {
        match event {
            LineEvent::Open => self.tell_adapter(In::SocketOpen { conn: self.conns }).await,
            LineEvent::Text(text) => self.tell_adapter(In::Text(text)).await,
            LineEvent::Failed { .. } => self.line_is_gone(End::LetGo).await,
            LineEvent::Closed(end) => self.line_is_gone(end).await,
        }
    }

    async fn line_is_gone(&mut self, end: End) {
        self.line = None;
        self.ready = false;
        self.tell_adapter(In::SocketClosed(end)).await;
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

    /// On a session that has no call yet, as after the far end forgot ours; else with a session of its own, because the
    /// far end ties the old call to the one that stands.
    async fn call_anew(&mut self) {
        self.call_events = None;
        if let Some(call) = self.call.take() {
            call.give_up().await;
        }
        self.wants_call = true;
        if self.ready && self.fresh {
            self.place_call_if_wanted();
        } else {
            self.connect(SocketPurpose::NewCall).await;
        }
    }

    async fn connect(&mut self, purpose: SocketPurpose) {
        self.purpose = purpose;
        self.ready = false;
        self.reconnect = None;
        self.tell_adapter(In::Connect { purpose }).await;
    }

    fn tell_line(&self, command: LineCommand) {
        if let Some(line) = &self.line {
            // A line that has ended says so through its events; what was meant for it is moot.
            let _ = line.commands.send(command);
        }
    }

    async fn tell_adapter(&mut self, input: In) {
        self.adapter.handle(self.recorder.now(), input);
        while let Some(wish) = self.adapter.poll() {
            match wish {
                Out::OpenSocket(target) => {
                    // One socket at a time; what was said on the old one before goes out first.
                    self.tell_line(LineCommand::LetGo);
                    self.conns += 1;
                    self.line = Some(line::open(*target, self.conns, self.purpose, &self.recorder));
                }
                Out::Text(text) => self.tell_line(LineCommand::Text(text)),
                Out::CloseSocket { code, reason } => {
                    self.tell_line(LineCommand::Close { code, reason: reason.to_owned() });
                }
                Out::Note(fact) => {
                    self.recorder.note(fact);
                }
                Out::Event(event) => self.signaling_event(event).await,
            }
        }
    }

    async fn signaling_event(&mut self, event: signaling::Event) {
        match event {
            signaling::Event::Ready { resumed, ice_servers, lanes } => {
                self.ready = true;
                self.fresh = !resumed;
                self.beside.let_in(lanes, &ice_servers);
                self.ice_servers = ice_servers;
                if !resumed {
                    self.place_call_if_wanted();
                }
            }
            signaling::Event::Answer { sdp } => {
                let Some(call) = &self.call else { return };
                match call.answer(&sdp).await {
                    Ok(_) => self.caretaker.restart_answered(),
                    Err(error) => tracing::warn!("the answer was not taken: {error:#}"),
                }
            }
            signaling::Event::RemoteCandidate { candidate, mid, line } => {
                let Some(call) = &self.call else { return };
                if let Err(error) = call.remote_candidate(&candidate, mid.as_deref(), line).await {
                    tracing::info!("a candidate of the far end was not taken: {error:#}");
                }
            }
            // Both are facts already; the caretaker decides what follows.
            signaling::Event::Refused { .. } | signaling::Event::CallEnded { .. } | signaling::Event::HungUp => {}
        }
    }

    /// Making a call binds sockets and resolves names, which may take seconds: the loop goes on meanwhile.
    fn place_call_if_wanted(&mut self) {
        if !self.wants_call || !self.ready {
            return;
        }
        self.wants_call = false;
        self.fresh = false;
        self.calls += 1;
        let number = self.calls;
        let setup = CallSetup {
            ice_servers: self.profile.ice.servers.iter().chain(&self.ice_servers).cloned().collect(),
            bind: self.bind,
            policy: self.profile.ice.policy,
            silence: self.profile.media.silence,
            extra_ca: self.profile.signaling.ca.clone(),
        };
        let (recorder, done) = (self.recorder.clone(), self.deeds_to.clone());
        tokio::spawn(async move {
            let made = async {
                let (call, events) = Call::new(setup, &recorder).await?;
                let offer = call.offer().await?;
                Ok((call, events, offer))
            };
            // Nobody listens only when the hold has ended; the call then closes by being dropped.
            let _ = done.send(Deed::CallMade { number, made: made.await });
        });
    }

    async fn call_made(
        &mut self,
        made: anyhow::Result<(Call, UnboundedReceiver<CallEvent>, String)>,
    ) -> Option<EndedBy> {
        match made {
            Ok((call, events, offer)) => {
                self.call = Some(call);
                self.call_events = Some(events);
                self.tell_adapter(In::Offer { sdp: offer, restart: false }).await;
                self.obey().await
            }
            Err(error) => {
                Some(EndedBy::Fault { says: format!("the call could not be made: {error:#}").as_str().into() })
            }
        }
    }

    async fn call_event(&mut self, event: CallEvent) {
        match event {
            CallEvent::LocalCandidate { candidate, mid, line } => {
                self.tell_adapter(In::LocalCandidate { candidate, mid, line }).await;
            }
            CallEvent::EndOfCandidates => self.tell_adapter(In::EndOfCandidates).await,
            // Without media packets by choice, a connected path is all that can be asked for.
            CallEvent::Connected if self.profile.media.silence == Silence::None => {
                self.call_stands(self.recorder.now())
            }
            // All facts already, and the caretaker has them.
            CallEvent::Connected | CallEvent::Failed | CallEvent::FarEndClosed | CallEvent::StackDied => {}
        }
    }

    async fn restart(&mut self) {
        let Some(call) = &self.call else { return };
        match call.restart().await {
            Ok(offer) => self.tell_adapter(In::Offer { sdp: offer, restart: true }).await,
            Err(error) => {
                let says = format!("the restart could not be begun: {error:#}");
                self.recorder.note(Ice::StackDied { says: says.as_str().into() });
            }
        }
    }

    async fn drop_call(&mut self) {
        self.call_events = None;
        if let Some(call) = self.call.take() {
            call.close().await;
        }
    }

    /// The one way out, whatever the reason. The call goes first, so that the far end's silence after the goodbye is not
    /// mistaken for a loss.
    async fn finish(&mut self, by: &EndedBy) {
        if self.ready && self.call.is_some() {
            // Before anything ends because of it: what follows is no loss, even if the log breaks off here.
            let says = "the hold is over".into();
            self.recorder.note(Signaling::CallEnded { conn: self.conns, by: CallEndedBy::Us, code: None, says });
        }
        self.drop_call().await;
        self.beside.end().await;
        if self.line.is_some() {
            self.tell_adapter(In::HangUp { reason: "the hold is over" }).await;
            let goodbye = tokio::time::timeout(GOODBYE_WITHIN, self.say_goodbye()).await;
            if goodbye.is_err() {
                self.tell_line(LineCommand::LetGo);
                // Its end is a fact of this hold, and the hold's own end must be the last.
                let gone = tokio::time::timeout(GONE_WITHIN, self.say_goodbye()).await;
                if gone.is_err() {
                    tracing::warn!("the signaling socket did not let go in time");
                }
            }
        }
        self.line = None;
        self.recorder.note(Mark::Ended { by: by.clone() });
    }

    /// Until the socket has closed in order. The adapter closes it when its own goodbye is answered.
    async fn say_goodbye(&mut self) {
        while let Some(line) = &mut self.line {
            let Some(event) = line.events.recv().await else { return };
            self.line_event(event).await;
        }
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
