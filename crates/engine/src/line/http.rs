//! The head of an HTTP answer, read from strangers: a proxy's to CONNECT, or the far end's to the upgrade. Read here by
//! ourselves, so that both are limited alike, every refusal keeps its words, and no request is ever logged.

use record::{Heard, Scrub, Stamp, fact::Trouble};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Cookies and security headers make heads of a few kilobytes; servers themselves refuse beyond 8 to 16.
const LARGEST_HEAD: usize = 16 * 1024;
/// Enough for the sentence that explains a refusal.
const LARGEST_BODY: usize = 1024;
/// The body of a refusal comes with its head or hardly later.
const BODY_WAIT: Duration = Duration::from_millis(150);

#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub status: u16,
    pub reason: String,
    headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub enum Bad {
    Io(io::Error),
    NotHttp(Heard),
}

/// The head, and the bytes that came after it.
pub async fn read_head<S: AsyncRead + Unpin>(stream: &mut S, scrub: &Scrub) -> Result<(Head, Vec<u8>), Bad> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some((head, end)) = parse(&bytes, scrub).map_err(Bad::NotHttp)? {
            // 100 and 103 announce that the answer is still to come.
            let interim = (100..200).contains(&head.status) && head.status != 101;
            bytes.drain(..end);
            if interim {
                continue;
            }
            return Ok((head, bytes));
        }
        if bytes.len() > LARGEST_HEAD {
            return Err(Bad::NotHttp("the head of the HTTP answer has no end".into()));
        }
        if stream.read_buf(&mut bytes).await.map_err(Bad::Io)? == 0 {
            return Err(Bad::Io(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

/// The head and its length, `None` if it is not whole yet, or why it is not HTTP.
pub fn parse(bytes: &[u8], scrub: &Scrub) -> Result<Option<(Head, usize)>, Heard> {
    const BEGIN: &[u8] = b"HTTP/1.";
    let begin = &bytes[..bytes.len().min(BEGIN.len())];
    if !BEGIN.starts_with(begin) {
        return Err(not_http(bytes, scrub));
    }
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().splitn(3, ' ');
    let status = first.nth(1).and_then(|status| status.parse().ok()).filter(|status| (100..600).contains(status));
    let Some(status) = status else { return Err(not_http(bytes, scrub)) };
    let reason = first.next().unwrap_or_default().trim().to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Some((Head { status, reason, headers }, end + 4)))
}

fn not_http(bytes: &[u8], scrub: &Scrub) -> Heard {
    if bytes.starts_with(&[0x15, 0x03]) || bytes.starts_with(&[0x16, 0x03]) {
        return "the answer is TLS: this port wants wss:// and not ws://".into();
    }
    // Cut after the secrets are out: half of one would not be known for what it is.
    let shown: String = scrub.hear(&String::from_utf8_lossy(bytes)).as_str().chars().take(40).collect();
    Heard::new(&format!("the answer is not HTTP; it begins with \"{shown}\""))
}

impl Head {
    /// By its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether one of the words of a list header, such as `Connection`, is this one.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        let values = self.headers.iter().filter(|(n, _)| n == name);
        values.flat_map(|(_, value)| value.split(',')).any(|w| w.trim().eq_ignore_ascii_case(word))
    }

    pub fn server(&self, scrub: &Scrub) -> Option<Heard> {
        self.header("server")
            .or_else(|| self.header("via"))
            .filter(|name| !name.is_empty())
            .map(|name| scrub.hear(name))
    }

    /// This answer as the reason why a stage failed; waits shortly for the sentence in its body.
    pub async fn trouble<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        mut body: Vec<u8>,
        now: Stamp,
        scrub: &Scrub,
    ) -> Trouble {
        let speaks = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/plain") || kind.starts_with("application/json"))
            && self.header("transfer-encoding").is_none();
        if speaks {
            let whole = self.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(LARGEST_BODY);
            let more = async {
                while body.len() < whole.min(LARGEST_BODY) && stream.read_buf(&mut body).await.is_ok_and(|n| n > 0) {}
            };
            // What came in time is what is shown.
            let _ = tokio::time::timeout(BODY_WAIT, more).await;
        } else {
            body.clear();
        }
        let body = String::from_utf8_lossy(&body).trim().to_owned();
        let says = match (self.reason.is_empty(), body.is_empty()) {
            (_, true) => self.reason.clone(),
            (true, false) => body,
            (false, false) => format!("{}: {body}", self.reason),
        };
        Trouble::Http {
            status: self.status,
            server: self.server(scrub).map(Into::into),
            retry_after_s: self.header("retry-after").and_then(|text| retry_after(text, now)),
            says: scrub.hear(&says).into(),
        }
    }
}

/// Seconds, or a date.
fn retry_after(text: &str, now: Stamp) -> Option<f64> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(f64::from(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let us = at.as_microsecond() - now.wall.micros();
    Some((us as f64 / 1e6).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_head_is_read_and_what_follows_it_is_kept() {
        let mut bytes: &[u8] =
            b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 101 Switching\r\nConnection: keep-alive, Upgrade\r\nX: \xff\r\n\r\n\x81\x01a";
        let (head, rest) = read_head(&mut bytes, &Scrub::default()).await.expect("this is HTTP");
        assert_eq!((head.status, head.reason.as_str()), (101, "Switching"));
        assert!(head.lists("connection", "upgrade"));
        assert_eq!(rest, b"\x81\x01a");
    }

    #[tokio::test]
    async fn other_protocols_are_named_and_endless_heads_refused() {
        for (answer, word) in [
            (&b"SSH-2.0-OpenSSH_9\r\n"[..], "SSH-2.0"),
            (b"\x15\x03\x01\x00\x02\x02", "wss://"),
            (b"HTTP/1.1 abc\r\n\r\n", "not HTTP"),
        ] {
            let mut bytes = answer;
            let Err(Bad::NotHttp(says)) = read_head(&mut bytes, &Scrub::default()).await else {
                panic!("{answer:?} was taken for HTTP")
            };
            assert!(says.as_str().contains(word), "{says}");
        }
        let endless = [&b"HTTP/1.1 200 OK\r\n"[..], &b"a: b\r\n".repeat(10_000)].concat();
        assert!(matches!(read_head(&mut endless.as_slice(), &Scrub::default()).await, Err(Bad::NotHttp(_))));
        assert!(matches!(read_head(&mut &b"HTTP/1.1 2"[..], &Scrub::default()).await, Err(Bad::Io(_))));
    }

    #[tokio::test]
    async fn a_refusal_keeps_its_words_its_server_and_its_wait() {
        let now = Stamp::new(1_795_255_200_000_000, 0, 0); // 2026-11-21 10:00:00 UTC
        for (wait, expected) in [("120", Some(120.0)), ("Sat, 21 Nov 2026 10:01:30 GMT", Some(90.0)), ("soon", None)] {
            let text = format!(
                "HTTP/1.1 503 Busy\r\nServer: far/1\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nRetry-After: {wait}\r\n\r\nfull now\nX"
            );
            let mut bytes = text.as_bytes();
            let (head, rest) = read_head(&mut bytes, &Scrub::default()).await.expect("this is HTTP");
            let Trouble::Http { status, server, retry_after_s, says } =
                head.trouble(&mut bytes, rest, now, &Scrub::default()).await
            else {
                panic!("an HTTP answer")
            };
            assert_eq!((status, server, retry_after_s), (503, Some("far/1".into()), expected));
            assert!(says.as_str().starts_with("Busy: full now"), "{says}");
        }
    }
}
