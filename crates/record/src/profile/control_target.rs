//! `ControlTarget`: what is asked once a second beside the call: `gateway`, `dns`, `dns:NAME`, `far`, `https://HOST/`,
//! `stun:HOST:PORT`, `portal:http://HOST/PATH`.

use super::{IceScheme, IceUrl};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use url::Url;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ControlTarget {
    Gateway,
    /// A name through the system's resolver; without one, the far end's own.
    Dns(Option<String>),
    /// The far end over a fresh TCP connection, and over UDP where it is a reflector.
    Far,
    Https(Url),
    Stun(IceUrl),
    /// A plain web page that answers 204, or 200 with nothing else: whatever else comes is a sign-in page.
    Portal(Url),
}

impl ControlTarget {
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text {
            "gateway" => return Ok(Self::Gateway),
            "dns" => return Ok(Self::Dns(None)),
            "far" => return Ok(Self::Far),
            _ => {}
        }
        if let Some(name) = text.strip_prefix("dns:") {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let whole = !name.is_empty() && name.len() <= 253 && name.chars().all(allowed);
            return whole
                .then(|| Self::Dns(Some(name.to_owned())))
                .ok_or_else(|| "a control beginning with dns: names no host; write it as dns:host.example".to_owned());
        }
        if let Some(url) = text.strip_prefix("portal:") {
            return plain(url, "http").map(Self::Portal);
        }
        if text.starts_with("stun:") {
            let url = IceUrl::parse(text).map_err(|why| format!("a stun control cannot be used: {why}"))?;
            return match url.scheme {
                IceScheme::Stun => Ok(Self::Stun(url)),
                _ => Err("a control over STUN is written as stun:host:3478".to_owned()),
            };
        }
        if text.starts_with("https:") {
            return plain(text, "https").map(Self::Https);
        }
        Err("a control is one of gateway, dns, dns:NAME, far, https://HOST/, stun:HOST:PORT, portal:http://HOST/"
            .to_owned())
    }
}

/// Without a user, a password, a query: it is asked every second by everybody who has the profile, and shown.
fn plain(text: &str, scheme: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("a control is not a URL ({error})"))?;
    if url.scheme() != scheme || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("a control's URL begins with {scheme}:// and names a host"));
    }
    let secret = !url.username().is_empty() || url.password().is_some() || url.query().is_some();
    match secret {
        true => Err("a control's URL holds no user, password or query: it is shown as it is".to_owned()),
        false => Ok(url),
    }
}

impl fmt::Display for ControlTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway => f.write_str("gateway"),
            Self::Dns(None) => f.write_str("dns"),
            Self::Dns(Some(name)) => write!(f, "dns:{name}"),
            Self::Far => f.write_str("far"),
            Self::Https(url) => write!(f, "{url}"),
            Self::Stun(url) => write!(f, "stun:{}", url.place()),
            Self::Portal(url) => write!(f, "portal:{url}"),
        }
    }
}
impl Serialize for ControlTarget {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for ControlTarget {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_reads_and_is_written_as_it_was() {
        for text in [
            "gateway",
            "dns",
            "dns:control.example",
            "far",
            "https://control.example/",
            "stun:stun.example:3478",
            "portal:http://portal.example/generate_204",
        ] {
            let target = ControlTarget::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(target.to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused_without_repeating_it() {
        for text in [
            "",
            "ping",
            "dns:",
            "dns:a b",
            "http://a.example/",
            "https://user:hunter2@a.example/",
            "https://a.example/?key=hunter2",
            "portal:https://a.example/",
            "stun:",
            "stun:user:hunter2@a.example:3478",
        ] {
            let why = ControlTarget::parse(text).expect_err(text);
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
