//! What carries TURN's frames: a UDP socket, or a stream over TCP or TLS.

use crate::Recorder;
use crate::call::relay::{framed, read_frame};
use crate::line::place::Place;
use crate::line::stream::{Carrier as Stream, Watched};
use crate::line::{dial, resolve, tls, trouble};
use crate::tls::client_config;
use record::{
    Said, Stamp,
    fact::{ConnectStage, TlsTrouble, Trouble, TurnTransport},
};
use rustls_pki_types::ServerName;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

pub struct Carrier {
    way: Way,
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

enum Way {
    Datagrams(UdpSocket),
    Stream {
        write: WriteHalf<Stream>,
        frames: Receiver<io::Result<Vec<u8>>>,
        /// A frame must not be left half read, so reading has a task of its own; it ends by being dropped.
        _reading: JoinSet<()>,
    },
}

/// As the call's own connection to a relay.
const RESOLVE_WITHIN: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A few bytes always find room in a stream that moves.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// The largest UDP payload that crosses any network; what a relay says to us is far smaller.
const LARGEST: usize = 1500;
const WAITING: usize = 16;

pub async fn open(
    transport: TurnTransport,
    host: &str,
    port: u16,
    extra_ca: Option<String>,
    place: &Place,
    recorder: &Recorder,
) -> Result<Carrier, (ConnectStage, Trouble)> {
    let began = recorder.now();
    let addresses = addresses(host, port, place).await.map_err(|trouble| (ConnectStage::Dns, trouble))?;
    if transport == TurnTransport::Udp {
        return datagrams(addresses[0]).await.map_err(|error| (ConnectStage::Udp, of(&error, began, recorder)));
    }
    let tcp = |error: io::Error| (ConnectStage::Tcp, of(&error, began, recorder));
    let dialled = tokio::time::timeout(CONNECT_WITHIN, dial::dial_with(&place.spare, &addresses)).await;
    let stream = dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(tcp)?;
    let (local, remote) = (stream.local_addr().map_err(tcp)?, stream.peer_addr().map_err(tcp)?);
    let stream = Watched::new(stream, recorder.clock().clone());
    let stream = match transport {
        TurnTransport::Tls => {
            let waited = || recorder.now().since(began);
            let secured = tokio::time::timeout(CONNECT_WITHIN, secure(stream, host, extra_ca, waited)).await;
            let secured = secured.unwrap_or_else(|_| Err(trouble::no_answer(waited())));
            secured.map_err(|trouble| (ConnectStage::Tls, trouble))?
        }
        _ => Stream::Plain(stream),
    };
    Ok(Carrier { way: frames_of(stream), local, remote })
}

/// Without the name of a protocol, which some relays would take for a browser's.
async fn secure(
    stream: Watched<TcpStream>,
    host: &str,
    extra_ca: Option<String>,
    waited: impl Fn() -> Duration,
) -> Result<Stream, Trouble> {
    let other = |says: &str| Trouble::Tls { kind: TlsTrouble::Other, says: Said::new(says) };
    let config = client_config(extra_ca).await.map_err(|error| other(&error.to_string()))?;
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| other("this host name cannot stand in a certificate"))?;
    let witness = stream.witness();
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream.into()))),
        Err(error) => Err(match trouble::tls_error(&error) {
            Some(error) => tls::describe(error, host, None),
            None => trouble::of(&error, Some(&witness), waited()),
        }),
    }
}

fn of(error: &io::Error, began: Stamp, recorder: &Recorder) -> Trouble {
    trouble::of(error, None, recorder.now().since(began))
}

/// At least one.
async fn addresses(host: &str, port: u16, place: &Place) -> Result<Vec<SocketAddr>, Trouble> {
    Ok(match resolve::resolve(place.clone(), host, port, RESOLVE_WITHIN).await? {
        Some(found) => found,
        None => vec![SocketAddr::new(host.parse().expect("resolve found it to be an address"), port)],
    })
}

async fn datagrams(remote: SocketAddr) -> io::Result<Carrier> {
    let any: IpAddr = if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(remote).await?;
    Ok(Carrier { local: socket.local_addr()?, remote, way: Way::Datagrams(socket) })
}

fn frames_of(stream: Stream) -> Way {
    let (mut read, write) = tokio::io::split(stream);
    let (to, frames) = channel(WAITING);
    let mut reading = JoinSet::new();
    reading.spawn(async move {
        loop {
            let frame = match read_frame(&mut read).await {
                Ok(Some(frame)) => Ok(frame),
                Ok(None) => Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => Err(error),
            };
            let last = frame.is_err();
            if to.send(frame).await.is_err() || last {
                return;
            }
        }
    });
    Way::Stream { write, frames, _reading: reading }
}

impl Carrier {
    pub async fn send(&mut self, frame: Vec<u8>) -> io::Result<()> {
        match &mut self.way {
            Way::Datagrams(socket) => socket.send(&frame).await.map(drop),
            Way::Stream { write, .. } => {
                let writing = async {
                    write.write_all(&framed(frame)).await?;
                    write.flush().await
                };
                let taken = tokio::time::timeout(TAKEN_WITHIN, writing).await;
                taken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// May be dropped while it waits, without loss.
    pub async fn receive(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.way {
            Way::Datagrams(socket) => {
                let mut buf = vec![0; LARGEST];
                let len = socket.recv(&mut buf).await?;
                buf.truncate(len);
                Ok(buf)
            }
            Way::Stream { frames, .. } => {
                frames.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
            }
        }
    }

    /// Whether an error is its end; a datagram that was refused is only lost.
    pub fn is_stream(&self) -> bool {
        matches!(self.way, Way::Stream { .. })
    }
}
