//! `Settings`: what Windows and macOS keep of web proxies, and what that means for one far end. Plain code, so that it is
//! tested on every system.

use super::Setting;
use crate::line::proxy::authority;
use record::{Heard, profile::Address};
use std::net::IpAddr;
use url::Url;

#[derive(Clone, Default, Debug)]
pub struct Settings {
    /// For plain web requests, and so for ws://; as written.
    pub http: Option<String>,
    pub https: Option<String>,
    /// Hosts that are reached directly: names with `*`, or `<local>` for names without a dot.
    pub except: Vec<String>,
    pub script: bool,
}

impl Settings {
    /// `http=a:1;https=b:2`, or one proxy for everything; `bypass` likewise with semicolons between.
    #[cfg(any(windows, test))]
    pub fn of_windows(proxy: &str, bypass: &str, script: bool) -> Self {
        let words =
            |text: &str| text.split([';', ' ']).map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned).collect();
        let named: Vec<String> = words(proxy);
        let of = |scheme: &str| {
            named.iter().find_map(|word| match word.split_once('=') {
                Some((name, proxy)) => name.eq_ignore_ascii_case(scheme).then(|| proxy.to_owned()),
                None => Some(word.clone()),
            })
        };
        Self { http: of("http"), https: of("https"), except: words(bypass), script }
    }

    pub fn of_far_end(&self, to: &Address) -> Setting {
        let host = to.host();
        let own = host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if own || self.except.iter().any(|pattern| excepts(pattern, host)) {
            return Setting { proxy: None, script: self.script && !own };
        }
        let named = if to.is_tls() { &self.https } else { &self.http };
        Setting { proxy: named.as_deref().filter(|text| !text.is_empty()).map(shown), script: self.script }
    }
}

/// Host and port, and nothing of a login.
fn shown(proxy: &str) -> Heard {
    let with_scheme = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    let url = Url::parse(&with_scheme).ok();
    let host =
        url.as_ref().and_then(Url::host_str).map(|host| host.trim_matches(['[', ']'])).filter(|host| !host.is_empty());
    match (host, url.as_ref().and_then(Url::port_or_known_default)) {
        (Some(host), port) => Heard::new(&authority(host, port.unwrap_or(80))),
        (None, _) => "unusable".into(),
    }
}

fn excepts(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case("<local>") {
        return !host.contains(['.', ':']);
    }
    // With a scheme or a port it narrows; we look at the host alone.
    let pattern = pattern.split_once("://").map_or(pattern, |(_, rest)| rest);
    matches(pattern.to_ascii_lowercase().as_bytes(), host.to_ascii_lowercase().as_bytes())
}

/// `*` stands for any number of characters. It takes as long as both texts are, whatever they hold: the star is never
/// tried again once a later one was reached.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, t) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(settings: &Settings, to: &str) -> Option<String> {
        settings.of_far_end(&Address::parse(to).unwrap()).proxy.map(|proxy| proxy.as_str().to_owned())
    }

    #[test]
    fn windows_names_one_proxy_for_all_or_one_for_each_scheme() {
        let one = Settings::of_windows("proxy.example:3128", "", false);
        assert_eq!(chosen(&one, "wss://far.example/").as_deref(), Some("proxy.example:3128"));
        assert_eq!(chosen(&one, "ws://far.example/").as_deref(), Some("proxy.example:3128"));
        let each = Settings::of_windows("http=a:1; HTTPS=http://user:pass@b:2;socks=c:3", "", false);
        assert_eq!(chosen(&each, "ws://far.example/").as_deref(), Some("a:1"));
        assert_eq!(chosen(&each, "wss://far.example/").as_deref(), Some("b:2"), "and no login");
        assert_eq!(chosen(&Settings::of_windows("socks=c:3", "", false), "wss://far.example/"), None);
        assert_eq!(
            chosen(&Settings::of_windows("http://[", "", false), "ws://far.example/").as_deref(),
            Some("unusable")
        );
    }

    #[test]
    fn exceptions_are_reached_directly() {
        for (bypass, to, direct) in [
            ("*.example.org", "wss://calls.example.org/", true),
            ("*.example.org", "wss://example.org/", false),
            ("10.*", "wss://10.0.0.2/", true),
            ("10.*;192.168.*", "wss://192.168.3.4/", true),
            ("<local>", "wss://intranet/", true),
            ("<local>", "wss://intranet.example/", false),
            ("<LOCAL>; Calls.Example", "wss://calls.example/", true),
            ("*", "wss://far.example/", true),
            ("", "wss://far.example/", false),
            ("http://far.example", "wss://far.example/", true),
            ("", "wss://localhost/", true),
            ("", "wss://[::1]/", true),
        ] {
            let settings = Settings::of_windows("proxy:1", bypass, false);
            assert_eq!(chosen(&settings, to).is_none(), direct, "{bypass} to {to}");
        }
    }

    #[test]
    fn a_script_is_told_beside_a_named_proxy() {
        let script = Settings::of_windows("", "", true);
        let far = Address::parse("wss://far.example/").unwrap();
        assert_eq!(script.of_far_end(&far), Setting { proxy: None, script: true });
        let own = Address::parse("ws://127.0.0.1:7000/call").unwrap();
        assert_eq!(script.of_far_end(&own), Setting { proxy: None, script: false });
    }

    #[test]
    fn many_stars_take_no_longer() {
        let pattern = "*a".repeat(1_000);
        assert!(!matches(pattern.as_bytes(), "b".repeat(10_000).as_bytes()));
        assert!(matches(b"*a*b", b"xxaxxb"));
        assert!(!matches(b"*a*b", b"xxaxxbx"));
    }
}
