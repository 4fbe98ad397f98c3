//! `Line`: one signaling socket, made by our own hands layer by layer, so that each layer is timed and fails by its own
//! name, and watched until it ends, so that *how* it ended is known.
//!
//! Facts go straight to the recorder. What comes through `LineEvent` is only what the session must act on.
//!
//! ```text
//! open ─▶ connect: resolve ▶ dial ▶ proxy ▶ tls ▶ upgrade ─▶ hold: pulse, unanswered, tcp_info ─▶ ending
//! ```

use crate::Recorder;
use record::{
    Heard, Private, Scrub,
    fact::{self, ConnectStage, End, Heartbeat, SocketPurpose, Trouble},
    profile::Address,
};
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub mod allowance;
pub(crate) mod connect;
pub(crate) mod dial;
pub mod ending;
mod hold;
pub mod http;
pub mod issuer;
pub(crate) mod place;
pub mod proxy;
pub(crate) mod pulse;
pub(crate) mod resolve;
pub mod stream;
pub mod tcp_info;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod tls;
pub(crate) mod trouble;
pub(crate) mod unanswered;
pub(crate) mod upgrade;

pub use proxy::Proxies;

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct Target {
    pub url: Address,
    /// Certificate authorities beside the platform's own, as PEM text.
    pub extra_ca: Option<String>,
    pub subprotocol: Option<&'static str>,
    /// Sent with the upgrade; values may be secrets.
    pub headers: Vec<(String, Private<String>)>,
    pub heartbeat: Option<Heartbeat>,
    /// Larger messages end the line as `End::Broken`.
    pub largest_message: usize,
    pub patience: Patience,
    /// What the far end or a proxy was told and must not bring into the log by repeating it.
    pub scrub: Scrub,
}

/// How long each step may take before it counts as unanswered.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub dns: Duration,
    pub tcp: Duration,
    pub proxy: Duration,
    pub tls: Duration,
    pub upgrade: Duration,
    pub closing: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // The usual resolver asks twice, five seconds each time. Whoever is not answered by then is not answered.
            dns: Duration::from_secs(10),
            // A lost SYN is repeated after 1, 3 and 7 seconds: this leaves room for three losses and a slow path.
            tcp: Duration::from_secs(10),
            // The proxy resolves and dials the far end within this time, with losses of its own.
            proxy: Duration::from_secs(15),
            // Two round trips and a signature. Ten seconds is a path that drops large packets, not a slow one.
            tls: Duration::from_secs(10),
            // One round trip and the service's own thinking; a service that takes longer cannot hold calls.
            upgrade: Duration::from_secs(10),
            // A goodbye is a courtesy. One second covers every round trip on earth and nobody waits for it.
            closing: Duration::from_secs(1),
        }
    }
}

pub enum LineEvent {
    /// The WebSocket stands.
    Open,
    /// It never stood. The facts say more. The last event of a line.
    Failed {
        stage: ConnectStage,
        trouble: Trouble,
    },
    Text(String),
    /// It has ended, or we let go before it stood; the last event of a line.
    Closed(End),
}

pub enum LineCommand {
    Text(String),
    /// A ping now, whatever the heartbeat's turn: is anybody there?
    Probe,
    /// Close in order, waiting shortly for the other side's answer.
    Close {
        code: u16,
        reason: String,
    },
    /// Drop it without a goodbye.
    LetGo,
}

/// Texts may hold secrets and are not printed.
impl fmt::Debug for LineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("Open"),
            Self::Failed { stage, trouble } => write!(f, "Failed({stage:?}, {trouble:?})"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Closed(end) => write!(f, "Closed({end:?})"),
        }
    }
}
impl fmt::Debug for LineCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Probe => f.write_str("Probe"),
            Self::Close { code, reason } => write!(f, "Close({code}, {reason})"),
            Self::LetGo => f.write_str("LetGo"),
        }
    }
}

/// Dropping it lets go of the socket.
pub struct Line {
    pub conn: u32,
    pub commands: UnboundedSender<LineCommand>,
    pub events: UnboundedReceiver<LineEvent>,
}

