//! The door: what a connection is, by its first bytes, and what becomes of it.
//!
//! TLS or not is told by the first byte, a lane without HTTP by its first line, and the rest by the path of the HTTP
//! request: `/call`, and whatever ends in `/lane`, because a proxy may hand on calls under a path of its own.

use engine::Clock;
use engine::lanes::channel::Channel;
use engine::line::stream::{Carrier, Watched};
use record::wire::lane;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error,
        error::ProtocolError,
        handshake::{
            machine::TryParse,
            server::{Request, create_response, write_response},
        },
        protocol::{Role, WebSocketConfig},
    },
};

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub type WebSocket = WebSocketStream<Carrier>;

/// Someone who asked for `/call` and speaks WebSocket.
pub struct Caller {
    pub ws: WebSocket,
    pub remote: SocketAddr,
    /// Where the caller reached us.
    pub local: SocketAddr,
}

/// Someone who came in.
pub enum Visitor {
    Caller(Caller),
    Lane(Channel, SocketAddr),
}

/// `None`: answered or turned away, and done.
pub async fn open(
    tcp: TcpStream,
    remote: SocketAddr,
    tls: Option<&TlsAcceptor>,
    message_bytes: usize,
    clock: &Clock,
) -> std::io::Result<Option<Visitor>> {
    let local = tcp.local_addr()?;
    // Signaling messages are small and each is waited for.
    tcp.set_nodelay(true)?;
    let mut first = [0];
    if tcp.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    let speaks_tls = first[0] == TLS_HANDSHAKE;
    let mut stream = match (tls, speaks_tls) {
        (Some(tls), true) => Carrier::Tls(Box::new(tls.accept(Watched::new(tcp, clock.clone())).await?.into())),
        (None, false) => Carrier::Plain(Watched::new(tcp, clock.clone())),
        (Some(_), false) => {
            let mut tcp = tcp;
            answer(&mut tcp, "400 Bad Request", "This port speaks TLS: use wss:// or https://.\n").await?;
            return Ok(None);
        }
        (None, true) => {
            tracing::debug!(%remote, "a TLS handshake came to a port without a certificate");
            let mut tcp = tcp;
            tcp.write_all(&NO_TLS_HERE).await?;
            linger(&mut tcp).await;
            return Ok(None);
        }
    };
    let begun = match first_bytes(&mut stream).await? {
        First::Lane(unread) => return Ok(Some(Visitor::Lane(Channel::lines(stream, unread, clock.clone()), remote))),
        First::Other(begun) => begun,
    };
    let (request, rest) = match read_request(&mut stream, begun).await {
        Ok(read) => read,
        Err(refused) => {
            answer(&mut stream, refused.status, refused.says).await?;
            return Ok(None);
        }
    };
    let says = match request.uri().path() {
        "/call" => {
            let ws = upgrade(stream, &request, rest, message_bytes, SIGNALING_BUFFER).await?;
            return Ok(ws.map(|ws| Visitor::Caller(Caller { ws, remote, local })));
        }
        path if path.ends_with("/lane") => {
            let ws = upgrade(stream, &request, rest, lane::LARGEST_MESSAGE, LANE_BUFFER).await?;
            return Ok(ws.map(|ws| Visitor::Lane(Channel::websocket(ws, clock.clone()), remote)));
        }
        "/" => ("200 OK", WELCOME),
        "/health" => ("200 OK", "ok\n"),
        _ => ("404 Not Found", "There is nothing here. Calls go to /call, and lanes beside them to /lane.\n"),
    };
    answer(&mut stream, says.0, says.1).await?;
    Ok(None)
}

const WELCOME: &str = "This is a Linewitness reflector; it answers test calls, sends their silence back, and tells \
    what it saw of them and of the lanes beside them.\nPlace one with: linewitness hold --to ws://THIS-HOST:PORT/call\n";

/// The record type with which every TLS connection begins; no HTTP method does.
const TLS_HANDSHAKE: u8 = 0x16;

/// A fatal `protocol_version` alert: a TLS client then says that this is no TLS, and not that the line broke.
const NO_TLS_HERE: [u8; 7] = [0x15, 3, 1, 0, 2, 2, 70];

