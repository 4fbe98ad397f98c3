//! The box by plain sockets, against a far end that sends everything back.

use super::*;
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MS: Duration = Duration::from_millis(1);
const SOON: Duration = Duration::from_secs(5);

/// Echoes TCP and UDP on one number; a connection that says `bye` is ended in order.
async fn far_end() -> (SocketAddr, JoinSet<()>) {
    let (tcp, at, udp) = loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = tcp.local_addr().unwrap();
        // Another test may have the number over UDP.
        if let Ok(udp) = UdpSocket::bind(at).await {
            break (tcp, at, udp);
        }
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut held = JoinSet::new();
        loop {
            let (mut stream, _) = tcp.accept().await.unwrap();
            held.spawn(async move {
                let mut buf = [0; 512];
                while let Ok(n) = stream.read(&mut buf).await {
                    if n == 0 || &buf[..n] == b"bye" || stream.write_all(&buf[..n]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    tasks.spawn(async move {
        let mut buf = [0; 512];
        loop {
            let (n, from) = udp.recv_from(&mut buf).await.unwrap();
            udp.send_to(&buf[..n], from).await.unwrap();
        }
    });
    (at, tasks)
}

struct Bench {
    between: Between,
    _far_end: JoinSet<()>,
}

impl Bench {
    async fn set() -> Self {
        let (far, tasks) = far_end().await;
        let between = Between::begin(Clock::real()).await.unwrap();
        between.rule(|rules| rules.far = Some(far));
        Self { between, _far_end: tasks }
    }

    /// A connection over which `first` has gone there and back.
    async fn connected(&self, first: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.between.tcp).await.unwrap();
        stream.set_nodelay(true).unwrap();
        assert_eq!(there_and_back(&mut stream, first).await.unwrap(), first);
        stream
    }

    async fn udp(&self) -> UdpSocket {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket.connect(self.between.udp).await.unwrap();
        socket
    }

    fn did(&self) -> Vec<What> {
        self.between.deeds().iter().map(|deed| deed.what).collect()
    }
}

async fn there_and_back(stream: &mut TcpStream, says: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(says).await?;
    next(stream).await
}

async fn next(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut buf = vec![0; 512];
    let n = tokio::time::timeout(SOON, stream.read(&mut buf)).await.expect("it comes within five seconds")?;
    buf.truncate(n);
    Ok(buf)
}

async fn silent(socket: &UdpSocket) -> bool {
    tokio::time::timeout(100 * MS, socket.recv(&mut [0; 64])).await.is_err()
}

const CALL: &[u8] = b"GET /call HTTP/1.1\r\n";
const LANE: &[u8] = b"GET /lane HTTP/1.1\r\n";

#[tokio::test]
async fn an_ordered_reset_ends_the_call_and_nothing_else() {
    let bench = Bench::set().await;
    let (mut call, mut lane) = (bench.connected(CALL).await, bench.connected(LANE).await);
    bench.between.end_signaling(End::Reset);
    assert_eq!(next(&mut call).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(there_and_back(&mut lane, b"alive").await.unwrap(), b"alive");
    assert_eq!(bench.did(), [What::Ended(End::Reset)]);
    // The next call's connection is another one.
    bench.connected(CALL).await;
}

#[tokio::test]
async fn a_mute_connection_says_nothing_and_does_not_end() {
    let bench = Bench::set().await;
    let mut call = bench.connected(CALL).await;
    bench.between.end_signaling(End::Mute);
    while bench.did().is_empty() {
        tokio::time::sleep(MS).await;
    }
    call.write_all(b"hello?").await.unwrap();
    assert!(tokio::time::timeout(300 * MS, call.read(&mut [0; 8])).await.is_err());
    assert_eq!(bench.did(), [What::Ended(End::Mute)]);
    // The kernel itself was made deaf: what was written stays unacknowledged.
    #[cfg(target_os = "linux")]
    assert_eq!(unsent(&call), 6);
}

/// What the kernel still keeps because nobody acknowledged it.
#[cfg(target_os = "linux")]
fn unsent(stream: &TcpStream) -> i32 {
    use std::os::fd::AsRawFd;
    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ writes one int through the pointer, which outlives the call.
    assert_eq!(unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) }, 0);
    bytes
}

#[tokio::test]
async fn quiet_connections_are_ended_with_fin_and_those_that_speak_are_not() {
    let bench = Bench::set().await;
    let most = 400 * MS;
    bench.between.rule(|rules| rules.quiet_for = Some(most));
    let (mut call, mut lane) = (bench.connected(CALL).await, bench.connected(LANE).await);
    for _ in 0..6 {
        tokio::time::sleep(100 * MS).await;
        assert_eq!(there_and_back(&mut lane, b"a word").await.unwrap(), b"a word");
    }
    assert_eq!(next(&mut call).await.unwrap(), b"", "a FIN, and no RST");
    assert_eq!(bench.did(), [What::WasQuiet(most)]);
}

#[tokio::test]
async fn old_connections_are_ended_however_much_they_speak() {
    let bench = Bench::set().await;
    let most = 400 * MS;
    bench.between.rule(|rules| rules.age = Some(most));
    let mut call = bench.connected(CALL).await;
    let mut said = 0;
    while !there_and_back(&mut call, b"a word").await.unwrap_or_default().is_empty() {
        said += 1;
        tokio::time::sleep(50 * MS).await;
    }
    assert!(said >= 3, "it lived until then, and spoke {said} times");
    assert_eq!(bench.did(), [What::WasOld(most)]);
}

#[tokio::test]
async fn what_the_far_end_ends_is_handed_on_and_dated_to_its_last_word() {
    let bench = Bench::set().await;
    let mut call = bench.connected(CALL).await;
    let last_word = Clock::real().now();
    tokio::time::sleep(50 * MS).await;
    assert_eq!(there_and_back(&mut call, b"bye").await.unwrap(), b"");
    let deeds = bench.between.deeds();
    assert_eq!(bench.did(), [What::FarEnded]);
    assert!(deeds[0].at <= last_word, "the goodbye itself carried no word");
}

#[tokio::test]
async fn without_a_far_end_whoever_connects_is_reset() {
    let bench = Bench::set().await;
    bench.between.rule(|rules| rules.far = None);
    let mut stream = TcpStream::connect(bench.between.tcp).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn udp_is_lost_in_the_direction_that_was_asked_for() {
    let (rtp, check) = ([0x80, 111, 0, 1], [0, 1, 0, 0]);
    for (losing, crosses) in [
        (Losing { out: true, ..Losing::default() }, false),
        (Losing { back: true, ..Losing::default() }, false),
        (Losing { others: true, ..Losing::default() }, true),
    ] {
        let bench = Bench::set().await;
        let socket = bench.udp().await;
        let mut buf = [0; 64];
        socket.send(&rtp).await.unwrap();
        assert_eq!(socket.recv(&mut buf).await.unwrap(), 4);
        bench.between.rule(|rules| rules.udp = losing);
        socket.send(&check).await.unwrap();
        assert_eq!(silent(&socket).await, !crosses, "{losing:?}");
        assert_eq!(bench.did(), [], "a check is no media");
        socket.send(&rtp).await.unwrap();
        socket.send(&rtp).await.unwrap();
        assert_eq!(silent(&socket).await, !crosses, "{losing:?}");
        let lost: &[What] = if crosses { &[] } else { &[What::LostMedia] };
        assert_eq!(bench.did(), lost, "told once");
    }
}

#[tokio::test]
async fn another_far_end_is_reached_by_the_same_socket() {
    let bench = Bench::set().await;
    let socket = bench.udp().await;
    let mut buf = [0; 64];
    let mut far_ends = vec![];
    for _ in 0..2 {
        socket.send(b"one").await.unwrap();
        assert_eq!(socket.recv(&mut buf).await.unwrap(), 3);
        let (anew, tasks) = far_end().await;
        far_ends.push(tasks);
        bench.between.rule(|rules| rules.far = Some(anew));
        socket.send(b"four").await.unwrap();
        assert_eq!(socket.recv(&mut buf).await.unwrap(), 4);
    }
}

#[tokio::test]
async fn the_other_server_answers_until_it_is_lost() {
    let bench = Bench::set().await;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    socket.send_to(&request, bench.between.stun).await.unwrap();
    assert_eq!(socket.recv(&mut [0; 64]).await.unwrap(), 32);
    bench.between.rule(|rules| rules.udp.others = true);
    socket.send_to(&request, bench.between.stun).await.unwrap();
    assert!(silent(&socket).await);
}
