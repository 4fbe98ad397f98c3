//! Interfaces, addresses, the ways that packets take, and whether the gateway is known to answer.
//!
//! *Seen*: an interface that comes, goes, is switched or loses its carrier; an address that can be used from now on or no
//! longer; another interface, gateway or source address on the way to the Internet or to the far end; a gateway that the
//! system's own table of neighbours takes for lost. Each platform's file says how soon.
//! *Not seen*: what happens beyond the first hop; a way that a firewall closes; a gateway that falls silent, before this
//! computer asks for it again (the controls ask it); routine renewal of the gateway's entry, which goes on all day.
//!
//! Each platform file provides `look().await`, everything that is there now, and `Kernel`:
//! - `open()`, from which on nothing is missed,
//! - `told().await`, what the system says as it says it,
//! - `way(to)`, the way that a new packet takes, and `internet(v6)`, an address that stands for anywhere,
//! - `neighbour(index, address)`, the state of an entry.
//!
//! The rest is the same everywhere: `Picture` turns what is told into facts, `Flood` keeps them few.

use super::{Watcher, Watching};
use crate::Recorder;
use flood::{Flood, Passage};
use picture::{News, Picture};
use record::fact::{Destination, Net, Signaling};
use record::{Event, Fact, Sense};
use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Sleep;

mod flood;
pub mod picture;
#[cfg_attr(target_os = "linux", path = "network/linux.rs")]
#[cfg_attr(target_os = "macos", path = "network/macos.rs")]
#[cfg_attr(windows, path = "network/windows.rs")]
mod platform;

pub const WATCHER: Watcher = Watcher { id: Sense::Network, run };

/// A kernel says that an interface goes down before it has taken its routes out, and of some of those it says nothing. So
/// the ways are asked for at once, and once more when it is done.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Addresses that nobody has, so that only a default route leads to them: for documentation, by RFC 5737, 3849 and 9637.
/// Of each family more than one, because somebody may use them after all.
const NOBODYS: [&[IpAddr]; 2] = [
    &[
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    ],
    &[
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        IpAddr::V6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 1)),
    ],
];

fn run(recorder: Recorder) -> Watching {
    // Listening begins here and not with the first poll: the first connection must not be missed.
    let far_end = FarEnd { heard: recorder.listen(), address: None };
    Box::pin(async move {
        match follow(Notes::new(recorder), far_end).await {
            Ok(never) => match never {},
            Err(error) => format!("the system does not tell of its networks: {error}"),
        }
    })
}

/// What the system tells at one time.
#[allow(dead_code, reason = "no system tells in all of these ways")]
enum Told {
    News(Vec<News>),
    /// Something changed, and it does not say what.
    LookAnew,
    /// It had more to tell than it could keep for us.
    Lost,
}

enum Wake {
    Told(io::Result<Told>),
    AnotherFarEnd,
    AskAgain,
}

async fn follow(mut notes: Notes, mut far_end: FarEnd) -> io::Result<std::convert::Infallible> {
    let mut kernel = platform::Kernel::open()?;
    notes.see(platform::look().await?);
    notes.ask(&mut kernel, far_end.address)?;
    let mut again: Option<Pin<Box<Sleep>>> = None;
    loop {
        let wake = tokio::select! {
            told = kernel.told() => Wake::Told(told),
            () = far_end.changes() => Wake::AnotherFarEnd,
            () = over(again.as_mut()) => Wake::AskAgain,
        };
        match wake {
            Wake::Told(told) => {
                let moved = match told? {
                    Told::News(news) => notes.hear(news),
                    Told::LookAnew => notes.see(platform::look().await?),
                    Told::Lost => {
                        notes.blind("the system told more than it could keep for us; its state was read anew");
                        notes.see(platform::look().await?)
                    }
                };
                if !moved {
                    continue;
                }
                again = Some(Box::pin(tokio::time::sleep(ASK_AGAIN_AFTER)));
            }
            Wake::AnotherFarEnd => notes.picture.another_far_end(),
            Wake::AskAgain => again = None,
        }
        notes.ask(&mut kernel, far_end.address)?;
    }
}

async fn over(wait: Option<&mut Pin<Box<Sleep>>>) {
    match wait {
        Some(wait) => wait.await,
        None => pending().await,
    }
}

/// The address that the signaling connection reached last. Behind a proxy it is the proxy's, and that is where packets go.
struct FarEnd {
    heard: UnboundedReceiver<Arc<Event>>,
    address: Option<IpAddr>,
}

impl FarEnd {
    async fn changes(&mut self) {
        while let Some(event) = self.heard.recv().await {
            if let Fact::Signaling(Signaling::TcpConnected { remote, .. }) = &event.fact
                && let Some(address) = remote.ip().plain()
                && self.address.replace(address) != Some(address)
            {
                return;
            }
        }
        pending().await
    }
}

/// Where the picture's facts become events.
struct Notes {
    recorder: Recorder,
    picture: Picture,
    flood: Flood,
}

impl Notes {
    fn new(recorder: Recorder) -> Self {
        Self { recorder, picture: Picture::default(), flood: Flood::default() }
    }

    /// Gives back whether a way may have changed by it.
    fn hear(&mut self, news: Vec<News>) -> bool {
        let mut moved = false;
        for news in news {
            moved |= news.may_move_a_way();
            let facts = self.picture.hear(news);
            self.note(facts);
        }
        moved
    }

    fn see(&mut self, all: Vec<News>) -> bool {
        let facts = self.picture.see(all);
        self.note(facts);
        true
    }

    fn ask(&mut self, kernel: &mut platform::Kernel, far_end: Option<IpAddr>) -> io::Result<()> {
        let [v4, v6] = [kernel.internet(false)?, kernel.internet(true)?];
        for (to, address) in
            [(Destination::Ipv4, Some(v4)), (Destination::Ipv6, Some(v6)), (Destination::FarEnd, far_end)]
        {
            let Some(address) = address else { continue };
            let way = kernel.way(address)?;
            let facts = self.picture.way(to, way);
            self.note(facts);
        }
        for (index, address) in self.picture.unknown_gateways() {
            let state = kernel.neighbour(index, address)?;
            let facts = self.picture.gateway(index, address, state);
            self.note(facts);
        }
        Ok(())
    }

    fn note(&mut self, facts: Vec<Net>) {
        for fact in facts {
            match self.flood.let_pass(self.picture.is_aside(&fact), self.recorder.now()) {
                Passage::Free => {
                    self.recorder.note(fact);
                }
                Passage::LastOfMany(says) => self.blind(&says),
                Passage::Shut => {}
            }
        }
    }

    fn blind(&self, why: &str) {
        self.recorder.note(Fact::Blind { watcher: Sense::Network, why: why.into() });
    }
}
