//! The far end: a reflector that is computed. What it makes of what it received is the reflector's own account.

use super::net::{Net, SERVER};
use super::tcp::{Heard, Message, Stream};
use super::time::Program;
use super::told::Told;
use crate::scenario::{World, world::Token};
use call::Call;
use engine::deciders::stood_still;
use record::wire::{FromClient, FromFar, LaneGate, Sealed};
use record::{fact::RefusalKind, wire::Relay};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

mod call;
mod datagrams;
pub mod lane;
mod peer;

pub const PORT: u16 = 7000;

/// As the reflector itself.
const TICK: Duration = Duration::from_millis(100);
const KEPT_FOR: Duration = Duration::from_secs(120);
const IDLE: Duration = Duration::from_secs(120);

pub struct Far(Rc<Inner>);

pub struct Inner {
    net: Net,
    program: Program,
    instance: String,
    /// By their tickets, until they are over.
    calls: RefCell<BTreeMap<String, Rc<Call>>>,
    stopping: Told<bool>,
    /// How often it hung up.
    hanging_up: Told<u32>,
    rules: Rules,
}

/// What its operator has set.
#[derive(Clone, Copy)]
pub struct Rules {
    pub idle: Duration,
    pub full: bool,
    pub token: Option<Token>,
}

impl Rules {
    pub fn of(world: &World) -> Self {
        let idle = world.far_ends_idle_after.map_or(IDLE, record::profile::Span::get);
        Self { idle, full: world.far_is_full, token: world.token }
    }
}

impl Far {
    pub fn start(net: &Net, rules: Rules) -> Self {
        let program = net.0.servers.program();
        let instance = format!("{:08x}", net.throw() as u32);
        let far = Rc::new(Inner {
            net: net.clone(),
            program: program.clone(),
            instance,
            calls: RefCell::default(),
            stopping: Told::default(),
            hanging_up: Told::default(),
            rules,
        });
        let door = Rc::downgrade(&far);
        let accept = move |stream: Stream| {
            if let Some(far) = door.upgrade() {
                let serving = serve(Rc::clone(&far), stream);
                far.program.spawn(serving).detach();
            }
        };
        net.0.listeners.borrow_mut().insert(address(), Rc::new(accept));
        program.spawn(beat(Rc::clone(&far))).detach();
        program.spawn(datagrams::answer(Rc::clone(&far))).detach();
        Self(far)
    }

    /// As by SIGKILL: its kernel closes what it held.
    pub fn kill(&self) {
        self.0.net.0.listeners.borrow_mut().remove(&address());
        self.0.calls.borrow_mut().clear();
        self.0.program.kill();
    }

    pub fn stands_still(&self, still: bool) {
        self.0.program.stands_still(still);
    }

    /// It ends its calls by word, and takes new ones.
    pub fn hang_up(&self) {
        let times = *self.0.hanging_up.word() + 1;
        self.0.hanging_up.tell(times);
    }

    /// In order: goodbyes are said, and then it is gone.
    pub fn stop(&self) {
        self.0.net.0.listeners.borrow_mut().remove(&address());
        self.0.stopping.tell(true);
        let (net, program) = (self.0.net.clone(), self.0.program.clone());
        let far = Rc::clone(&self.0);
        // Long enough for every goodbye over a path of milliseconds.
        net.0.time.after(Duration::from_millis(150), move || {
            far.calls.borrow_mut().clear();
            program.kill();
        });
    }
}

pub fn address() -> SocketAddr {
    SocketAddr::new(SERVER, PORT)
}

impl Inner {
    fn number(&self) -> String {
        format!("{:08x}", self.net.throw() as u32)
    }

    fn hangs_up(&self) -> impl Future<Output = ()> + use<> {
        let hanging_up = self.hanging_up.clone();
        let before = *hanging_up.word();
        async move { hanging_up.is(|times| *times > before).await }
    }

    fn is_stopping(&self) -> impl Future<Output = ()> + use<> {
        let stopping = self.stopping.clone();
        async move { stopping.is(|stopping| *stopping).await }
    }

    fn call_of_lanes(&self, ticket: &str) -> Option<Rc<Call>> {
        self.calls.borrow().values().find(|call| call.lane_ticket == ticket).cloned()
    }

    fn welcome(&self, call: &Call, resumed: bool) -> FromFar {
        FromFar::Welcome {
            call: call.id.as_str().into(),
            ticket: Sealed::new(call.ticket.clone()),
            instance: self.instance.as_str().into(),
            resumed,
            kept_s: KEPT_FOR.as_secs_f64(),
            idle_timeout_s: self.rules.idle.as_secs_f64(),
            ice_servers: Vec::<Relay>::new(),
            certificate_from: None,
            lanes: Some(LaneGate { ticket: Sealed::new(call.lane_ticket.clone()), most: 40, udp: Some(PORT) }),
        }
    }
}

/// Its own ticks, by which it notices that it stood still itself.
async fn beat(far: Rc<Inner>) {
    let mut last = far.program.now();
    loop {
        far.program.sleep(TICK / 2).await;
        let now = far.program.now();
        for call in far.calls.borrow().values() {
            if stood_still(last, now) {
                call.account.stood_still(last, now);
            } else {
                call.account.look(now);
            }
        }
        last = now;
    }
}

async fn serve(far: Rc<Inner>, stream: Stream) {
    match stream.hear().await {
        Heard::Message(Message::Upgrade { path: "/call" }) => {
            stream.send(Message::Answer { status: 101 });
            greet(far, stream).await;
        }
        Heard::Message(Message::Upgrade { path: "/lane" }) => {
            stream.send(Message::Answer { status: 101 });
            lane::hold(far, stream).await;
        }
        Heard::Message(Message::Text(text)) if text == record::wire::lane::PREAMBLE => lane::hold(far, stream).await,
        // A control that only knocks.
        _ => {}
    }
}

pub fn say(stream: &Stream, message: &FromFar) {
    let text = serde_json::to_string(message).expect("texts and numbers");
    stream.send(Message::Text(text));
}

pub fn read<T: serde::de::DeserializeOwned>(heard: &Heard) -> Option<T> {
    match heard {
        Heard::Message(Message::Text(text)) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

async fn greet(far: Rc<Inner>, stream: Stream) {
    loop {
        let Some(FromClient::Hello { resume, quiet, .. }) = read(&stream.hear().await) else { return };
        // The profile's own token is not looked at: whether it is the right one, the scenario says.
        let refused = if far.rules.token == Some(Token::Wrong) {
            Some((RefusalKind::Auth, "1008", "the token is wrong, or missing"))
        } else if far.rules.full {
            Some((RefusalKind::Overloaded, "1013", "all 1 calls of this reflector are taken"))
        } else {
            None
        };
        if let Some((kind, code, says)) = refused {
            say(&stream, &FromFar::Refused { kind, code: code.into(), says: says.into() });
            return stream.send(Message::Close { code: code.parse().expect("a number"), reason: says.into() });
        }
        let Some(ticket) = resume else {
            let call = Call::begin(&far, quiet);
            far.calls.borrow_mut().insert(call.ticket.clone(), Rc::clone(&call));
            let held = call::hold(Rc::clone(&far), call, stream);
            far.program.spawn(held).detach();
            return;
        };
        let standing = far.calls.borrow().get(ticket.0.reveal()).cloned();
        if let Some(call) = standing {
            return call.attach(stream);
        }
        let says = "no call belongs to this ticket any more; say hello without it for a new one".into();
        say(&stream, &FromFar::Refused { kind: RefusalKind::NoSuchCall, code: "resume".into(), says });
    }
}
