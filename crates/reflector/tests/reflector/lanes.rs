//! Lanes as their callers meet them: by path, by first bytes, with a ticket and a plan.

use crate::desk::{Client, Desk, SOON, hello};
use engine::Clock;
use engine::lanes::channel::Channel;
use engine::line::stream::{Carrier, Watched};
use record::fact::{End, LaneSight, Side, Sight, Stirred};
use record::wire::lane::{FromLane, PREAMBLE, Plan, ToLane, Unwelcome};
use record::wire::{FromClient, FromFar, LaneGate, Sealed};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;

const MS: Duration = Duration::from_millis(1);

async fn call(desk: &Desk, quiet: bool) -> (Client, LaneGate) {
    let mut client = desk.socket().await;
    let FromClient::Hello { client: name, token, resume, .. } = hello(None, None) else { unreachable!() };
    client.say(&FromClient::Hello { client: name, token, resume, quiet }).await;
    let FromFar::Welcome { lanes, .. } = client.welcome().await.whole else { unreachable!() };
    (client, lanes.expect("this reflector holds lanes"))
}

async fn websocket(at: SocketAddr, path: &str) -> Channel {
    let tcp = Carrier::Plain(Watched::new(TcpStream::connect(at).await.unwrap(), Clock::real()));
    let (ws, _) = client_async(format!("ws://{at}{path}"), tcp).await.unwrap();
    Channel::websocket(ws, Clock::real())
}

async fn lines(at: SocketAddr) -> Channel {
    let mut tcp = Carrier::Plain(Watched::new(TcpStream::connect(at).await.unwrap(), Clock::real()));
    tcp.write_all(PREAMBLE.as_bytes()).await.unwrap();
    Channel::lines(tcp, vec![], Clock::real())
}

fn plan(quiet_ms: f64, first: Option<Side>, stirred: Stirred) -> Plan {
    Plan { quiet_ms, first, stirred }
}

async fn begin(channel: &mut Channel, ticket: &Sealed, lane: u32, plan: Plan) -> ToLane {
    channel.say(&FromLane::Begin { ticket: ticket.clone(), lane, plan }).await.unwrap();
    hear(channel).await.unwrap()
}

async fn hear(channel: &mut Channel) -> Result<ToLane, End> {
    tokio::time::timeout(SOON, channel.hear()).await.expect("something comes soon")
}

/// The next sights of lanes, others left out.
async fn lane_sights(client: &mut Client, n: usize) -> Vec<(u32, LaneSight)> {
    let mut sights = vec![];
    while sights.len() < n {
        if let FromFar::Saw { sight: Sight::Lane { lane, sight }, .. } = client.hear().await {
            sights.push((lane, sight));
        }
    }
    sights
}

#[tokio::test]
async fn an_echo_crosses_each_carrier_and_a_lane_closed_in_order_is_no_loss() {
    let desk = Desk::plain().await;
    let (mut client, gate) = call(&desk, false).await;
    assert_eq!(gate.ticket.0.reveal().len(), 32);
    let ways = [websocket(desk.at, "/lane").await, websocket(desk.at, "/voice/lane").await, lines(desk.at).await];
    for (lane, mut channel) in (1..).zip(ways) {
        let ours = channel.tcp().local_addr().unwrap();
        let welcome = begin(&mut channel, &gate.ticket, lane, plan(60_000.0, None, Stirred::Not)).await;
        assert_eq!(welcome, ToLane::Welcome { from: ours });
        for number in [7, 8] {
            channel.say(&FromLane::Ask { number }).await.unwrap();
            assert_eq!(hear(&mut channel).await, Ok(ToLane::Echo { number }));
        }
        channel.say(&FromLane::Bye).await.unwrap();
        channel.close(1000, "", SOON).await;
        assert_eq!(lane_sights(&mut client, 1).await, [(lane, LaneSight::Stood { from: ours.into() })]);
    }
    client.say(&FromClient::Bye { reason: "done".into() }).await;
    loop {
        match client.hear().await {
            FromFar::Saw { sight: Sight::Lane { lane, sight }, .. } => panic!("lane {lane}: {sight:?}"),
            FromFar::Ended { .. } => break,
            _ => {}
        }
    }
    desk.close().await;
}

