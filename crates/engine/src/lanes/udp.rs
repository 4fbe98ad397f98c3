//! The UDP ladder: mappings left quiet, then probed by the far end.
//!
//! A device on the way that keeps addresses for us forgets them after a silence, and sooner after one packet than after a
//! talk; so each length is tried both ways. Only the far end's word shows what was forgotten: one of ours would make the
//! device remember.

use super::far;
use super::ground::Ground;
use super::ladder::{Ladder, Outcome, Want};
use super::rung::OPENED_LATE;
use super::sockets::Place;
use super::street::Waits;
use super::{plan, told};
use futures_util::{StreamExt, stream::FuturesUnordered};
use record::wire::{
    LaneGate,
    datagram::{Key, LONGEST_SILENCE},
};
use record::{
    Profile,
    fact::{ConnectStage, Lane, Manner, Opened, Trouble, UdpRung},
    millis,
};
pub use rfc5780::urls as stun_servers;
use rung::Came;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use talk::Gate;
pub use talk::nonce;
use tokio::sync::{Mutex, watch};

mod rfc5780;
mod rung;
mod talk;

/// What one packet opens is forgotten within two minutes even by devices that keep talks for five; longer rungs of this
/// kind would take sockets and teach nothing.
pub const LONGEST_OF_ONE_PACKET: Duration = Duration::from_secs(125);

/// How long to wait before UDP is tried again that did not answer at all: doubled each time up to the second.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
const AGAIN_AT_MOST: Duration = Duration::from_secs(600);

/// A call that stood for so long let some rungs be tried. Where one takes the other's place sooner and sooner again, each
/// next ladder waits longer than the one before: a dozen sockets for each call would teach nothing.
const STOOD_LONG: Duration = Duration::from_secs(60);

/// Until `stop` says so; then in order. What it must hear of the call it listens for from this moment.
pub fn run(ground: Ground, mut stop: watch::Receiver<bool>) -> impl Future<Output = ()> + Send {
    let far = far::follow(&ground);
    async move {
        tokio::select! {
            biased;
            () = told(&mut stop) => {}
            _ = async { tokio::join!(climb_with_each_call(ground.clone(), far), rfc5780::run(ground.clone())) } => {}
        }
    }
}

/// Which silences are tried, shortest first.
fn rungs(profile: &Profile) -> Vec<Duration> {
    let (mut all, _) = plan::fitting(&profile.lanes.udp_ladder, profile.for_.get());
    all.retain(|quiet| *quiet <= LONGEST_SILENCE);
    all.sort_unstable();
    all.dedup();
    all
}

async fn climb_with_each_call(mut ground: Ground, mut far: watch::Receiver<Option<IpAddr>>) {
    let mut waits = Waits::default();
    let mut wait = Duration::ZERO;
    loop {
        let lane_gate = ground.gate.borrow_and_update().clone();
        let address = *far.borrow_and_update();
        let gate = lane_gate.as_ref().zip(address).and_then(|(gate, ip)| through(gate, ip));
        let began = ground.recorder.now();
        let climbing = async {
            if let Some(gate) = &gate {
                tokio::time::sleep(wait).await;
                climb(gate, &ground).await;
            }
            std::future::pending::<()>().await
        };
        let (mut told, mut moved) = (ground.gate.clone(), far.clone());
        let changed = async {
            // A socket that takes up the same call says the same gate again.
            tokio::select! {
                () = turn_to(&mut told, |now| *now != lane_gate) => {}
                () = turn_to(&mut moved, |now| now.is_some() && *now != address) => {}
            }
        };
        tokio::select! {
            () = climbing => {}
            () = changed => {}
        }
        if gate.is_some() {
            if ground.recorder.now().since(began) >= STOOD_LONG {
                waits = Waits::default();
            }
            wait = waits.another();
        }
    }
}

/// Never, once nobody can tell any more.
async fn turn_to<T>(told: &mut watch::Receiver<T>, is: impl FnMut(&T) -> bool) {
    if told.wait_for(is).await.is_err() {
        std::future::pending().await
    }
}

fn through(gate: &LaneGate, ip: IpAddr) -> Option<Gate> {
    let far = SocketAddr::new(ip, gate.udp?);
    Some(Gate { far, key: Arc::new(Key::of(gate.ticket.0.reveal())) })
}

async fn climb(gate: &Gate, ground: &Ground) {
    let rungs = rungs(&ground.profile);
    let Some(first) = rungs.first() else { return };
    let pass = Pass::of(until_answered(gate, ground, *first).await);
    let short = rungs.iter().copied().filter(|quiet| *quiet <= LONGEST_OF_ONE_PACKET).collect();
    let prober = Prober::Reflector { gate, pass: &pass };
    tokio::join!(
        of_kind(Opened::Stream, rungs.clone(), ground, &prober),
        of_kind(Opened::OnePacket, short, ground, &prober),
    );
}

