//! What stands before the far end and takes its TCP: proxies and devices that end connections by silence or by age. Words
//! go through; what a kernel says by itself does not.

use super::far;
use super::net::{Net, SERVER};
use super::tcp::{self, Heard, Message, Stream};
use super::time::Program;
use super::told::Told;
use crate::scenario::deed::EndedBy;
use crate::scenario::world::InFront;
use record::Stamp;
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

pub struct Front {
    net: Net,
    program: Program,
    ended: Told<Ended>,
}

/// How often it ended all that it had, and how it did so last.
#[derive(Clone, Copy, Default)]
struct Ended {
    times: u32,
    by: EndedBy,
}

/// As the proxies are set up: how long the far end may take to be reached.
const REACHED_WITHIN: Duration = Duration::from_secs(5);
/// Beyond every scenario.
const NEVER: Duration = Duration::from_secs(24 * 3600);
/// Three times more, a second apart.
const TRIES_FOR: Duration = Duration::from_secs(3);

pub fn address() -> SocketAddr {
    SocketAddr::new(SERVER, 8080)
}

impl Front {
    pub fn start(net: &Net, kind: InFront) -> Self {
        let program = net.0.servers.program();
        let (of, from) = (program.clone(), net.clone());
        let ended = Told::default();
        let word = ended.clone();
        let accept =
            move |stream: Stream| of.spawn(pass_on(from.clone(), of.clone(), stream, kind, word.clone())).detach();
        net.0.listeners.borrow_mut().insert(address(), std::rc::Rc::new(accept));
        Self { net: net.clone(), program, ended }
    }

    pub fn end_all(&self, by: EndedBy) {
        let times = self.ended.word().times + 1;
        self.ended.tell(Ended { times, by });
    }

    pub fn kill(&self) {
        self.net.0.listeners.borrow_mut().remove(&address());
        self.program.kill();
    }
}

async fn pass_on(net: Net, program: Program, near: Stream, kind: InFront, ended: Told<Ended>) {
    if let InFront::Refuser { status } = kind {
        if matches!(near.hear().await, Heard::Message(Message::Upgrade { .. })) {
            near.send(Message::Answer { status });
        }
        return;
    }
    let before = ended.word().times;
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
            InFront::Idler { .. } | InFront::Capper { .. } | InFront::Passer => return,
            InFront::Inspector | InFront::Refuser { .. } => {
                unreachable!("one answers by itself, and the other is not played")
            }
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
            InFront::Capper { ends_at_age, .. } => began.plus(ends_at_age.get()),
            InFront::Passer | InFront::Inspector | InFront::Refuser { .. } => began.plus(NEVER),
            InFront::Nginx { ends_idle_after }
            | InFront::Haproxy { ends_idle_after }
            | InFront::Idler { ends_idle_after } => last.get().plus(ends_idle_after.get()),
        };
        let wait = due.since(program.now());
        let (heard, to) = tokio::select! {
            biased;
            heard = near.hear() => (heard, &beyond),
            heard = beyond.hear() => (heard, &near),
            () = ended.is(|ended| ended.times > before) => {
                let by = ended.word().by;
                return end(&net, &near, by);
            }
            () = program.sleep(wait) => {
                let by = if let InFront::Capper { by, .. } = kind { by } else { EndedBy::Fin };
                return end(&net, &near, by);
            }
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

/// A FIN follows when the connection is let go of.
fn end(net: &Net, near: &Stream, by: EndedBy) {
    match by {
        EndedBy::Fin => {}
        EndedBy::Close(code) => near.send(Message::Close { code, reason: String::new() }),
        EndedBy::Reset => {
            // Servers have a way to everybody.
            let _ = net.send(tcp::forged_reset(near.local(), near.remote()));
        }
    }
}