#[tokio::test]
async fn a_rung_is_proved_by_either_side_and_both_are_told_of_the_same_silence() {
    let desk = Desk::plain().await;
    let (mut client, gate) = call(&desk, false).await;
    let mut ours = websocket(desk.at, "/lane").await;
    let mut theirs = lines(desk.at).await;
    begin(&mut ours, &gate.ticket, 1, plan(300.0, Some(Side::Us), Stirred::Not)).await;
    begin(&mut theirs, &gate.ticket, 2, plan(300.0, Some(Side::Them), Stirred::Not)).await;
    lane_sights(&mut client, 2).await;
    assert_eq!(hear(&mut theirs).await, Ok(ToLane::Word));
    ours.say(&FromLane::Ask { number: 1 }).await.unwrap();
    assert_eq!(hear(&mut ours).await, Ok(ToLane::Echo { number: 1 }));
    for (lane, sight) in lane_sights(&mut client, 2).await {
        let (LaneSight::Spoke { quiet_ms } | LaneSight::Heard { quiet_ms }) = sight else { panic!("{sight:?}") };
        assert_eq!(lane == 2, matches!(sight, LaneSight::Spoke { .. }));
        assert!((295.0..800.0).contains(&quiet_ms), "{quiet_ms}");
    }
    desk.close().await;
}

#[tokio::test]
async fn only_the_far_end_stirs_where_that_is_the_plan_and_it_stops_with_the_silence() {
    let desk = Desk::plain().await;
    let (_client, gate) = call(&desk, false).await;
    let mut channel = websocket(desk.at, "/lane").await;
    let stirred = Stirred::ByThem { every_ms: 100.0 };
    begin(&mut channel, &gate.ticket, 1, plan(550.0, Some(Side::Us), stirred)).await;
    let heard = async {
        let mut heard = 0;
        while channel.hear::<ToLane>().await == Ok(ToLane::Stir) {
            heard += 1;
        }
        heard
    };
    tokio::pin!(heard);
    assert!(tokio::time::timeout(900 * MS, &mut heard).await.is_err(), "it stays open");
    desk.close().await;
    let heard = heard.await;
    assert!((3..=5).contains(&heard), "{heard} in 550 ms");
}

#[tokio::test]
async fn a_ticket_that_is_none_a_plan_that_is_none_and_a_lane_too_many_are_turned_away() {
    let desk = Desk::plain().await;
    let (_client, gate) = call(&desk, false).await;
    let wrong = Sealed::new("0123".into());
    let fine = plan(1000.0, None, Stirred::Not);
    let turned_away = |welcome| match welcome {
        ToLane::Refused { why, .. } => why,
        other => panic!("{other:?}"),
    };
    let mut channel = websocket(desk.at, "/lane").await;
    assert_eq!(turned_away(begin(&mut channel, &wrong, 1, fine).await), Unwelcome::NoSuchCall);
    for quiet_ms in [-1.0, 1e300] {
        let mut channel = lines(desk.at).await;
        let none = plan(quiet_ms, None, Stirred::Not);
        assert_eq!(turned_away(begin(&mut channel, &gate.ticket, 1, none).await), Unwelcome::BadRequest);
    }
    let mut channel = lines(desk.at).await;
    channel.say(&FromLane::Bye).await.unwrap();
    assert_eq!(turned_away(hear(&mut channel).await.unwrap()), Unwelcome::BadRequest);
    let mut held = vec![];
    for lane in 0..gate.most {
        let mut channel = lines(desk.at).await;
        assert!(matches!(begin(&mut channel, &gate.ticket, lane, fine).await, ToLane::Welcome { .. }));
        held.push(channel);
    }
    let mut channel = lines(desk.at).await;
    assert_eq!(turned_away(begin(&mut channel, &gate.ticket, 99, fine).await), Unwelcome::Full);
    desk.close().await;
}

#[tokio::test]
async fn what_a_stranger_sends_in_place_of_a_lane_is_bounded() {
    let desk = Desk::plain().await;
    let mut tcp = TcpStream::connect(desk.at).await.unwrap();
    tcp.write_all(PREAMBLE.as_bytes()).await.unwrap();
    tcp.write_all(&[b'x'; 4096]).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(SOON, tcp.read_to_string(&mut answer)).await.expect("it ends").unwrap();
    assert!(answer.contains("bad_request"), "{answer}");
    desk.close().await;
}

