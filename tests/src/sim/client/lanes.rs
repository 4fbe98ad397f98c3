//! Lanes: opened as the engine opens them, one after the other, with the engine's own ladder, talk and calm.

use super::Client;
use super::line::{upgrade, words};
use crate::sim::far;
use crate::sim::tcp::{Heard, Message, Stream};
use crate::sim::time::Task;
use engine::deciders::{Calm, MARGIN, Waits};
use record::fact::{ConnectStage, End, Lane, Manner, Side, Trouble};
use record::wire::lane::{FromLane, PREAMBLE, Plan, ToLane};
use record::{Stamp, millis};
use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Mutex;

mod held;
mod udp;

// As the engine's lanes.
const STEP: Duration = Duration::from_millis(50);
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);
const CALM_TICK: Duration = Duration::from_millis(200);

pub fn begin(client: &Client) -> Vec<Task> {
    let street = Street::new(client);
    let lanes = &client.profile.lanes;
    let program = &client.program;
    let mut tasks = vec![program.spawn(udp::run(street.clone()))];
    if lanes.bare_websocket {
        tasks.push(program.spawn(held::bare(street.clone())));
    }
    if lanes.talking {
        let beating = Manner::BeatingWebsocket { every_ms: 5_000.0 };
        tasks.push(program.spawn(held::talk(street.clone(), beating, Duration::from_secs(5))));
        let lines = Manner::Tcp { every_ms: 10_000.0 };
        tasks.push(program.spawn(held::talk(street.clone(), lines, Duration::from_secs(10))));
    }
    if !lanes.quiet_ladder.is_empty() {
        tasks.push(program.spawn(held::quiet_ladder(street.clone())));
    }
    let calm = async move {
        loop {
            street.client.sleep(CALM_TICK).await;
            street.calm.ticked(street.client.now());
        }
    };
    tasks.push(program.spawn(calm));
    tasks
}

#[derive(Clone)]
pub struct Street {
    pub client: Client,
    pub calm: Calm,
    shared: Rc<Shared>,
}

struct Shared {
    turnstile: Mutex<()>,
    began: Cell<Option<Stamp>>,
    public: RefCell<Option<IpAddr>>,
    numbers: Cell<u32>,
}

pub struct Standing {
    pub lane: u32,
    pub stream: Stream,
    pub stood: Stamp,
    client: Client,
}

impl Street {
    fn new(client: &Client) -> Self {
        let shared = Shared {
            turnstile: Mutex::default(),
            began: Cell::default(),
            public: RefCell::default(),
            numbers: Cell::new(1),
        };
        Self { client: client.clone(), calm: Calm::new(client.now()), shared: Rc::new(shared) }
    }

    pub fn number(&self) -> u32 {
        self.shared.numbers.replace(self.shared.numbers.get() + 1)
    }

    /// How long a silence may still be, so that it ends within the hold.
    pub fn left(&self) -> Duration {
        let gone = self.shared.began.get().map_or(Duration::ZERO, |began| self.client.now().since(began));
        self.client.profile.for_.get().saturating_sub(gone).saturating_sub(MARGIN)
    }

    /// Tries until it stands.
    pub async fn open(&self, manner: Manner, plan: Plan) -> Standing {
        let mut waits = Waits::default();
        loop {
            self.client.gate.is(Option::is_some).await;
            if self.shared.began.get().is_none() {
                self.shared.began.set(Some(self.client.now()));
            }
            match self.attempt(manner, plan).await {
                Some(standing) => return standing,
                None => self.client.sleep(waits.another()).await,
            }
        }
    }

    async fn attempt(&self, manner: Manner, plan: Plan) -> Option<Standing> {
        {
            let _turn = self.shared.turnstile.lock().await;
            self.client.sleep(STEP).await;
        }
        let client = &self.client;
        let lane = self.number();
        let lines = is_lines(manner);
        let at = client.far;
        let to = if lines { format!("tcp://{at}") } else { format!("ws://{at}/lane") };
        client.note(Lane::Opening { lane, manner, to: to.as_str().into() });
        let began = client.now();
        match self.connect(lane, lines, plan).await {
            Ok(stream) => {
                let stood = client.now();
                let (local, remote) = (stream.local(), stream.remote());
                client.note(Lane::Stands {
                    lane,
                    local: local.into(),
                    remote: remote.into(),
                    took_ms: millis(stood.since(began)),
                });
                Some(Standing { lane, stream, stood, client: client.clone() })
            }
            Err((stage, trouble)) => {
                let took_ms = millis(client.now().since(began));
                client.note(Lane::Failed { lane, stage, trouble, took_ms });
                None
            }
        }
    }

