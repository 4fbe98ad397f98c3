//! `handshake_failed`: the call never stood; the stage it failed at says who can act.

use super::look;
use crate::{
    Advice, Cause, Confidence, Drop, Owner, Rule, Timeline,
    drops::Loss,
    rule::{Evidence, Finding, Measured},
    timeline::{
        At,
        attempts::Failure,
        networks::{LinkWord, Toward},
    },
    words,
};
use record::fact::{ConnectStage, TlsTrouble, Trouble};
use std::time::Duration;

/// Who can act. Only what the other side said itself, or what can lie nowhere else, is called shown.
fn owner(timeline: &Timeline, stage: ConnectStage, trouble: Option<&Trouble>) -> (Owner, Confidence) {
    use {Confidence::*, ConnectStage as S, Owner as O, Trouble as T};
    match (stage, trouble) {
        (S::Proxy, Some(T::Http { status: 403 | 407, .. })) => (O::LocalNetwork, Shown),
        (S::Proxy, _) => (O::LocalNetwork, Likely),
        (_, Some(T::Local { errno, .. })) if words::unreachable(*errno) => (O::NotProven, Confidence::NotProven),
        (_, Some(T::Local { .. })) => (O::ThisComputer, Likely),
        // The address is wrong, or this network's resolver does not know it: the service has no part in either.
        (S::Dns, Some(T::NoSuchName { .. })) => (O::NotProven, Confidence::NotProven),
        (S::Dns, _) => (O::LocalNetwork, Likely),
        (S::Tcp, Some(T::Refused)) if timeline.is_loopback() => (O::ThisComputer, Likely),
        (S::Tcp, Some(T::Refused)) => (O::VoiceService, Likely),
        (S::Tls, Some(T::Tls { kind, .. })) => match kind {
            TlsTrouble::Expired | TlsTrouble::WrongName | TlsTrouble::Revoked => (O::VoiceService, Likely),
            TlsTrouble::NotYetValid => (O::ThisComputer, Likely),
            // The service's authority is missing here, or a device on the way signs in its place.
            TlsTrouble::UnknownIssuer => (O::NotProven, Confidence::NotProven),
            _ => (O::NotProven, Confidence::NotProven),
        },
        (S::Upgrade, Some(T::Http { .. } | T::NotUnderstood { .. })) => (O::VoiceService, Likely),
        (S::Login | S::Offer, _) => (O::VoiceService, Likely),
        // From one end it cannot be told where a packet without an answer was lost.
        _ => (O::NotProven, Confidence::NotProven),
    }
}

/// This computer had no way to anywhere when the attempt failed, and that is how it failed.
struct NoNetwork<'a> {
    /// The system's word that no way led out.
    way: At,
    /// Physical interfaces that did not stand, with what had become of each.
    down: Vec<(At, &'a str, LinkWord)>,
}

fn no_network<'a>(timeline: &Timeline<'a>) -> Option<NoNetwork<'a>> {
    let Some(Failure::Attempt(failed)) = timeline.what_failed() else { return None };
    let by_the_way = match (failed.stage, failed.trouble) {
        (ConnectStage::Dns, _) => true,
        (ConnectStage::Tcp, Trouble::Local { errno, .. }) => words::unreachable(*errno),
        (ConnectStage::Tcp, Trouble::NoAnswer { .. }) => true,
        _ => false,
    };
    if !by_the_way || timeline.is_loopback() {
        return None;
    }
    let last = |ipv6: bool| {
        let ways = timeline.ways(Toward { ipv6, far_end: true });
        let until = ways.partition_point(|way| way.at.stamp <= failed.at.stamp);
        // Nobody told before we first looked.
        ways.get(until.saturating_sub(1))
    };
    let way = last(false).filter(|way| way.after.is_none())?;
    if last(true).is_some_and(|way| way.after.is_some()) {
        return None;
    }
    Some(NoNetwork { way: way.at, down: timeline.links_down(failed.at.stamp) })
}

