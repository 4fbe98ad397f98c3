//! Any facts in any order with any stamps: never a panic, and what is promised of every drop holds.

use super::{Run, checked};
use proptest::prelude::*;
use record::{
    Event, Fact, Ip, Log, Stamp, Wall,
    fact::{
        Action, Calibrated, CallEndedBy, CandidateKind, ConnectStage, Control, ControlKind, Destination, End, EndedBy,
        Far, Hop, Ice, LinkKind, Mark, Media, MediaSample, Move, Net, Outcome, Power, Reachability, Reason,
        RefusalKind, Side, Sight, Signaling, SocketPurpose, System, TcpSample, Trouble, TurnRequest, Undeliverable,
    },
    profile::Silence,
};

pub(super) fn stamp() -> impl Strategy<Value = Stamp> {
    // Around the run, and now and then anywhere at all.
    prop_oneof![
        8 => (0..120_000_000u64, 0..5_000_000u64)
            .prop_map(|(us, slept)| Stamp::new(1_795_255_200_000_000 + us as i64, us + 5_000_000, us + 5_000_000 - slept)),
        1 => (any::<i64>(), 0..u64::MAX / 4, 0..u64::MAX / 4).prop_map(|(w, u, a)| Stamp::new(w, u, a)),
    ]
}

pub(super) fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        (any::<bool>(), proptest::option::of(any::<u16>())).prop_map(|(us, code)| End::CloseFrame {
            by: if us { Side::Us } else { Side::Them },
            code,
            reason: "<&>".into()
        }),
        prop_oneof![Just(1000u16), Just(1001), Just(1008), Just(1012), Just(1013)].prop_map(|code| End::CloseFrame {
            by: Side::Them,
            code: Some(code),
            reason: "".into()
        }),
        Just(End::CloseNotify),
        Just(End::Fin),
        Just(End::Reset),
        any::<f64>().prop_map(|waited_ms| End::Silence { waited_ms }),
        any::<Option<i32>>().prop_map(|errno| End::Local { errno, says: "x".into() }),
        Just(End::LetGo),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::Refused),
        Just(Trouble::NameFailed { says: "".into() }),
        any::<f64>().prop_map(|waited_ms| Trouble::NoAnswer { waited_ms }),
        (prop_oneof![400u16..520, Just(511)], any::<Option<f64>>()).prop_map(|(status, retry_after_s)| Trouble::Http {
            status,
            server: None,
            retry_after_s,
            says: "".into()
        }),
    ]
}

fn stage() -> impl Strategy<Value = ConnectStage> {
    prop_oneof![
        Just(ConnectStage::Proxy),
        Just(ConnectStage::Dns),
        Just(ConnectStage::Tcp),
        Just(ConnectStage::Udp),
        Just(ConnectStage::Tls),
        Just(ConnectStage::Upgrade),
        Just(ConnectStage::Login),
        Just(ConnectStage::Ice),
        Just(ConnectStage::Media),
    ]
}

