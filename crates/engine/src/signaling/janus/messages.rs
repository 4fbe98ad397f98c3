//! The messages of Janus' API, as far as a call needs them: what is asked, and what may come back. Pure.

use super::super::offering::Candidate;
use record::{Private, fact::RefusalKind};
use serde_json::{Value, json};

const PLUGIN: &str = "janus.plugin.echotest";

// Janus' own error codes, of its API.
const UNAUTHORIZED: i64 = 403;
const WRONG_TOKEN: i64 = 405;
const NO_SUCH_SESSION: i64 = 458;
const NO_SUCH_HANDLE: i64 = 459;

/// Of a handle within its session.
#[derive(Clone, Copy)]
pub struct Place {
    pub session: u64,
    pub handle: u64,
}

pub enum Request<'a> {
    Create,
    Claim { session: u64 },
    KeepAlive { session: u64 },
    Destroy { session: u64 },
    Attach { session: u64 },
    Detach(Place),
    Offer(Place, String),
    Trickle(Place, &'a Candidate),
}

impl Request<'_> {
    /// With what every request carries: its number, which the answer repeats, and the secret.
    pub fn text(self, number: u64, token: Option<&Private<String>>) -> String {
        let mut request = self.body();
        request["transaction"] = number.to_string().into();
        if let Some(token) = token {
            // Janus knows two kinds of secret and ignores the one it was not set up for.
            request["token"] = token.reveal().as_str().into();
            request["apisecret"] = token.reveal().as_str().into();
        }
        request.to_string()
    }

    fn body(self) -> Value {
        match self {
            Self::Create => json!({"janus": "create"}),
            Self::Claim { session } => json!({"janus": "claim", "session_id": session}),
            Self::KeepAlive { session } => json!({"janus": "keepalive", "session_id": session}),
            Self::Destroy { session } => json!({"janus": "destroy", "session_id": session}),
            Self::Attach { session } => json!({"janus": "attach", "plugin": PLUGIN, "session_id": session}),
            Self::Detach(Place { session, handle }) => {
                json!({"janus": "detach", "session_id": session, "handle_id": handle})
            }
            Self::Offer(Place { session, handle }, sdp) => json!({
                "janus": "message", "session_id": session, "handle_id": handle,
                "body": {"audio": true, "video": false}, "jsep": {"type": "offer", "sdp": sdp},
            }),
            Self::Trickle(Place { session, handle }, candidate) => {
                let Candidate { candidate, mid, line } = candidate;
                let candidate = if candidate.is_empty() {
                    json!({"completed": true})
                } else {
                    json!({"candidate": candidate, "sdpMid": mid, "sdpMLineIndex": line})
                };
                json!({"janus": "trickle", "session_id": session, "handle_id": handle, "candidate": candidate})
            }
        }
    }
}

pub struct Message {
    /// Of the request that it answers.
    pub number: Option<u64>,
    pub session: Option<u64>,
    /// The handle that it is of.
    pub sender: Option<u64>,
    pub says: Says,
}

pub enum Says {
    Success {
        id: Option<u64>,
    },
    Error {
        kind: RefusalKind,
        code: String,
        says: String,
    },
    /// The plugin's own error, of a request that reached it.
    PluginError {
        code: String,
        says: String,
    },
    Answer {
        sdp: String,
    },
    Candidate(Candidate),
    HangUp {
        reason: String,
    },
    Detached,
    Timeout,
    /// ack, webrtcup, media, slowlink, keepalive: nothing follows from them that packets do not say better.
    Other,
}

impl Message {
    /// `None` for what is not JSON.
    pub fn read(text: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(text).ok()?;
        Some(Self {
            number: message["transaction"].as_str().and_then(|number| number.parse().ok()),
            session: message["session_id"].as_u64(),
            sender: message["sender"].as_u64(),
            says: says(&message),
        })
    }
}

fn says(message: &Value) -> Says {
    match message["janus"].as_str() {
        Some("success") => Says::Success { id: message["data"]["id"].as_u64() },
        Some("error") => {
            let code = message["error"]["code"].as_i64().unwrap_or_default();
            Says::Error { kind: kind(code), code: code.to_string(), says: text(&message["error"]["reason"]) }
        }
        Some("event") => plugin_event(message),
        Some("trickle") => candidate(&message["candidate"]).map_or(Says::Other, Says::Candidate),
        Some("hangup") => Says::HangUp { reason: text(&message["reason"]) },
        Some("detached") => Says::Detached,
        Some("timeout") => Says::Timeout,
        _ => Says::Other,
    }
}

fn plugin_event(message: &Value) -> Says {
    let data = &message["plugindata"]["data"];
    if let Some(code) = data["error_code"].as_i64() {
        return Says::PluginError { code: code.to_string(), says: text(&data["error"]) };
    }
    match message["jsep"]["type"].as_str() {
        Some("answer") => Says::Answer { sdp: text(&message["jsep"]["sdp"]) },
        _ => Says::Other,
    }
}

fn candidate(candidate: &Value) -> Option<Candidate> {
    if candidate["completed"].as_bool() == Some(true) {
        return Some(Candidate::end());
    }
    let text = |field: &str| candidate[field].as_str().map(str::to_owned);
    let line = candidate["sdpMLineIndex"].as_u64().and_then(|line| u16::try_from(line).ok());
    Some(Candidate { candidate: text("candidate")?, mid: text("sdpMid"), line })
}

fn kind(code: i64) -> RefusalKind {
    match code {
        UNAUTHORIZED | WRONG_TOKEN => RefusalKind::Auth,
        NO_SUCH_SESSION | NO_SUCH_HANDLE => RefusalKind::NoSuchCall,
        450..=469 => RefusalKind::BadRequest,
        _ => RefusalKind::Other,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
