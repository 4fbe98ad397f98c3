//! Controls: the engine's own asking, put to the computed network.

use super::{Client, line::words};
use crate::sim::net::{NAME_SERVER, UdpSocket};
use crate::sim::packet::Datagram;
use crate::sim::tcp::{Heard as OfStream, Stream};
use crate::sim::time::Task;
use engine::deciders::{Asking, FarEnd, Known, Manner, Never, OVERDUE, SeenAs, Step};
use record::fact::{Control, ControlKind};
use record::profile::ControlTarget;
use record::wire::datagram::{Datagram as Worded, FromClient, FromFar};
use record::{Event, Heard};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

// As the engine's controls.
const EVERY: Duration = Duration::from_secs(1);
const FAR_TCP_EVERY: Duration = Duration::from_secs(2);
const PORTAL_EVERY: Duration = Duration::from_secs(10);
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
const WEB: u16 = 80;

#[derive(Clone)]
enum Wanted {
    Gateway,
    Name,
    NameServers,
    FarTcp,
    FarUdp,
    Stun(SocketAddr),
    Portal(String),
}

fn wanted(client: &Client) -> Vec<Wanted> {
    let of = |target: &ControlTarget| match target {
        ControlTarget::Gateway => vec![Wanted::Gateway],
        ControlTarget::Dns(_) if client.by_name => vec![Wanted::Name, Wanted::NameServers],
        ControlTarget::Far => vec![Wanted::FarTcp, Wanted::FarUdp],
        ControlTarget::Stun(url) => {
            url.host.parse().ok().map(|ip: IpAddr| Wanted::Stun(SocketAddr::new(ip, url.port))).into_iter().collect()
        }
        ControlTarget::Portal(url) => vec![Wanted::Portal(url.to_string())],
        ControlTarget::Dns(_) | ControlTarget::Https(_) => vec![],
    };
    client.profile.lanes.controls.iter().flat_map(of).collect()
}

pub fn begin(client: &Client) -> Vec<Task> {
    let wanted = wanted(client);
    let sample_every = SAMPLE_EVERY.max(EVERY * wanted.len() as u32);
    let begin = |(n, wanted): (usize, Wanted)| {
        let (kind, every) = match &wanted {
            Wanted::Gateway => (ControlKind::Gateway, EVERY),
            Wanted::Name | Wanted::NameServers => (ControlKind::Dns, EVERY),
            Wanted::FarTcp => (ControlKind::FarTcp, FAR_TCP_EVERY),
            Wanted::FarUdp => (ControlKind::FarUdp, EVERY),
            Wanted::Stun(_) => (ControlKind::Stun, EVERY),
            Wanted::Portal(_) => (ControlKind::Portal, PORTAL_EVERY),
        };
        let never = matches!(wanted, Wanted::NameServers | Wanted::Gateway)
            .then_some(Never { watcher: record::Sense::Controls, why: "it never answers" });
        let control = n as u32 + 1;
        let manner = Manner { control, kind, every, sample_every, never, silence_tells: true };
        client.program.spawn(ask(client.clone(), manner, wanted))
    };
    wanted.into_iter().enumerate().map(begin).collect()
}

enum News {
    Answer(u64),
    Failed(Heard),
}

async fn ask(client: Client, manner: Manner, wanted: Wanted) {
    let mut facts = client.recorder.listen();
    let (tell, mut news) = unbounded_channel();
    let control = manner.control;
    let mut asking = Asking::new(manner, client.now());
    let mut known = Known::default();
    let mut asker = Asker::new(&client, control, wanted, tell);
    loop {
        let target = asker.target(&known);
        if let Some(fact) = asking.aim(target, client.now()) {
            client.note(fact);
        }
        for step in asking.due(client.now()) {
            match step {
                Step::Put(attempt) => asker.put(attempt),
                Step::Note(fact) => {
                    client.note(fact);
                }
            }
        }
        let wait = asking.wait(client.now());
        tokio::select! {
            biased;
            Some(event) = facts.recv() => learn(&mut known, &event, &mut facts),
            Some(news) = news.recv() => match news {
                News::Answer(attempt) => {
                    if let Some(fact) = asking.answered(attempt, client.now()) {
                        client.note(fact);
                    }
                }
                News::Failed(says) => asking.failed(record::Said::from(says).into()),
            },
            (from, datagram) = asker.hear() => {
                if let Some(attempt) = asker.answer(from, datagram)
                    && let Some(fact) = asking.answered(attempt, client.now())
                {
                    client.note(fact);
                }
            }
            () = client.sleep(wait) => {}
        }
    }
}

fn learn(known: &mut Known, event: &Event, facts: &mut UnboundedReceiver<Arc<Event>>) {
    known.learn(&event.fact);
    while let Ok(event) = facts.try_recv() {
        known.learn(&event.fact);
    }
}

struct Asker {
    client: Client,
    control: u32,
    wanted: Wanted,
    socket: Rc<UdpSocket>,
    tell: UnboundedSender<News>,
    /// By what they were asked under.
    waiting: BTreeMap<u64, u64>,
    /// Where datagrams go now.
    to: Option<SocketAddr>,
    seen_as: SeenAs,
    portal: bool,
    tasks: Vec<Task>,
}

impl Asker {
    fn new(client: &Client, control: u32, wanted: Wanted, tell: UnboundedSender<News>) -> Self {
        let socket = Rc::new(UdpSocket::bind(&client.net, None, client.net.port()));
        Self {
            client: client.clone(),
            control,
            wanted,
            socket,
            tell,
            waiting: BTreeMap::new(),
            to: None,
            seen_as: SeenAs::default(),
            portal: false,
            tasks: vec![],
        }
    }

