//! The UDP ladder: mappings left quiet, then the far end speaks to where it saw us.

use super::Street;
use crate::sim::net::{Got, UdpSocket};
use crate::sim::packet::Datagram;
use engine::deciders::ladder::{Ladder, Outcome, Want};
use engine::deciders::{MARGIN, fitting, stood_still};
use futures_util::stream::{FuturesUnordered, StreamExt};
use record::fact::{ConnectStage, End, Lane, Manner, Opened, Side, Trouble, UdpRung};
use record::wire::datagram::{Datagram as Worded, FromClient, FromFar};
use record::{Stamp, millis};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::Duration;

// As the engine's UDP ladder.
const LONGEST_OF_ONE_PACKET: Duration = Duration::from_secs(125);
const LATE_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(250);
const STREAM: u32 = 4;
const STREAM_EVERY: Duration = Duration::from_millis(50);
const AGAIN_AFTER: Duration = Duration::from_secs(30);
const PATIENT: [u64; 4] = [300, 500, 700, 1000];

pub async fn run(street: Street) {
    let client = &street.client;
    let (mut all, _) = fitting(&client.profile.lanes.udp_ladder, client.profile.for_.get());
    all.sort_unstable();
    all.dedup();
    let Some(first) = all.first().copied() else { return };
    client.gate.is(Option::is_some).await;
    let gate = client.gate.word().clone();
    let Some(far) = gate.and_then(|gate| Some(SocketAddr::new(client.far.ip(), gate.udp?))) else { return };
    let mut again = AGAIN_AFTER;
    while let Err(trouble) = echo(&street, far).await {
        let lane = street.number();
        let rung = UdpRung { quiet_ms: millis(first), opened_by: Opened::Stream, pass: 1 };
        client.note(Lane::Opening { lane, manner: Manner::QuietUdp(rung), to: place(far).as_str().into() });
        client.note(Lane::Failed { lane, stage: ConnectStage::Udp, trouble, took_ms: 2_500.0 });
        client.sleep(again).await;
        again *= 2;
    }
    let short = all.iter().copied().filter(|quiet| *quiet <= LONGEST_OF_ONE_PACKET).collect();
    let climbing = async {
        tokio::join!(
            of_kind(&street, far, Opened::Stream, all.clone()),
            of_kind(&street, far, Opened::OnePacket, short)
        );
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = client.told() => {}
        () = climbing => {}
    }
}

fn place(far: SocketAddr) -> String {
    format!("udp://{far}")
}

async fn of_kind(street: &Street, far: SocketAddr, opened_by: Opened, coarse: Vec<Duration>) {
    let began = street.client.now();
    let whole = street.client.profile.for_.get().saturating_sub(MARGIN);
    let mut ladder = Ladder::one_sided(coarse);
    let mut running = FuturesUnordered::new();
    loop {
        let left = whole.saturating_sub(street.client.now().since(began));
        for want in ladder.next(left) {
            running.push(async move { (want, rung(street, far, opened_by, want).await) });
        }
        let Some((want, outcome)) = running.next().await else { return };
        ladder.came(want, outcome);
    }
}

/// A socket of its own, and what it heard last.
struct Talk<'a> {
    street: &'a Street,
    socket: UdpSocket,
    far: SocketAddr,
    lane: u32,
    last_in: Cell<Stamp>,
    last_out: Cell<Stamp>,
}

impl<'a> Talk<'a> {
    fn open(street: &'a Street, far: SocketAddr, lane: u32) -> Self {
        let now = street.client.now();
        let socket = UdpSocket::bind(&street.client.net, None, street.client.net.port());
        Self { street, socket, far, lane, last_in: Cell::new(now), last_out: Cell::new(now) }
    }

    fn say(&self, nonce: u64, say: FromClient) -> Result<(), i32> {
        self.socket.send(self.far, Datagram::Said(Worded { nonce, lane: self.lane, say }))?;
        self.last_out.set(self.street.client.now());
        Ok(())
    }

    /// Nothing: somebody says that nobody is there.
    async fn hear(&self) -> Option<(u64, FromFar)> {
        loop {
            match self.socket.hear().await {
                Got::Datagram(_, Datagram::Told(Worded { nonce, lane, say })) if lane == self.lane => {
                    self.last_in.set(self.street.client.now());
                    return Some((nonce, say));
                }
                Got::Undelivered { .. } => return None,
                Got::Datagram(..) => {}
            }
        }
    }

    async fn ask(&self, nonce: u64, say: FromClient) -> Result<(FromFar, Duration), Trouble> {
        let program = &self.street.client.program;
        let mut refused = None;
        for wait in PATIENT.map(Duration::from_millis) {
            refused = self.say(nonce, say).err().or(refused);
            let asked = program.now();
            let answer = async {
                loop {
                    match self.hear().await {
                        Some((_, FromFar::Late { .. })) => {}
                        Some((answered, say)) if answered == nonce => return say,
                        Some(_) => {}
                        None => program.sleep(Duration::from_millis(20)).await,
                    }
                }
            };
            if let Some(say) = program.within(wait, answer).await {
                return Ok((say, program.now().since(asked)));
            }
        }
        Err(match refused {
            Some(errno) => Trouble::Local { errno: Some(errno), says: super::words(errno).into() },
            None => Trouble::NoAnswer { waited_ms: 2_500.0 },
        })
    }
}

