//! Another web server: a TCP connection every two seconds, and every half minute TLS over it, for the name of whoever signed
//! the certificate. A handshake costs a signature on either side, so once a second it would be most of our own load and a
//! nuisance to a server that we do not own; a device that opens TLS does so for weeks and not for seconds.

use super::driver::{Asker, News};
use super::far_tcp::connect;
use super::fresh::{Fresh, close_in_order};
use super::place::Place;
use crate::Recorder;
use crate::line::{stream::Watched, tls};
use record::{
    Said, Stamp,
    fact::{Control, TlsTrouble, Trouble},
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

pub const EVERY: Duration = Duration::from_secs(2);
const TLS_EVERY: Duration = Duration::from_secs(30);
const PORT: u16 = 443;

pub struct HttpsAsker {
    place: Place,
    looking: Arc<Looking>,
    fresh: Fresh,
}

/// What all attempts share.
struct Looking {
    recorder: Recorder,
    control: u32,
    host: String,
    extra_ca: Option<String>,
    expected: Option<String>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// When TLS last went through, whatever its certificate.
    at: Option<Stamp>,
    issuer: Option<Said>,
    /// Made once: reading a system's authorities is work.
    prepared: Option<tls::Prepared>,
}

impl HttpsAsker {
    pub fn new(
        recorder: Recorder,
        control: u32,
        url: &Url,
        extra_ca: Option<String>,
        expected: Option<String>,
    ) -> Self {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let place = Place::keep(&host, url.port().unwrap_or(PORT));
        let looking = Looking { recorder, control, host, extra_ca, expected, seen: Mutex::default() };
        Self { place, looking: Arc::new(looking), fresh: Fresh::new() }
    }
}

impl Asker for HttpsAsker {
    async fn put(&mut self, attempt: u64) {
        let addresses = self.place.addresses();
        if addresses.is_empty() {
            return self.fresh.failed("its name has no address so far");
        }
        let looking = Arc::clone(&self.looking);
        self.fresh.put(attempt, |reply| async move {
            let stream = match connect(&addresses).await {
                Ok(stream) => stream,
                Err(failure) => return reply.failed(failure),
            };
            if !looking.is_due() {
                reply.answered();
                return close_in_order(stream).await;
            }
            match looking.look(stream).await {
                Ok(stream) => {
                    reply.answered();
                    if let Some(stream) = stream {
                        close_in_order(*stream).await;
                    }
                }
                Err(says) => reply.failed(says),
            }
        });
    }

    async fn news(&mut self) -> News {
        self.fresh.news().await
    }
}

type Secured = tokio_rustls::client::TlsStream<Watched<TcpStream>>;

impl Looking {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("no holder panics")
    }

    fn is_due(&self) -> bool {
        let now = self.recorder.now();
        self.seen().at.is_none_or(|at| now.since(at) >= TLS_EVERY)
    }

    /// A certificate that this computer does not trust is an answer too: somebody is there, and shows it.
    async fn look(&self, stream: TcpStream) -> Result<Option<Box<Secured>>, Said> {
        let prepared = self.prepared().await?;
        let noticed = prepared.noticed();
        let began = self.recorder.now();
        let stream = Watched::new(stream, self.recorder.clock().clone());
        match tls::secure(prepared, stream, || self.recorder.now().since(began)).await {
            Ok(secured) => {
                self.shown(noticed.issuer());
                Ok(Some(Box::new(secured.stream)))
            }
            Err(Trouble::Tls { kind, .. }) if !matches!(kind, TlsTrouble::Alert | TlsTrouble::Other) => {
                self.shown(noticed.issuer());
                Ok(None)
            }
            Err(Trouble::Tls { says, .. }) => Err(says),
            Err(Trouble::Reset) => Err("TCP stands, and TLS was reset".into()),
            Err(Trouble::Closed) => Err("TCP stands, and TLS was closed at once".into()),
            Err(Trouble::NotUnderstood { says } | Trouble::Local { says, .. }) => Err(says),
            Err(other) => Err(Said::new(&format!("TCP stands, and TLS does not: {other:?}"))),
        }
    }

    async fn prepared(&self) -> Result<tls::Prepared, Said> {
        if let Some(prepared) = self.seen().prepared.clone() {
            return Ok(prepared);
        }
        let prepared = tls::prepare(&self.host, self.extra_ca.clone()).await.map_err(|trouble| match trouble {
            Trouble::Tls { says, .. } => says,
            other => Said::new(&format!("{other:?}")),
        })?;
        Ok(self.seen().prepared.insert(prepared).clone())
    }

    /// Told at first and when it changes. What was expected is told where it is not what came.
    fn shown(&self, issuer: Option<String>) {
        let named = issuer.as_deref().unwrap_or("an unnamed issuer");
        let issuer = Said::new(named);
        let now = self.recorder.now();
        let mut seen = self.seen();
        seen.at = Some(now);
        if seen.issuer.as_ref() == Some(&issuer) {
            return;
        }
        seen.issuer = Some(issuer.clone());
        drop(seen);
        let other = self.expected.as_ref().filter(|name| !named.starts_with(name.as_str()));
        let expected = other.map(|name| Said::new(name));
        self.recorder.note(Control::Issuer { control: self.control, issuer, expected });
    }
}