pub(super) fn signaling() -> impl Strategy<Value = Fact> {
    let conn = 0u32..4;
    prop_oneof![
        conn.clone().prop_map(|conn| Signaling::Connecting {
            conn,
            to: "ws://a".into(),
            purpose: SocketPurpose::Resume,
            proxy: None
        }),
        (conn.clone(), 0..3u8, any::<bool>()).prop_map(|(conn, i, resumed)| Signaling::Ready {
            conn,
            session: None,
            instance: Some(format!("{i}").as_str().into()),
            resumed
        }),
        conn.clone().prop_map(|conn| Signaling::TcpConnected {
            conn,
            local: "10.0.0.1:5".parse().unwrap(),
            remote: "10.0.0.2:7000".parse().unwrap(),
            took_ms: 1.0
        }),
        (conn.clone(), stage(), trouble()).prop_map(|(conn, stage, trouble)| Signaling::ConnectFailed {
            conn,
            stage,
            trouble,
            took_ms: 1.0
        }),
        (conn.clone(), end(), stamp(), stamp()).prop_map(|(conn, end, last_in, last_out)| Signaling::Closed {
            conn,
            end,
            last_in,
            last_out,
            tcp: Some(TcpSample::default())
        }),
        (conn.clone(), stamp(), stamp()).prop_map(|(conn, since, last_good)| Signaling::Unanswered {
            conn,
            since,
            last_good,
            retransmits: Some(0)
        }),
        (conn.clone(), stamp()).prop_map(|(conn, since)| Signaling::AnsweredAgain { conn, since }),
        (conn.clone(), any::<u32>(), 0..2u32).prop_map(|(conn, retransmits, unacked)| Signaling::Tcp {
            conn,
            sample: TcpSample { retransmits, unacked, last_ack_recv_ms: f64::NAN, ..Default::default() }
        }),
        (conn.clone(), any::<f64>()).prop_map(|(conn, rtt_ms)| Signaling::HeartbeatAnswered { conn, rtt_ms }),
        (conn.clone(), prop_oneof![Just(RefusalKind::Auth), Just(RefusalKind::Overloaded), Just(RefusalKind::Other)])
            .prop_map(|(conn, kind)| Signaling::Refused { conn, kind, code: "c".into(), says: "".into() }),
        (conn, prop_oneof![Just(CallEndedBy::Us), Just(CallEndedBy::FarEnd), Just(CallEndedBy::Service)])
            .prop_map(|(conn, by)| Signaling::CallEnded { conn, by, code: None, says: "".into() }),
    ]
    .prop_map(Fact::from)
}

pub(super) fn media() -> impl Strategy<Value = Fact> {
    prop_oneof![
        stamp().prop_map(|first| Media::Flowing { first }),
        stamp().prop_map(|last| Media::Gap { last }),
        (stamp(), stamp()).prop_map(|(last, first)| Media::Back { last, first }),
        (any::<u32>(), any::<u32>(), any::<u32>(), any::<Option<f64>>()).prop_map(
            |(rtp_in, rtcp_in, stun_in, rtt_ms)| {
                Media::Sample(MediaSample {
                    rtp_in,
                    rtp_out: 50,
                    rtcp_in: rtcp_in / 2,
                    stun_in: stun_in / 2,
                    rtt_ms,
                    ..Default::default()
                })
            }
        ),
        stamp().prop_map(|first| Media::SendFailing { errno: Some(1), says: "".into(), first }),
        stamp().prop_map(|since| Media::SendWorks { refused: 1, since }),
        (stamp(), any::<bool>()).prop_map(|(first, itself)| {
            let to = "192.0.2.1:7".parse::<record::IpPort>().expect("an address");
            let by = itself.then_some(to.ip());
            Media::Undelivered { to, why: Undeliverable::NoListener, by, first }
        }),
    ]
    .prop_map(Fact::from)
}

fn interface() -> impl Strategy<Value = record::Heard> {
    prop_oneof![Just("eth0".into()), Just("wlan0".into()), Just("wg0".into()), Just("".into())]
}

fn address() -> impl Strategy<Value = Ip> {
    // Those of the calls above among them.
    prop_oneof![Just("10.0.0.1"), Just("10.0.0.2"), Just("::1"), Just("127.0.0.1")]
        .prop_map(|text| text.parse().expect("an address"))
}

fn hop() -> impl Strategy<Value = Option<Hop>> {
    let hop = (interface(), link_kind(), proptest::option::of(address())).prop_map(|(interface, kind, gateway)| Hop {
        interface,
        kind,
        gateway,
        source: None,
    });
    proptest::option::of(hop)
}

fn link_kind() -> impl Strategy<Value = LinkKind> {
    use LinkKind::{Loopback, Other, Tunnel, Wifi, Wired};
    prop_oneof![Just(Wired), Just(Wifi), Just(Tunnel), Just(Loopback), Just(Other)]
}