/// Who speaks to us after the silence.
enum Prober<'a> {
    Reflector { gate: &'a Gate, pass: &'a Pass },
    Stun(&'a rfc5780::Server),
}

impl Prober<'_> {
    /// So many sockets a rung has at once.
    fn sockets(&self) -> u32 {
        match self {
            Self::Reflector { .. } => 1,
            Self::Stun(_) => rfc5780::SOCKETS,
        }
    }

    async fn hold(&self, rung: UdpRung, place: Place, ground: &Ground) -> Came {
        match self {
            Self::Stun(server) => {
                let came = server.hold(rung, ground).await;
                drop(place);
                came
            }
            Self::Reflector { gate, pass } => {
                let came = rung::hold(rung, pass.shown.load(Relaxed), gate, ground).await;
                // What renews it needs a place of its own, and may ask for as long as UDP is shut.
                drop(place);
                if came == Came::Void {
                    renew(pass, gate, ground).await;
                }
                came
            }
        }
    }

    /// Without a place, or those who wait would keep the one from asking whom they wait for.
    async fn is_ready(&self) {
        if let Self::Reflector { pass, .. } = self {
            drop(pass.renewing.lock().await);
        }
    }
}

/// What shows the far end that we receive at this address.
struct Pass {
    shown: AtomicU64,
    renewing: Mutex<()>,
}

impl Pass {
    fn of(pass: u64) -> Self {
        Self { shown: AtomicU64::new(pass), renewing: Mutex::default() }
    }
}

/// The pass, once a first packet is answered. Where none is, that is told of the first rung, which then could not be held.
async fn until_answered(gate: &Gate, ground: &Ground, first: Duration) -> u64 {
    let mut again = AGAIN_AFTER;
    loop {
        let place = ground.sockets.udp(1).await;
        let began = ground.recorder.now();
        let trouble = match rung::echo(gate, ground).await {
            Ok(pass) => return pass,
            Err(trouble) => trouble,
        };
        drop(place);
        not_answered(gate, ground, first, trouble, ground.recorder.now().since(began));
        tokio::time::sleep(again).await;
        again = (2 * again).min(AGAIN_AT_MOST);
    }
}

fn not_answered(gate: &Gate, ground: &Ground, first: Duration, trouble: Trouble, took: Duration) {
    let lane = ground.number();
    let rung = UdpRung { quiet_ms: millis(first), opened_by: Opened::Stream, pass: 1 };
    ground.recorder.note(Lane::Opening { lane, manner: Manner::QuietUdp(rung), to: rung::place(gate.far) });
    ground.recorder.note(Lane::Failed { lane, stage: ConnectStage::Udp, trouble, took_ms: millis(took) });
}

/// Until nothing more is to be learned of mappings opened like this.
async fn of_kind(opened_by: Opened, coarse: Vec<Duration>, ground: &Ground, prober: &Prober<'_>) {
    let began = ground.recorder.now();
    let whole = ground.profile.for_.get().saturating_sub(plan::MARGIN);
    let mut ladder = Ladder::one_sided(coarse);
    let left = || whole.saturating_sub(ground.recorder.now().since(began));
    let hold = async |want: Want| {
        prober.is_ready().await;
        let place = ground.sockets.udp(prober.sockets()).await;
        if want.quiet > left() + OPENED_LATE {
            // The hold would end before its silence and the proof of it.
            return (want, Came::Void);
        }
        let rung = UdpRung { quiet_ms: millis(want.quiet), opened_by, pass: want.pass };
        (want, prober.hold(rung, place, ground).await)
    };
    let mut running = FuturesUnordered::new();
    loop {
        running.extend(ladder.next(left()).into_iter().map(&hold));
        let Some((want, came)) = running.next().await else { return };
        ladder.came(want, outcome(came));
    }
}

fn outcome(came: Came) -> Outcome {
    match came {
        Came::Survived(quiet) => Outcome::Survived(quiet),
        Came::FoundDead(quiet) => Outcome::FoundDead(quiet),
        Came::Void => Outcome::Void,
    }
}

/// Our address may be another one since, and what could not be held while the network is out need not be tried now.
async fn renew(pass: &Pass, gate: &Gate, ground: &Ground) {
    let _renewing = pass.renewing.lock().await;
    let mut again = Duration::from_secs(1);
    loop {
        let place = ground.sockets.udp(1).await;
        let echo = rung::echo(gate, ground).await;
        drop(place);
        if let Ok(new) = echo {
            return pass.shown.store(new, Relaxed);
        }
        tokio::time::sleep(again).await;
        again = (2 * again).min(AGAIN_AFTER);
    }
}
