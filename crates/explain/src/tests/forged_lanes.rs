//! Any lanes, proofs, ends and predictions in any order: never a panic, and it stays fast.

use super::{
    any::{end, media, signaling, stamp},
    checked,
};
use proptest::prelude::*;
use record::{
    Event, Fact, Log, Stamp, Wall,
    fact::{
        Control, ControlKind, Far, Lane, LaneSight, Manner, Net, Opened, Pattern, Prediction, Rung, RungCarrier, Side,
        Sight, Stirred, TurnTransport, UdpRung,
    },
};

fn manner() -> impl Strategy<Value = Manner> {
    let ms = || prop_oneof![any::<f64>(), 1_000.0..60_000.0f64];
    prop_oneof![
        Just(Manner::BareWebsocket),
        ms().prop_map(|every_ms| Manner::BeatingWebsocket { every_ms }),
        ms().prop_map(|every_ms| Manner::Tcp { every_ms }),
        ms().prop_map(|every_ms| Manner::Turn { transport: TurnTransport::Udp, every_ms }),
        (ms(), any::<bool>(), any::<bool>(), 0..4u8).prop_map(|(quiet_ms, us, tcp, stirred)| {
            Manner::Quiet(Rung {
                carrier: if tcp { RungCarrier::Tcp } else { RungCarrier::Websocket },
                quiet_ms,
                proved_by: if us { Side::Us } else { Side::Them },
                stirred: match stirred {
                    0 => Stirred::Not,
                    1 => Stirred::ByUs { every_ms: quiet_ms },
                    2 => Stirred::ByThem { every_ms: quiet_ms },
                    _ => Stirred::ByKeepalive { every_ms: quiet_ms },
                },
                pass: 1,
            })
        }),
        (ms(), any::<bool>()).prop_map(|(quiet_ms, one)| {
            let opened_by = if one { Opened::OnePacket } else { Opened::Stream };
            Manner::QuietUdp(UdpRung { quiet_ms, opened_by, pass: 1 })
        }),
    ]
}

fn lanes() -> impl Strategy<Value = Fact> {
    let lane = 0u32..8;
    let ms = || prop_oneof![any::<f64>(), 0.0..40_000.0f64];
    let address = || any::<u16>().prop_map(|port| place([198, 51, 100, 7], port));
    prop_oneof![
        3 => (lane.clone(), manner()).prop_map(|(lane, manner)| {
            Lane::Opening { lane, manner, to: if lane % 2 == 0 { "ws://a/x" } else { "" }.into() }.into()
        }),
        3 => (lane.clone(), address(), address())
            .prop_map(|(lane, local, remote)| Lane::Stands { lane, local, remote, took_ms: f64::NAN }.into()),
        1 => (lane.clone(), address()).prop_map(|(lane, public)| Lane::SeenFrom { lane, public }.into()),
        1 => (lane.clone(), any::<u32>())
            .prop_map(|(lane, answered)| Lane::Sample { lane, asked: 1, answered, rtt_ms: None }.into()),
        1 => (lane.clone(), stamp(), stamp()).prop_map(|(lane, asked, last_ok)| Lane::Silent { lane, asked, last_ok }.into()),
        1 => (lane.clone(), stamp()).prop_map(|(lane, silent_since)| Lane::Back { lane, silent_since }.into()),
        2 => (lane.clone(), ms()).prop_map(|(lane, quiet_ms)| {
            Lane::Proved { lane, by: Side::Us, quiet_ms, rtt_ms: f64::NAN }.into()
        }),
        4 => (lane.clone(), end(), stamp(), ms(), ms(), any::<bool>()).prop_map(|(lane, end, at, quiet_ms, age_ms, at_proof)| {
            Lane::Ended { lane, end, last_in: at, last_out: at, quiet_ms, age_ms, at_proof }.into()
        }),
        1 => lane.clone().prop_map(|lane| Lane::Done { lane }.into()),
        1 => (lane, any::<i64>(), end(), ms()).prop_map(|(lane, at, end, ms)| Far::Saw {
            at: Wall::from_micros(at),
            sight: Sight::Lane { lane, sight: LaneSight::Ended { end, quiet_ms: ms, age_ms: ms } },
        }.into()),
    ]
}

