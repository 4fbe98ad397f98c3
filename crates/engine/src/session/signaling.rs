//! The session's far end: the adapter's wishes are carried out, and what its socket brings is handed to it.

use super::Session;
use crate::{
    line::{self, LineCommand, LineEvent},
    signaling::{Event, In, Out},
};
use record::fact::{End, SocketPurpose};

impl Session {
    pub async fn connect(&mut self, purpose: SocketPurpose) {
        self.purpose = purpose;
        self.ready = false;
        self.reconnect = None;
        self.tell_adapter(In::Connect { purpose }).await;
    }

    pub fn tell_line(&self, command: LineCommand) {
        if let Some(line) = &self.line {
            // A line that has ended says so through its events; what was meant for it is moot.
            let _ = line.commands.send(command);
        }
    }

    pub async fn tell_adapter(&mut self, input: In) {
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

    async fn signaling_event(&mut self, event: Event) {
        match event {
            Event::Ready { resumed, ice_servers, lanes } => {
                self.ready = true;
                self.fresh = !resumed;
                self.beside.let_in(lanes, &ice_servers);
                self.ice_servers = ice_servers;
                if !resumed {
                    self.place_call_if_wanted();
                }
            }
            Event::Answer { sdp } => {
                let Some(call) = self.calls.standing() else { return };
                match call.answer(&sdp).await {
                    Ok(_) => self.caretaker.restart_answered(),
                    Err(error) => tracing::warn!("the answer was not taken: {error:#}"),
                }
            }
            Event::RemoteCandidate { candidate, mid, line } => {
                let Some(call) = self.calls.standing() else { return };
                if let Err(error) = call.remote_candidate(&candidate, mid.as_deref(), line).await {
                    tracing::info!("a candidate of the far end was not taken: {error:#}");
                }
            }
            // Both are facts already; the caretaker decides what follows.
            Event::Refused { .. } | Event::CallEnded { .. } | Event::HungUp => {}
        }
    }

    pub async fn line_event(&mut self, event: LineEvent) {
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
}