fn net() -> impl Strategy<Value = Fact> {
    let flags = (any::<bool>(), any::<bool>(), proptest::bool::weighted(0.2));
    let destination = prop_oneof![Just(Destination::Ipv4), Just(Destination::Ipv6), Just(Destination::FarEnd)];
    prop_oneof![
        3 => (interface(), link_kind(), flags).prop_map(|(name, kind, (up, carrier, found))| {
            Net::Link { name, kind, driver: "".into(), up, carrier, mtu: 0, found }
        }),
        1 => (interface(), link_kind()).prop_map(|(name, kind)| Net::LinkGone { name, kind }),
        2 => (interface(), address(), any::<bool>()).prop_map(|(interface, address, found)| {
            Net::Address { interface, address, prefix: 200, temporary: false, found }
        }),
        2 => (interface(), address()).prop_map(|(interface, address)| Net::AddressGone { interface, address }),
        3 => (destination, hop(), hop(), proptest::bool::weighted(0.2))
            .prop_map(|(to, before, after, found)| Net::Route { to, before, after, found }),
        1 => (interface(), address()).prop_map(|(interface, address)| {
            Net::Neighbour { interface, address, state: Reachability::Failed, found: false }
        }),
        1 => proptest::collection::vec(address(), 0..3).prop_map(|servers| Net::Resolvers { servers, found: false }),
        1 => interface().prop_map(|interface| Net::Wifi { interface, link: None, found: false }),
        1 => Just(Net::PublicAddress {
            server: "s".into(),
            local: "10.0.0.1:1".parse().expect("an address"),
            public: "10.0.0.3:1".parse().expect("an address"),
            before: Some("10.0.0.4:1".parse().expect("an address")),
        }),
    ]
    .prop_map(Fact::from)
}

fn control() -> impl Strategy<Value = Fact> {
    use ControlKind::{Dns, FarTcp, FarUdp, Gateway, Https, Portal, Stun};
    let kind = prop_oneof![Just(Gateway), Just(Dns), Just(Https), Just(Stun), Just(FarTcp), Just(FarUdp), Just(Portal)];
    let control = 0u32..5;
    prop_oneof![
        2 => (control.clone(), kind, any::<bool>())
            .prop_map(|(control, kind, rationed)| Control::Asking { control, kind, target: "t".into(), rationed }),
        2 => (control.clone(), proptest::option::of(stamp())).prop_map(|(control, last_ok)| {
            Control::Sample { control, asked: 5, answered: 9, rtt_ms: Some(f64::NAN), last_ok }
        }),
        2 => (control.clone(), stamp(), proptest::option::of(stamp()), any::<bool>()).prop_map(
            |(control, asked, last_ok, refused)| Control::Silent { control, asked, last_ok, says: "".into(), refused }
        ),
        1 => (control.clone(), stamp())
            .prop_map(|(control, silent_since)| Control::Back { control, silent_since, rtt_ms: f64::INFINITY }),
        1 => control.clone().prop_map(|control| Control::Portal { control, status: 0, leads_to: Some("<p>".into()) }),
        1 => control.clone().prop_map(|control| Control::PortalGone { control }),
        1 => control.prop_map(|control| Control::Issuer { control, issuer: "i".into(), expected: None }),
    ]
    .prop_map(Fact::from)
}

fn power() -> impl Strategy<Value = Fact> {
    prop_oneof![Just(Power::AboutToSleep.into()), Just(Power::Woke.into())]
}

fn started(silence: Silence) -> Fact {
    let log = Run::begun().plan(|plan| plan.silence = silence).log();
    log.events.into_iter().next().expect("a run begins with its plan").fact
}