fn others() -> impl Strategy<Value = Fact> {
    let wall = || {
        prop_oneof![any::<i64>(), (0..120_000_000i64).prop_map(|us| 1_795_255_200_000_000 + us)]
            .prop_map(Wall::from_micros)
    };
    let pattern =
        prop_oneof![Just(Pattern::Idle), Just(Pattern::Lifetime), Just(Pattern::Clock), Just(Pattern::Credentials)];
    prop_oneof![
        (any::<u32>(), pattern, any::<Option<u32>>(), wall(), wall()).prop_map(|(id, pattern, lane, from, to)| {
            Prediction::Made { id, pattern, lane, from, to, says: "x".into() }.into()
        }),
        any::<u32>().prop_map(|id| Prediction::CameTrue { id }.into()),
        any::<u32>().prop_map(|id| Prediction::Missed { id }.into()),
        (0u32..3, any::<u8>()).prop_map(|(control, issuer)| Control::Issuer {
            control,
            issuer: format!("CN={}", issuer % 3).as_str().into(),
            expected: (issuer % 2 == 0).then(|| "CN=1".into()),
        }
        .into()),
        Just(
            Control::Asking { control: 1, kind: ControlKind::Https, target: "https://a/".into(), rationed: false }
                .into()
        ),
        (any::<u16>(), any::<bool>()).prop_map(|(port, before)| Net::PublicAddress {
            server: format!("s{}", port % 3).as_str().into(),
            local: "10.0.0.1:1".parse().unwrap(),
            public: place([198, 51, 100, 7], port),
            before: before.then(|| place([198, 51, 100, 7], 1)),
        }
        .into()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_lanes_make_it_panic_or_break_its_word(
        facts in proptest::collection::vec(
            (stamp(), prop_oneof![6 => lanes().boxed(), 2 => signaling().boxed(), 1 => media().boxed(), 1 => others().boxed()]), 0..80),
    ) {
        let mut facts = facts;
        facts.sort_by_key(|(at, _)| *at);
        let events = facts.into_iter().enumerate().map(|(i, (at, fact))| Event { seq: i as u64 + 1, at, fact }).collect();
        let log = Log { events };
        checked(&log);
        let foretold = crate::foresee(&log);
        prop_assert!(foretold.len() <= 80);
    }
}

/// A million ends of a million lanes: what is kept is bounded, and what is done with it stays short.
#[test]
fn a_forged_log_of_endless_lanes_is_told_in_time() {
    let mut events = Vec::new();
    let mut note = |us: u64, fact: Fact| {
        let at = Stamp::new(1_795_255_200_000_000 + us as i64, us, us);
        events.push(Event { seq: events.len() as u64 + 1, at, fact });
    };
    for lane in 0..100_000u32 {
        let us = u64::from(lane) * 30_000;
        let address = "10.0.0.1:1".parse().unwrap();
        note(
            us,
            Lane::Opening { lane, manner: Manner::BareWebsocket, to: format!("ws://h{}/", lane % 7).as_str().into() }
                .into(),
        );
        note(us, Lane::Stands { lane, local: address, remote: address, took_ms: 1.0 }.into());
        let at = Stamp::new(0, us, us);
        let end = record::fact::End::Fin;
        note(
            us + 20_000,
            Lane::Ended { lane, end, last_in: at, last_out: at, quiet_ms: 20.0, age_ms: 20.0, at_proof: lane % 2 == 0 }
                .into(),
        );
    }
    let log = Log { events };
    let story = crate::story(&log);
    assert!(story.head.findings.len() < 40, "{}", story.head.findings.len());
    assert!(story.lanes.iter().all(|lane| lane.marks.len() <= 400));
}

fn place(ip: [u8; 4], port: u16) -> record::IpPort {
    std::net::SocketAddr::from((ip, port)).into()
}
