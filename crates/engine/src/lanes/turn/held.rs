//! An allocation that stands: kept, asked every few seconds, and its end told.

use super::client::{Allocation, Client};
use crate::lanes::ground::Ground;
use crate::line::trouble;
use record::wire::datagram::{Datagram, FromClient, FromFar, Key};
use record::{
    Fact, Said, Stamp,
    fact::{End, Lane, Trouble},
    millis,
    stamp::to_the_microsecond,
};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::sync::watch;

pub struct Held<'a> {
    lane: u32,
    client: Client,
    relayed: SocketAddr,
    ground: &'a Ground,
    far: watch::Receiver<Option<IpAddr>>,
    stood: Stamp,
    refresh_at: Stamp,
    bound: Option<Bound>,
    /// The relay would not let it in, which was said.
    not_let_in: Option<SocketAddr>,
    seen: Option<SocketAddr>,
    tally: Tally,
    silent: Option<Stamp>,
    last_ok: Stamp,
}

struct Bound {
    peer: SocketAddr,
    again_at: Stamp,
}

struct Tally {
    since: Stamp,
    asked: u32,
    answered: u32,
    rtt_ms: f64,
}

/// Why a question has no answer.
enum Miss {
    /// None came in time.
    Unanswered,
    /// And none will.
    Over(End),
}

const SAMPLE_EVERY: Duration = Duration::from_secs(60);
/// A permission lasts for five minutes, and a channel for ten.
const BIND_EVERY: Duration = Duration::from_secs(240);
/// Over the relay's far side a datagram may be lost, whatever carries the near one.
const TRIES: [Duration; 3] = [Duration::from_millis(500), Duration::from_millis(700), Duration::from_millis(1000)];
/// While nothing is answered, so that its return is dated well.
const EVERY_WHILE_SILENT: Duration = Duration::from_secs(1);
/// Then it is let go and opened anew. Longer than a modem takes to dial in again.
const SILENT_AT_MOST: Duration = Duration::from_secs(60);

/// Codes by which a server says that the allocation itself is gone or not ours: 401, 437, 438 and 441.
const OF_THE_ALLOCATION: [u16; 4] = [401, 437, 438, 441];

impl<'a> Held<'a> {
    pub fn new(
        lane: u32,
        client: Client,
        allocation: Allocation,
        ground: &'a Ground,
        far: watch::Receiver<Option<IpAddr>>,
    ) -> Self {
        let now = ground.recorder.now();
        let Allocation { relayed, lifetime } = allocation;
        let tally = Tally { since: now, asked: 0, answered: 0, rtt_ms: 0.0 };
        Self {
            lane,
            client,
            relayed,
            ground,
            far,
            stood: now,
            refresh_at: now.plus(lifetime / 2),
            bound: None,
            not_let_in: None,
            seen: None,
            tally,
            silent: None,
            last_ok: now,
        }
    }

    pub fn stands(&mut self, began: Stamp) {
        let (lane, local, remote) = (self.lane, self.client.carrier.local, self.client.carrier.remote);
        let took_ms = millis(self.stood.since(began));
        self.ground.recorder.note(Lane::Stands { lane, local: local.into(), remote: remote.into(), took_ms });
        self.seen_from(self.relayed);
    }

    /// To its end, or until `stop` says so; then the allocation is given back.
    pub async fn run(&mut self, every: Duration, stop: &mut watch::Receiver<bool>) {
        let end = tokio::select! {
            biased;
            () = crate::lanes::told(stop) => None,
            end = self.live(every) => Some(end),
        };
        self.sample();
        let (lane, recorder) = (self.lane, &self.ground.recorder);
        let Some(end) = end else {
            self.client.let_go().await;
            recorder.note(Lane::Done { lane });
            return;
        };
        let (now, last_in, last_out) = (recorder.now(), self.client.last_in, self.client.last_out);
        let quiet_ms = millis(now.since(last_in.max(last_out)));
        let age_ms = millis(now.since(self.stood));
        recorder.note(Lane::Ended { lane, end, last_in, last_out, quiet_ms, age_ms, at_proof: false });
    }

    async fn live(&mut self, every: Duration) -> End {
        loop {
            let asked = self.ground.recorder.now();
            self.tally.asked += 1;
            match self.question().await {
                Ok(rtt) => self.answered(rtt),
                Err(Miss::Unanswered) => self.unanswered(asked),
                Err(Miss::Over(end)) => return end,
            }
            let now = self.ground.recorder.now();
            if now.since(self.tally.since) >= SAMPLE_EVERY {
                self.sample();
            }
            if let Some(since) = self.silent
                && now.awake_since(since) >= SILENT_AT_MOST
            {
                return End::Silence { waited_ms: millis(now.since(since)) };
            }
            let every = if self.silent.is_some() { EVERY_WHILE_SILENT.min(every) } else { every };
            if let Err(end) = self.pause(every.saturating_sub(now.since(asked))).await {
                return end;
            }
        }
    }

    /// A stream's end is seen when it comes, and not with the next question.
    async fn pause(&mut self, time: Duration) -> Result<(), End> {
        let listening = async {
            loop {
                match self.client.data().await {
                    // An answer that came after its time.
                    Ok(_) => {}
                    Err(error) if self.client.carrier.is_stream() => return self.over(&error),
                    // A datagram of ours reached nobody; the next question tells what that means.
                    Err(_) => std::future::pending().await,
                }
            }
        };
        match tokio::time::timeout(time, listening).await {
            Ok(end) => Err(end),
            Err(_) => Ok(()),
        }
    }

