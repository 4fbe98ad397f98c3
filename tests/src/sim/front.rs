//! What stands before the far end and takes its TCP: proxies and devices that end connections by silence or by age. Words
//! go through; what a kernel says by itself does not.

use super::far;
use super::net::{Net, SERVER};
use super::tcp::{Heard, Message, Stream};
use super::time::Program;
use crate::scenario::world::InFront;
use record::Stamp;
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

pub struct Front {
    net: Net,
    program: Program,
}

/// As the proxies are set up: how long the far end may take to be reached.
const REACHED_WITHIN: Duration = Duration::from_secs(5);
/// Three times more, a second apart.
const TRIES_FOR: Duration = Duration::from_secs(3);

pub fn address() -> SocketAddr {
    SocketAddr::new(SERVER, 8080)
}

impl Front {
    pub fn start(net: &Net, kind: InFront) -> Self {
        let program = net.0.servers.program();
        let (of, from) = (program.clone(), net.clone());
        let accept = move |stream: Stream| of.spawn(pass_on(from.clone(), of.clone(), stream, kind)).detach();
        net.0.listeners.borrow_mut().insert(address(), std::rc::Rc::new(accept));
        Self { net: net.clone(), program }
    }

    pub fn kill(&self) {
        self.net.0.listeners.borrow_mut().remove(&address());
        self.program.kill();
    }
}

async fn pass_on(net: Net, program: Program, near: Stream, kind: InFront) {
    let local = SocketAddr::new(SERVER, net.port());
    let reached = program.within(REACHED_WITHIN, Stream::connect_from(&net, local, far::address())).await;
    let Some(Ok(beyond)) = reached else {
        // Those who speak HTTP say so to who asks for an upgrade, one of them after it has tried again for a while.
        if matches!(kind, InFront::Haproxy { .. }) {
            program.sleep(TRIES_FOR).await;
        }
        let status = match kind {
            InFront::Nginx { .. } => 502,
            InFront::Haproxy { .. } => 503,
            InFront::Idler { .. } | InFront::Capper { .. } => return,
        };
        if matches!(near.hear().await, Heard::Message(Message::Upgrade { .. })) {
            near.send(Message::Answer { status });
        }
        return;
    };
    let began = program.now();
    let last = Cell::new(began);
    loop {
        let due: Stamp = match kind {
            InFront::Capper { ends_at_age } => began.plus(ends_at_age.get()),
            InFront::Nginx { ends_idle_after }
            | InFront::Haproxy { ends_idle_after }
            | InFront::Idler { ends_idle_after } => last.get().plus(ends_idle_after.get()),
        };
        let wait = due.since(program.now());
        let (heard, to) = tokio::select! {
            biased;
            heard = near.hear() => (heard, &beyond),
            heard = beyond.hear() => (heard, &near),
            () = program.sleep(wait) => return,
        };
        match heard {
            Heard::Message(Message::Fin) | Heard::Reset | Heard::Local(_) => return,
            Heard::Message(message) => {
                last.set(program.now());
                to.send(message);
            }
        }
    }
}
