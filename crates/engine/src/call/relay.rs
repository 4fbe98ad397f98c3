//! TURN over TCP and TLS: what the stack sends to a magic address goes over a stream of our own, and what comes on the
//! stream is handed up as if it had come from there.

use super::instruments::Instruments;
use super::wire::{CHANNEL_HEADER, STUN_HEADER};
use record::Heard;
use record::fact::Ice;
use rustls_pki_types::ServerName;
use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

#[derive(Clone, Debug)]
pub struct RelayServer {
    pub magic: SocketAddr,
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub label: Heard,
}

/// All servers of one call that are reached over streams.
pub struct Relays {
    servers: BTreeMap<SocketAddr, RelayServer>,
    /// Present where a server is reached over TLS.
    tls: Option<Arc<ClientConfig>>,
    instruments: Arc<Instruments>,
    /// The socket that uses a server. The stack asks for a relay from each of its sockets, one an interface; over a
    /// stream they would all take the same path, so the first one gets the connection and the others are turned away.
    taken: Mutex<BTreeMap<SocketAddr, SocketAddr>>,
    running: Mutex<JoinSet<()>>,
}

/// What came from a relay: its magic address and the datagram.
pub type Frame = (SocketAddr, Vec<u8>);

/// Ends its connection when dropped, after what was queued has gone out.
pub struct RelayStream {
    out: Sender<Vec<u8>>,
    magic: SocketAddr,
    relays: Arc<Relays>,
}

/// A quarter of a second of media and then some: what waits longer than that in a stalled stream is of no use.
const QUEUE: usize = 64;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A refusal costs two packets, and a caller waits.
const CONNECT_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Ends a goodbye that nobody reads.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

impl Relays {
    pub fn new(servers: Vec<RelayServer>, tls: Option<Arc<ClientConfig>>, instruments: Arc<Instruments>) -> Arc<Self> {
        for server in &servers {
            instruments.name_server(server.magic, server.label.clone());
        }
        let servers = servers.into_iter().map(|server| (server.magic, server)).collect();
        Arc::new(Self { servers, tls, instruments, taken: Mutex::default(), running: Mutex::default() })
    }

    pub fn is_magic(&self, address: SocketAddr) -> bool {
        self.servers.contains_key(&address)
    }

    /// Begins to connect; frames may be sent at once.
    pub fn open(self: &Arc<Self>, magic: SocketAddr, local: SocketAddr, up: Sender<Frame>) -> io::Result<RelayStream> {
        let server = self.servers.get(&magic).ok_or(io::ErrorKind::NotFound)?;
        let mut taken = self.taken.lock().expect("no holder panics");
        if taken.get(&magic).is_some_and(|other| *other != local) {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another socket has the connection to this relay"));
        }
        taken.insert(magic, local);
        let (out, frames) = channel(QUEUE);
        self.running.lock().expect("no holder panics").spawn(run(Arc::clone(self), server.clone(), frames, up));
        Ok(RelayStream { out, magic, relays: Arc::clone(self) })
    }

    /// Once the sockets are gone: waits for the connections to end in order, and ends those that do not.
    pub async fn end(&self) {
        let mut running = std::mem::take(&mut *self.running.lock().expect("no holder panics"));
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(FLUSH_WITHIN, all).await.is_err() {
            running.shutdown().await;
        }
    }
}

impl RelayStream {
    /// Whether the frame was taken; a stalled or lost stream loses it, as a network would.
    pub fn send(&self, frame: &[u8]) -> bool {
        match self.out.try_send(frame.to_vec()) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => false,
        }
    }
}

impl Drop for RelayStream {
    fn drop(&mut self) {
        self.relays.taken.lock().expect("no holder panics").remove(&self.magic);
    }
}

async fn run(relays: Arc<Relays>, server: RelayServer, mut frames: Receiver<Vec<u8>>, up: Sender<Frame>) {
    let began = relays.instruments.recorder().now();
    let mut queued = vec![];
    let socket = up.clone();
    let lost = |says: &str| {
        // A server may close at our goodbye, before we do: with the socket gone, no end is a loss.
        if !socket.is_closed() {
            let (server, says) = (server.label.clone(), Heard::new(says));
            relays.instruments.note(Ice::TurnLost { server, says: says.into() });
        }
    };
    let stream = tokio::select! {
        stream = connect_at_last(&relays, &server, &lost) => stream,
        () = collect(&mut frames, &mut queued) => return,
    };
    let took_ms = record::millis(relays.instruments.recorder().now().since(began));
    relays.instruments.note(Ice::TurnConnected { server: server.label.clone(), took_ms });
    let (read, write) = tokio::io::split(stream);
    let ended = tokio::select! {
        sent = send(write, queued, frames) => sent.map_err(|error| sentence("sending to it failed", &error)),
        end = receive(read, server.magic, up) => Err(match end {
            Ok(()) => "it ended the connection".to_owned(),
            Err(error) => sentence("the connection broke", &error),
        }),
    };
    if let Err(says) = ended {
        lost(&says);
    }
}

/// A server that is being started anew refuses for some seconds. The stack goes on asking meanwhile, as it does over UDP,
/// and what waits is sent when somebody is there.
async fn connect_at_last(relays: &Relays, server: &RelayServer, lost: &(dyn Fn(&str) + Sync)) -> Box<dyn Stream> {
    let mut said = false;
    loop {
        match connect(relays, server).await {
            Ok(stream) => return stream,
            Err(says) => {
                if !std::mem::replace(&mut said, true) {
                    lost(&says);
                }
            }
        }
        tokio::time::sleep(CONNECT_AGAIN_AFTER).await;
    }
}

