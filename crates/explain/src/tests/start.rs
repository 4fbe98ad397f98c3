//! Calls that never stood: `handshake_failed` by stage, and the causes that say more than a stage.

use super::{Run, check};
use record::fact::{
    CandidateKind, ConnectStage, Destination, EndedBy, Ice, LinkKind, Mark, Net, RefusalKind, SocketPurpose,
    TlsTrouble, Trouble, TurnRequest,
};
use record::profile::IcePolicy;

fn never(stage: ConnectStage, trouble: Trouble) -> Run {
    Run::begun()
        .at(0.1)
        .fails_to_connect(1, stage, trouble.clone())
        .at(2.0)
        .fails_to_connect(2, stage, trouble)
        .at(5.0)
        .note(Mark::Ended { by: EndedBy::NotEstablished })
}

#[test]
fn each_stage_has_its_owner() {
    let says = "The call was never established in 2 attempts:";
    let cases = [
        (
            ConnectStage::Dns,
            Trouble::NameFailed { says: "".into() },
            "signaling handshake_failed local_network likely",
            "the name look-up failed: the resolver gave no answer.",
        ),
        (
            ConnectStage::Tcp,
            Trouble::Refused,
            "signaling handshake_failed voice_service likely",
            "the TCP connection failed: refused: the address answered that nobody listens there.",
        ),
        (
            ConnectStage::Tcp,
            Trouble::NoAnswer { waited_ms: 5_000.0 },
            "signaling handshake_failed not_proven not_proven",
            "the TCP connection failed: no answer within 5.00 s.",
        ),
        (
            ConnectStage::Tls,
            Trouble::Tls { kind: TlsTrouble::NotYetValid, says: "".into() },
            "signaling handshake_failed this_computer likely",
            "the TLS handshake failed: the certificate is not valid yet.",
        ),
        (
            ConnectStage::Ice,
            Trouble::NoAnswer { waited_ms: 20_000.0 },
            "media handshake_failed not_proven not_proven",
            "the ICE checks failed: no answer within 20.0 s.",
        ),
    ];
    for (stage, trouble, head, tail) in cases {
        let told = check(never(stage, trouble), &[&format!("{head}: {says} {tail}")]);
        assert_eq!(told.head.outcome, crate::Outcome::NotEstablished);
        assert!(told.drops.is_empty(), "what never stood is not drawn as lost");
    }
}

#[test]
fn a_refused_token_says_more_than_its_stage() {
    let http = |status| Trouble::Http { status, server: None, retry_after_s: None, says: "".into() };
    check(
        never(ConnectStage::Upgrade, http(401)),
        &[
            "signaling auth_rejected voice_service shown: The voice service did not accept the credentials (HTTP 401) at 10:00:00.10 UTC; 2 connections in a row were refused this way.",
        ],
    );
    check(
        never(ConnectStage::Upgrade, http(503)),
        &[
            "signaling service_overloaded voice_service shown: The voice service answered new connections with HTTP 503, 2 times.",
        ],
    );
    check(
        never(ConnectStage::Upgrade, http(404)),
        &[
            "signaling handshake_failed voice_service likely: The call was never established in 2 attempts: the WebSocket upgrade failed: HTTP 404.",
        ],
    );
}

#[test]
fn a_proxys_401_is_not_the_services() {
    let http = Trouble::Http { status: 403, server: None, retry_after_s: None, says: "".into() };
    check(
        never(ConnectStage::Proxy, http),
        &[
            "signaling proxy_refused local_network shown: The HTTP proxy refused the connection to ws://10.0.0.2:7000/call with status 403 (forbidden) at 10:00:00.10 UTC; the call could not be placed.",
        ],
    );
}

#[test]
fn time_that_is_up_between_a_refusal_and_its_end_takes_no_reason_away() {
    let run = Run::begun().at(0.1).connecting(1, SocketPurpose::First).close_frame(1, 1013, "all places are taken");
    check(
        run.at(5.0).note(Mark::Ended { by: EndedBy::NotEstablished }),
        &[
            "signaling service_overloaded voice_service shown: The voice service closed the signaling connection with code 1013 (try again later) at 10:00:00.10 UTC, saying “all places are taken”.",
        ],
    );
}

#[test]
fn a_refusal_at_login_without_a_failed_stage_is_told() {
    let run = Run::begun().at(0.1).connecting(1, SocketPurpose::First).refuses(1, RefusalKind::Other, "no").at(5.0);
    check(
        run.note(Mark::Ended { by: EndedBy::NotEstablished }),
        &[
            "signaling handshake_failed voice_service likely: The call was never established: the login failed: the far end refused with code no because it did not want to.",
        ],
    );
}

#[test]
fn a_relay_only_call_without_a_relay_failed_at_the_relay() {
    let refused = || Ice::TurnRefused {
        server: "turn.example:3478".into(),
        request: TurnRequest::Allocate,
        code: 486,
        says: "".into(),
    };
    let run = |policy| {
        never(ConnectStage::Ice, Trouble::NoAnswer { waited_ms: 20_000.0 })
            .note(refused())
            .plan(move |plan| plan.ice_policy = policy)
    };
    check(
        run(IcePolicy::Relay),
        &[
            "media turn_failed voice_service shown: The TURN server turn.example:3478 refused to allocate a relay address with code 486 (allocation quota reached) at 10:00:05.00 UTC.",
        ],
    );
    check(
        run(IcePolicy::All),
        &[
            "media handshake_failed not_proven not_proven: The call was never established in 2 attempts: the ICE checks failed: no answer within 20.0 s.",
        ],
    );
}

