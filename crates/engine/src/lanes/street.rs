//! `Street`: how lanes are opened. Each way leads to one endpoint; while it is not known to be open, one lane at a time
//! tries it, and the others wait: a far end that refuses lanes is not asked by thirty of them.

use super::calm::Calm;
use super::channel::Channel;
use super::ground::Ground;
use super::sockets::Place;
use super::standing::Standing;
use super::way::{Carried, Way};
use crate::line::connect::{self, Layer, Telling};
use record::{
    Fact, Stamp,
    fact::{ConnectStage, End, Lane, Manner, Trouble},
    millis,
    wire::lane::{FromLane, PREAMBLE, Plan, ToLane},
};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;

#[derive(Clone)]
pub struct Street {
    pub ground: Ground,
    pub calm: Calm,
    shared: Arc<Shared>,
}

struct Shared {
    /// Thirty sockets in the same instant are a burst that devices notice; one after the other they are not.
    turnstile: tokio::sync::Mutex<()>,
    /// When the far end first let lanes in; the hold does not end earlier than its length after it.
    began: OnceLock<Stamp>,
    public: Mutex<Option<IpAddr>>,
}

const STEP: Duration = Duration::from_millis(50);
/// One round trip and the reflector's thinking, as for its welcome to a call.
const WELCOME_WITHIN: Duration = Duration::from_secs(10);
/// Waits double from one second to this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Of one way, together. An outage of an hour and a half costs so many.
const MOST_FAILURES: u32 = 200;

/// 1 s, 2 s, … 30 s.
#[derive(Default)]
pub struct Waits(u32);

impl Waits {
    pub fn another(&mut self) -> Duration {
        let wait = Duration::from_secs(1 << self.0.min(5));
        self.0 += 1;
        wait.min(LONGEST_WAIT)
    }
}

/// What is known of a way, and whose turn it is to find out.
#[derive(Default)]
pub struct Traffic {
    known: Mutex<Known>,
    turn_ended: Notify,
}

enum Go {
    /// The way is open.
    Along,
    /// It is not known, and this lane's turn to try it.
    Try(Turn),
    /// Another's.
    Wait,
    Nowhere,
}

/// Over when it is dropped.
struct Turn(Arc<Traffic>);

#[derive(Default)]
struct Known {
    open: bool,
    /// It was open once: whatever fails later is an outage and no refusal.
    was_open: bool,
    refusals: u32,
    failures: u32,
    shut: bool,
    /// Somebody tries it.
    trying: bool,
}

struct Failed {
    stage: ConnectStage,
    trouble: Trouble,
    took: Duration,
    /// The reflector itself said so, which it says of one call or one moment.
    passing: bool,
}

impl Street {
    pub fn new(ground: Ground, calm: Calm) -> Self {
        let shared =
            Shared { turnstile: tokio::sync::Mutex::default(), began: OnceLock::new(), public: Mutex::default() };
        Self { ground, calm, shared: Arc::new(shared) }
    }

    /// How long a silence may still be, so that it ends within the hold.
    pub fn left(&self) -> Duration {
        let hold = self.ground.profile.for_.get();
        let gone = self.shared.began.get().map_or(Duration::ZERO, |began| self.ground.recorder.now().since(*began));
        hold.saturating_sub(gone).saturating_sub(super::plan::MARGIN)
    }

