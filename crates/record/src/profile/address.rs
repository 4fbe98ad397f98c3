//! `Address`: a far end's URL, whose user, password, query and fragment may be secrets and are never shown.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use url::Url;

#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Only what a signaling connection can be made to.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text.trim())
            .map_err(|error| format!("this is not a URL ({error}); write it as wss://host/path"))?;
        match url.scheme() {
            "ws" | "wss" => {}
            "http" => return Err("the scheme is http; a signaling URL begins with ws:// or wss://".into()),
            "https" => return Err("the scheme is https; a signaling URL begins with wss://".into()),
            other => {
                let shown: String = other.chars().take(20).collect();
                return Err(format!("the scheme {shown} is not one of ws and wss"));
            }
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err("the URL names no host; write it as wss://host/path".into());
        }
        if url.port() == Some(0) {
            return Err("port 0 cannot be called".into());
        }
        Ok(Self(url))
    }

    /// The whole URL with its secrets, for the one request that needs it.
    pub fn reveal(&self) -> &Url {
        &self.0
    }
    /// Each part that `Display` leaves out, as written and as it is meant.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        let written = [Some(self.0.username()), self.0.password(), self.0.query(), self.0.fragment()];
        let within = self.0.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let written = written.into_iter().flatten().chain(within.map(|(_, value)| value)).map(str::to_owned);
        let meant = self.0.query_pairs().map(|(_, value)| value.into_owned());
        let login = [self.0.username(), self.0.password().unwrap_or_default()].map(decoded);
        let all: Vec<String> = written.chain(meant).chain(login).collect();
        all.into_iter()
    }
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }
    pub fn is_tls(&self) -> bool {
        self.0.scheme() == "wss"
    }
}

/// Without user, password, query and fragment.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Address {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

/// Percent signs of a URL's user part back to what they stand for.
fn decoded(text: &str) -> String {
    // In a query a plus is a space; here it is itself.
    let pairs = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(pairs.as_bytes()).map(|(text, _)| text.into_owned()).collect()
}

/// For STUN and TURN URLs, which are not hierarchical: `turn:user@host:3478?transport=udp` keeps all but the user. The
/// one query they know, `transport`, is kept.
pub fn without_user_and_query(url: &str) -> String {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    let (host, query) = rest.split_once('?').map_or((rest, ""), |(h, q)| (h, q));
    let host = host.rsplit_once('@').map_or(host, |(_, h)| h);
    match query {
        "transport=udp" | "transport=tcp" => format!("{scheme}:{host}?{query}"),
        _ => format!("{scheme}:{host}"),
    }
}
