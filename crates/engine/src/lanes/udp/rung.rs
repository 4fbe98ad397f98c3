//! One rung: a mapping of its own, left quiet, and then the far end speaks to where it saw us.

use super::talk::{Answer, Gate, PATIENT, Talk, nonce};
use crate::Recorder;
use crate::lanes::ground::Ground;
use crate::line::trouble;
use record::wire::datagram::{FromClient, FromFar};
use record::{
    Heard, Stamp,
    fact::{ConnectStage, End, Lane, Manner, Opened, Side, Trouble, UdpRung},
    millis,
};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// What it teaches of the silence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Came {
    Survived(Duration),
    FoundDead(Duration),
    /// Nothing: this computer slept or stood still, or nothing at all is answered.
    Void,
}

/// The far end's clock, the round trip and the repeats of its late word, which it says over 0.9 s.
pub const LATE_WITHIN: Duration = Duration::from_secs(2);

/// How often we look whether we slept or stood still.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A busy machine delays a look by tens of milliseconds. What comes while we stand still is dated late.
const STOOD_STILL: Duration = Duration::from_millis(700);
/// Less cannot be told from the difference in reading two clocks.
const SLEPT: Duration = Duration::from_millis(300);

/// Packets both ways for longer than two seconds: until then Linux keeps a flow no longer than one that a single packet
/// opened, and no call is so short.
const STREAM: u32 = 6;
const STREAM_EVERY: Duration = Duration::from_millis(400);

/// A rung opened by one packet shows this pass; one that talks first gets its own.
pub async fn hold(rung: UdpRung, pass: u64, gate: &Gate, ground: &Ground) -> Came {
    let lane = ground.number();
    ground.recorder.note(Lane::Opening { lane, manner: Manner::QuietUdp(rung), to: place(gate.far) });
    let began = ground.recorder.now();
    match Held::open(rung, pass, lane, gate, ground).await {
        Ok(held) => held.run(gate).await,
        Err(trouble) => {
            let took_ms = millis(ground.recorder.now().since(began));
            ground.recorder.note(Lane::Failed { lane, stage: ConnectStage::Udp, trouble, took_ms });
            Came::Void
        }
    }
}

/// The pass for our address, by a socket of its own.
pub async fn echo(gate: &Gate, ground: &Ground) -> Result<u64, Trouble> {
    let began = ground.recorder.now();
    let local = |error: io::Error| trouble::of(&error, None, ground.recorder.now().since(began));
    let mut talk = Talk::open(gate, 0, &ground.recorder).await.map_err(local)?;
    match talk.ask(nonce().map_err(local)?, FromClient::Echo, &PATIENT).await?.say {
        FromFar::Echo { pass, .. } => Ok(pass),
        _ => Err(Trouble::NotUnderstood { says: "an echo was answered by something else".into() }),
    }
}

pub fn place(far: SocketAddr) -> Heard {
    Heard::new(&format!("udp://{far}"))
}

struct Held<'a> {
    rung: UdpRung,
    lane: u32,
    /// Of the request that the late word was promised to.
    nonce: u64,
    talk: Talk,
    ground: &'a Ground,
    stood: Stamp,
    seen: Option<SocketAddr>,
    goodbye: Goodbye,
}

/// However a lane ends, the log says so; also where it is dropped in the middle, because the hold ends or a longer rung is
/// of no use any more.
struct Goodbye {
    lane: u32,
    recorder: Recorder,
    said: bool,
}

enum Quiet {
    /// The far end spoke.
    Late(Stamp),
    Nothing,
    /// We were not there to hear it.
    Away,
}

impl<'a> Held<'a> {
    async fn open(rung: UdpRung, pass: u64, lane: u32, gate: &Gate, ground: &'a Ground) -> Result<Self, Trouble> {
        let recorder = &ground.recorder;
        let began = recorder.now();
        let local = |error: io::Error| trouble::of(&error, None, recorder.now().since(began));
        let mut talk = Talk::open(gate, lane, recorder).await.map_err(local)?;
        let asked = nonce().map_err(local)?;
        let speak_after_ms = rung.quiet_ms as u32;
        let seen = match rung.opened_by {
            Opened::OnePacket => {
                let stand = FromClient::Stand { speak_after_ms, answer: false, pass };
                talk.say(asked, stand).await.map_err(local)?;
                None
            }
            Opened::Stream => {
                let mut own = pass;
                for _ in 0..STREAM {
                    let echo = talk.ask(nonce().map_err(local)?, FromClient::Echo, &PATIENT).await?;
                    if let FromFar::Echo { pass, .. } = echo.say {
                        own = pass;
                    }
                    tokio::time::sleep(STREAM_EVERY).await;
                }
                let stand = FromClient::Stand { speak_after_ms, answer: true, pass: own };
                match talk.ask(asked, stand, &PATIENT).await?.say {
                    FromFar::Standing { seen } => Some(seen),
                    _ => return Err(Trouble::NotUnderstood { says: "it would not wait on this flow".into() }),
                }
            }
        };
        let (stood, local, remote) = (recorder.now(), talk.local, gate.far);
        recorder.note(Lane::Stands {
            lane,
            local: local.into(),
            remote: remote.into(),
            took_ms: millis(stood.since(began)),
        });
        let goodbye = Goodbye { lane, recorder: recorder.clone(), said: false };
        let mut held = Self { rung, lane, nonce: asked, talk, ground, stood, seen: None, goodbye };
        if let Some(seen) = seen {
            held.seen_from(seen);
        }
        Ok(held)
    }