    /// Tries until the lane stands; nothing if the way is shut. To be dropped when the hold ends.
    pub async fn open(&self, way: &Way, manner: Manner, plan: Plan) -> Option<Standing> {
        let mut waits = Waits::default();
        loop {
            if way.is_gated() {
                self.gate_opens().await?;
            }
            let place = self.place(manner).await;
            let turn_ended = way.traffic.turn_ended.notified();
            let turn = match way.traffic.go() {
                Go::Nowhere => return None,
                Go::Along => {
                    match self.attempt(way, manner, plan, place).await {
                        Ok(standing) => return Some(standing),
                        Err(_) => way.traffic.known().open = false,
                    }
                    continue;
                }
                Go::Wait => {
                    // Who waited for that with a place would keep it from those who could use it.
                    drop(place);
                    turn_ended.await;
                    continue;
                }
                Go::Try(turn) => turn,
            };
            match self.attempt(way, manner, plan, place).await {
                Ok(standing) => {
                    way.traffic.opened();
                    return Some(standing);
                }
                Err(failed) => {
                    if way.traffic.shuts_after(&failed, way.most_refusals) {
                        self.say_shut(way, &failed);
                        return None;
                    }
                    tokio::time::sleep(waits.another()).await;
                    drop(turn);
                    // The next turn is another's, if there is one: he has not waited as long between his tries.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    async fn place(&self, manner: Manner) -> Place {
        match manner {
            Manner::Quiet(_) => self.ground.sockets.quiet().await,
            _ => self.ground.sockets.talking().await,
        }
    }

    async fn gate_opens(&self) -> Option<()> {
        let mut gate = self.ground.gate.clone();
        // The sender gone is the hold's end.
        gate.wait_for(Option::is_some).await.ok()?;
        self.shared.began.get_or_init(|| self.ground.recorder.now());
        Some(())
    }

    async fn attempt(&self, way: &Way, manner: Manner, plan: Plan, place: Place) -> Result<Standing, Failed> {
        {
            let _turn = self.shared.turnstile.lock().await;
            tokio::time::sleep(STEP).await;
        }
        let recorder = &self.ground.recorder;
        let lane = self.ground.number();
        recorder.note(Lane::Opening { lane, manner, to: way.shown.clone() });
        let began = recorder.now();
        let connected = match self.connect(way, &place).await {
            Ok((channel, ends)) => self.greet(channel, way, lane, plan, began).await.map(|channel| (channel, ends)),
            Err(failed) => Err(failed),
        };
        match connected {
            Ok((channel, (local, remote))) => {
                let stood = recorder.now();
                recorder.note(Lane::Stands {
                    lane,
                    local: local.into(),
                    remote: remote.into(),
                    took_ms: millis(stood.since(began)),
                });
                Ok(Standing { lane, channel, stood, recorder: recorder.clone(), _place: place })
            }
            Err(failed) => {
                recorder.note(Lane::Failed {
                    lane,
                    stage: failed.stage,
                    trouble: failed.trouble.clone(),
                    took_ms: millis(failed.took),
                });
                Err(failed)
            }
        }
    }

    async fn connect(&self, way: &Way, place: &Place) -> Result<(Channel, (SocketAddr, SocketAddr)), Failed> {
        let clock = self.ground.recorder.clock();
        let ends = Mutex::new(None);
        let tell = |layer, _| {
            if let Layer::Tcp { local, remote } = layer {
                *ends.lock().expect("no holder panics") = Some((local, remote));
            }
        };
        let telling = Telling { clock, tell: &tell, place: Some(place) };
        let failed = |connect::Failure { stage, trouble, took }| Failed { stage, trouble, took, passing: false };
        let channel = match way.carried {
            Carried::WebSocket => {
                let upgraded = Box::pin(connect::connect(&way.target, &way.proxy, &telling)).await.map_err(failed)?;
                Channel::websocket(upgraded.socket, clock.clone())
            }
            Carried::Lines => {
                let carrier = Box::pin(connect::bare(&way.target, &way.proxy, &telling)).await.map_err(failed)?;
                Channel::lines(carrier, vec![], clock.clone())
            }
        };
        let ends = ends.into_inner().expect("no holder panics").expect("TCP is told of before anything stands on it");
        Ok((channel, ends))
    }

    /// With our own far end the lane begins with its plan; any other is left in peace.
    async fn greet(
        &self,
        mut channel: Channel,
        way: &Way,
        lane: u32,
        plan: Plan,
        began: Stamp,
    ) -> Result<Channel, Failed> {
        channel.scrub = way.target.scrub.clone();
        if !way.is_gated() {
            return Ok(channel);
        }
        let Some(gate) = self.ground.gate.borrow().clone() else {
            let trouble = Trouble::NotUnderstood { says: "the call ended meanwhile".into() };
            return Err(Failed { passing: true, ..self.at_login(trouble, began) });
        };
        channel.scrub = channel.scrub.and([gate.ticket.0.reveal().clone()]);
        let greeting = async {
            if way.carried == Carried::Lines {
                channel.preface(PREAMBLE).await?;
            }
            channel.say(&FromLane::Begin { ticket: gate.ticket, lane, plan }).await?;
            channel.hear_text().await
        };
        let answer = match tokio::time::timeout(WELCOME_WITHIN, greeting).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(end)) => return Err(self.at_login(trouble(end), began)),
            Err(_) => return Err(self.at_login(Trouble::NoAnswer { waited_ms: millis(WELCOME_WITHIN) }, began)),
        };
        let (passing, says) = match serde_json::from_str(&answer) {
            Ok(ToLane::Welcome { from }) => {
                self.seen_from(lane, from);
                return Ok(channel);
            }
            Ok(ToLane::Refused { says, .. }) => (true, format!("the reflector refused the lane: {}", says.as_str())),
            _ => (false, format!("somebody else answers: {}", answer.trim_end())),
        };
        let trouble = Trouble::NotUnderstood { says: channel.scrub.hear(&says).into() };
        Err(Failed { passing, ..self.at_login(trouble, began) })
    }

    fn at_login(&self, trouble: Trouble, began: Stamp) -> Failed {
        let took = self.ground.recorder.now().since(began);
        Failed { stage: ConnectStage::Login, trouble, took, passing: false }
    }

    /// Each connection has a port of its own; what is worth saying is the address.
    fn seen_from(&self, lane: u32, public: SocketAddr) {
        let before = self.shared.public.lock().expect("no holder panics").replace(public.ip());
        if before != Some(public.ip()) {
            self.ground.recorder.note(Lane::SeenFrom { lane, public: public.into() });
        }
    }

    fn say_shut(&self, way: &Way, failed: &Failed) {
        let what = match &failed.trouble {
            Trouble::Http { status, .. } => format!("it answered {status}"),
            Trouble::NotUnderstood { .. } => "it does not know lanes".to_owned(),
            _ => "it could not be reached again and again".to_owned(),
        };
        // A lane on TCP that somebody else answers is no blindness: its failure says all.
        if way.carried == Carried::WebSocket {
            let why = format!("no lanes were held with one server: {what}");
            self.ground.recorder.note(Fact::Blind { watcher: record::Sense::Lanes, why: why.as_str().into() });
        }
    }
}

impl Traffic {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder panics")
    }

