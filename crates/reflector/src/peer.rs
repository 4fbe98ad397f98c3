//! The answering PeerConnection of a call: configured as the caller's own, with the echo in its chain.

use crate::account::Account;
use crate::call::Input;
use crate::echo::Echo;
use crate::mux::{Member, Mux};
use anyhow::Context;
use engine::call::{
    peer::{self, Bind, BindWhere, PeerSettings, opus},
    runtime::PeerRuntime,
};
use record::profile::IcePolicy;
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use std::future::{Future, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceGatheringState, RTCPeerConnectionIceEvent,
    RTCSessionDescription,
};

pub struct Peer {
    connection: Arc<dyn PeerConnection>,
    outside: Outside,
    member: Option<Arc<Member>>,
    /// Whether the end of its driver would be the end of the call.
    needed: Arc<AtomicBool>,
}

/// How callers reach our media, where that differs from what our sockets know of themselves.
#[derive(Clone, Default)]
pub struct Outside {
    pub address: Option<IpAddr>,
    pub mux: Option<Arc<Mux>>,
    /// Of a box that hands everything on. What a caller says of its own addresses leads past it.
    pub through: Option<u16>,
}

impl Outside {
    fn port(&self) -> Option<u16> {
        self.through.or(self.mux.as_ref().map(|mux| mux.port()))
    }

    /// The caller's offer without what is not to be tried.
    pub fn offer(&self, offer: String) -> String {
        match self.through {
            None => offer,
            Some(_) => offer.split_inclusive('\n').filter(|line| !line.starts_with("a=candidate:")).collect(),
        }
    }
}

/// No step of the stack's takes a second; a driver that died answers never.
const STEP_WITHIN: Duration = Duration::from_secs(10);

impl Peer {
    pub async fn new(
        where_: BindWhere,
        media_threads: usize,
        outside: Outside,
        account: Arc<Account>,
        to_call: UnboundedSender<Input>,
    ) -> anyhow::Result<Self> {
        let member = outside.mux.clone().map(|mux| Arc::new(Member::new(mux)));
        let needed = Arc::new(AtomicBool::new(false));
        let (at_end, was_needed) = (to_call.clone(), Arc::clone(&needed));
        let runtime = match member.clone() {
            None => PeerRuntime::plain(),
            Some(member) => PeerRuntime::wrapping(move |socket| member.endpoint(socket)),
        }
        .on_driver_end(move || {
            if was_needed.load(Relaxed) {
                // A call that is gone needs no word of its driver's end.
                let _gone = at_end.send(Input::StackEnded);
            }
        });
        let settings = PeerSettings {
            runtime: Arc::new(runtime),
            handler: Arc::new(Handler { to_call, outside: outside.clone() }),
            ice_servers: Vec::new(),
            policy: IcePolicy::All,
            bind: Bind { where_, port: 0 },
            interceptors: Registry::new().with(Echo::slot(), Echo::new(account)),
            reactor_pool: media_threads,
        };
        // Boxed: the stack's start needs 40 kB of state, which every call would otherwise carry to its end.
        let connection = within(Box::pin(peer::build(settings))).await??;
        connection.add_track(echo_track()?).await.context("the echo's track was not accepted")?;
        Ok(Self { connection, outside, member, needed })
    }

    /// The answer to the first offer, or to that of an ICE restart.
    pub async fn answer(&self, offer: String) -> anyhow::Result<String> {
        let offer = RTCSessionDescription::offer(offer).context("the offer is not a session description")?;
        within(self.connection.set_remote_description(offer)).await?.context("the offer was not accepted")?;
        let answer = within(self.connection.create_answer(None)).await?.context("no answer could be made")?;
        if let Some(member) = &self.member {
            member.expect(&answer.sdp);
        }
        let sdp = outside_sdp(&answer.sdp, &self.outside);
        within(self.connection.set_local_description(answer)).await?.context("the answer was not accepted")?;
        self.needed.store(true, Relaxed);
        Ok(sdp)
    }

    pub async fn candidate(&self, candidate: String, mid: Option<String>, line: Option<u16>) -> anyhow::Result<()> {
        let init = RTCIceCandidateInit { candidate, sdp_mid: mid, sdp_mline_index: line, ..Default::default() };
        within(self.connection.add_ice_candidate(init)).await?.context("the candidate was not accepted")
    }

    pub async fn close(self) {
        self.needed.store(false, Relaxed);
        match within(self.connection.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a PeerConnection did not close in order"),
            Err(error) => tracing::warn!("a PeerConnection did not close: {error}"),
        }
    }
}