#[tokio::test]
async fn the_far_end_says_how_a_lane_ended_there() {
    let desk = Desk::plain().await;
    let (mut client, gate) = call(&desk, false).await;
    let mut channel = websocket(desk.at, "/lane").await;
    begin(&mut channel, &gate.ticket, 3, plan(60_000.0, Some(Side::Us), Stirred::Not)).await;
    tokio::time::sleep(200 * MS).await;
    socket2::SockRef::from(channel.tcp()).set_linger(Some(Duration::ZERO)).unwrap();
    drop(channel);
    let sights = lane_sights(&mut client, 2).await;
    let (3, LaneSight::Ended { end: End::Reset, quiet_ms, age_ms }) = &sights[1] else { panic!("{sights:?}") };
    assert!((195.0..1500.0).contains(quiet_ms) && age_ms >= quiet_ms, "{quiet_ms} {age_ms}");
    desk.close().await;
}

#[tokio::test]
async fn lanes_outlive_their_call_for_as_long_as_a_call_is_kept_and_are_told_that_it_is_over() {
    let desk = Desk::with(|s| s.kept_for = 300 * MS).await;
    let (mut client, gate) = call(&desk, false).await;
    let mut channel = lines(desk.at).await;
    begin(&mut channel, &gate.ticket, 1, plan(60_000.0, None, Stirred::Not)).await;
    client.say(&FromClient::Bye { reason: "done".into() }).await;
    tokio::time::sleep(100 * MS).await;
    channel.say(&FromLane::Ask { number: 1 }).await.unwrap();
    assert_eq!(hear(&mut channel).await, Ok(ToLane::Echo { number: 1 }));
    assert_eq!(hear(&mut channel).await, Ok(ToLane::Over));
    assert_eq!(hear(&mut channel).await, Err(End::Fin));
    desk.close().await;
}

#[tokio::test]
async fn on_a_quiet_connection_sights_of_lanes_wait_for_another_word_or_the_end() {
    let desk = Desk::plain().await;
    let (mut client, gate) = call(&desk, true).await;
    let mut first = lines(desk.at).await;
    begin(&mut first, &gate.ticket, 1, plan(60_000.0, None, Stirred::Not)).await;
    let early = tokio::time::timeout(400 * MS, futures_util::StreamExt::next(&mut client.ws)).await;
    assert!(early.is_err(), "not a byte: {early:?}");
    let sent = Clock::real().now().wall;
    client.say(&FromClient::Clock { sent }).await;
    assert!(matches!(client.hear().await, FromFar::Clock { .. }));
    assert!(matches!(lane_sights(&mut client, 1).await[..], [(1, LaneSight::Stood { .. })]));
    let mut second = lines(desk.at).await;
    begin(&mut second, &gate.ticket, 2, plan(60_000.0, None, Stirred::Not)).await;
    client.say(&FromClient::Bye { reason: "done".into() }).await;
    assert!(matches!(lane_sights(&mut client, 1).await[..], [(2, LaneSight::Stood { .. })]));
    while !matches!(client.hear().await, FromFar::Ended { .. }) {}
    desk.close().await;
}

#[tokio::test]
async fn who_sends_without_end_on_a_lane_is_closed_with_a_reason_and_the_call_is_told() {
    let desk = Desk::plain().await;
    let (mut client, gate) = call(&desk, false).await;
    for (lane, mut channel) in [(1, websocket(desk.at, "/lane").await), (2, lines(desk.at).await)] {
        begin(&mut channel, &gate.ticket, lane, plan(60_000.0, None, Stirred::Not)).await;
        let mut said = 0;
        // Nobody reads what would come back: stirring has no answer.
        while said < 20_000 && channel.say(&FromLane::Stir).await.is_ok() {
            said += 1;
        }
        match hear(&mut channel).await {
            Err(End::CloseFrame { by: Side::Them, code: Some(1008), reason }) if lane == 1 => {
                assert!(reason.as_str().contains("more than it has to say"), "{reason}");
            }
            Err(End::Fin | End::Reset) if lane == 2 => {}
            other => panic!("lane {lane} after {said}: {other:?}"),
        }
        let sights = lane_sights(&mut client, 2).await;
        assert!(
            matches!(&sights[1], (n, LaneSight::Ended { end: End::Broken { .. }, .. }) if *n == lane),
            "{sights:?}"
        );
    }
    desk.close().await;
}
