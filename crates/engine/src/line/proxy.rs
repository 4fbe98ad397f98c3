//! HTTP proxies as the environment names them, and CONNECT through one. The environment is read in one place and is
//! plain data from there on.

use super::http::{self, Bad};
use super::{stream::Watched, trouble};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use record::{Heard, Private, Scrub, Stamp, fact::Trouble, profile::Address};
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use url::Url;

/// What the environment says of proxies.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    pub for_wss: Option<Private<String>>,
    pub for_ws: Option<Private<String>>,
    pub no_proxy: String,
}

/// How one address is to be reached.
#[derive(Clone, Debug)]
pub enum Choice {
    Direct,
    Through(Proxy),
    /// The environment names a proxy that we cannot use. Going around it would test another path than the user's.
    Unusable {
        says: Heard,
    },
}

#[derive(Clone, Debug)]
pub struct Proxy {
    pub host: String,
    pub port: u16,
    /// `user:password`.
    pub login: Option<Private<String>>,
}

impl Proxies {
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Small letters win, as with other tools.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Self {
        let either =
            |name: &str| get(&name.to_ascii_lowercase()).or_else(|| get(name)).filter(|value| !value.trim().is_empty());
        let all = either("ALL_PROXY");
        let proxy = |name| either(name).or_else(|| all.clone()).map(Private::new);
        Self {
            for_wss: proxy("HTTPS_PROXY"),
            for_ws: proxy("HTTP_PROXY"),
            no_proxy: either("NO_PROXY").unwrap_or_default(),
        }
    }

    pub fn choose(&self, to: &Address) -> Choice {
        let Some(named) = (if to.is_tls() { &self.for_wss } else { &self.for_ws }) else { return Choice::Direct };
        if is_loopback(to.host()) || excepted(&self.no_proxy, to.host(), to.port()) {
            return Choice::Direct;
        }
        Proxy::parse(named.reveal()).map_or_else(|says| Choice::Unusable { says }, Choice::Through)
    }
}

impl Choice {
    /// Host and port, without the login.
    pub fn shown(&self) -> Option<Heard> {
        match self {
            Self::Direct => None,
            Self::Through(proxy) => Some(Heard::new(&authority(&proxy.host, proxy.port))),
            Self::Unusable { .. } => Some("unusable".into()),
        }
    }

    /// The login, in each form in which the proxy could repeat it.
    pub fn secrets(&self) -> Vec<String> {
        let Self::Through(Proxy { login: Some(login), .. }) = self else { return vec![] };
        let (user, password) = login.reveal().split_once(':').unwrap_or((login.reveal(), ""));
        vec![user.to_owned(), password.to_owned(), encoded(login.reveal())]
    }
}

impl Proxy {
    fn parse(text: &str) -> Result<Self, Heard> {
        let text = text.trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        // The text may hold a password, so none of it is repeated but the scheme.
        let url = Url::parse(&with_scheme).map_err(|_| Heard::new("the environment's proxy is not a URL"))?;
        if url.scheme() != "http" {
            return Err(Heard::new(&format!(
                "the environment names a {} proxy; only http:// can be used",
                url.scheme()
            )));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err("the environment's proxy names no host".into());
        }
        let login = (!url.username().is_empty())
            .then(|| Private::new(format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or("")))));
        Ok(Self { host, port: url.port_or_known_default().unwrap_or(80), login })
    }
}

/// A proxy cannot reach our own loopback.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Each entry is a host, which stands for the hosts below it as well, or `*`; a port narrows it.
fn excepted(no_proxy: &str, host: &str, port: u16) -> bool {
    let host = host.to_ascii_lowercase();
    no_proxy.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        let (name, only) = match entry.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse::<u16>().ok()),
            _ => (entry, None),
        };
        let name = name.trim_matches(['[', ']']).trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
        let below = || {
            host.parse::<IpAddr>().is_err() && host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        only.is_none_or(|only| only == port) && !name.is_empty() && (host == name || below())
    })
}

/// Percent signs of a URL's user part back to what they stand for.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        let value = hex.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `host:port` as requests name it.
pub fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

pub fn basic(login: &str) -> String {
    format!("Basic {}", encoded(login))
}

pub fn encoded(login: &str) -> String {
    BASE64_STANDARD.encode(login)
}

