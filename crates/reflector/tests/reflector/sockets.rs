//! How many sockets the lanes of one hold have open, as the kernel counts them.

use crate::beside::{Rule, device, profile};
use crate::desk::{Desk, hello};
use engine::lanes::Lanes;
use engine::{Clock, Recorder};
use record::fact::{Lane, Manner, Signaling};
use record::profile::{Address, IceServer, MOST_ALSO, MOST_RUNGS, Span};
use record::wire::FromFar;
use record::{Fact, Private};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};

const MS: Duration = Duration::from_millis(1);

/// Of this kind, that lead to one of these ports and that somebody still holds.
fn open(kind: &str, ports: &[u16]) -> usize {
    let table = std::fs::read_to_string(format!("/proc/self/net/{kind}")).unwrap();
    let leads_there = |row: &&str| {
        let fields: Vec<&str> = row.split_whitespace().collect();
        let port = u16::from_str_radix(fields[2].rsplit(':').next().unwrap(), 16).unwrap();
        let inode = fields[9];
        ports.contains(&port) && inode != "0"
    };
    table.lines().skip(1).filter(leads_there).count()
}

async fn other_service() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let ws = tokio_tungstenite::accept_async(stream).await.unwrap();
                std::future::pending::<()>().await;
                drop(ws);
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_profile_may_ask_for_stays_under_forty_sockets_while_its_ladders_narrow() {
    let desk = Desk::plain().await;
    let mut call = desk.socket().await;
    call.say(&hello(None, None)).await;
    let FromFar::Welcome { lanes: gate, .. } = call.welcome().await.whole else { unreachable!() };
    // It forgets without a word: while the short rungs are narrowed, the long ones still stand.
    let at = device(desk.at, Rule::ForgetAfterIdle(700 * MS)).await;
    let other = other_service().await;
    let (silent_tcp, silent_udp) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let (relay_tcp, relay_udp) = (silent_tcp.local_addr().unwrap().port(), silent_udp.local_addr().unwrap().port());
    let rungs: Vec<u64> = [500, 900].into_iter().chain((0..).map(|n| 20_000 + 100 * n)).take(MOST_RUNGS).collect();
    let mut profile = profile(&format!("ws://{at}/call"), &rungs, |lanes| {
        (lanes.bare_websocket, lanes.talking) = (true, true);
        let udp = (0..MOST_RUNGS as u64).map(|n| Span::parse(&format!("{}ms", 900 + 1000 * n)).unwrap());
        lanes.udp_ladder = udp.collect();
        let also = (0..MOST_ALSO).map(|n| Address::parse(&format!("ws://127.0.0.1:{other}/{n}")).unwrap());
        lanes.also = also.collect();
    });
    profile.ice.servers = vec![IceServer {
        urls: vec![
            format!("turn:127.0.0.1:{relay_udp}?transport=udp"),
            format!("turn:127.0.0.1:{relay_tcp}?transport=tcp"),
            format!("turns:127.0.0.1:{relay_tcp}?transport=tcp"),
        ],
        username: Some(Private::new("joe".into())),
        credential: Some(Private::new("hunter2".into())),
        expires: None,
    }];
    let recorder = Recorder::unwritten(Clock::real());
    let mut noted = recorder.listen();
    let mut lanes = Lanes::begin(&profile, &recorder);
    recorder.note(Signaling::TcpConnected { conn: 1, local: at.into(), remote: desk.at.into(), took_ms: 0.1 });
    lanes.let_in(gate, &[]);
    let (mut most, mut narrowing) = (0, 0);
    for _ in 0..520 {
        let (tcp, udp) = (open("tcp", &[at.port(), other, relay_tcp]), open("udp", &[desk.at.port(), relay_udp]));
        assert!(tcp + udp < 40, "{tcp} over TCP and {udp} over UDP");
        most = most.max(tcp + udp);
        tokio::time::sleep(20 * MS).await;
        narrowing += std::iter::from_fn(|| noted.try_recv().ok())
            .filter(|event| match &event.fact {
                Fact::Lane(Lane::Opening { manner: Manner::Quiet(rung), .. }) => rung.pass > 1,
                _ => false,
            })
            .count();
    }
    lanes.end().await;
    assert!(most >= 30 && narrowing > 0, "{most} at once and {narrowing} to narrow show nothing");
    tokio::time::sleep(50 * MS).await;
    let left = open("tcp", &[at.port(), other, relay_tcp]) + open("udp", &[desk.at.port(), relay_udp]);
    assert_eq!(left, 0, "and none is left behind");
    drop(call);
    desk.close().await;
}
