//! The bare WebSocket: nothing is said on it by either side for the whole hold, and its end is the finding.

use super::again::Again;
use super::standing::Standing;
use super::street::Street;
use super::way::Way;
use record::{
    fact::{Lane, Manner, Side, Stirred},
    millis,
    wire::lane::{FromLane, Plan, ToLane},
};
use std::time::Duration;
use tokio::sync::watch;

/// The far end keeps it for the hold and for what recoveries add to it.
const BEYOND_THE_HOLD: Duration = Duration::from_secs(3600);
/// At the end of the hold one question shows whether a lane that never ended is still alive. Within the half second that
/// all lanes have for their goodbyes.
const LAST_WORD: Duration = Duration::from_millis(250);

pub async fn run(street: Street, way: Way, mut stop: watch::Receiver<bool>) {
    let quiet = street.ground.profile.for_.get() + BEYOND_THE_HOLD;
    let plan = Plan { quiet_ms: millis(quiet), first: Some(Side::Us), stirred: Stirred::Not };
    let mut again = Again::default();
    loop {
        let standing = tokio::select! {
            standing = street.open(&way, Manner::BareWebsocket, plan) => standing,
            () = super::told(&mut stop) => None,
        };
        let Some(standing) = standing else { return };
        let stood = standing.stood;
        if !hold(standing, way.is_gated(), &mut stop).await {
            return;
        }
        let stood_for = street.ground.recorder.now().since(stood);
        if !again.may(stood_for, &street, &mut stop).await {
            return;
        }
    }
}

/// Whether it is to be opened again.
async fn hold(mut standing: Standing, ours: bool, stop: &mut watch::Receiver<bool>) -> bool {
    loop {
        let heard = tokio::select! {
            heard = standing.channel.hear_text() => heard,
            () = super::told(stop) => break,
        };
        match heard {
            Ok(text) if ours && serde_json::from_str(&text).is_ok_and(|said: ToLane| said == ToLane::Over) => {
                standing.done(false).await;
                return true;
            }
            // A service may speak; it is its own affair, and breaks the silence.
            Ok(_) => {}
            Err(end) => {
                standing.ended(end);
                return true;
            }
        }
    }
    if ours {
        last_word(&mut standing).await;
    }
    standing.done(ours).await;
    false
}

/// Nothing is claimed where no echo comes: the hold is over, and a slow path needs longer than we have.
async fn last_word(standing: &mut Standing) {
    let asked = standing.recorder.now();
    let quiet_ms = millis(standing.channel.quiet(asked));
    let asking = async {
        standing.channel.say(&FromLane::Ask { number: 1 }).await?;
        standing.channel.hear::<ToLane>().await
    };
    if let Ok(Ok(ToLane::Echo { .. })) = tokio::time::timeout(LAST_WORD, asking).await {
        let rtt_ms = millis(standing.recorder.now().since(asked));
        standing.recorder.note(Lane::Proved { lane: standing.lane, by: Side::Us, quiet_ms, rtt_ms });
    }
}
