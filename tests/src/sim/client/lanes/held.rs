//! Lanes over TCP: bare, talking, and the rungs of the quiet ladder.

use super::{Standing, Street, say};
use engine::deciders::ladder::{Ladder, Outcome, Want};
use engine::deciders::{Talk, Waits, fitting};
use futures_util::stream::{FuturesUnordered, StreamExt};
use record::fact::{End, Lane, Manner, Rung, RungCarrier, Side, Stirred};
use record::wire::lane::{FromLane, Plan, ToLane};
use record::{Stamp, millis};
use std::time::Duration;

// As the engine's lanes.
const BEYOND_THE_HOLD: Duration = Duration::from_secs(3600);
const LAST_WORD: Duration = Duration::from_millis(250);
const LET_GO: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(10);
const ECHO_WITHIN: Duration = Duration::from_secs(3);
const TAKEN_ECHO_WITHIN: Duration = Duration::from_secs(6);
const OPENED_LATE: Duration = Duration::from_secs(4);

/// Until the hold ends: then nothing.
async fn open(street: &Street, manner: Manner, plan: Plan) -> Option<Standing> {
    tokio::select! {
        biased;
        standing = street.open(manner, plan) => Some(standing),
        () = street.client.told() => None,
    }
}

/// When a lane that ended is opened anew.
async fn again(street: &Street, stood: Stamp, waits: &mut Waits) {
    if street.client.now().since(stood) >= LONG {
        *waits = Waits::default();
    }
    street.client.sleep(waits.another()).await;
}

pub async fn bare(street: Street) {
    let quiet = street.client.profile.for_.get() + BEYOND_THE_HOLD;
    let plan = Plan { quiet_ms: millis(quiet), first: Some(Side::Us), stirred: Stirred::Not };
    let mut waits = Waits::default();
    while let Some(standing) = open(&street, Manner::BareWebsocket, plan).await {
        let stood = standing.stood;
        loop {
            let heard = tokio::select! {
                biased;
                heard = standing.hear() => heard,
                () = street.client.told() => return last_word(&street, standing).await,
            };
            match heard {
                Ok(Some(ToLane::Over)) => {
                    standing.done(false);
                    break;
                }
                Ok(_) => {}
                Err(end) => {
                    standing.ended(end);
                    break;
                }
            }
        }
        again(&street, stood, &mut waits).await;
    }
}

async fn last_word(street: &Street, standing: Standing) {
    let asked = standing.now();
    let quiet_ms = millis(standing.quiet(asked));
    say(&standing.stream, &FromLane::Ask { number: 1 });
    if let Some(Ok(Some(ToLane::Echo { .. }))) = street.client.program.within(LAST_WORD, standing.hear()).await {
        let rtt_ms = millis(standing.now().since(asked));
        standing.note(Lane::Proved { lane: standing.lane, by: Side::Us, quiet_ms, rtt_ms });
    }
    standing.done(true);
}

pub async fn talk(street: Street, manner: Manner, every: Duration) {
    let plan = Plan { quiet_ms: millis(LET_GO), first: None, stirred: Stirred::Not };
    let mut waits = Waits::default();
    while let Some(standing) = open(&street, manner, plan).await {
        let stood = standing.stood;
        if !talk_on(&street, Talk::new(stood, every), standing).await {
            return;
        }
        again(&street, stood, &mut waits).await;
    }
}

/// Whether it is to be opened again.
async fn talk_on(street: &Street, mut talk: Talk, standing: Standing) -> bool {
    loop {
        let now = standing.now();
        if now.awake >= talk.next_ask() {
            let number = talk.ask(now);
            say(&standing.stream, &FromLane::Ask { number });
        }
        if let Some(fact) = talk.look(standing.lane, now) {
            standing.note(fact);
        }
        if talk.unanswered_for(now).is_some_and(|waited| waited >= LET_GO) {
            standing.ended(End::Silence { waited_ms: millis(LET_GO) });
            return true;
        }
        let heard = tokio::select! {
            biased;
            heard = standing.hear() => heard,
            () = street.client.told() => {
                if let Some(fact) = talk.sample(standing.lane) {
                    standing.note(fact);
                }
                standing.done(true);
                return false;
            }
            () = street.client.program.sleep_until(talk.wake_at()) => continue,
        };
        match heard {
            Ok(Some(ToLane::Echo { number })) => {
                if let Some(fact) = talk.answered(standing.lane, number, standing.now()) {
                    standing.note(fact);
                }
            }
            Ok(Some(ToLane::Over)) => {
                standing.done(false);
                return true;
            }
            Ok(_) => {}
            Err(end) => {
                standing.ended(end);
                return true;
            }
        }
    }
}

pub async fn quiet_ladder(street: Street) {
    let profile = &street.client.profile;
    let (rungs, _) = fitting(&profile.lanes.quiet_ladder, profile.for_.get());
    let Some((shortest, longest)) = rungs.iter().min().copied().zip(rungs.iter().max().copied()) else { return };
    let mut ladder = Ladder::new(rungs);
    let mut running = FuturesUnordered::new();
    let every_ms = millis((shortest / 2).max(Duration::from_secs(1)));
    let stirs = [Stirred::ByUs { every_ms }, Stirred::ByThem { every_ms }, Stirred::ByKeepalive { every_ms }];
    let held = |counts: bool, want: Want, stirred: Stirred| {
        let street = &street;
        async move { (counts.then_some(want), rung(street, want, stirred).await) }
    };
    for stirred in stirs {
        let want = Want { quiet: longest, by: Side::Us, carrier: RungCarrier::Websocket, pass: 1 };
        running.push(held(false, want, stirred));
    }
    loop {
        for want in ladder.next(street.left()) {
            running.push(held(true, want, Stirred::Not));
        }
        match running.next().await {
            Some((Some(want), outcome)) => ladder.came(want, outcome),
            Some((None, _)) => {}
            None => return,
        }
        if *street.client.stop.word() {
            while running.next().await.is_some() {}
            return;
        }
    }
}

