//! From a name to addresses, on a thread that nobody waits for: the system's resolver can hang for half a minute, and the end
//! of the program must not hang with it.

use crate::line::resolve;
use record::fact::Trouble;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// As many as one question has attempts; a resolver that hangs piles up no more threads than these.
const AT_ONCE: usize = 6;

#[derive(Clone)]
pub struct Names(Arc<Semaphore>);

impl Names {
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    pub async fn ask(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
        let failed = |says: &str| Trouble::NameFailed { says: says.into() };
        if let Ok(ip) = host.parse() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let permit = Arc::clone(&self.0).try_acquire_owned();
        let permit = permit.map_err(|_| failed("the system's resolver still owes the answers to six questions"))?;
        let (tell, told) = oneshot::channel();
        let host = host.to_owned();
        let asked = std::thread::Builder::new().name("resolver".into()).spawn(move || {
            let _permit = permit;
            let found = (host.as_str(), port).to_socket_addrs();
            // Whoever asked may have stopped waiting.
            let _ = tell.send(found.map(Iterator::collect).map_err(|error| resolve::trouble(&error)));
        });
        asked.map_err(|_| failed("the system gave us no thread for its resolver"))?;
        match told.await {
            Ok(Ok(found)) if Vec::is_empty(&found) => {
                Err(Trouble::NoSuchName { says: "the name has no address".into() })
            }
            Ok(done) => done,
            Err(_) => Err(failed("the system's resolver broke off")),
        }
    }
}

/// After "name: ", as a control says why.
pub fn words(trouble: &Trouble) -> record::Said {
    match trouble {
        Trouble::NoSuchName { says } | Trouble::NameFailed { says } => says.clone(),
        other => record::Said::new(&format!("{other:?}")),
    }
}