    fn go(self: &Arc<Self>) -> Go {
        let mut known = self.known();
        match *known {
            Known { shut: true, .. } => Go::Nowhere,
            Known { open: true, .. } => Go::Along,
            Known { trying: true, .. } => Go::Wait,
            _ => {
                known.trying = true;
                Go::Try(Turn(Arc::clone(self)))
            }
        }
    }

    fn opened(&self) {
        let mut known = self.known();
        *known = Known { open: true, was_open: true, trying: known.trying, ..Known::default() };
    }

    fn shuts_after(&self, failed: &Failed, most_refusals: u32) -> bool {
        let mut known = self.known();
        known.failures += 1;
        known.refusals = if !known.was_open && failed.is_refusal() { known.refusals + 1 } else { 0 };
        known.shut = known.refusals >= most_refusals || known.failures >= MOST_FAILURES;
        known.shut
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.known().trying = false;
        self.0.turn_ended.notify_waiters();
    }
}

impl Failed {
    /// Somebody answered and does not want lanes. A gateway whose service is away answers 5xx, and that may pass.
    fn is_refusal(&self) -> bool {
        match &self.trouble {
            Trouble::Http { status, .. } => (300..500).contains(status) && *status != 429,
            Trouble::NotUnderstood { .. } => !self.passing,
            // Whoever hangs up on our first words does not know them.
            Trouble::Closed | Trouble::Reset => self.stage == ConnectStage::Login,
            _ => false,
        }
    }
}

fn trouble(end: End) -> Trouble {
    match end {
        End::CloseFrame { .. } | End::CloseNotify | End::Fin | End::LetGo => Trouble::Closed,
        End::Reset => Trouble::Reset,
        End::Silence { waited_ms } => Trouble::NoAnswer { waited_ms },
        End::Local { errno, says } => Trouble::Local { errno, says },
        End::Broken { says } => Trouble::NotUnderstood { says },
    }
}