async fn echo(street: &Street, far: SocketAddr) -> Result<(), Trouble> {
    Talk::open(street, far, 0).ask(street.client.net.throw(), FromClient::Echo).await.map(|_| ())
}

/// However it ends, the log says so.
struct Held<'a> {
    talk: Talk<'a>,
    over: Cell<bool>,
    seen: RefCell<Option<SocketAddr>>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if !self.over.get() {
            self.talk.street.client.note(Lane::Done { lane: self.talk.lane });
        }
    }
}

impl Held<'_> {
    fn seen_from(&self, public: SocketAddr) {
        if self.seen.borrow_mut().replace(public) != Some(public) {
            self.talk.street.client.note(Lane::SeenFrom { lane: self.talk.lane, public: public.into() });
        }
    }
}

async fn rung(street: &Street, far: SocketAddr, opened_by: Opened, want: Want) -> Outcome {
    let client = &street.client;
    let lane = street.number();
    let quiet_ms = millis(want.quiet);
    let rung = UdpRung { quiet_ms, opened_by, pass: want.pass };
    client.note(Lane::Opening { lane, manner: Manner::QuietUdp(rung), to: place(far).as_str().into() });
    let began = client.now();
    let talk = Talk::open(street, far, lane);
    let nonce = client.net.throw();
    let seen = match open(&talk, opened_by, nonce, quiet_ms as u32).await {
        Ok(seen) => seen,
        Err(trouble) => {
            let took_ms = millis(client.now().since(began));
            client.note(Lane::Failed { lane, stage: ConnectStage::Udp, trouble, took_ms });
            client.sleep(Duration::from_secs(1)).await;
            return Outcome::Void;
        }
    };
    let (stood, local) = (client.now(), talk.socket.local().unwrap_or(far));
    client.note(Lane::Stands { lane, local: local.into(), remote: far.into(), took_ms: millis(stood.since(began)) });
    let held = Held { talk, over: Cell::new(false), seen: RefCell::default() };
    seen.into_iter().for_each(|seen| held.seen_from(seen));
    let (last_in, last_out) = (held.talk.last_in.get(), held.talk.last_out.get());
    let since = last_in.max(last_out);
    match listen(&held.talk, since.plus(want.quiet + LATE_WITHIN)).await {
        Quiet::Away => Outcome::Void,
        Quiet::Late(at) => {
            let Ok((FromFar::Word { seen, .. }, rtt)) = held.talk.ask(nonce, FromClient::Word).await else {
                return Outcome::Void;
            };
            held.seen_from(seen);
            let quiet = at.since(since);
            let (quiet_ms, rtt_ms) = (millis(quiet), millis(rtt));
            client.note(Lane::Proved { lane, by: Side::Them, quiet_ms, rtt_ms });
            Outcome::Survived(quiet)
        }
        Quiet::Nothing => {
            match held.talk.ask(client.net.throw(), FromClient::Word).await {
                Ok((FromFar::Word { seen, spoke: true, .. }, _)) => held.seen_from(seen),
                Ok(_) => return Outcome::Void,
                Err(_) if echo(street, far).await.is_err() => return Outcome::Void,
                Err(_) => {}
            }
            held.over.set(true);
            let age_ms = millis(client.now().since(stood));
            let end = End::Silence { waited_ms: millis(LATE_WITHIN) };
            client.note(Lane::Ended { lane, end, last_in, last_out, quiet_ms, age_ms, at_proof: true });
            Outcome::FoundDead(want.quiet)
        }
    }
}

async fn open(talk: &Talk<'_>, opened_by: Opened, nonce: u64, quiet: u32) -> Result<Option<SocketAddr>, Trouble> {
    let client = &talk.street.client;
    let stand = |answer| FromClient::Stand { speak_after_ms: quiet, answer, pass: 1 };
    match opened_by {
        Opened::OnePacket => {
            let local = |errno| Trouble::Local { errno: Some(errno), says: super::words(errno).into() };
            talk.say(nonce, stand(false)).map_err(local)?;
            Ok(None)
        }
        Opened::Stream => {
            for _ in 0..STREAM {
                talk.ask(client.net.throw(), FromClient::Echo).await?;
                client.sleep(STREAM_EVERY).await;
            }
            match talk.ask(nonce, stand(true)).await?.0 {
                FromFar::Standing { seen } => Ok(Some(seen)),
                _ => Err(Trouble::NotUnderstood { says: "it would not wait on this flow".into() }),
            }
        }
    }
}

enum Quiet {
    Late(Stamp),
    Nothing,
    Away,
}

async fn listen(talk: &Talk<'_>, until: Stamp) -> Quiet {
    let client = &talk.street.client;
    let mut looked = client.now();
    loop {
        let left = until.since(looked);
        if left.is_zero() {
            return Quiet::Nothing;
        }
        let heard = client.program.within(left.min(LOOK_EVERY), talk.hear()).await;
        let before = std::mem::replace(&mut looked, client.now());
        match heard {
            _ if stood_still(before, looked) => return Quiet::Away,
            Some(Some((_, FromFar::Late { .. }))) => return Quiet::Late(talk.last_in.get()),
            Some(Some((_, FromFar::Unknown))) => return Quiet::Away,
            Some(Some(_)) | None => {}
            Some(None) => client.sleep(LOOK_EVERY.min(left)).await,
        }
    }
}
