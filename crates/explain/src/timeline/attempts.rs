//! What became of attempts to connect, where the call never stood.

use super::{At, Failed, Refused, Socket, Timeline};
use record::fact::ConnectStage;

pub enum Failure<'a> {
    Attempt(Failed<'a>),
    Refusal(Refused<'a>),
}

impl<'a> Timeline<'a> {
    /// The stage that the last attempt failed at: what stood in the way when trying again was over. Where no attempt named
    /// one, it follows from what did happen.
    pub fn failed_stage(&self) -> (ConnectStage, Option<At>) {
        // Of an imported call nothing is known of signaling; but its media was tried, and so it had come that far.
        let logged_in = self.imported.is_some() || self.last_told().is_some_and(|socket| socket.ready.is_some());
        match self.what_failed() {
            Some(Failure::Attempt(failed)) => return (failed.stage, Some(failed.at)),
            Some(Failure::Refusal(refused)) => {
                return (if logged_in { ConnectStage::Offer } else { ConnectStage::Login }, Some(refused.at));
            }
            None => {}
        }
        let stage = if !logged_in {
            ConnectStage::Login
        } else if self.pairs.is_empty() {
            ConnectStage::Ice
        } else if self.dtls.iter().any(|(_, state)| state.as_str().eq_ignore_ascii_case("connected")) {
            ConnectStage::Media
        } else {
            ConnectStage::Dtls
        };
        (stage, None)
    }

    /// The last attempt of which anything became: what earlier ones met was overcome, and one that was still under way when
    /// time was up tells nothing.
    pub fn last_told(&self) -> Option<&Socket<'a>> {
        self.sockets.iter().rev().find(|socket| {
            socket.failed.is_some() || socket.ready.is_some() || !socket.refused.is_empty() || socket.closed.is_some()
        })
    }

    pub fn what_failed(&self) -> Option<Failure<'a>> {
        let socket = self.last_told()?;
        let refusal = || socket.refused.last().copied().map(Failure::Refusal);
        socket.failed.map(Failure::Attempt).or_else(refusal)
    }

    pub fn failed_in_media(&self) -> bool {
        matches!(self.failed_stage().0, ConnectStage::Ice | ConnectStage::Dtls | ConnectStage::Media)
    }
}