async fn within<T>(step: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::time::timeout(STEP_WITHIN, step).await.context("the media stack did not answer within 10 s")
}

/// Only there to be negotiated: its packets are made by the echo.
fn echo_track() -> anyhow::Result<Arc<dyn TrackLocal>> {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(getrandom::u32().context("the system gives no random numbers")?),
            ..Default::default()
        },
        codec: opus().rtp_codec,
        ..Default::default()
    };
    let track = MediaStreamTrack::new("echo".into(), "echo".into(), "echo".into(), RtpCodecKind::Audio, vec![coding]);
    Ok(Arc::new(TrackLocalStaticRTP::new(track)))
}

struct Handler {
    to_call: UnboundedSender<Input>,
    outside: Outside,
}

type Done<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The callbacks run on the connection's own driver, so they only hand on.
impl PeerConnectionEventHandler for Handler {
    fn on_ice_candidate<'a, 'b>(&'a self, event: RTCPeerConnectionIceEvent) -> Done<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        match event.candidate.to_json() {
            Ok(init) => {
                let candidate = outside_candidate(&init.candidate, &self.outside);
                let input = Input::LocalCandidate { candidate, mid: init.sdp_mid, line: init.sdp_mline_index };
                let _gone = self.to_call.send(input);
            }
            Err(error) => tracing::warn!(%error, "a candidate of our own cannot be written down"),
        }
        Box::pin(ready(()))
    }

    fn on_ice_gathering_state_change<'a, 'b>(&'a self, state: RTCIceGatheringState) -> Done<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        if state == RTCIceGatheringState::Complete {
            let _gone = self.to_call.send(Input::EndOfCandidates);
        }
        Box::pin(ready(()))
    }
}

fn outside_sdp(sdp: &str, outside: &Outside) -> String {
    let mut out = String::with_capacity(sdp.len() + 64);
    for line in sdp.split_inclusive('\n') {
        match line.strip_prefix("a=candidate:") {
            Some(_) => {
                let end = line.trim_end().len();
                out.push_str("a=");
                out.push_str(&outside_candidate(&line[2..end], outside));
                out.push_str(&line[end..]);
            }
            None => out.push_str(line),
        }
    }
    out
}

/// `candidate:1 1 udp 2130706431 10.0.0.2 50000 typ host …`: the fifth and sixth words are where we are to be found.
fn outside_candidate(candidate: &str, outside: &Outside) -> String {
    let mut words: Vec<_> = candidate.split(' ').map(str::to_owned).collect();
    let is_host = words.windows(2).any(|pair| pair[0] == "typ" && pair[1] == "host");
    let Some(inside) = words.get(4).and_then(|ip| ip.parse::<IpAddr>().ok()) else { return candidate.to_owned() };
    if !is_host || words.len() < 6 {
        return candidate.to_owned();
    }
    if let Some(port) = outside.port() {
        words[5] = port.to_string();
    }
    if let Some(address) = outside.address
        && !inside.is_loopback()
        && address.is_ipv4() == inside.is_ipv4()
    {
        words[4] = address.to_string();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_candidates_carry_the_address_that_callers_know() {
        let outside = Outside { address: Some("203.0.113.9".parse().unwrap()), ..Outside::default() };
        let host = "candidate:1 1 udp 2130706431 10.0.0.2 50000 typ host ufrag abcd";
        let moved = "candidate:1 1 udp 2130706431 203.0.113.9 50000 typ host ufrag abcd";
        assert_eq!(outside_candidate(host, &outside), moved);
        for as_it_is in [
            "candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host",
            "candidate:1 1 udp 2130706431 2001:db8::1 50000 typ host",
            "candidate:1 1 udp 1694498815 198.51.100.1 50000 typ srflx raddr 10.0.0.2 rport 50000",
            "candidate:",
            "",
        ] {
            assert_eq!(outside_candidate(as_it_is, &outside), as_it_is);
        }
        let through = Outside { through: Some(7), ..Outside::default() };
        let loopback = "candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host";
        assert_eq!(outside_candidate(loopback, &through), loopback.replace("50000", "7"));
        let sdp = format!("v=0\r\na={host}\r\na=end-of-candidates\r\n");
        assert_eq!(through.offer(sdp.clone()), "v=0\r\na=end-of-candidates\r\n");
        assert_eq!(outside.offer(sdp.clone()), sdp);
        assert_eq!(outside_sdp(&sdp, &outside), format!("v=0\r\na={moved}\r\na=end-of-candidates\r\n"));
    }
}
