//! The quiet ladder: runs what `Ladder` wants, and beside it three rungs that are stirred, to tell what counts as activity.

use super::ladder::{Ladder, Outcome, Want};
use super::sockets::STIRRED;
use super::street::Street;
use super::way::Way;
use super::{plan, rung};
use record::{
    fact::{RungCarrier, Side, Stirred},
    millis,
};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

const STIR_AT_LEAST_EVERY: Duration = Duration::from_secs(1);

pub async fn run(street: Street, websocket: Way, lines: Way, mut stop: watch::Receiver<bool>) {
    let profile = &street.ground.profile;
    let (rungs, _) = plan::fitting(&profile.lanes.quiet_ladder, profile.for_.get());
    let Some((shortest, longest)) = rungs.iter().min().copied().zip(rungs.iter().max().copied()) else { return };
    let mut ladder = Ladder::new(rungs);
    let mut running: JoinSet<(Option<Want>, Outcome)> = JoinSet::new();
    for stirred in stirs(shortest) {
        let want = Want { quiet: longest, by: Side::Us, carrier: RungCarrier::Websocket, pass: 1 };
        let rung = rung::run(street.clone(), websocket.clone(), want, stirred, stop.clone());
        running.spawn(async move { (None, rung.await) });
    }
    loop {
        for want in ladder.next(street.left()) {
            let way = match want.carrier {
                RungCarrier::Websocket => websocket.clone(),
                RungCarrier::Tcp => lines.clone(),
            };
            let rung = rung::run(street.clone(), way, want, Stirred::Not, stop.clone());
            running.spawn(async move { (Some(want), rung.await) });
        }
        match running.join_next().await {
            Some(Ok((Some(want), outcome))) => ladder.came(want, outcome),
            Some(Ok((None, _))) => {}
            Some(Err(error)) => tracing::error!(%error, "a rung failed by our own fault"),
            None => return,
        }
        if *stop.borrow_and_update() {
            // Each rung closes in order by itself.
            while running.join_next().await.is_some() {}
            return;
        }
    }
}

/// Every so often that none of the rungs' silences comes about.
fn stirs(shortest: Duration) -> [Stirred; STIRRED] {
    let every_ms = millis((shortest / 2).max(STIR_AT_LEAST_EVERY));
    [Stirred::ByUs { every_ms }, Stirred::ByThem { every_ms }, Stirred::ByKeepalive { every_ms }]
}