/// Asks the proxy for a way to the far end.
pub async fn connect(
    stream: &mut Watched<TcpStream>,
    proxy: &Proxy,
    to: &Address,
    scrub: &Scrub,
    now: Stamp,
    waited: impl Fn() -> Duration,
) -> Result<(), Trouble> {
    let far = authority(to.host(), to.port());
    let login = proxy
        .login
        .as_ref()
        .map_or_else(String::new, |login| format!("Proxy-Authorization: {}\r\n", basic(login.reveal())));
    let request = format!("CONNECT {far} HTTP/1.1\r\nHost: {far}\r\n{login}\r\n");
    let witness = stream.witness();
    let failed = |error| trouble::of(&error, Some(&witness), waited());
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    match http::read_head(stream, scrub).await {
        Ok((head, rest)) if (200..300).contains(&head.status) => {
            if rest.is_empty() {
                Ok(())
            } else {
                // Whoever speaks before being spoken to is not the far end's TLS or HTTP.
                Err(Trouble::NotUnderstood { says: "bytes followed the proxy's 200 before anything was asked".into() })
            }
        }
        Ok((head, rest)) => Err(head.trouble(stream, rest, now, scrub).await),
        Err(Bad::NotHttp(says)) => Err(Trouble::NotUnderstood { says: says.into() }),
        Err(Bad::Io(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_variables(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }
    fn chosen(variables: &[(&str, &str)], to: &str) -> Option<String> {
        from(variables).choose(&Address::parse(to).unwrap()).shown().map(|shown| shown.to_string())
    }

    #[test]
    fn each_scheme_has_its_variable_and_small_letters_win() {
        let both = [("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:2"), ("HTTP_PROXY", "c:3")];
        assert_eq!(chosen(&both, "wss://far.example/").as_deref(), Some("b:2"));
        assert_eq!(chosen(&both, "ws://far.example/").as_deref(), Some("c:3"));
        assert_eq!(chosen(&[("ALL_PROXY", "http://d")], "ws://far.example/").as_deref(), Some("d:80"));
        assert_eq!(chosen(&[("https_proxy", " ")], "wss://far.example/"), None);
        assert_eq!(chosen(&both, "wss://127.0.0.1/"), None);
        assert_eq!(chosen(&both, "wss://localhost/"), None);
    }

    #[test]
    fn no_proxy_excepts_hosts_and_what_lies_below_them() {
        let with = |no_proxy, to| chosen(&[("https_proxy", "p:1"), ("no_proxy", no_proxy)], to).is_none();
        for (no_proxy, to, excepted) in [
            ("example.org", "wss://example.org/", true),
            (".example.org", "wss://calls.example.org/", true),
            ("*.example.org", "wss://calls.example.org/", true),
            ("example.org", "wss://notexample.org/", false),
            ("other, EXAMPLE.org", "wss://a.Example.ORG/", true),
            ("*", "wss://far.example/", true),
            ("far.example:8443", "wss://far.example:8443/", true),
            ("far.example:8443", "wss://far.example/", false),
            ("10.0.0.2", "wss://10.0.0.2/", true),
            ("0.0.2", "wss://10.0.0.2/", false),
            ("fd00::1", "wss://[fd00::1]/", true),
            ("[fd00::1]:8443", "wss://[fd00::1]:8443/", true),
            ("", "wss://far.example/", false),
            (".", "wss://far.example/", false),
        ] {
            assert_eq!(with(no_proxy, to), excepted, "NO_PROXY={no_proxy} to {to}");
        }
    }

    #[test]
    fn a_login_is_decoded_and_never_shown() {
        let proxies = from(&[("https_proxy", "http://user:p%40ss%zz@proxy.example:3128")]);
        let choice = proxies.choose(&Address::parse("wss://far.example/").unwrap());
        let Choice::Through(proxy) = &choice else { panic!("{choice:?}") };
        assert_eq!(proxy.login.as_ref().map(|login| login.reveal().as_str()), Some("user:p@ss%zz"));
        for shown in [format!("{choice:?}"), format!("{proxies:?}"), choice.shown().unwrap().to_string()] {
            assert!(!shown.contains("ss%") && !shown.contains("user"), "{shown}");
        }
    }

    #[test]
    fn a_proxy_we_cannot_use_is_said_and_not_passed_by() {
        for bad in ["socks5://user:secret@p:1080", "https://p", "http://", "http://["] {
            let choice = from(&[("all_proxy", bad)]).choose(&Address::parse("wss://far.example/").unwrap());
            let Choice::Unusable { says } = choice else { panic!("{bad} was taken") };
            assert!(!says.as_str().contains("secret"));
        }
    }
}