/// Begins to connect, through the proxy that the environment names; everything else arrives as events.
pub fn open(target: Target, conn: u32, purpose: SocketPurpose, recorder: &Recorder) -> Line {
    open_via(&Proxies::from_environment(), target, conn, purpose, recorder)
}

/// As `open`, with proxies handed in.
pub fn open_via(proxies: &Proxies, mut target: Target, conn: u32, purpose: SocketPurpose, recorder: &Recorder) -> Line {
    let (commands, told) = unbounded_channel();
    let (tell, events) = unbounded_channel();
    let proxy = proxies.choose(&target.url);
    target.scrub = target.scrub.and(proxy.secrets()).and(upgrade::secrets(&target.url));
    let at = At { conn, recorder: recorder.clone() };
    let run = run(target, proxy, purpose, at, told, tell);
    tokio::spawn(Box::pin(run));
    Line { conn, commands, events }
}

/// Whose facts these are and where they go.
#[derive(Clone)]
struct At {
    conn: u32,
    recorder: Recorder,
}

async fn run(
    target: Target,
    proxy: proxy::Choice,
    purpose: SocketPurpose,
    at: At,
    mut commands: UnboundedReceiver<LineCommand>,
    events: UnboundedSender<LineEvent>,
) {
    at.recorder.note(fact::Signaling::Connecting {
        conn: at.conn,
        to: Heard::new(&target.url.to_string()),
        purpose,
        proxy: proxy.shown(),
    });
    let began = at.recorder.now();
    let told = |layer, took| {
        at.recorder.note(layer_stands(at.conn, layer, record::millis(took)));
    };
    let telling = connect::Telling { clock: at.recorder.clock(), tell: &told, place: None };
    let connected = tokio::select! {
        done = Box::pin(connect::connect(&target, &proxy, &telling)) => Some(done),
        () = told_to_let_go(&mut commands) => None,
    };
    // A listener that is gone has let go of the line; there is nobody left to tell.
    match connected {
        Some(Ok(wire)) => {
            let _ = events.send(LineEvent::Open);
            Box::pin(hold::hold(wire, &target, &at, commands, &events)).await;
        }
        Some(Err(connect::Failure { stage, trouble, took })) => {
            at.recorder.note(fact::Signaling::ConnectFailed {
                conn: at.conn,
                stage,
                trouble: trouble.clone(),
                took_ms: record::millis(took),
            });
            let _ = events.send(LineEvent::Failed { stage, trouble });
        }
        None => {
            at.recorder.note(fact::Signaling::Closed {
                conn: at.conn,
                end: End::LetGo,
                last_in: began,
                last_out: began,
                tcp: None,
            });
            let _ = events.send(LineEvent::Closed(End::LetGo));
        }
    }
}

fn layer_stands(conn: u32, layer: connect::Layer, took_ms: f64) -> fact::Signaling {
    use connect::Layer;
    match layer {
        Layer::Resolved { addresses } => {
            fact::Signaling::Resolved { conn, addresses: addresses.into_iter().map(Into::into).collect(), took_ms }
        }
        Layer::Tcp { local, remote } => {
            fact::Signaling::TcpConnected { conn, local: local.into(), remote: remote.into(), took_ms }
        }
        Layer::Proxy => fact::Signaling::ProxyOpened { conn, took_ms },
        Layer::Tls { version, cipher, issuer } => {
            fact::Signaling::TlsReady { conn, version, cipher, issuer: issuer.into(), took_ms }
        }
        Layer::WebSocket { server } => fact::Signaling::Upgraded { conn, server: server.map(Into::into), took_ms },
    }
}

/// Nothing can be sent over a socket that does not stand; whoever tries before `Open` has lost the text.
async fn told_to_let_go(commands: &mut UnboundedReceiver<LineCommand>) {
    loop {
        match commands.recv().await {
            None | Some(LineCommand::LetGo | LineCommand::Close { .. }) => return,
            Some(LineCommand::Text(_) | LineCommand::Probe) => {
                tracing::warn!("a text or probe came before the socket stood, and was not sent");
            }
        }
    }
}
