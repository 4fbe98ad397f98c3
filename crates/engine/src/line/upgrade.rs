//! The HTTP upgrade: the last layer before a WebSocket stands.

use super::http::{self, Bad};
use super::proxy::{basic, encoded};
use super::{Target, stream::Carrier, trouble};
use record::{Heard, Stamp, fact::Trouble, profile::Address};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

pub struct Upgraded {
    pub socket: WebSocketStream<Carrier>,
    pub server: Option<Heard>,
}

pub async fn upgrade(
    mut carrier: Carrier,
    target: &Target,
    now: Stamp,
    waited: impl Fn() -> Duration,
) -> Result<Upgraded, Trouble> {
    let key = generate_key();
    let request = request(target, &key)?;
    let witness = carrier.witness();
    let failed = |error| trouble::of(&error, Some(&witness), waited());
    carrier.write_all(request.as_bytes()).await.map_err(failed)?;
    carrier.flush().await.map_err(failed)?;
    let (head, rest) = match http::read_head(&mut carrier, &target.scrub).await {
        Ok(read) => read,
        Err(Bad::NotHttp(says)) => return Err(Trouble::NotUnderstood { says: says.into() }),
        Err(Bad::Io(error)) => return Err(failed(error)),
    };
    if head.status != 101 {
        return Err(head.trouble(&mut carrier, rest, now, &target.scrub).await);
    }
    let wrong = if !head.lists("upgrade", "websocket") || !head.lists("connection", "upgrade") {
        Some("it answered 101, but not to become a WebSocket")
    } else if head.header("sec-websocket-accept") != Some(derive_accept_key(key.as_bytes()).as_str()) {
        Some("its 101 does not answer our key; a cache may stand between")
    } else if head.header("sec-websocket-protocol") != target.subprotocol {
        Some("it does not speak the subprotocol we need; is this the right path?")
    } else if head.header("sec-websocket-extensions").is_some_and(|list| !list.is_empty()) {
        Some("it uses an extension that we did not offer")
    } else {
        None
    };
    if let Some(says) = wrong {
        return Err(Trouble::NotUnderstood { says: says.into() });
    }
    let config = WebSocketConfig::default()
        // Signaling messages are small; the default of 128 kB would be most of a held call's memory.
        .read_buffer_size(8 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(target.largest_message))
        .max_frame_size(Some(target.largest_message));
    let socket = WebSocketStream::from_partially_read(carrier, rest, Role::Client, Some(config)).await;
    Ok(Upgraded { socket, server: head.server(&target.scrub) })
}

fn request(target: &Target, key: &str) -> Result<String, Trouble> {
    let url = target.url.reveal();
    let mut lines = vec![
        ("Host".to_owned(), host(url)),
        ("Upgrade".to_owned(), "websocket".to_owned()),
        ("Connection".to_owned(), "Upgrade".to_owned()),
        ("Sec-WebSocket-Version".to_owned(), "13".to_owned()),
        ("Sec-WebSocket-Key".to_owned(), key.to_owned()),
        ("User-Agent".to_owned(), format!("linewitness/{}", env!("CARGO_PKG_VERSION"))),
    ];
    if let Some(subprotocol) = target.subprotocol {
        lines.push(("Sec-WebSocket-Protocol".to_owned(), subprotocol.to_owned()));
    }
    if let Some(login) = login(url) {
        lines.push(("Authorization".to_owned(), basic(&login)));
    }
    lines.extend(target.headers.iter().map(|(name, value)| (name.clone(), value.reveal().clone())));
    // A line break in a value would end the request early or add a line that nobody asked for.
    if lines.iter().any(|(name, value)| name.chars().chain(value.chars()).any(char::is_control)) {
        let says = "a header for the upgrade holds a control character; check the profile's values".into();
        return Err(Trouble::Local { errno: None, says });
    }
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut text = format!("GET {}{query} HTTP/1.1\r\n", url.path());
    for (name, value) in lines {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    Ok(text)
}

/// `user:password` of the URL.
fn login(url: &url::Url) -> Option<String> {
    let login = || super::proxy::decoded(&format!("{}:{}", url.username(), url.password().unwrap_or("")));
    (!url.username().is_empty()).then(login)
}

/// What is asked with that the URL does not hold as it is sent.
pub fn secrets(url: &Address) -> Option<String> {
    login(url.reveal()).map(|login| encoded(&login))
}

/// Without the port where it is the scheme's own, as browsers write it.
fn host(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
