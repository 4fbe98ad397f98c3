//! `Names`: what a bundle says in the place of addresses, hosts, networks and sessions, the same for the same everywhere.
//!
//! They are put into structure, field by field (`names/facts.rs`), and never by looking for patterns in a text. Without a
//! key they are counted in order of appearance; with one of a desk's they are the same in all its bundles, and whoever has
//! no key learns nothing from them. What each stands for is a map that stays with whoever recorded.

use crate::{
    Heard, Ip, IpPort, Log, Private,
    ip::{Class, Tag},
};
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod facts;
mod interface;
mod profile;
mod url;

#[derive(Default)]
pub struct Names {
    key: Option<hmac::Key>,
    /// By what it is and its value.
    tags: BTreeMap<(String, String), Tag>,
    counted: BTreeMap<String, u32>,
    map: Vec<Named>,
}

/// A line of the private map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Named {
    /// As the bundle says it.
    pub name: String,
    pub is: String,
    /// Of what kind it is, as far as that is known without asking anybody.
    pub what: String,
}

/// Of a host as it stands in a URL: it is a name of these, and not what somebody's computer is called.
pub fn is_name_of_a_host(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.starts_with("host-") && host.ends_with(".example") || host.parse::<Ip>().is_ok_and(Ip::is_named)
}

impl Names {
    pub fn counted() -> Self {
        Self::default()
    }

    /// The same name in every bundle made with this key.
    pub fn with_key(key: &Private<String>) -> Self {
        Self { key: Some(hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes())), ..Self::default() }
    }

    pub fn log(&mut self, log: &mut Log) {
        log.events.iter_mut().for_each(|event| self.fact(&mut event.fact));
    }

    /// In order of appearance.
    pub fn map(self) -> Vec<Named> {
        self.map
    }

    fn ip(&mut self, ip: Ip) -> Ip {
        let Some(plain) = ip.plain().filter(|_| !ip.is_loopback() && !ip.is_unspecified()) else { return ip };
        let (class, ipv6) = (Class::of(plain), plain.is_ipv6());
        let known = match class {
            // Who announces it could only be asked of somebody else.
            Class::Public => ", AS unknown",
            _ => "",
        };
        let what = format!("{} IPv{}{known}", class.word(), if ipv6 { 6 } else { 4 });
        let kind = format!("{}{}", class.word(), if ipv6 { "6" } else { "" });
        let tag = self.tag(&kind, &plain.to_string(), &what, |kind, tag| format!("{kind}-{tag}"));
        Ip::named(class, ipv6, tag)
    }

    fn place(&mut self, at: IpPort) -> IpPort {
        IpPort::new(self.ip(at.ip()), at.port())
    }

    fn session(&mut self, id: &mut Heard) {
        self.plainly("session", "session", id);
    }

    /// The engine's own names of networks and access points count within a run; a key would make one network of them all.
    fn radio(&mut self, kind: &'static str, name: &mut Heard) {
        let key = self.key.take();
        self.plainly(kind, kind, name);
        self.key = key;
    }

    fn interface(&mut self, name: &mut Heard) {
        if !interface::is_known(name.as_str()) {
            self.plainly("interface", "interface", name);
        }
    }

    /// "session-1"
    fn plainly(&mut self, kind: &str, what: &str, value: &mut Heard) {
        if !value.is_empty() {
            let tag = self.tag(kind, value.as_str(), what, |kind, tag| format!("{kind}-{tag}"));
            *value = Heard::new(&format!("{kind}-{tag}"));
        }
    }

    fn tag(&mut self, kind: &str, value: &str, what: &str, spelled: impl Fn(&str, Tag) -> String) -> Tag {
        let of = (kind.to_owned(), value.to_owned());
        if let Some(tag) = self.tags.get(&of) {
            return *tag;
        }
        let tag = match &self.key {
            Some(key) => {
                let signed = hmac::sign(key, format!("{kind}\0{value}").as_bytes());
                let bytes = signed.as_ref().first_chunk().expect("SHA-256 gives 32 bytes");
                Tag::of_bytes(*bytes)
            }
            None => {
                let counted = self.counted.entry(kind.to_owned()).or_default();
                *counted = counted.saturating_add(1);
                Tag::Number(*counted)
            }
        };
        self.map.push(Named { name: spelled(kind, tag), is: value.to_owned(), what: what.to_owned() });
        self.tags.insert(of, tag);
        tag
    }
}

#[cfg(test)]
mod tests;
