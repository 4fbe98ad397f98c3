//! `handshake_failed`: the call never stood; the stage it failed at says who can act.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::attempts::Failure,
    words,
};
use record::fact::{ConnectStage, TlsTrouble, Trouble};
use std::time::Duration;

/// Who can act. Only what the other side said itself, or what can lie nowhere else, is called shown.
fn owner(stage: ConnectStage, trouble: Option<&Trouble>) -> (Owner, Confidence) {
    use {Confidence::*, ConnectStage as S, Owner as O, Trouble as T};
    match (stage, trouble) {
        (S::Proxy, Some(T::Http { status: 403 | 407, .. })) => (O::LocalNetwork, Shown),
        (S::Proxy, _) => (O::LocalNetwork, Likely),
        (_, Some(T::Local { .. })) => (O::ThisComputer, Likely),
        (S::Dns, Some(T::NoSuchName { .. })) => (O::VoiceService, Likely),
        (S::Dns, _) => (O::LocalNetwork, Likely),
        (S::Tcp, Some(T::Refused)) => (O::VoiceService, Likely),
        (S::Tls, Some(T::Tls { kind, .. })) => match kind {
            TlsTrouble::Expired | TlsTrouble::WrongName | TlsTrouble::Revoked => (O::VoiceService, Likely),
            TlsTrouble::NotYetValid => (O::ThisComputer, Likely),
            // Either the service's authority is missing here or a device on the way signs in its place.
            TlsTrouble::UnknownIssuer => (O::LocalNetwork, Likely),
            _ => (O::NotProven, Confidence::NotProven),
        },
        (S::Upgrade, Some(T::Http { .. } | T::NotUnderstood { .. })) => (O::VoiceService, Likely),
        (S::Login | S::Offer, _) => (O::VoiceService, Likely),
        // From one end it cannot be told where a packet without an answer was lost.
        _ => (O::NotProven, Confidence::NotProven),
    }
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    if drop.loss != Loss::NeverStood {
        return None;
    }
    let (stage, at) = timeline.failed_stage();
    let failure = timeline.what_failed();
    let attempts = timeline.sockets.len();
    let (owner, confidence) = owner(
        stage,
        match &failure {
            Some(Failure::Attempt(failed)) => Some(failed.trouble),
            Some(Failure::Refusal(_)) | None => None,
        },
    );
    let why = match &failure {
        Some(Failure::Attempt(failed)) => words::trouble(failed.trouble),
        Some(Failure::Refusal(refused)) => format!(
            "the far end refused with code {} because {}{}",
            refused.code,
            words::refusal(refused.kind),
            words::quoted(refused.says)
        ),
        None => "it was not completed".into(),
    };
    let tried = if attempts > 1 { format!(" in {attempts} attempts") } else { String::new() };
    let mut because = Evidence::of(
        at.map_or(drop.seq, |at| at.seq),
        format!("{} failed: {why}.", super::service_closed::capital(words::stage(stage))),
    );
    if let Some(before) = timeline.sockets.last().and_then(|socket| socket.upgraded) {
        because = because.and(before.seq, "The WebSocket had stood by then.");
    }
    Some(Finding {
        owner: Some(owner),
        confidence,
        says: format!("The call was never established{tried}: {} failed: {why}.", words::stage(stage)),
        because,
        measured: Measured::default().word("stage", id(stage)).number("attempts", attempts as f64),
    })
}

fn id(stage: ConnectStage) -> &'static str {
    match stage {
        ConnectStage::Proxy => "proxy",
        ConnectStage::Dns => "dns",
        ConnectStage::Tcp => "tcp",
        ConnectStage::Udp => "udp",
        ConnectStage::Tls => "tls",
        ConnectStage::Upgrade => "upgrade",
        ConnectStage::Login => "login",
        ConnectStage::Offer => "offer",
        ConnectStage::Ice => "ice",
        ConnectStage::Dtls => "dtls",
        ConnectStage::Media => "media",
    }
}

fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    let (stage, _) = timeline.failed_stage();
    let far = look::far(timeline);
    let (who, what) = match stage {
        ConnectStage::Proxy => (
            "The network administrator",
            format!("Allow CONNECT to {far} on the HTTP proxy, or exempt it from the proxy."),
        ),
        ConnectStage::Dns => (
            "Whoever wrote the address, then the network administrator",
            format!(
                "Check the spelling of {far}; if it is right, make the resolver of this network answer for its host."
            ),
        ),
        ConnectStage::Tcp => (
            "The network administrator, with the service's support",
            format!("Allow TCP to {far} in the firewall, and check that the service listens there."),
        ),
        ConnectStage::Tls => tls_advice(timeline.what_failed(), &far),
        ConnectStage::Upgrade | ConnectStage::Login | ConnectStage::Offer => (
            "The voice service's support",
            format!("Look up the refused request at {} for {far}.", words::utc(drop.declared)),
        ),
        ConnectStage::Udp | ConnectStage::Ice | ConnectStage::Dtls | ConnectStage::Media => (
            "The network administrator",
            format!(
                "Allow UDP from this computer to the media addresses of {far}, or provide a TURN server on TCP 443."
            ),
        ),
    };
    Advice {
        who: who.into(),
        what,
        retest: look::retest(timeline, "After the change"),
        wrong_if: format!(
            "another client on this computer completes {} to the same address in the same minute.",
            words::stage(stage)
        ),
    }
}

/// A certificate that was not taken has another mend than a port that speaks no TLS.
fn tls_advice(failure: Option<Failure>, far: &str) -> (&'static str, String) {
    let trouble = match failure {
        Some(Failure::Attempt(failed)) => Some(failed.trouble),
        _ => None,
    };
    match trouble {
        Some(Trouble::NotUnderstood { .. } | Trouble::Tls { kind: TlsTrouble::Alert, .. }) => (
            "Whoever wrote the address, with the service's support",
            format!("Check that {far} is the port for wss://; a port that speaks plain ws:// answers like this."),
        ),
        Some(Trouble::Closed | Trouble::Reset | Trouble::NoAnswer { .. }) => (
            "The network administrator, with the service's support",
            format!("Look for a device that ends TLS to {far}, or drops its large packets, and exempt it."),
        ),
        _ => (
            "The network administrator, with the service's support",
            format!(
                "Compare the certificate seen here with the service's own, exempt {far} from TLS inspection, and check this computer's date."
            ),
        ),
    }
}

pub const RULE: Rule = Rule {
    id: Cause::HandshakeFailed,
    owner: Owner::NotProven,
    title: "the call never stood",
    advice,
    outranks: &[Cause::NotProven],
    settle: Duration::ZERO,
    find,
    rules_out: None,
};
