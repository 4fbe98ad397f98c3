//! A server's addresses, kept while it is asked, so that a dead resolver does not read as a dead server.

use super::names::Names;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Services move by giving their name another address, and mean it to be noticed in about this time.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// While there is none, nothing can be asked.
const WITHOUT_ANY: Duration = Duration::from_secs(2);
/// A name with more addresses than this is answered by its first ones or not at all.
const MOST: usize = 8;

pub struct Place {
    told: watch::Receiver<Vec<SocketAddr>>,
    _asking: JoinSet<()>,
}

impl Place {
    pub fn keep(host: &str, port: u16) -> Self {
        let (tell, told) = watch::channel(vec![]);
        let host = host.trim_matches(['[', ']']).to_owned();
        let mut asking = JoinSet::new();
        if let Ok(ip) = host.parse() {
            tell.send_replace(vec![SocketAddr::new(ip, port)]);
        } else {
            asking.spawn(async move {
                let names = Names::new();
                loop {
                    // Why a name does not resolve is another control's business.
                    if let Ok(mut found) = names.ask(&host, port).await {
                        found.truncate(MOST);
                        tell.send_replace(found);
                    }
                    let wait = if tell.borrow().is_empty() { WITHOUT_ANY } else { AGAIN_AFTER };
                    tokio::time::sleep(wait).await;
                }
            });
        }
        Self { told, _asking: asking }
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.told.borrow().clone()
    }
}