    fn target(&mut self, known: &Known) -> Option<Heard> {
        let far = match &known.far {
            Some(FarEnd::At(far)) => Some(*far),
            Some(FarEnd::Behind(_)) | None => None,
        };
        match &self.wanted {
            Wanted::Gateway => {
                let gateway = known.gateway()?.address;
                self.to = Some(SocketAddr::new(gateway, 0));
                Some(gateway.to_string().as_str().into())
            }
            Wanted::Name => {
                self.to = Some(SocketAddr::new(NAME_SERVER, 53));
                Some(self.client.profile.signaling.url.host().into())
            }
            Wanted::NameServers => {
                self.to = Some(SocketAddr::new(NAME_SERVER, 53));
                Some(Heard::new(&format!("{}, of {NAME_SERVER}", self.client.profile.signaling.url.host())))
            }
            Wanted::FarTcp => far.map(|far| far.to_string().as_str().into()),
            Wanted::FarUdp => {
                let gate = self.client.gate.word();
                self.to = Some(SocketAddr::new(far?.ip(), gate.as_ref()?.udp?));
                self.to.map(|to| to.to_string().as_str().into())
            }
            Wanted::Stun(server) => {
                self.to = Some(*server);
                Some(Heard::new(&format!("stun:{server}")))
            }
            Wanted::Portal(url) => Some(url.as_str().into()),
        }
    }

    fn put(&mut self, attempt: u64) {
        let id = self.client.net.throw();
        let datagram = match self.wanted {
            Wanted::FarTcp => return self.knock(attempt),
            Wanted::Portal(_) => return self.look_for_a_portal(attempt),
            Wanted::Gateway => Datagram::Ping { id },
            Wanted::Name | Wanted::NameServers => Datagram::NameAsk { id },
            Wanted::FarUdp => Datagram::Said(Worded { nonce: id, lane: 0, say: FromClient::Echo }),
            Wanted::Stun(_) => Datagram::StunAsk { id },
        };
        let Some(to) = self.to else { return };
        self.waiting.insert(id, attempt);
        if let Err(errno) = self.socket.send(to, datagram) {
            let _ = self.tell.send(News::Failed(words(errno).into()));
        }
    }

    async fn hear(&self) -> (SocketAddr, Datagram) {
        self.socket.next().await
    }

    fn answer(&mut self, from: SocketAddr, datagram: Datagram) -> Option<u64> {
        let (id, seen) = match datagram {
            Datagram::Pong { id } | Datagram::NameTold { id } => (id, None),
            Datagram::StunTold { id, seen } => (id, Some(seen)),
            Datagram::Told(Worded { nonce, say: FromFar::Echo { seen, .. }, .. }) => (nonce, Some(seen)),
            _ => return None,
        };
        let attempt = self.waiting.remove(&id)?;
        if let (Some(seen), Some(local)) = (seen, self.socket.local())
            && self.seen_as.is_new(from, seen, self.client.now())
        {
            let name = match self.wanted {
                Wanted::Stun(server) => Heard::new(&format!("stun:{server}")),
                _ => Heard::new(&from.to_string()),
            };
            self.seen_as.note(&self.client.recorder, &name, from, local, seen);
        }
        Some(attempt)
    }

    /// A connection made anew, and closed at once.
    fn knock(&mut self, attempt: u64) {
        let (client, tell) = (self.client.clone(), self.tell.clone());
        self.tasks.retain(|_| false);
        self.tasks.push(self.client.program.spawn(async move {
            let connecting = Stream::connect(&client.net, client.far);
            let news = match client.program.within(OVERDUE, connecting).await {
                Some(Ok(_)) => News::Answer(attempt),
                Some(Err(OfStream::Local(errno))) => News::Failed(words(errno).into()),
                Some(Err(_)) => News::Failed("Connection refused".into()),
                None => return,
            };
            let _ = tell.send(news);
        }));
    }

    /// Plain HTTP, whose answer is known; whoever sends us elsewhere is a sign-in page.
    fn look_for_a_portal(&mut self, attempt: u64) {
        let closed = self.client.net.0.router.borrow().portal();
        let (control, before) = (self.control, std::mem::replace(&mut self.portal, closed));
        if closed && !before {
            let leads_to = Some("http://portal.example/sign-in".into());
            self.client.note(Control::Portal { control, status: 302, leads_to });
        } else if before && !closed {
            self.client.note(Control::PortalGone { control });
        }
        let (client, tell) = (self.client.clone(), self.tell.clone());
        self.tasks.push(self.client.program.spawn(async move {
            let web = SocketAddr::new(crate::sim::net::CONTROL, WEB);
            if let Some(Ok(_)) = client.program.within(OVERDUE, Stream::connect(&client.net, web)).await {
                let _ = tell.send(News::Answer(attempt));
            }
        }));
    }
}

impl Client {
    /// As the system's resolver does it: asked again every five seconds.
    pub async fn resolve(&self, within: Duration) -> Option<IpAddr> {
        const AGAIN: Duration = Duration::from_secs(5);
        let asking = async {
            loop {
                let socket = UdpSocket::bind(&self.net, None, self.net.port());
                let id = self.net.throw();
                let sent = socket.send(SocketAddr::new(NAME_SERVER, 53), Datagram::NameAsk { id });
                if sent.is_err() {
                    return None;
                }
                if self.program.within(AGAIN, socket.next()).await.is_some() {
                    return Some(self.far.ip());
                }
            }
        };
        self.program.within(within, asking).await.flatten()
    }
}