/// Taken at once and kept for the whole call; signaling messages fit into one or two of these, and a lane's into one.
const SIGNALING_BUFFER: usize = 4 * 1024;
const LANE_BUFFER: usize = 512;

enum First {
    /// A lane without HTTP; what came behind its first line.
    Lane(Vec<u8>),
    Other(Vec<u8>),
}

async fn first_bytes(stream: &mut Carrier) -> std::io::Result<First> {
    let preamble = lane::PREAMBLE.as_bytes();
    let mut begun = Vec::with_capacity(256);
    loop {
        if stream.read_buf(&mut begun).await? == 0 || !preamble.starts_with(&begun[..begun.len().min(preamble.len())]) {
            return Ok(First::Other(begun));
        }
        if begun.len() >= preamble.len() {
            return Ok(First::Lane(begun.split_off(preamble.len())));
        }
    }
}

async fn upgrade(
    mut stream: Carrier,
    request: &Request,
    rest: Vec<u8>,
    message_bytes: usize,
    buffer: usize,
) -> std::io::Result<Option<WebSocket>> {
    let Ok(response) = create_response(request) else {
        const ONLY_WS: &str = "This path speaks WebSocket, version 13.\n";
        answer(&mut stream, "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13", ONLY_WS).await?;
        return Ok(None);
    };
    let mut head = Vec::with_capacity(256);
    write_response(&mut head, &response).expect("memory takes whatever is written, and the headers are our own");
    stream.write_all(&head).await?;
    stream.flush().await?;
    let config = WebSocketConfig::default()
        .read_buffer_size(buffer)
        .write_buffer_size(0)
        // A caller that reads nothing more is noticed by the time a message takes, long before this.
        .max_write_buffer_size(4 * message_bytes)
        .max_message_size(Some(message_bytes))
        .max_frame_size(Some(message_bytes));
    Ok(Some(WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(config)).await))
}

pub struct Refused {
    pub status: &'static str,
    pub says: &'static str,
}

/// A request head is a few hundred bytes; cookies and proxies' own headers may add some.
const LARGEST_HEAD: usize = 16 * 1024;

/// The head of a GET request, and what came behind it. The caller sets the time limit.
pub async fn read_request(stream: &mut impl Stream, mut buf: Vec<u8>) -> Result<(Request, Vec<u8>), Refused> {
    const NO_HTTP: Refused =
        Refused { status: "400 Bad Request", says: "This is not an HTTP request we understand.\n" };
    loop {
        match Request::try_parse(&buf) {
            Ok(Some((head, request))) => return Ok((request, buf.split_off(head))),
            Ok(None) if buf.len() >= LARGEST_HEAD => {
                let status = "431 Request Header Fields Too Large";
                return Err(Refused { status, says: "The request's headers are larger than 16 kB.\n" });
            }
            Ok(None) => {}
            Err(Error::Protocol(ProtocolError::WrongHttpMethod)) => {
                return Err(Refused {
                    status: "405 Method Not Allowed\r\nAllow: GET",
                    says: "Only GET is answered here.\n",
                });
            }
            Err(_) => return Err(NO_HTTP),
        }
        match stream.read_buf(&mut buf).await {
            Ok(0) | Err(_) => return Err(NO_HTTP),
            Ok(_) => {}
        }
    }
}

pub async fn answer(stream: &mut impl Stream, status: &str, says: &str) -> std::io::Result<()> {
    let length = says.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(says.as_bytes()).await?;
    linger(stream).await;
    Ok(())
}

/// Ends our direction and waits for the other's. Closing a socket with unread bytes resets it, and the reset can
/// overtake the very words that explain the end.
pub async fn linger(stream: &mut impl Stream) {
    const AT_MOST: Duration = Duration::from_secs(1);
    const MOST_BYTES: usize = 256 * 1024;
    let drain = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let (mut sink, mut drained) = (vec![0; 4 * 1024], 0);
        while let Ok(n) = stream.read(&mut sink).await
            && n > 0
            && drained < MOST_BYTES
        {
            drained += n;
        }
    };
    // Whoever goes on sending after a second, or without end, has had time to read.
    let _cut = tokio::time::timeout(AT_MOST, drain).await;
}
