//! Names, in two ways that are two controls.
//!
//! Through the system's resolver, as every program asks. It often answers out of a cache (systemd-resolved, nscd, Windows,
//! macOS), and goes on doing so for as long as the name may be kept, with every name server dead. A name that no cache can
//! hold would have to be made up anew each second and would go to servers of strangers; we do not do that.
//!
//! So, beside it, each of the system's name servers is asked directly, by one small datagram: for the address of the same
//! name, or, where there is no name to ask for, for the name servers of the root, which any resolver holds in its cache.
//! Both together tell "the name servers do not answer" from "they answer, and the name does not resolve".

use super::asking::Never;
use super::driver::{Asker, News};
use super::fresh::Fresh;
use super::known::Known;
use super::letters::{Letters, unguessable};
use super::names::{self, Names};
use record::{Heard, Said};
use std::net::{IpAddr, SocketAddr};
use tokio::sync::watch;

mod query;

/// The system's resolver itself asks no more than three (`MAXNS`).
const MOST_SERVERS: usize = 3;
const PORT: u16 = 53;

pub const NEVER: Never = Never {
    watcher: record::Sense::NameServers,
    why: "the name servers do not answer us directly; only the system's resolver, which may answer from memory, is seen",
};

/// A name through the system's resolver.
pub struct NameAsker {
    name: String,
    names: Names,
    fresh: Fresh,
}

impl NameAsker {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), names: Names::new(), fresh: Fresh::new() }
    }
}

impl Asker for NameAsker {
    async fn put(&mut self, attempt: u64) {
        let (name, names) = (self.name.clone(), self.names.clone());
        self.fresh.put(attempt, |reply| async move {
            reply.tell(names.ask(&name, 0).await.map(drop).map_err(|trouble| names::words(&trouble)));
        });
    }
    async fn news(&mut self) -> News {
        self.fresh.news().await
    }
}

/// The system's name servers, each by itself.
pub struct ServersAsker {
    known: watch::Receiver<Known>,
    name: Option<String>,
    port: u16,
    servers: Vec<SocketAddr>,
    letters: Letters<[u8; 2]>,
    failed: Option<Said>,
}

impl ServersAsker {
    pub fn new(known: watch::Receiver<Known>, name: Option<&str>) -> std::io::Result<Self> {
        let name = name.map(str::to_owned);
        Ok(Self { known, name, port: PORT, servers: vec![], letters: Letters::open()?, failed: None })
    }

    #[cfg(test)]
    pub fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// An address that holds on one link only comes without its link, and cannot be asked.
    fn servers(&self, all: &[IpAddr]) -> Vec<SocketAddr> {
        let usable = all.iter().filter(|ip| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()));
        usable.take(MOST_SERVERS).map(|ip| SocketAddr::new(*ip, self.port)).collect()
    }

    fn shown(&self) -> Option<Heard> {
        let list: Vec<String> = self.servers.iter().map(|server| server.ip().to_string()).collect();
        (!list.is_empty()).then(|| match &self.name {
            Some(name) => Heard::new(&format!("{name}, of {}", list.join(", "))),
            None => Heard::new(&format!("the root, of {}", list.join(", "))),
        })
    }
}

impl Asker for ServersAsker {
    async fn put(&mut self, attempt: u64) {
        let id = unguessable();
        let query = query::query(id, self.name.as_deref());
        self.failed = self.letters.send(attempt, id, &query, &self.servers).await.err();
    }

    async fn news(&mut self) -> News {
        if let Some(says) = self.failed.take() {
            return News::Failed(says.into());
        }
        loop {
            let all = self.known.borrow_and_update().name_servers.clone();
            let now = self.servers(&all);
            if now != self.servers {
                self.servers = now;
                return News::Target(self.shown());
            }
            let (servers, named) = (&self.servers, self.name.is_some());
            let read = |bytes: &[u8], from: SocketAddr| {
                let (id, answer) = query::answer(bytes)?;
                servers.contains(&from).then_some((id, answer))
            };
            tokio::select! {
                (attempt, answer) = self.letters.next(read) => {
                    return match answer.fault() {
                        // Without a name of our own, whatever is answered shows that somebody answers.
                        Some(fault) if named => {
                            News::Failed(Said::new(&format!("a name server answers, and says that {fault}")).into())
                        }
                        _ => News::Answer(attempt),
                    };
                }
                Ok(()) = self.known.changed() => {}
            }
        }
    }
}
