//! Where something is, as a fact writes it: an address of the web, of a TURN server, a host and its port, what is asked.
//! Of what does not read as one of these nothing is kept.

use super::Names;
use crate::{Heard, Ip, IpPort};

/// What no host is called, and what says nothing of anybody.
const KEPT: [&str; 8] = ["", "localhost", "gateway", "dns", "far", "the root", "the far end", "unusable"];
/// Of this program's own reflector.
const OWN_PATHS: [&str; 4] = ["", "/", "/call", "/lane"];
const TURN: [&str; 4] = ["stun", "stuns", "turn", "turns"];
const LONGEST_SCHEME: usize = 6;

impl Names {
    pub(super) fn url(&mut self, text: &mut Heard) {
        *text = Heard::new(&self.url_of(text.as_str()));
    }

    /// What a control asks: an address of any form, or a name and whom it is asked of.
    pub(super) fn target(&mut self, text: &mut Heard) {
        let named = match text.as_str().split_once(", of ") {
            Some((name, servers)) => {
                let name = self.url_of(name);
                let servers: Vec<String> = servers.split(", ").map(|server| self.host(server)).collect();
                format!("{name}, of {}", servers.join(", "))
            }
            None => self.url_of(text.as_str()),
        };
        *text = Heard::new(&named);
    }

    pub(super) fn url_of(&mut self, text: &str) -> String {
        if KEPT.contains(&text) {
            return text.to_owned();
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let path = path.split(['?', '#']).next().unwrap_or_default();
            let (scheme, prefix) = scheme.split_once(':').map_or((scheme, ""), |(before, scheme)| (scheme, before));
            let ours = |word: &str| word.len() <= LONGEST_SCHEME && word.bytes().all(|b| b.is_ascii_lowercase());
            if !ours(scheme) || !matches!(prefix, "" | "portal") {
                return self.host(text);
            }
            let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}:") };
            return format!("{prefix}{scheme}://{}{}", self.authority(authority), self.path(path));
        }
        match text.split_once(':') {
            Some((scheme, rest)) if TURN.contains(&scheme) => {
                let (at, query) = rest.split_once('?').unwrap_or((rest, ""));
                let query = match query {
                    "transport=udp" | "transport=tcp" => format!("?{query}"),
                    _ => String::new(),
                };
                format!("{scheme}:{}{query}", self.authority(at))
            }
            Some(("dns", name)) => format!("dns:{}", self.host(name)),
            _ => self.authority(text),
        }
    }

    /// A host and its port; a login before it is no part of where it is.
    fn authority(&mut self, text: &str) -> String {
        let text = text.rsplit_once('@').map_or(text, |(_, at)| at);
        if let Ok(at) = text.parse::<IpPort>() {
            return self.place(at).to_string();
        }
        match text.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() && text.parse::<Ip>().is_err() => {
                format!("{}:{port}", self.host(host))
            }
            _ => self.host(text),
        }
    }

    /// "host-3.example", or the name of an address, with the link that it holds on.
    fn host(&mut self, text: &str) -> String {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let (address, link) = bare.split_once('%').map_or((bare, None), |(address, link)| (address, Some(link)));
        if let Ok(ip) = address.parse::<Ip>() {
            let named = self.ip(ip);
            let Some(link) = link else { return if named == ip { text.to_owned() } else { named.to_string() } };
            let mut link = Heard::new(link);
            self.interface(&mut link);
            return format!("{named}%{link}");
        }
        if KEPT.contains(&text) {
            return text.to_owned();
        }
        let host = bare.trim_end_matches('.').to_lowercase();
        format!("host-{}.example", self.tag("host", &host, "host", |kind, tag| format!("{kind}-{tag}.example")))
    }

    /// It may name an account or a room, and be as good as a password.
    fn path(&mut self, path: &str) -> String {
        if OWN_PATHS.contains(&path) {
            return path.to_owned();
        }
        format!("/path-{}", self.tag("path", path, "path of a URL", |kind, tag| format!("/{kind}-{tag}")))
    }

    /// A desk's own title stays; an address or a host in it is called as it is elsewhere.
    pub(super) fn title(&mut self, title: &str) -> String {
        let around: &[char] = &['(', ')', '[', ']', '"', '\'', ',', ';', ':', '<', '>'];
        let named: Vec<String> = title
            .split(' ')
            .map(|word| match word.trim_matches(around) {
                core if is_somewhere(core) => word.replacen(core, &self.url_of(core), 1),
                _ => word.to_owned(),
            })
            .collect();
        named.join(" ")
    }
}

fn is_somewhere(word: &str) -> bool {
    let dotted = word.rsplit_once('.').is_some_and(|(before, last)| {
        before.ends_with(char::is_alphanumeric) && last.len() > 1 && last.chars().all(char::is_alphabetic)
    });
    let address =
        word.parse::<Ip>().is_ok_and(|ip| !ip.is_named()) || word.parse::<IpPort>().is_ok_and(|at| !at.ip().is_named());
    dotted || address || word.contains('@') || word.contains("://")
}
