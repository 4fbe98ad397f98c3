//! One rung: a connection kept quiet for its time, and then proved by a small message and its echo.

use super::ladder::{Outcome, Want};
use super::standing::Standing;
use super::street::Street;
use super::way::Way;
use record::{
    Stamp,
    fact::{End, Lane, Manner, Rung, Side, Stirred},
    millis,
    wire::lane::{FromLane, Plan, ToLane},
};
use std::time::Duration;
use tokio::sync::watch;

/// A retransmission or two on a slow path; a word that is not answered by then is not answered.
const ECHO_WITHIN: Duration = Duration::from_secs(3);
/// Where the kernel says that our word arrived, somebody took it: a busy far end is given more time.
const TAKEN_ECHO_WITHIN: Duration = Duration::from_secs(6);

/// Of what is kept free at the end of a hold, so much may go to waiting for one's turn to connect.
pub const OPENED_LATE: Duration = Duration::from_secs(4);

pub async fn run(street: Street, way: Way, want: Want, stirred: Stirred, mut stop: watch::Receiver<bool>) -> Outcome {
    let quiet_ms = millis(want.quiet);
    let rung = Rung { carrier: want.carrier, quiet_ms, proved_by: want.by, stirred, pass: want.pass };
    let plan = Plan { quiet_ms, first: Some(want.by), stirred };
    let standing = tokio::select! {
        standing = street.open(&way, Manner::Quiet(rung), plan) => standing,
        () = super::told(&mut stop) => None,
    };
    let Some(mut standing) = standing else { return Outcome::Void };
    if want.quiet > street.left() + OPENED_LATE {
        // The hold would end before its silence and the proof of it.
        standing.done(true).await;
        return Outcome::Void;
    }
    if let Stirred::ByKeepalive { every_ms } = stirred {
        keep_alive(&standing, Duration::from_secs_f64(every_ms / 1e3));
    }
    let stood = standing.stood;
    let silence = tokio::select! {
        silence = silence(&mut standing, want, stirred) => silence,
        () = super::told(&mut stop) => Silence::Over { bye: true },
    };
    let calm = |now: Stamp| street.calm.since(stood, now);
    match silence {
        Silence::Over { bye } => {
            standing.done(bye).await;
            Outcome::Void
        }
        Silence::Ended(end) => {
            let calm = calm(standing.recorder.now());
            let quiet = standing.ended(end);
            if calm { Outcome::EndedAt(quiet) } else { Outcome::Void }
        }
        // What slept proves nothing: neither that the silence is survived, nor that it is not.
        Silence::Whole(_) if !calm(standing.recorder.now()) => {
            standing.done(true).await;
            Outcome::Void
        }
        Silence::Whole(quiet) => {
            let proof = tokio::select! {
                proof = prove(&mut standing, want.by, quiet) => Some(proof),
                () = super::told(&mut stop) => None,
            };
            match proof {
                Some(Proof::Dead(end)) => {
                    standing.found_dead(end, quiet);
                    Outcome::FoundDead(quiet)
                }
                Some(Proof::Echo) => {
                    standing.done(true).await;
                    Outcome::Survived(quiet)
                }
                None => {
                    standing.done(true).await;
                    Outcome::Void
                }
            }
        }
        Silence::NoWord(quiet) => {
            let calm = calm(standing.recorder.now());
            let end = standing.channel.unanswered(ECHO_WITHIN);
            standing.found_dead(end, quiet);
            if calm { Outcome::FoundDead(quiet) } else { Outcome::Void }
        }
    }
}

enum Silence {
    /// So long it was, and the one who speaks first may speak or has spoken.
    Whole(Duration),
    /// The far end should have spoken after so much silence, and nothing came.
    NoWord(Duration),
    Ended(End),
    /// Nobody wants it any more.
    Over {
        bye: bool,
    },
}

async fn silence(standing: &mut Standing, want: Want, stirred: Stirred) -> Silence {
    let stir_every = match stirred {
        Stirred::ByUs { every_ms } => Some(Duration::from_secs_f64(every_ms / 1e3)),
        _ => None,
    };
    let patience = if want.by == Side::Them { ECHO_WITHIN } else { Duration::ZERO };
    loop {
        let now = standing.recorder.now();
        let left = (want.quiet + patience).saturating_sub(now.since(standing.stood));
        if left.is_zero() {
            return match want.by {
                Side::Us => Silence::Whole(standing.channel.quiet(now)),
                Side::Them => Silence::NoWord(want.quiet),
            };
        }
        let stir = stir_every.map(|every| every.saturating_sub(now.since(standing.channel.last_out)));
        let before = standing.channel.last_in.max(standing.channel.last_out);
        tokio::select! {
            heard = standing.channel.hear::<ToLane>() => match heard {
                Ok(ToLane::Word) => return Silence::Whole(standing.recorder.now().since(before)),
                Ok(ToLane::Over) => return Silence::Over { bye: false },
                Ok(_) => {}
                Err(end) => return Silence::Ended(end),
            },
            () = tokio::time::sleep(stir.unwrap_or(left).min(left)) => {
                if stir.is_some_and(|stir| stir < left)
                    && let Err(end) = standing.channel.say(&FromLane::Stir).await
                {
                    return Silence::Ended(end);
                }
            }
        }
    }
}

enum Proof {
    Echo,
    Dead(End),
}

async fn prove(standing: &mut Standing, by: Side, quiet: Duration) -> Proof {
    let asked = standing.recorder.now();
    if let Err(end) = standing.channel.say(&FromLane::Ask { number: 1 }).await {
        return Proof::Dead(end);
    }
    let mut patience = ECHO_WITHIN;
    loop {
        let waited = standing.recorder.now().awake_since(asked);
        let heard = tokio::time::timeout(patience.saturating_sub(waited), standing.channel.hear::<ToLane>()).await;
        let now = standing.recorder.now();
        match heard {
            Ok(Ok(ToLane::Echo { .. })) => {
                let rtt_ms = millis(now.since(asked));
                let quiet_ms = millis(quiet);
                standing.recorder.note(Lane::Proved { lane: standing.lane, by, quiet_ms, rtt_ms });
                return Proof::Echo;
            }
            Ok(Ok(_)) => {}
            Ok(Err(end)) => return Proof::Dead(end),
            Err(_) if patience == ECHO_WITHIN && standing.channel.sample().is_some_and(|tcp| tcp.unacked == 0) => {
                patience = TAKEN_ECHO_WITHIN;
            }
            Err(_) => return Proof::Dead(standing.channel.unanswered(now.awake_since(asked))),
        }
    }
}

fn keep_alive(standing: &Standing, every: Duration) {
    let keepalive = socket2::TcpKeepalive::new().with_time(every).with_interval(every);
    if let Err(error) = socket2::SockRef::from(standing.channel.tcp()).set_tcp_keepalive(&keepalive) {
        let why = format!("this system set no TCP keepalive on a lane: {error}");
        standing.recorder.note(record::Fact::Blind { watcher: record::Sense::Lanes, why: why.as_str().into() });
    }
}
