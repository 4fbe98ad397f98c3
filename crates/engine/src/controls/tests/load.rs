//! What all six kinds cost together, servers and all: a figure to be looked at, on a machine that does nothing else.

#![cfg(unix)]

use super::*;
use crate::line::tests::far::Identity;

fn cpu() -> Duration {
    // SAFETY: a struct of numbers, for which all zeros are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: fills the struct it is given.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) }, 0);
    let of = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1_000);
    of(usage.ru_utime) + of(usage.ru_stime)
}

#[ignore = "takes a minute, and is a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_controls_cost_less_than_a_hundredth_of_a_core() {
    const FOR: Duration = Duration::from_secs(60);
    let echo = udp::echo("the ticket").await;
    let stun = udp::stun().await;
    let identity = Identity::of(&["localhost"]);
    let ca = identity.ca_pem.clone();
    let web = tcp::tls_server(identity).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(crate::line::tests::far::rest(stream));
        }
    });
    let (stun, https) = (format!("stun:{}", stun.at), format!("https://localhost:{}/", web.port()));
    let mut profile = profile("wss://far.example/call", &["gateway", "dns:localhost", "far", &https, &stun]);
    profile.signaling.ca = Some(ca);
    let mut scene = Scene::begin(&profile);
    let hop = Hop {
        interface: "lo".into(),
        kind: LinkKind::Wired,
        gateway: Some("127.0.0.1".parse().unwrap()),
        source: None,
    };
    scene.recorder.note(Net::Route { to: Destination::Ipv4, before: None, after: Some(hop), found: true });
    scene.connected(far);
    let ticket = Sealed::new("the ticket".into());
    scene.gate.send_replace(Some(LaneGate { ticket, most: 9, udp: Some(echo.at.port()) }));
    // The system's authorities are read once, for the first handshake.
    tokio::time::sleep(Duration::from_secs(5)).await;
    while scene.noted.try_recv().is_ok() {}
    let before = cpu();
    tokio::time::sleep(FOR).await;
    let share = (cpu() - before).as_secs_f64() / FOR.as_secs_f64();
    let events: Vec<_> = std::iter::from_fn(|| scene.noted.try_recv().ok()).collect();
    let bytes: usize = events.iter().map(|event| serde_json::to_string(&**event).unwrap().len() + 1).sum();
    let bytes = bytes as f64 / FOR.as_secs_f64();
    let kinds: std::collections::BTreeSet<u32> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::Control(Control::Sample { control, answered, .. }) if *answered > 0 => Some(*control),
            _ => None,
        })
        .collect();
    println!("{:.2} % of a core, {bytes:.0} bytes a second, from {} controls", share * 100.0, kinds.len());
    assert_eq!(kinds.len(), 6, "all but the name servers, of whom there are none");
    assert!(share < 0.01, "{share}");
    assert!(bytes < 300.0, "{bytes}");
}
