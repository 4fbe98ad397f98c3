//! `Line`: one signaling socket, made by our own hands layer by layer, so that each layer is timed and fails by its own
//! name, and watched until it ends, so that *how* it ended is known.
//!
//! Facts go straight to the recorder. What comes through `LineEvent` is only what the session must act on.

use crate::Recorder;
use record::{
    Private,
    fact::{ConnectStage, End, Heartbeat, SocketPurpose, Trouble},
    profile::Address,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

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
}

#[derive(Debug)]
pub enum LineEvent {
    /// The WebSocket stands.
    Open,
    /// It never stood. The facts say more.
    Failed {
        stage: ConnectStage,
        trouble: Trouble,
    },
    Text(String),
    /// It has ended; the last event of a line.
    Closed(End),
}

#[derive(Debug)]
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

/// Dropping it lets go of the socket.
pub struct Line {
    pub conn: u32,
    pub commands: UnboundedSender<LineCommand>,
    pub events: UnboundedReceiver<LineEvent>,
}

/// Begins to connect; everything else arrives as events.
pub fn open(target: Target, conn: u32, purpose: SocketPurpose, recorder: &Recorder) -> Line {
    let _ = (target, conn, purpose, recorder);
    panic!("not built yet")
}