    async fn question(&mut self) -> Result<Duration, Miss> {
        let began = self.ground.recorder.now();
        if began >= self.refresh_at {
            self.refresh().await?;
        }
        match self.peer() {
            Some((peer, key)) if self.not_let_in != Some(peer) && self.bind(peer).await? => self.echo(&key).await,
            _ => {
                let asked = self.ground.recorder.now();
                self.refresh().await?;
                Ok(self.client.last_in.since(asked))
            }
        }
    }

    /// The reflector's UDP port, where it has one.
    fn peer(&self) -> Option<(SocketAddr, Key)> {
        let gate = self.ground.gate.borrow();
        let (gate, ip) = (gate.as_ref()?, (*self.far.borrow())?);
        Some((SocketAddr::new(ip, gate.udp?), Key::of(gate.ticket.0.reveal())))
    }

    async fn refresh(&mut self) -> Result<(), Miss> {
        let lifetime = self.client.refresh().await;
        let lifetime = lifetime.map_err(|trouble| self.miss(trouble))?;
        self.refresh_at = self.ground.recorder.now().plus(lifetime / 2);
        Ok(())
    }

    /// Whether the relay lets this peer in.
    async fn bind(&mut self, peer: SocketAddr) -> Result<bool, Miss> {
        let now = self.ground.recorder.now();
        if self.bound.as_ref().is_some_and(|bound| bound.peer == peer && now < bound.again_at) {
            return Ok(true);
        }
        match self.client.bind(peer).await {
            Ok(()) => {
                self.bound = Some(Bound { peer, again_at: now.plus(BIND_EVERY) });
                Ok(true)
            }
            Err(Trouble::Stun { code, says }) if !OF_THE_ALLOCATION.contains(&code) => {
                self.not_let_in = Some(peer);
                let why = format!(
                    "a relay does not carry anything to the far end ({code} {says}); only its refreshes are watched"
                );
                self.ground.recorder.note(Fact::Blind { watcher: record::Sense::Turn, why: Said::new(&why) });
                Ok(false)
            }
            Err(trouble) => Err(self.miss(trouble)),
        }
    }

    async fn echo(&mut self, key: &Key) -> Result<Duration, Miss> {
        let nonce = crate::lanes::udp::nonce().map_err(|_| Miss::Unanswered)?;
        let question = key.seal(Datagram { nonce, lane: self.lane, say: FromClient::Echo });
        for wait in TRIES {
            let asked = self.ground.recorder.now();
            let answered = async {
                self.client.send(&question).await?;
                loop {
                    let data = self.client.data().await?;
                    if let Some(Datagram { nonce: n, say: FromFar::Echo { seen, .. }, .. }) = key.open(&data)
                        && n == nonce
                    {
                        return Ok::<_, io::Error>(seen);
                    }
                }
            };
            match tokio::time::timeout(wait, answered).await {
                Ok(Ok(seen)) => {
                    let rtt = self.client.last_in.since(asked);
                    self.seen_from(seen);
                    return Ok(rtt);
                }
                Ok(Err(error)) if self.client.carrier.is_stream() => return Err(Miss::Over(self.over(&error))),
                Ok(Err(_)) => tokio::time::sleep(wait).await,
                Err(_) => {}
            }
        }
        // The relay, or what lies behind it: a refused refresh tells.
        self.refresh().await?;
        Err(Miss::Unanswered)
    }

    fn answered(&mut self, rtt: Duration) {
        let now = self.ground.recorder.now();
        self.tally.answered += 1;
        self.tally.rtt_ms += millis(rtt);
        if let Some(silent_since) = self.silent.take() {
            self.ground.recorder.note(Lane::Back { lane: self.lane, silent_since });
        }
        self.last_ok = now;
    }

    fn unanswered(&mut self, asked: Stamp) {
        if self.silent.is_none() {
            self.silent = Some(asked);
            self.ground.recorder.note(Lane::Silent { lane: self.lane, asked, last_ok: self.last_ok });
        }
    }

    fn sample(&mut self) {
        let now = self.ground.recorder.now();
        let begun = Tally { since: now, asked: 0, answered: 0, rtt_ms: 0.0 };
        let Tally { asked, answered, rtt_ms, .. } = std::mem::replace(&mut self.tally, begun);
        if asked > 0 {
            let rtt_ms = (answered > 0).then(|| to_the_microsecond(rtt_ms / f64::from(answered)));
            self.ground.recorder.note(Lane::Sample { lane: self.lane, asked, answered, rtt_ms });
        }
    }

    fn seen_from(&mut self, public: SocketAddr) {
        if self.seen.replace(public) != Some(public) {
            self.ground.recorder.note(Lane::SeenFrom { lane: self.lane, public: public.into() });
        }
    }

    fn miss(&self, trouble: Trouble) -> Miss {
        match trouble {
            Trouble::Stun { code, says } => {
                let says = format!("the relay's server refused to go on: {code} {says}");
                Miss::Over(End::Broken { says: Said::new(&says) })
            }
            Trouble::NotUnderstood { says } => Miss::Over(End::Broken { says }),
            _ if !self.client.carrier.is_stream() => Miss::Unanswered,
            Trouble::Reset => Miss::Over(End::Reset),
            Trouble::Closed => Miss::Over(End::Fin),
            Trouble::Local { errno, says } => Miss::Over(End::Local { errno, says }),
            _ => Miss::Unanswered,
        }
    }

    fn over(&self, error: &io::Error) -> End {
        match self.miss(trouble::of(error, None, Duration::ZERO)) {
            Miss::Over(end) => end,
            Miss::Unanswered => End::Local { errno: error.raw_os_error(), says: trouble::words(error) },
        }
    }
}