    async fn connect(&self, lane: u32, lines: bool, plan: Plan) -> Result<Stream, (ConnectStage, Trouble)> {
        let client = &self.client;
        let stream = client.dial(CONNECTED_WITHIN).await.map_err(|trouble| (ConnectStage::Tcp, trouble))?;
        if lines {
            stream.send(Message::Text(PREAMBLE.to_owned()));
        } else {
            upgrade(client, &stream, "/lane", CONNECTED_WITHIN).await.map_err(|t| (ConnectStage::Upgrade, t))?;
        }
        let ticket = client.gate.word().as_ref().map(|gate| gate.ticket.clone());
        let login = |trouble| (ConnectStage::Login, trouble);
        let Some(ticket) = ticket else { return Err(login(Trouble::Closed)) };
        say(&stream, &FromLane::Begin { ticket, lane, plan });
        match client.program.within(CONNECTED_WITHIN, stream.hear()).await.map(|heard| told(&heard)) {
            Some(Ok(Some(ToLane::Welcome { from }))) => {
                if self.shared.public.borrow_mut().replace(from.ip()) != Some(from.ip()) {
                    client.note(Lane::SeenFrom { lane, public: from.into() });
                }
                Ok(stream)
            }
            Some(Ok(_)) => Err(login(Trouble::NotUnderstood { says: "the reflector refused the lane".into() })),
            Some(Err(End::Reset)) => Err(login(Trouble::Reset)),
            Some(Err(_)) => Err(login(Trouble::Closed)),
            None => Err(login(Trouble::NoAnswer { waited_ms: millis(CONNECTED_WITHIN) })),
        }
    }
}

fn is_lines(manner: Manner) -> bool {
    match manner {
        Manner::Tcp { .. } => true,
        Manner::Quiet(rung) => rung.carrier == record::fact::RungCarrier::Tcp,
        _ => false,
    }
}

pub fn say(stream: &Stream, word: &FromLane) {
    far::lane::say(stream, word);
}

/// A word of the far end, something that is none, or the end.
pub fn told(heard: &Heard) -> Result<Option<ToLane>, End> {
    match heard {
        Heard::Message(Message::Fin) => Err(End::Fin),
        Heard::Message(Message::Close { code, reason }) => {
            Err(End::CloseFrame { by: Side::Them, code: Some(*code), reason: reason.as_str().into() })
        }
        Heard::Message(_) => Ok(far::read(heard)),
        Heard::Reset => Err(End::Reset),
        Heard::Local(errno) => Err(End::Local { errno: Some(*errno), says: words(*errno).into() }),
    }
}

impl Standing {
    pub fn note(&self, fact: Lane) {
        self.client.note(fact);
    }

    pub fn now(&self) -> Stamp {
        self.client.now()
    }

    pub async fn hear(&self) -> Result<Option<ToLane>, End> {
        told(&self.stream.hear().await)
    }

    pub fn quiet(&self, now: Stamp) -> Duration {
        let seen = self.stream.seen();
        now.since(seen.last_in.max(seen.last_out))
    }

    /// What ends now ended now.
    pub fn ended(self, end: End) -> Duration {
        let quiet = self.quiet(self.now());
        self.note_end(end, quiet, false);
        quiet
    }

    /// Found dead by the proof that followed so much silence.
    pub fn found_dead(self, end: End, quiet: Duration) {
        self.note_end(end, quiet, true);
    }

    fn note_end(self, end: End, quiet: Duration, at_proof: bool) {
        let age_ms = millis(self.now().since(self.stood));
        let seen = self.stream.seen();
        let (lane, last_in, last_out, quiet_ms) = (self.lane, seen.last_in, seen.last_out, millis(quiet));
        self.note(Lane::Ended { lane, end, last_in, last_out, quiet_ms, age_ms, at_proof });
    }

    pub fn done(self, says_bye: bool) {
        self.note(Lane::Done { lane: self.lane });
        if says_bye {
            say(&self.stream, &FromLane::Bye);
        }
    }
}
