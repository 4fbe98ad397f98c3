//! The session's call: placed on a session that is ready; restarted, or made anew, when the caretaker wants it.

use super::{Session, next_of};
use crate::{
    Recorder,
    call::{Call, CallEvent, CallSetup},
    signaling::In,
};
use record::{
    fact::{EndedBy, Ice, SocketPurpose},
    profile::Silence,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The call that stands, and the one that is being made.
pub struct Calls {
    standing: Option<Call>,
    /// Of the call that stands; those of one given up are dropped with it.
    events: Option<UnboundedReceiver<CallEvent>>,
    /// Of the call wanted last. One that is given up before it is made is dropped when it is.
    number: u32,
    made: UnboundedReceiver<Made>,
    to_made: UnboundedSender<Made>,
}

pub enum CallNews {
    Event(CallEvent),
    Made(Made),
}

/// A call with its offer, or why there is none.
pub struct Made {
    number: u32,
    call: anyhow::Result<(Call, UnboundedReceiver<CallEvent>, String)>,
}

impl Calls {
    pub fn new() -> Self {
        let (to_made, made) = unbounded_channel();
        Self { standing: None, events: None, number: 0, made, to_made }
    }

    pub fn standing(&self) -> Option<&Call> {
        self.standing.as_ref()
    }

    /// May be dropped while it waits, without loss.
    pub async fn next(&mut self) -> CallNews {
        tokio::select! {
            biased;
            Some(event) = next_of(self.events.as_mut()) => CallNews::Event(event),
            Some(made) = self.made.recv() => CallNews::Made(made),
            else => std::future::pending().await,
        }
    }

    /// That binds sockets and resolves names, which may take seconds: the loop goes on meanwhile.
    fn make(&mut self, setup: CallSetup, recorder: Recorder) {
        self.number += 1;
        let (number, done) = (self.number, self.to_made.clone());
        tokio::spawn(async move {
            let call = async {
                let (call, events) = Call::new(setup, &recorder).await?;
                let offer = call.offer().await?;
                Ok((call, events, offer))
            };
            // Nobody listens only when the hold has ended; the call then closes by being dropped.
            let _ = done.send(Made { number, call: call.await });
        });
    }

    /// Gives its offer; nothing for a call that is not wanted any more, which closes by being dropped.
    fn take(&mut self, made: Made) -> Option<anyhow::Result<String>> {
        (made.number == self.number).then(|| {
            made.call.map(|(call, events, offer)| {
                self.standing = Some(call);
                self.events = Some(events);
                offer
            })
        })
    }

    /// What is still being made is not wanted any more either.
    fn let_go(&mut self) -> Option<Call> {
        self.number += 1;
        self.events = None;
        self.standing.take()
    }

    pub async fn close(&mut self) {
        if let Some(call) = self.let_go() {
            call.close().await;
        }
    }
}

impl Session {
    pub fn place_call_if_wanted(&mut self) {
        if !self.wants_call || !self.ready {
            return;
        }
        self.wants_call = false;
        self.fresh = false;
        let setup = CallSetup {
            ice_servers: self.profile.ice.servers.iter().chain(&self.ice_servers).cloned().collect(),
            bind: self.bind,
            policy: self.profile.ice.policy,
            silence: self.profile.media.silence,
            extra_ca: self.profile.signaling.ca.clone(),
        };
        self.calls.make(setup, self.recorder.clone());
    }

    /// Gives back why the hold ends, if it does.
    pub async fn call_made(&mut self, made: Made) -> Option<EndedBy> {
        match self.calls.take(made)? {
            Ok(sdp) => {
                self.tell_adapter(In::Offer { sdp, restart: false }).await;
                None
            }
            Err(error) => {
                Some(EndedBy::Fault { says: format!("the call could not be made: {error:#}").as_str().into() })
            }
        }
    }

    pub async fn call_event(&mut self, event: CallEvent) {
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

    pub async fn restart(&mut self) {
        let Some(call) = self.calls.standing() else { return };
        match call.restart().await {
            Ok(offer) => self.tell_adapter(In::Offer { sdp: offer, restart: true }).await,
            Err(error) => {
                let says = format!("the restart could not be begun: {error:#}");
                self.recorder.note(Ice::StackDied { says: says.as_str().into() });
            }
        }
    }

    /// On a session that has no call yet, as after the far end forgot ours; else with a session of its own, because the
    /// far end ties the old call to the one that stands.
    pub async fn call_anew(&mut self) {
        if let Some(call) = self.calls.let_go() {
            call.give_up().await;
        }
        self.wants_call = true;
        if self.ready && self.fresh {
            self.place_call_if_wanted();
        } else {
            self.connect(SocketPurpose::NewCall).await;
        }
    }
}