#[test]
fn a_user_who_ends_before_anything_failed_has_ended_it() {
    let told =
        check(Run::begun().at(1.0).connecting(1, SocketPurpose::First).note(Mark::Ended { by: EndedBy::User }), &[]);
    assert_eq!(told.head.outcome, crate::Outcome::EndedByUser);
    let _ = CandidateKind::Host;
}

#[test]
fn a_socket_that_logged_in_has_overcome_what_earlier_ones_met() {
    let run = Run::begun()
        .at(0.1)
        .fails_to_connect(1, ConnectStage::Tcp, Trouble::Refused)
        .at(1.0)
        .connecting(2, SocketPurpose::First)
        .refuses(2, RefusalKind::Other, "no")
        .at(2.0)
        .connecting(3, SocketPurpose::First)
        .ready(3, "a", false)
        .refuses(3, RefusalKind::BadRequest, "candidate");
    let never = || Mark::Ended { by: EndedBy::NotEstablished };
    let says =
        "The call was never established in 3 attempts: the ICE checks failed: no check was answered on any path.";
    let ice = format!("media handshake_failed not_proven not_proven: {says}");
    let told = check(run.clone().at(30.0).note(never()), &[&ice]);
    assert_eq!(serde_json::to_value(&told.head.drops[0].measured).unwrap()["stage"], "ice");
    // Refused on the socket that logged in, it is the offer; an attempt under way when time is up tells nothing.
    let offer = run.refuses(3, RefusalKind::Other, "offer").at(29.0).connecting(4, SocketPurpose::First);
    check(
        offer.at(30.0).note(never()),
        &[
            "signaling handshake_failed voice_service likely: The call was never established in 4 attempts: the call's offer failed: the far end refused with code offer because it did not want to.",
        ],
    );
}

#[test]
fn a_port_that_speaks_no_tls_is_not_blamed_on_a_certificate() {
    let told = |trouble| {
        let run = Run::begun().at(0.1).fails_to_connect(1, ConnectStage::Tls, trouble);
        let story = crate::story(&run.note(Mark::Ended { by: EndedBy::NotEstablished }).log());
        story.head.drops[0].advice.what.clone()
    };
    let plain = told(Trouble::NotUnderstood { says: "not TLS".into() });
    assert!(plain.contains("wss://") && !plain.contains("certificate"), "{plain}");
    let unknown = told(Trouble::Tls { kind: TlsTrouble::UnknownIssuer, says: "x".into() });
    assert!(unknown.contains("certificate"), "{unknown}");
}

#[test]
fn a_computer_without_any_network_is_said_to_be_that() {
    let none = |to| Net::Route { to, before: None, after: None, found: true };
    let off = |name: &str, kind| Net::Link {
        name: name.into(),
        kind,
        driver: "".into(),
        up: false,
        carrier: false,
        mtu: 1500,
        found: true,
    };
    let says = |trouble: Trouble, stage| {
        let run = Run::begun().at(0.1).fails_to_connect(1, stage, trouble);
        let run = run.note(off("lan0", LinkKind::Wired)).note(off("tun0", LinkKind::Tunnel));
        let run = run.note(none(Destination::Ipv4)).note(none(Destination::Ipv6)).at(5.0);
        run.note(Mark::Ended { by: EndedBy::NotEstablished })
    };
    let expected = "signaling handshake_failed this_computer shown: The call was never established: this computer had no network: lan0 was switched off.";
    let told = check(says(Trouble::NameFailed { says: "".into() }, ConnectStage::Dns), &[expected]);
    assert!(told.head.drops[0].advice.what.starts_with("Connect it to a network"));
    check(says(Trouble::Local { errno: Some(101), says: "".into() }, ConnectStage::Tcp), &[expected]);
    // An address that answered was reached all the same.
    let refused = crate::story(&says(Trouble::Refused, ConnectStage::Tcp).log());
    assert_eq!(refused.head.drops[0].owner, crate::Owner::VoiceService);
}

#[test]
fn what_is_not_the_services_is_not_laid_at_its_door() {
    let first = |stage, trouble, to: &str| {
        let to = to.to_owned();
        let run =
            Run::begun().plan(move |plan| plan.to = to.as_str().into()).at(0.1).fails_to_connect(1, stage, trouble);
        let told = crate::story(&run.note(Mark::Ended { by: EndedBy::NotEstablished }).log());
        let drop = told.head.drops[0].clone();
        (drop.owner, drop.advice.what)
    };
    let none = Trouble::NoSuchName { says: "".into() };
    assert_eq!(first(ConnectStage::Dns, none, "wss://no.such.name/call").0, crate::Owner::NotProven);
    let (owner, what) = first(ConnectStage::Tcp, Trouble::Refused, "ws://127.0.0.1:9/call");
    assert_eq!(owner, crate::Owner::ThisComputer);
    assert!(what.contains("something listens at ws://127.0.0.1:9/call"), "{what}");
    let router = Trouble::Local { errno: Some(113), says: "No route to host".into() };
    assert_eq!(first(ConnectStage::Tcp, router, "ws://10.0.0.2:7000/call").0, crate::Owner::NotProven);
    let unknown = Trouble::Tls { kind: TlsTrouble::UnknownIssuer, says: "".into() };
    let (_, what) = first(ConnectStage::Tls, unknown, "wss://a.example/call");
    assert!(what.contains("--ca FILE") && what.contains("TLS inspection"), "{what}");
}