fn find(timeline: &Timeline, drop: &Drop) -> Option<Finding> {
    if drop.loss != Loss::NeverStood {
        return None;
    }
    let (stage, at) = timeline.failed_stage();
    let failure = timeline.what_failed();
    let attempts = timeline.sockets.len();
    let tried = if attempts > 1 { format!(" in {attempts} attempts") } else { String::new() };
    let measured = Measured::default().word("stage", id(stage)).number("attempts", attempts as f64);
    let why = why(stage, failure.as_ref());
    let failed = format!("{} failed: {why}.", words::capital(words::stage(stage)));
    if let Some(none) = no_network(timeline) {
        let mut because = Evidence::of(
            none.way.seq,
            format!("There was no way to any address beyond this computer at {}.", words::utc_exact(none.way.stamp)),
        );
        for (at, name, word) in &none.down {
            because = because.and(at.seq, format!("The interface {name} {}.", stood(*word)));
        }
        return Some(Finding {
            owner: Some(Owner::ThisComputer),
            confidence: Confidence::Shown,
            says: format!("The call was never established{tried}: this computer had no network{}.", down(&none)),
            because: because.and_maybe(at.map(|at| (at.seq, failed))),
            measured: measured.word("network", "none"),
        });
    }
    let trouble = match &failure {
        Some(Failure::Attempt(failed)) => Some(failed.trouble),
        Some(Failure::Refusal(_)) | None => None,
    };
    let (owner, confidence) = owner(timeline, stage, trouble);
    let mut because = Evidence::of(at.map_or(drop.seq, |at| at.seq), failed);
    if let Some(before) = timeline.sockets.last().and_then(|socket| socket.upgraded) {
        because = because.and(before.seq, "The WebSocket had stood by then.");
    }
    Some(Finding {
        owner: Some(owner),
        confidence,
        says: format!("The call was never established{tried}: {} failed: {why}.", words::stage(stage)),
        because,
        measured,
    })
}

/// After "failed: ".
fn why(stage: ConnectStage, failure: Option<&Failure>) -> String {
    match failure {
        Some(Failure::Attempt(failed)) => words::trouble(failed.trouble),
        Some(Failure::Refusal(refused)) => format!(
            "the far end refused with code {} because {}{}",
            refused.code,
            words::refusal(refused.kind),
            words::quoted(refused.says)
        ),
        None => match stage {
            ConnectStage::Ice => "no check was answered on any path".into(),
            ConnectStage::Media => "none came".into(),
            _ => "it was not completed".into(),
        },
    }
}

/// ": lan0 was switched off, wlan0 was on no Wi-Fi network"
fn down(none: &NoNetwork) -> String {
    let list: Vec<String> = none.down.iter().map(|(_, name, word)| format!("{name} {}", stood(*word))).collect();
    if list.is_empty() { String::new() } else { format!(": {}", list.join(", ")) }
}

fn stood(word: LinkWord) -> &'static str {
    match word {
        LinkWord::Stands => "stood",
        LinkWord::NoCarrier => "had no carrier",
        LinkWord::SwitchedOff => "was switched off",
        LinkWord::Gone => "was gone",
        LinkWord::NoWifi => "was on no Wi-Fi network",
    }
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
    if no_network(timeline).is_some() {
        return Advice {
            who: "Whoever uses this computer".into(),
            what: "Connect it to a network: plug the cable in, switch the interface or Wi-Fi on, and see that it gets an address.".into(),
            retest: look::retest(timeline, "Once a web page opens"),
            wrong_if: "another program on this computer reached another computer in the same minute.".into(),
        };
    }
    let refused = matches!(
        timeline.what_failed(),
        Some(Failure::Attempt(failed)) if *failed.trouble == Trouble::Refused
    );
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
        ConnectStage::Tcp if refused => (
            "Whoever runs the service at this address",
            format!(
                "Check the address, and that something listens at {far}; a firewall that rejects connections answers just the same."
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
        Some(Trouble::Tls { kind: TlsTrouble::UnknownIssuer, .. }) => (
            "Whoever prepared this hold, then the network administrator",
            format!(
                "If {far} uses a certificate authority of its own, name its file with --ca FILE, or ca = in the profile; if it does not, something on the way signs in its place: exempt {far} from TLS inspection."
            ),
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