enum Silence {
    Whole(Duration),
    NoWord(Duration),
    Ended(End),
    Over { bye: bool },
}

async fn rung(street: &Street, want: Want, stirred: Stirred) -> Outcome {
    let quiet_ms = millis(want.quiet);
    let rung = Rung { carrier: want.carrier, quiet_ms, proved_by: want.by, stirred, pass: want.pass };
    let plan = Plan { quiet_ms, first: Some(want.by), stirred };
    let Some(standing) = open(street, Manner::Quiet(rung), plan).await else { return Outcome::Void };
    if want.quiet > street.left() + OPENED_LATE {
        standing.done(true);
        return Outcome::Void;
    }
    if let Stirred::ByKeepalive { every_ms } = stirred {
        standing.stream.keep_alive(Duration::from_secs_f64(every_ms / 1e3));
    }
    let stood = standing.stood;
    let silence = tokio::select! {
        biased;
        silence = silence(street, &standing, want, stirred) => silence,
        () = street.client.told() => Silence::Over { bye: true },
    };
    let calm = street.calm.since(stood, standing.now());
    match silence {
        Silence::Over { bye } => {
            standing.done(bye);
            Outcome::Void
        }
        Silence::Ended(end) => {
            let quiet = standing.ended(end);
            if calm { Outcome::EndedAt(quiet) } else { Outcome::Void }
        }
        Silence::Whole(_) if !calm => {
            standing.done(true);
            Outcome::Void
        }
        Silence::Whole(quiet) => {
            let proof = tokio::select! {
                biased;
                proof = prove(street, &standing, want.by, quiet) => Some(proof),
                () = street.client.told() => None,
            };
            match proof {
                Some(Some(end)) => {
                    standing.found_dead(end, quiet);
                    Outcome::FoundDead(quiet)
                }
                Some(None) => {
                    standing.done(true);
                    Outcome::Survived(quiet)
                }
                None => {
                    standing.done(true);
                    Outcome::Void
                }
            }
        }
        Silence::NoWord(quiet) => {
            standing.found_dead(End::Silence { waited_ms: millis(ECHO_WITHIN) }, quiet);
            if calm { Outcome::FoundDead(quiet) } else { Outcome::Void }
        }
    }
}

async fn silence(street: &Street, standing: &Standing, want: Want, stirred: Stirred) -> Silence {
    let stir_every = match stirred {
        Stirred::ByUs { every_ms } => Some(Duration::from_secs_f64(every_ms / 1e3)),
        _ => None,
    };
    let patience = if want.by == Side::Them { ECHO_WITHIN } else { Duration::ZERO };
    loop {
        let now = standing.now();
        let left = (want.quiet + patience).saturating_sub(now.since(standing.stood));
        if left.is_zero() {
            return match want.by {
                Side::Us => Silence::Whole(standing.quiet(now)),
                Side::Them => Silence::NoWord(want.quiet),
            };
        }
        let seen = standing.stream.seen();
        let stir = stir_every.map(|every| every.saturating_sub(now.since(seen.last_out)));
        let before = seen.last_in.max(seen.last_out);
        tokio::select! {
            biased;
            heard = standing.hear() => match heard {
                Ok(Some(ToLane::Word)) => return Silence::Whole(standing.now().since(before)),
                Ok(Some(ToLane::Over)) => return Silence::Over { bye: false },
                Ok(_) => {}
                Err(end) => return Silence::Ended(end),
            },
            () = street.client.sleep(stir.unwrap_or(left).min(left)) => {
                if stir.is_some_and(|stir| stir < left) {
                    say(&standing.stream, &FromLane::Stir);
                }
            }
        }
    }
}

/// How it was found dead, if it was.
async fn prove(street: &Street, standing: &Standing, by: Side, quiet: Duration) -> Option<End> {
    let asked = standing.now();
    say(&standing.stream, &FromLane::Ask { number: 1 });
    let mut patience = ECHO_WITHIN;
    loop {
        let waited = standing.now().awake_since(asked);
        let heard = street.client.program.within(patience.saturating_sub(waited), standing.hear()).await;
        let now = standing.now();
        match heard {
            Some(Ok(Some(ToLane::Echo { .. }))) => {
                let (quiet_ms, rtt_ms) = (millis(quiet), millis(now.since(asked)));
                standing.note(Lane::Proved { lane: standing.lane, by, quiet_ms, rtt_ms });
                return None;
            }
            Some(Ok(_)) => {}
            Some(Err(end)) => return Some(end),
            None if patience == ECHO_WITHIN && standing.stream.sample().unacked == 0 => patience = TAKEN_ECHO_WITHIN,
            None => return Some(End::Silence { waited_ms: millis(now.awake_since(asked)) }),
        }
    }
}
