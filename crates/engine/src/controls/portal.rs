//! A plain web page whose answer is known: whatever else comes was answered by somebody between.
//!
//! Every ten seconds: a page that is there for this is asked by whole fleets of devices at about this pace.

use super::driver::{Asker, News};
use super::far_tcp::connect;
use super::fresh::{Fresh, close_in_order};
use super::place::Place;
use crate::Recorder;
use crate::line::http::{self, Bad, Head};
use crate::line::trouble::words;
use record::{Heard, Said, Scrub, fact::Control};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

pub const EVERY: Duration = Duration::from_secs(10);
const PORT: u16 = 80;
/// The pages made for this are empty or a few words ("Microsoft Connect Test"; Apple's is 68 bytes of HTML). No sign-in
/// page is as short.
const SHORT: usize = 128;

/// A body as short comes with its head or hardly later.
const BODY_WAIT: Duration = Duration::from_millis(300);

pub struct PortalAsker {
    place: Place,
    page: Arc<Page>,
    fresh: Fresh,
}

struct Page {
    recorder: Recorder,
    control: u32,
    url: Url,
    /// The one that stands between, as last told.
    between: Mutex<Option<Between>>,
}

#[derive(Clone, PartialEq, Debug)]
struct Between {
    status: u16,
    leads_to: Option<Heard>,
}

#[derive(PartialEq, Debug)]
enum Judged {
    Fine,
    Between(Between),
    /// The page's own server has trouble, which is no sign-in page.
    Trouble,
}

impl PortalAsker {
    pub fn new(recorder: Recorder, control: u32, url: Url) -> Self {
        let place = Place::keep(url.host_str().unwrap_or_default(), url.port().unwrap_or(PORT));
        let page = Page { recorder, control, url, between: Mutex::new(None) };
        Self { place, page: Arc::new(page), fresh: Fresh::new() }
    }
}

impl Asker for PortalAsker {
    async fn put(&mut self, attempt: u64) {
        let addresses = self.place.addresses();
        if addresses.is_empty() {
            return self.fresh.failed("its name has no address so far");
        }
        let page = Arc::clone(&self.page);
        self.fresh.put(attempt, |reply| async move {
            let mut stream = match connect(&addresses).await {
                Ok(stream) => stream,
                Err(failure) => return reply.failed(failure),
            };
            reply.tell(page.ask(&mut stream).await);
            close_in_order(stream).await;
        });
    }

    async fn news(&mut self) -> News {
        self.fresh.news().await
    }
}

impl Page {
    async fn ask(&self, stream: &mut tokio::net::TcpStream) -> Result<(), Said> {
        let place = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        let path = self.url.path();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: linewitness\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.map_err(|error| words(&error))?;
        let (head, mut body) = http::read_head(stream, &Scrub::default()).await.map_err(|bad| match bad {
            Bad::Io(error) => words(&error),
            Bad::NotHttp(says) => says.into(),
        })?;
        if head.status == 200 {
            let whole = head.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(usize::MAX);
            let more = async {
                while body.len() < whole.min(SHORT + 1) && stream.read_buf(&mut body).await.is_ok_and(|n| n > 0) {}
            };
            // What came in time is what is judged.
            let _ = tokio::time::timeout(BODY_WAIT, more).await;
        }
        match judge(&self.url, &head, &body) {
            Judged::Fine => self.tell(None),
            Judged::Between(between) => self.tell(Some(between)),
            Judged::Trouble => return Err(Said::new(&format!("it answers with status {}", head.status))),
        }
        Ok(())
    }

    fn tell(&self, now: Option<Between>) {
        let mut between = self.between.lock().expect("no holder panics");
        if *between == now {
            return;
        }
        *between = now.clone();
        drop(between);
        let control = self.control;
        self.recorder.note(match now {
            Some(Between { status, leads_to }) => Control::Portal { control, status, leads_to },
            None => Control::PortalGone { control },
        });
    }
}

/// Only the host that it leads to is kept: the rest of such links names the device and the person.
fn judge(url: &Url, head: &Head, body: &[u8]) -> Judged {
    let leads_to = head.header("location").and_then(|to| url.join(to).ok());
    let host = leads_to.as_ref().and_then(|to| to.host_str()).map(Heard::new);
    match head.status {
        204 => Judged::Fine,
        200 if body.len() <= SHORT && !leads_on(body) => Judged::Fine,
        // To the same host over TLS: the page's own server insists on it, and nobody else could.
        300..=399 if leads_to.is_some_and(|to| to.scheme() == "https" && to.host_str() == url.host_str()) => {
            Judged::Fine
        }
        500..=599 if head.status != 511 => Judged::Trouble,
        status => Judged::Between(Between { status, leads_to: host }),
    }
}

/// Enough of HTML to take somebody elsewhere.
fn leads_on(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    ["href", "http-equiv", "<script", "<form", "<frame", "<iframe"].iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests;
