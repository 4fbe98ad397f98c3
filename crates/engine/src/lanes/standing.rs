//! `Standing`: a lane that stands, and the facts of its end.

use super::channel::Channel;
use super::sockets::Place;
use crate::Recorder;
use record::{
    Stamp,
    fact::{End, Lane},
    millis,
    wire::lane::FromLane,
};
use std::time::Duration;

pub struct Standing {
    pub lane: u32,
    pub channel: Channel,
    pub stood: Stamp,
    pub recorder: Recorder,
    /// After the channel, so that it is not given back before the socket is.
    pub _place: Place,
}

/// Of the half second that all lanes have together.
const CLOSED_WITHIN: Duration = Duration::from_millis(200);
const NORMAL: u16 = 1000;

impl Standing {
    /// What ends now ended now.
    pub fn ended(self, end: End) -> Duration {
        let quiet = self.channel.quiet(self.recorder.now());
        self.note_end(end, quiet, false);
        quiet
    }

    /// Found dead by the proof that followed so much silence.
    pub fn found_dead(self, end: End, quiet: Duration) {
        self.note_end(end, quiet, true);
    }

    fn note_end(self, end: End, quiet: Duration, at_proof: bool) {
        let Self { lane, ref channel, stood, ref recorder, .. } = self;
        let age_ms = millis(recorder.now().since(stood));
        let (last_in, last_out) = (channel.last_in, channel.last_out);
        recorder.note(Lane::Ended { lane, end, last_in, last_out, quiet_ms: millis(quiet), age_ms, at_proof });
    }

    /// In order; it was all that was wanted of it.
    pub async fn done(mut self, says_bye: bool) {
        self.recorder.note(Lane::Done { lane: self.lane });
        let goodbye = async {
            // Whether it is still heard changes nothing.
            if !says_bye || self.channel.say(&FromLane::Bye).await.is_ok() {
                self.channel.close(NORMAL, "", CLOSED_WITHIN).await;
            }
        };
        let _cut = tokio::time::timeout(CLOSED_WITHIN, goodbye).await;
    }
}
