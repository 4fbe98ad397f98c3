//! The signaling connection, in sentences.

use crate::words;
use record::fact::{CallEndedBy, Signaling, SocketPurpose};

pub fn signaling(fact: &Signaling) -> String {
    let took = |ms: &f64| words::length(words::millis(*ms));
    match fact {
        Signaling::Connecting { conn, to, purpose, proxy } => {
            let purpose = match purpose {
                SocketPurpose::First => "",
                SocketPurpose::Resume => " to take up the call",
                SocketPurpose::NewCall => " for a new call",
            };
            let proxy = proxy.as_ref().map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
            format!("Signaling connection {conn}: connecting to {to}{proxy}{purpose}.")
        }
        Signaling::Resolved { conn, addresses, took_ms } => {
            let list: Vec<String> = addresses.iter().take(8).map(ToString::to_string).collect();
            format!("Signaling connection {conn}: the name resolved to {} in {}.", list.join(", "), took(took_ms))
        }
        Signaling::TcpConnected { conn, local, remote, took_ms } => {
            format!("Signaling connection {conn}: TCP stands from {local} to {remote}, after {}.", took(took_ms))
        }
        Signaling::ProxyOpened { conn, took_ms } => {
            format!("Signaling connection {conn}: the proxy let it through after {}.", took(took_ms))
        }
        Signaling::TlsReady { conn, version, cipher, issuer, took_ms } => {
            format!(
                "Signaling connection {conn}: {version} stands ({cipher}, certificate from {issuer}), after {}.",
                took(took_ms)
            )
        }
        Signaling::Upgraded { conn, server, took_ms } => {
            let server = server.as_ref().map(|server| format!(" at {server}")).unwrap_or_default();
            format!("Signaling connection {conn}: the WebSocket stands{server}, after {}.", took(took_ms))
        }
        Signaling::ConnectFailed { conn, stage, trouble, took_ms } => format!(
            "Signaling connection {conn}: {} failed after {}: {}.",
            words::stage(*stage),
            took(took_ms),
            words::trouble(trouble)
        ),
        Signaling::Ready { conn, session, instance, resumed } => {
            let what = if *resumed { "took the call up again" } else { "knows us" };
            let session = session.as_ref().map(|session| format!(", session {session}")).unwrap_or_default();
            let instance = instance.as_ref().map(|instance| format!(", instance {instance}")).unwrap_or_default();
            format!("Signaling connection {conn}: the far end {what}{session}{instance}.")
        }
        Signaling::Answered { conn, restarted, took_ms } => {
            let what = match restarted {
                Some(true) => " with new ICE credentials",
                Some(false) => " with its old ICE credentials",
                None => "",
            };
            format!("Signaling connection {conn}: the far end answered our offer{what} after {}.", took(took_ms))
        }
        Signaling::Refused { conn, kind, code, says } => format!(
            "Signaling connection {conn}: the far end refused with code {code} because {}{}.",
            words::refusal(*kind),
            words::quoted(says)
        ),
        Signaling::HeartbeatAnswered { conn, rtt_ms } => {
            format!("Signaling connection {conn}: a heartbeat was answered after {}.", words::ms(*rtt_ms))
        }
        Signaling::Tcp { conn, sample } => format!(
            "Signaling connection {conn}: the kernel measures {} round trip, {} sent and not acknowledged, {} sent again.",
            words::ms(sample.rtt_ms),
            words::count(sample.unacked as usize, "segment"),
            words::times(sample.retransmits as usize)
        ),
        Signaling::Unanswered { conn, since, retransmits, .. } => {
            let again = match retransmits {
                Some(n) if *n > 0 => format!(", though the kernel sent it again {}", words::times(*n as usize)),
                _ => String::new(),
            };
            format!(
                "Signaling connection {conn}: what was written at {} stays unanswered{again}.",
                words::utc_exact(*since)
            )
        }
        Signaling::AnsweredAgain { conn, since } => {
            format!(
                "Signaling connection {conn}: the far end answers again what was written at {}.",
                words::utc_exact(*since)
            )
        }
        Signaling::Closed { conn, end, last_in, .. } => format!(
            "Signaling connection {conn}: ended {}; the last byte had come at {}.",
            words::ended(end),
            words::utc_exact(*last_in)
        ),
        Signaling::CallEnded { by, code, says, .. } => {
            let code = code.as_ref().map(|code| format!(" with code {code}")).unwrap_or_default();
            let who = match by {
                CallEndedBy::Us => "We ended the call",
                CallEndedBy::FarEnd => "The far end hung up",
                CallEndedBy::Service => "The service ended the call",
            };
            format!("{who}{code}{}.", words::quoted(says))
        }
    }
}
