//! How many calls one core carries: `cargo xtask bench load`, or with other numbers than 200 calls for 30 seconds
//! `cargo bench -p linewitness-reflector --bench load -- 300 60`.
//!
//! Starts a reflector on one core's worth of threads in this process and the callers in another one; each caller sends 50
//! packets a second and counts what comes back. The processor time and memory printed are this process' alone. It judges
//! nothing: the goals, 280 calls a core and less than 0.5 % lost, stand beside. Linux, whose `/proc` it reads.
#![expect(clippy::print_stdout, reason = "a measurement is there to be read")]

use anyhow::{Context, bail};
use engine::call::peer::{self, Bind, BindWhere, PeerSettings, opus};
use engine::call::runtime::PeerRuntime;
use futures_util::{SinkExt, StreamExt};
use record::profile::IcePolicy;
use record::wire::{FromClient, FromFar};
use reflector::{Reflector, Settings};
use rtc::interceptor::{Interceptor, Packet, Registry, Slot, StreamInfo, TaggedPacket};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use std::collections::VecDeque;
use std::future::{Future, ready};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateInit, RTCPeerConnectionIceEvent, RTCPeerConnectionState,
    RTCSessionDescription,
};

/// What the goals are about.
const CALLS: u64 = 200;
/// Some thirty receiver reports of each call, and 300,000 packets.
const SECONDS: u64 = 30;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> anyhow::Result<()> {
    // Cargo itself says `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let number = |n: usize, or| words.get(n).map_or(Ok(or), |word| word.parse::<u64>().context("a number is wanted"));
    match words.first().map(String::as_str) {
        Some("callers") => callers(words.get(1).context("no URL")?, number(2, 1)?, number(3, 1)?).await,
        // A word is a filter, as for every other benchmark.
        Some(word) if word.parse::<u64>().is_err() && !"reflector/load".contains(word) => Ok(()),
        Some(word) if word.parse::<u64>().is_err() => measure(CALLS, SECONDS).await,
        _ => measure(number(0, CALLS)?, number(1, SECONDS)?).await,
    }
}

async fn measure(calls: u64, seconds: u64) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        println!("reflector/load: NOT MEASURED, for it reads Linux' /proc");
        return Ok(());
    }
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    println!("\n{calls} calls for {seconds} s, load average {}", load.join(" "));
    let mut settings = Settings::on_loopback();
    settings.limits.calls = usize::try_from(calls)?;
    settings.limits.calls_per_address = settings.limits.calls;
    let reflector = Reflector::bind(settings).await?;
    let url = format!("{}", reflector.local_addr());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(reflector.run(async {
        let _ = stopped.await;
    }));
    let empty = resident_kb()?;
    let mut child = tokio::process::Command::new(std::env::current_exe()?)
        .args(["callers", &url, &calls.to_string(), &seconds.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines =
        tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stdout.take().context("no pipe")?));
    // The callers say when all stand, and then how it went.
    let connected = lines.next_line().await?.context("the callers said nothing")?;
    println!("{connected}");
    let (began, cpu) = (now(), cpu_seconds()?);
    let full = resident_kb()?;
    let result = lines.next_line().await?.context("the callers gave no result")?;
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    println!("{result}");
    let share = cpu / took;
    println!(
        "reflector: {:.1} % of one core, {:.0} calls a core (goal: over 280), {:.0} kB a call, {} threads",
        share * 100.0,
        calls as f64 / share,
        (resident_kb()?.max(full) as f64 - empty as f64) / calls as f64,
        status("Threads:")?
    );
    child.wait().await?;
    let _ = stop.send(());
    println!("{:?}", running.await?);
    Ok(())
}

async fn callers(at: &str, calls: u64, seconds: u64) -> anyhow::Result<()> {
    let counts = Arc::new(AtomicU64::new(0));
    let began = now();
    let mut standing = Vec::new();
    for n in 0..calls {
        standing.push(
            Caller::place(at, u32::try_from(n)?, Arc::clone(&counts)).await.with_context(|| format!("call {n}"))?,
        );
    }
    // Let the last one's checks settle.
    tokio::time::sleep(Duration::from_secs(1)).await;
    counts.store(0, Relaxed);
    println!("{calls} calls stand after {:.1} s", began.elapsed().as_secs_f64());
    // Callers are not in step in life: ten groups, one every 2 ms.
    const GROUPS: usize = 10;
    let mut ticker = tokio::time::interval(Duration::from_millis(20 / GROUPS as u64));
    let (mut sent, mut turn) = (0_u64, 0);
    let began = now();
    while began.elapsed() < Duration::from_secs(seconds) {
        ticker.tick().await;
        for caller in standing.iter_mut().skip(turn).step_by(GROUPS) {
            caller.send().await?;
            sent += 1;
        }
        turn = (turn + 1) % GROUPS;
    }
    let took = began.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let back = counts.load(Relaxed);
    println!(
        "{sent} packets sent, {:.0} a second; {back} came back; {:.3} % lost (goal: under 0.5)",
        sent as f64 / took,
        100.0 * (sent as f64 - back as f64) / sent as f64
    );
    for caller in &standing {
        caller.connection.close().await?;
    }
    Ok(())
}

struct Caller {
    connection: Arc<dyn PeerConnection>,
    track: Arc<dyn TrackLocal>,
    ssrc: u32,
    sequence: u16,
    _ws: WebSocketStream<TcpStream>,
}

enum Event {
    Candidate(RTCIceCandidateInit),
    Connected,
}