    async fn run(mut self, gate: &Gate) -> Came {
        let (last_in, last_out) = (self.talk.last_in, self.talk.last_out);
        let quiet_since = last_in.max(last_out);
        let quiet = Duration::from_millis(self.rung.quiet_ms as u64);
        match self.listen(quiet_since.plus(quiet + LATE_WITHIN)).await {
            Quiet::Away => Came::Void,
            Quiet::Late(at) => self.answer(at.since(quiet_since)).await,
            Quiet::Nothing => self.speak(quiet, last_in, last_out, gate).await,
        }
    }

    /// What arrives in that time.
    async fn listen(&mut self, until: Stamp) -> Quiet {
        let mut watch = Watch::new(&self.ground.recorder);
        loop {
            let left = until.since(watch.looked);
            if left.is_zero() {
                return Quiet::Nothing;
            }
            let heard = tokio::time::timeout(left.min(LOOK_EVERY), self.talk.hear()).await;
            match heard {
                _ if watch.was_away() => return Quiet::Away,
                Ok(Ok(datagram)) => match datagram.say {
                    FromFar::Late { .. } => return Quiet::Late(self.talk.last_in),
                    // A pass that does not hold for this address, of a network with several.
                    FromFar::Unknown => return Quiet::Away,
                    // An answer that was asked for twice.
                    _ => {}
                },
                // Our system was told that nobody is there; what is true after the silence shows then.
                Ok(Err(_)) => tokio::time::sleep(LOOK_EVERY.min(left)).await,
                Err(_) => {}
            }
        }
    }

    /// The far end's word crossed; ours tells it so, and shows that both directions live.
    async fn answer(&mut self, quiet: Duration) -> Came {
        let Ok(Answer { say, rtt }) = self.talk.ask(self.nonce, FromClient::Word, &PATIENT).await else {
            return Came::Void;
        };
        let FromFar::Word { seen, .. } = say else { return Came::Void };
        self.seen_from(seen);
        let (lane, quiet_ms, rtt_ms) = (self.lane, millis(quiet), millis(rtt));
        self.ground.recorder.note(Lane::Proved { lane, by: Side::Them, quiet_ms, rtt_ms });
        Came::Survived(quiet)
    }

    /// Theirs did not come. Ours goes out by the same socket: its answer says whether they spoke at all, and where we come
    /// from now. The silence that was not survived is the one after which they spoke, not the one until we found out.
    async fn speak(mut self, quiet: Duration, last_in: Stamp, last_out: Stamp, gate: &Gate) -> Came {
        let Ok(own) = nonce() else { return Came::Void };
        match self.talk.ask(own, FromClient::Word, &PATIENT).await {
            Ok(Answer { say: FromFar::Word { seen, spoke: true, .. }, .. }) => self.seen_from(seen),
            // It never learned of this flow, or had not spoken yet.
            Ok(_) => return Came::Void,
            Err(_) => {
                // Its place is for one socket.
                drop(self.talk);
                // Where not even a new one is answered the whole network is out, which tells nothing of this mapping.
                if echo(gate, self.ground).await.is_err() {
                    return Came::Void;
                }
            }
        }
        self.goodbye.said = true;
        let age_ms = millis(self.ground.recorder.now().since(self.stood));
        self.ground.recorder.note(Lane::Ended {
            lane: self.lane,
            end: End::Silence { waited_ms: millis(LATE_WITHIN) },
            last_in,
            last_out,
            quiet_ms: millis(quiet),
            age_ms,
            at_proof: true,
        });
        Came::FoundDead(quiet)
    }

    fn seen_from(&mut self, public: SocketAddr) {
        if self.seen.replace(public) != Some(public) {
            self.ground.recorder.note(Lane::SeenFrom { lane: self.lane, public: public.into() });
        }
    }
}

/// Whether we were there all the time.
pub struct Watch {
    recorder: Recorder,
    pub looked: Stamp,
}

impl Watch {
    pub fn new(recorder: &Recorder) -> Self {
        Self { recorder: recorder.clone(), looked: recorder.now() }
    }

    /// Since the last look, which is to be no longer ago than `LOOK_EVERY`.
    pub fn was_away(&mut self) -> bool {
        let before = std::mem::replace(&mut self.looked, self.recorder.now());
        self.looked.awake_since(before) >= STOOD_STILL || self.looked.slept_since(before) >= SLEPT
    }
}

impl Drop for Goodbye {
    fn drop(&mut self) {
        if !self.said {
            self.recorder.note(Lane::Done { lane: self.lane });
        }
    }
}
