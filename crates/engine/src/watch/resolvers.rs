//! Which servers this computer asks for names.
//!
//! *Seen*: the servers of the system's own configuration, and each change of it. Each platform's file says how soon.
//! *Not seen*: a program that asks servers of its own choice (a browser with DNS over HTTPS); what /etc/hosts answers;
//! servers that a VPN sets for some names alone.
//!
//! Each platform file provides `Files`, or whatever the system keeps them in:
//! - `open()`,
//! - `servers()`, in the order in which they are asked,
//! - `changed(&mut news).await`, until they may be others. `news.of_networks()` tells of what the network watcher saw.

use super::{Watcher, Watching};
use crate::Recorder;
use record::fact::Net;
use record::{Event, Fact};
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;

#[cfg_attr(target_os = "linux", path = "resolvers/linux.rs")]
#[cfg_attr(target_os = "macos", path = "resolvers/macos.rs")]
#[cfg_attr(windows, path = "resolvers/windows.rs")]
mod platform;
#[cfg(unix)]
mod resolv_conf;

pub const WATCHER: Watcher = Watcher { id: record::Sense::Resolvers, run };

/// No computer asks more, and a file may hold anything.
const MOST: usize = 16;

fn run(recorder: Recorder) -> Watching {
    let news = News { heard: recorder.listen() };
    Box::pin(async move {
        match follow(&recorder, news).await {
            Ok(never) => match never {},
            Err(error) => format!("the system does not tell which servers it asks for names: {error}"),
        }
    })
}

async fn follow(recorder: &Recorder, mut news: News) -> io::Result<Infallible> {
    let mut files = platform::Files::open()?;
    let mut known = None;
    loop {
        let mut servers = files.servers()?;
        servers.truncate(MOST);
        if known.as_ref() != Some(&servers) {
            let found = known.replace(servers.clone()).is_none();
            recorder.note(Net::Resolvers { servers: servers.into_iter().map(Into::into).collect(), found });
        }
        files.changed(&mut news).await?;
    }
}

struct News {
    heard: UnboundedReceiver<Arc<Event>>,
}

impl News {
    /// Once an interface, an address or a way has changed. Servers change with them on systems that do not tell by
    /// themselves; where they do, what is heard must be taken all the same.
    async fn of_networks(&mut self) {
        while let Some(event) = self.heard.recv().await {
            if let Fact::Net(Net::Link { .. } | Net::Address { .. } | Net::Route { .. }) = event.fact {
                return;
            }
        }
        pending().await
    }
}