fn other() -> impl Strategy<Value = Fact> {
    let wall = any::<i64>().prop_map(Wall::from_micros);
    prop_oneof![
        stamp().prop_map(|since| System::TicksMissed { since }.into()),
        Just(Mark::Established { took_ms: 1.0 }.into()),
        (any::<i64>(), any::<u32>(), any::<u32>()).prop_map(|(at, named, of)| {
            let at = record::Wall::from_micros(at);
            Mark::Calibrated(Calibrated { at, app: "1".into(), named, of, missed: vec!["x".into()], held: of == 1 })
                .into()
        }),
        prop_oneof![Just(Silence::Frames), Just(Silence::None)].prop_map(started),
        Just(Ice::StackDied { says: "".into() }.into()),
        Just(
            Ice::LocalCandidate {
                kind: CandidateKind::Relay,
                address: "10.0.0.1:1".into(),
                relay_by: Some("t".into())
            }
            .into()
        ),
        prop_oneof![Just(EndedBy::TimeUp), Just(EndedBy::User), Just(EndedBy::NotEstablished)]
            .prop_map(|by| Mark::Ended { by }.into()),
        prop_oneof![Just(CandidateKind::Host), Just(CandidateKind::Relay)].prop_map(|local_kind| Ice::Pair {
            local: "10.0.0.1:1".parse().unwrap(),
            local_kind,
            remote: "10.0.0.2:2".parse().unwrap(),
            remote_kind: CandidateKind::Host
        }
        .into()),
        stamp().prop_map(|last_ok| Ice::ConsentLate { last_ok }.into()),
        stamp().prop_map(|last_ok| Ice::ConsentBack { last_ok }.into()),
        any::<u16>().prop_map(|code| Ice::TurnRefused {
            server: "t".into(),
            request: TurnRequest::Refresh,
            code,
            says: "".into()
        }
        .into()),
        Just(Ice::TurnLost { server: "t".into(), says: "".into() }.into()),
        (any::<f64>(), any::<f64>()).prop_map(|(offset_ms, rtt_ms)| Far::Clock { offset_ms, rtt_ms }.into()),
        (wall.clone(), wall.clone()).prop_map(|(at, last)| Far::Saw { at, sight: Sight::MediaStopped { last } }.into()),
        (wall.clone(), wall.clone(), wall.clone()).prop_map(|(at, last, first)| Far::Saw {
            at,
            sight: Sight::MediaResumed { last, first }
        }
        .into()),
        (wall, any::<u64>(), any::<u64>()).prop_map(|(at, received, lost)| Far::Saw {
            at,
            sight: Sight::Counted { received, lost, echoed: 0 }
        }
        .into()),
        (0u32..4, any::<u32>()).prop_map(|(id, attempt)| Action::Began {
            id,
            step: Move::Reconnect { attempt, wait_ms: f64::INFINITY },
            reason: Reason::SocketEnded,
            because: Some(0)
        }
        .into()),
        (0u32..4).prop_map(|id| Action::Began {
            id,
            step: Move::RestartIce,
            reason: Reason::PathSilent,
            because: None
        }
        .into()),
        (0u32..4).prop_map(|id| Action::Ended { id, outcome: Outcome::Worked, took_ms: 1.0 }.into()),
        Just(Fact::Blind { watcher: record::Sense::Load, why: "y".into() }),
    ]
}

/// Each boxed: side by side by value their trees fill a test's whole stack.
fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        4 => signaling().boxed(),
        2 => media().boxed(),
        3 => other().boxed(),
        2 => net().boxed(),
        2 => control().boxed(),
        1 => power().boxed(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_log_makes_it_panic_or_break_its_word(
        facts in proptest::collection::vec((stamp(), any_fact()), 0..80),
        in_order in proptest::bool::weighted(0.8),
    ) {
        let mut facts = facts;
        if in_order {
            facts.sort_by_key(|(at, _)| *at);
        }
        let events = facts.into_iter().enumerate().map(|(i, (at, fact))| Event { seq: i as u64 + 1, at, fact }).collect();
        checked(&Log { events });
    }

    /// Each is an object with these three names, wherever it stands.
    #[test]
    fn a_fact_gives_every_stamp_that_is_in_it(fact in any_fact()) {
        fn stamps(of: &serde_json::Value) -> usize {
            match of {
                serde_json::Value::Object(fields) if fields.contains_key("uptime") => 1,
                serde_json::Value::Object(fields) => fields.values().map(stamps).sum(),
                serde_json::Value::Array(list) => list.iter().map(stamps).sum(),
                _ => 0,
            }
        }
        let mut fact = fact;
        let written = stamps(&serde_json::to_value(&fact).expect("a fact can be written"));
        prop_assert_eq!(fact.stamps_mut().len(), written);
    }
}
