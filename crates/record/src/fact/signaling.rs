//! Facts of the signaling connection, layer by layer, and how connections end.

use crate::{Heard, Ip, IpPort, Said, Stamp};
use serde::{Deserialize, Serialize};

/// `conn` counts the sockets of a run from 1; every attempt is one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signaling {
    /// An attempt begins. `to` is without user, query or fragment; `proxy` is host:port when one is in use.
    Connecting {
        conn: u32,
        to: Heard,
        purpose: SocketPurpose,
        proxy: Option<Heard>,
    },
    Resolved {
        conn: u32,
        addresses: Vec<Ip>,
        took_ms: f64,
    },
    TcpConnected {
        conn: u32,
        local: IpPort,
        remote: IpPort,
        took_ms: f64,
    },
    /// The proxy answered CONNECT with 200.
    ProxyOpened {
        conn: u32,
        took_ms: f64,
    },
    TlsReady {
        conn: u32,
        version: Heard,
        cipher: Heard,
        issuer: Said,
        took_ms: f64,
    },
    /// The WebSocket stands.
    Upgraded {
        conn: u32,
        server: Option<Said>,
        took_ms: f64,
    },
    /// The attempt ended before the WebSocket stood.
    ConnectFailed {
        conn: u32,
        stage: ConnectStage,
        trouble: Trouble,
        took_ms: f64,
    },
    /// The far end knows us: login, session, resume done. `instance` changes when the service was restarted.
    Ready {
        conn: u32,
        session: Option<Heard>,
        instance: Option<Heard>,
        resumed: bool,
    },
    /// The far end took our description and answered: for the first time, after a restart, or on re-attaching.
    Answered {
        conn: u32,
        restarted: Option<bool>,
        took_ms: f64,
    },
    /// The far end refused something at the level of its own protocol.
    Refused {
        conn: u32,
        kind: RefusalKind,
        code: Said,
        says: Said,
    },
    /// A heartbeat was answered.
    HeartbeatAnswered {
        conn: u32,
        rtt_ms: f64,
    },
    /// The kernel's own view of the connection, once a second where the system gives it.
    Tcp {
        conn: u32,
        sample: TcpSample,
    },
    /// Bytes we wrote stay without any answer. `since` is when the first of them was written, `last_good` the last sign
    /// of life before. Said when the evidence is in, long before the kernel gives up.
    Unanswered {
        conn: u32,
        since: Stamp,
        last_good: Stamp,
        retransmits: Option<u32>,
    },
    /// The far end answered after all; `since` is that of the `Unanswered` it ends.
    AnsweredAgain {
        conn: u32,
        since: Stamp,
    },
    /// A socket that stood has ended. `last_in` and `last_out` are the last bytes either way; `tcp` is the kernel's last
    /// word on it.
    Closed {
        conn: u32,
        end: End,
        last_in: Stamp,
        last_out: Stamp,
        tcp: Option<TcpSample>,
    },
    /// The call itself ended, by word and not by loss.
    CallEnded {
        conn: u32,
        by: CallEndedBy,
        code: Option<Said>,
        says: Said,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketPurpose {
    First,
    /// To take up the call that stands.
    Resume,
    /// For a new call, the old one being lost.
    NewCall,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectStage {
    Proxy,
    Dns,
    Tcp,
    /// The first datagram and its answer.
    Udp,
    Tls,
    Upgrade,
    /// The far end's own greeting: login, session, resume.
    Login,
    Offer,
    Ice,
    Dtls,
    /// Everything stood and no RTP came.
    Media,
}

/// Why a stage failed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The resolver answered that there is no such name.
    NoSuchName {
        says: Said,
    },
    /// The resolver failed or did not answer.
    NameFailed {
        says: Said,
    },
    /// The other side answered that nobody listens.
    Refused,
    Reset,
    /// The other side ended the connection in the middle of the stage.
    Closed,
    NoAnswer {
        waited_ms: f64,
    },
    Tls {
        kind: TlsTrouble,
        says: Said,
    },
    /// An HTTP answer other than the one hoped for. At stage `proxy` it is the proxy's.
    Http {
        status: u16,
        server: Option<Said>,
        retry_after_s: Option<f64>,
        says: Said,
    },
    /// A STUN or TURN server refused, with its code.
    Stun {
        code: u16,
        says: Said,
    },
    /// The other side speaks something else.
    NotUnderstood {
        says: Said,
    },
    /// Our own system refused: no route, no address, no permission.
    Local {
        errno: Option<i32>,
        says: Said,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsTrouble {
    UnknownIssuer,
    Expired,
    NotYetValid,
    WrongName,
    Revoked,
    BadCertificate,
    /// The far end sent a TLS alert.
    Alert,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    Auth,
    Overloaded,
    /// The call to be resumed is not known any more.
    NoSuchCall,
    TooLarge,
    BadRequest,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEndedBy {
    Us,
    FarEnd,
    /// The service between, not the other party.
    Service,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Us,
    Them,
}

/// How a connection that stood came to its end: the first thing an administrator asks.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// A WebSocket close frame; `by` says who sent the first one.
    CloseFrame {
        by: Side,
        code: Option<u16>,
        reason: Said,
    },
    /// The far end said goodbye in TLS, without a close frame.
    CloseNotify,
    /// The far end, or a device in its place, ended TCP in order, without a close frame.
    Fin,
    Reset,
    /// Nothing at all: what we sent stayed unanswered for so long that we let go.
    Silence {
        waited_ms: f64,
    },
    /// Our own system ended it: errno and its words, such as 110 "timed out".
    Local {
        errno: Option<i32>,
        says: Said,
    },
    /// The other side stopped speaking WebSocket, or TLS failed in the middle.
    Broken {
        says: Said,
    },
    /// We let go ourselves without a goodbye, to make way for another socket or at the end.
    LetGo,
}

/// What TCP_INFO says; times are ages in milliseconds at the moment of sampling.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct TcpSample {
    pub rtt_ms: f64,
    pub rtt_var_ms: f64,
    /// Retransmissions of the segment now waiting.
    pub retransmits: u32,
    pub total_retransmits: u32,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    pub last_data_sent_ms: f64,
    pub last_data_recv_ms: f64,
    pub last_ack_recv_ms: f64,
}
