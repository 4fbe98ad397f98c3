//! A mapping left quiet; then another socket of ours asks the server to answer to the first one's port (section 4.6).

use super::{Asked, Server, hear, local, socket};
use crate::Recorder;
use crate::call::wire::{attribute, method};
use crate::lanes::udp::rung::{Came, LATE_WITHIN, LOOK_EVERY, Watch};
use crate::lanes::{ground::Ground, stun};
use record::{
    Stamp,
    fact::{ConnectStage, End, Lane, Manner, Side, Trouble, UdpRung},
    millis,
};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

/// As a call begins: packets both ways.
const STREAM: u32 = 4;
const STREAM_EVERY: Duration = Duration::from_millis(50);
/// The request for an answer elsewhere is said so often, in case one is lost.
const SAID_AT: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(600)];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probed {
    Came,
    DidNot,
    /// The second socket is seen from another address than the first, or not at all: nothing was shown.
    Void,
}

pub async fn hold(server: &Server, rung: UdpRung, ground: &Ground) -> Came {
    let recorder = &ground.recorder;
    let lane = ground.number();
    recorder.note(Lane::Opening { lane, manner: Manner::QuietUdp(rung), to: server.label.clone() });
    let began = recorder.now();
    let Some((socket, local, stood)) = open(server, recorder).await else {
        let took_ms = millis(recorder.now().since(began));
        let trouble = Trouble::NoAnswer { waited_ms: took_ms };
        recorder.note(Lane::Failed { lane, stage: ConnectStage::Udp, trouble, took_ms });
        return Came::Void;
    };
    recorder.note(Lane::Stands {
        lane,
        local: local.into(),
        remote: server.at.into(),
        took_ms: millis(stood.at.since(began)),
    });
    recorder.note(Lane::SeenFrom { lane, public: stood.mapped.into() });
    let held = Held { server, lane, socket, stood, recorder, over: false };
    held.run(Duration::from_millis(rung.quiet_ms as u64)).await
}

async fn open(server: &Server, recorder: &Recorder) -> Option<(UdpSocket, SocketAddr, Asked)> {
    let socket = socket(server.at).await.ok()?;
    let local = local(&socket, server.at).await.ok()?;
    let mut last = None;
    for _ in 0..STREAM {
        last = Some(Asked::of(&socket, server.at, recorder).await?);
        tokio::time::sleep(STREAM_EVERY).await;
    }
    Some((socket, local, last?))
}

struct Held<'a> {
    server: &'a Server,
    lane: u32,
    socket: UdpSocket,
    stood: Asked,
    recorder: &'a Recorder,
    /// However it ends, the log says so.
    over: bool,
}

impl Held<'_> {
    async fn run(mut self, quiet: Duration) -> Came {
        let quiet_since = self.stood.at;
        let mut watch = Watch::new(self.recorder);
        loop {
            let left = quiet_since.plus(quiet).since(watch.looked);
            if left.is_zero() {
                break;
            }
            tokio::time::sleep(left.min(LOOK_EVERY)).await;
            if watch.was_away() {
                return Came::Void;
            }
        }
        let probed = probe(self.server, &self.socket, self.stood.mapped, LATE_WITHIN, self.recorder).await;
        let at = self.recorder.now();
        if probed == Probed::Void {
            return Came::Void;
        }
        // Our own word, over the same socket: where we come from now.
        let Some(now) = Asked::of(&self.socket, self.server.at, self.recorder).await else { return Came::Void };
        let lane = self.lane;
        if now.mapped != self.stood.mapped {
            self.recorder.note(Lane::SeenFrom { lane, public: now.mapped.into() });
        }
        if probed == Probed::Came {
            let quiet_ms = millis(at.since(quiet_since));
            let rtt_ms = millis(now.at.since(now.asked));
            self.recorder.note(Lane::Proved { lane, by: Side::Them, quiet_ms, rtt_ms });
            return Came::Survived(at.since(quiet_since));
        }
        self.over = true;
        self.ended(quiet, quiet_since);
        Came::FoundDead(quiet)
    }

    /// The silence that was not survived is the one after which the server spoke, not the one until we found out.
    fn ended(&self, quiet: Duration, last_in: Stamp) {
        self.recorder.note(Lane::Ended {
            lane: self.lane,
            end: End::Silence { waited_ms: millis(LATE_WITHIN) },
            last_in,
            last_out: self.stood.asked,
            quiet_ms: millis(quiet),
            age_ms: millis(self.recorder.now().since(self.stood.at)),
            at_proof: true,
        });
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.recorder.note(Lane::Done { lane: self.lane });
        }
    }
}

/// Whether the server's answer to a second socket's request reaches the first one where it was seen.
pub async fn probe(
    server: &Server,
    first: &UdpSocket,
    mapped: SocketAddr,
    patience: Duration,
    recorder: &Recorder,
) -> Probed {
    let Ok(second) = socket(server.at).await else { return Probed::Void };
    match Asked::of(&second, server.at, recorder).await {
        // The server answers to the address a request comes from, and to another port of it alone.
        Some(seen) if seen.mapped.ip() == mapped.ip() => {}
        _ => return Probed::Void,
    }
    let Ok(id) = stun::new_id() else { return Probed::Void };
    let port = [mapped.port().to_be_bytes(), [0; 2]].concat();
    let request = stun::request(method::BINDING, id, &[(attribute::RESPONSE_PORT, port)]);
    let saying = async {
        let mut said = Duration::ZERO;
        for at in SAID_AT {
            tokio::time::sleep(at - said).await;
            said = at;
            // One of the three is enough.
            let _lost = second.send_to(&request, server.at).await;
        }
        tokio::time::sleep(patience.max(Duration::from_secs(1))).await;
    };
    tokio::select! {
        biased;
        () = hear(first, server.at, &id, |_| Some(())) => Probed::Came,
        () = saying => Probed::DidNot,
    }
}