/// Keeps what is sent while the connection is made; returns when nobody wants the connection any more.
async fn collect(frames: &mut Receiver<Vec<u8>>, queued: &mut Vec<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        // Asked again in the same words, a question need not be sent twice.
        if queued.len() < QUEUE && !queued.contains(&frame) {
            queued.push(frame);
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(relays: &Relays, server: &RelayServer) -> Result<Box<dyn Stream>, String> {
    let RelayServer { host, port, .. } = server;
    let waited = tokio::time::timeout(CONNECT_WITHIN, async {
        let tcp = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| sentence("TCP failed", &error))?;
        // Media must not wait for more media to fill a segment.
        tcp.set_nodelay(true).map_err(|error| sentence("TCP failed", &error))?;
        if !server.tls {
            return Ok(Box::new(tcp) as Box<dyn Stream>);
        }
        let config = relays.tls.as_ref().ok_or("TLS was not set up")?;
        let name = ServerName::try_from(host.clone())
            .map_err(|_| "its name cannot stand in a certificate, so TLS cannot check it".to_owned())?;
        let tls = TlsConnector::from(Arc::clone(config)).connect(name, tcp).await;
        Ok(Box::new(tls.map_err(|error| tls_sentence(&error))?) as Box<dyn Stream>)
    });
    waited.await.unwrap_or_else(|_| Err(format!("no connection within {} s", CONNECT_WITHIN.as_secs())))
}

fn sentence(what: &str, error: &io::Error) -> String {
    format!("{what}: {error}")
}

fn tls_sentence(error: &io::Error) -> String {
    let rustls = error.get_ref().and_then(|inner| inner.downcast_ref::<tokio_rustls::rustls::Error>());
    match rustls {
        Some(tokio_rustls::rustls::Error::InvalidCertificate(why)) => {
            format!("its certificate was not accepted: {why}")
        }
        Some(why) => format!("TLS failed: {why}"),
        None => format!("TLS failed: {error}"),
    }
}

/// Returns when the last sender is gone, which is the wanted end.
async fn send(mut to: impl AsyncWrite + Unpin, queued: Vec<Vec<u8>>, mut frames: Receiver<Vec<u8>>) -> io::Result<()> {
    for frame in queued {
        to.write_all(&framed(frame)).await?;
    }
    to.flush().await?;
    while let Some(frame) = frames.recv().await {
        to.write_all(&framed(frame)).await?;
        to.flush().await?;
    }
    // Best effort: the server will find out by itself, later.
    let _ = tokio::time::timeout(FLUSH_WITHIN, to.shutdown()).await;
    Ok(())
}

/// RFC 8656, 12.5: over a stream, channel data is filled up to four bytes. STUN messages already are.
pub(crate) fn framed(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().next_multiple_of(4), 0);
    frame
}

async fn receive(mut from: impl AsyncRead + Unpin, magic: SocketAddr, up: Sender<Frame>) -> io::Result<()> {
    loop {
        let Some(frame) = read_frame(&mut from).await? else { return Ok(()) };
        if up.send((magic, frame)).await.is_err() {
            // The socket is gone; the sending half ends this connection in order.
            return pending().await;
        }
    }
}

/// `None` at the end of the stream.
pub(crate) async fn read_frame(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; CHANNEL_HEADER];
    if from.read(&mut header[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut header[1..]).await?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let (whole, on_the_wire) = match header[0] {
        0..=3 => (STUN_HEADER + length, STUN_HEADER + length),
        64..=79 => (CHANNEL_HEADER + length, (CHANNEL_HEADER + length).next_multiple_of(4)),
        other => {
            let says = format!("it sent something that is not TURN (first byte {other})");
            return Err(io::Error::new(io::ErrorKind::InvalidData, says));
        }
    };
    let mut frame = vec![0; on_the_wire];
    frame[..CHANNEL_HEADER].copy_from_slice(&header);
    from.read_exact(&mut frame[CHANNEL_HEADER..]).await?;
    frame.truncate(whole);
    Ok(Some(frame))
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Class, build, method};
    use super::*;

    #[tokio::test]
    async fn frames_come_out_of_a_stream_as_they_went_in() {
        let stun = build::stun(Class::Success, method::ALLOCATE, 1, &[(0x0016, &[0; 8])]);
        let odd = build::channel(0x4001, b"abcde");
        let sent = [stun, odd.clone(), build::channel(0x4002, b"")];
        let wire: Vec<u8> = sent.iter().flat_map(|frame| framed(frame.clone())).collect();
        assert_eq!(wire.len() % 4, 0);
        let mut from = wire.as_slice();
        for frame in &sent {
            assert_eq!(read_frame(&mut from).await.expect("whole").as_ref(), Some(frame));
        }
        assert_eq!(read_frame(&mut from).await.expect("the end"), None);
    }

    #[tokio::test]
    async fn a_stream_that_is_not_turn_or_ends_amid_a_frame_is_an_error() {
        let error =
            read_frame(&mut b"HTTP/1.1 400".as_slice()).await.expect_err("72 begins channel data of odd length");
        assert!(matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof), "{error}");
        let error = read_frame(&mut [0x16, 3, 1, 0].as_slice()).await.expect_err("TLS");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let cut = &build::channel(0x4001, b"abcde")[..6];
        assert_eq!(read_frame(&mut &cut[..]).await.expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
    }
}
