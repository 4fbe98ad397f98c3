//! The session's one way out.

use super::Session;
use crate::{line::LineCommand, signaling::In};
use record::fact::{CallEndedBy, EndedBy, Mark, Signaling};
use std::time::Duration;

/// How long a goodbye may take before we leave without its answer.
const GOODBYE_WITHIN: Duration = Duration::from_millis(1500);
/// Dropping a socket takes no answer of anybody.
const GONE_WITHIN: Duration = Duration::from_millis(200);

impl Session {
    /// The one way out, whatever the reason. The call goes first, so that the far end's silence after the goodbye is not
    /// mistaken for a loss.
    pub async fn finish(&mut self, by: &EndedBy) {
        if self.ready && self.calls.standing().is_some() {
            // Before anything ends because of it: what follows is no loss, even if the log breaks off here.
            let says = "the hold is over".into();
            self.recorder.note(Signaling::CallEnded { conn: self.conns, by: CallEndedBy::Us, code: None, says });
        }
        self.calls.close().await;
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