impl Caller {
    async fn place(at: &str, ssrc: u32, echoes: Arc<AtomicU64>) -> anyhow::Result<Self> {
        let (to, mut events) = unbounded_channel();
        let connection = Box::pin(peer::build(PeerSettings {
            runtime: Arc::new(PeerRuntime::plain()),
            handler: Arc::new(Handler(to)),
            ice_servers: vec![],
            policy: IcePolicy::All,
            bind: Bind { where_: BindWhere::Loopback, port: 0 },
            interceptors: Registry::new()
                .with(Slot::from(14_000), Count { echoes, inward: VecDeque::new(), outward: VecDeque::new() }),
            reactor_pool: 1,
        }))
        .await?;
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc + 1), ..Default::default() },
            codec: opus().rtp_codec,
            ..Default::default()
        };
        let name = || "mic".to_owned();
        let track = MediaStreamTrack::new(name(), name(), name(), RtpCodecKind::Audio, vec![coding]);
        let track: Arc<dyn TrackLocal> = Arc::new(TrackLocalStaticRTP::new(track));
        connection.add_track(Arc::clone(&track)).await?;

        let tcp = TcpStream::connect(at).await?;
        let (mut ws, _) = tokio_tungstenite::client_async(format!("ws://{at}/call"), tcp).await?;
        say(&mut ws, &FromClient::Hello { client: "load".into(), token: None, resume: None, quiet: false }).await?;
        let offer = connection.create_offer(None).await?;
        say(&mut ws, &FromClient::Offer { sdp: offer.sdp.clone() }).await?;
        connection.set_local_description(offer).await?;
        tokio::time::timeout(Duration::from_secs(20), negotiate(&connection, &mut ws, &mut events)).await??;
        Ok(Self { connection, track, ssrc: ssrc + 1, sequence: 0, _ws: ws })
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let mut packet = rtc::rtp::Packet::default();
        packet.header.version = 2;
        packet.header.payload_type = 111;
        packet.header.ssrc = self.ssrc;
        packet.header.sequence_number = self.sequence;
        packet.header.timestamp = u32::from(self.sequence).wrapping_mul(960);
        packet.payload = [0xf8, 0xff, 0xfe].as_slice().into();
        self.sequence = self.sequence.wrapping_add(1);
        Ok(self.track.write_rtp(packet).await?)
    }
}

async fn negotiate(
    connection: &Arc<dyn PeerConnection>,
    ws: &mut WebSocketStream<TcpStream>,
    events: &mut UnboundedReceiver<Event>,
) -> anyhow::Result<()> {
    let (mut answered, mut early) = (false, Vec::new());
    loop {
        tokio::select! {
            frame = ws.next() => {
                let Message::Text(text) = frame.context("the reflector went")?? else { continue };
                match serde_json::from_str(&text)? {
                    FromFar::Answer { sdp } => {
                        connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await?;
                        answered = true;
                        for init in early.drain(..) {
                            connection.add_ice_candidate(init).await?;
                        }
                    }
                    FromFar::Candidate { candidate, mid, line } if !candidate.is_empty() => {
                        let init =
                            RTCIceCandidateInit { candidate, sdp_mid: mid, sdp_mline_index: line, ..Default::default() };
                        if answered {
                            connection.add_ice_candidate(init).await?;
                        } else {
                            early.push(init);
                        }
                    }
                    FromFar::Refused { says, .. } => bail!("refused: {says}"),
                    _ => {}
                }
            }
            event = events.recv() => match event.context("the handler went")? {
                Event::Candidate(init) => {
                    let (mid, line) = (init.sdp_mid, init.sdp_mline_index);
                    say(ws, &FromClient::Candidate { candidate: init.candidate, mid, line }).await?;
                }
                Event::Connected => return Ok(()),
            },
        }
    }
}

async fn say(ws: &mut WebSocketStream<TcpStream>, message: &FromClient) -> anyhow::Result<()> {
    Ok(ws.send(Message::text(serde_json::to_string(message)?)).await?)
}

struct Handler(UnboundedSender<Event>);

type Done<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl PeerConnectionEventHandler for Handler {
    fn on_ice_candidate<'a, 'b>(&'a self, event: RTCPeerConnectionIceEvent) -> Done<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        if let Ok(init) = event.candidate.to_json() {
            let _ = self.0.send(Event::Candidate(init));
        }
        Box::pin(ready(()))
    }
    fn on_connection_state_change<'a, 'b>(&'a self, state: RTCPeerConnectionState) -> Done<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        if state == RTCPeerConnectionState::Connected {
            let _ = self.0.send(Event::Connected);
        }
        Box::pin(ready(()))
    }
}

/// Counts the echo and keeps it from going further.
struct Count {
    echoes: Arc<AtomicU64>,
    inward: VecDeque<TaggedPacket>,
    outward: VecDeque<TaggedPacket>,
}

impl rtc::sansio::Protocol<TaggedPacket, TaggedPacket, ()> for Count {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = rtc::shared::error::Error;
    type Time = Instant;
    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Self::Error> {
        if matches!(msg.message.packet, Packet::Rtp(_)) {
            self.echoes.fetch_add(1, Relaxed);
        } else {
            self.inward.push_back(msg);
        }
        Ok(())
    }
    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inward.pop_front()
    }
    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Self::Error> {
        self.outward.push_back(msg);
        Ok(())
    }
    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outward.pop_front()
    }
}

impl Interceptor for Count {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[expect(clippy::disallowed_methods, reason = "a stop watch, whose readings go nowhere but to the screen")]
fn now() -> Instant {
    Instant::now()
}

fn status(key: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("this measurement needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).context("an unknown kernel")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn resident_kb() -> anyhow::Result<u64> {
    status("VmRSS:")
}

/// User and system time of this process; the kernel counts them in hundredths.
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').context("an unknown kernel")?.1;
    let fields: Vec<_> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 / 100.0)
}
