//! Controls: what is asked once a second beside the call, to tell computer, local network, path and service apart.
//!
//! ```text
//! facts of others ─▶ Known ─▶ ┐
//!                             ├ Asker (how to ask) ◀─ driver ─▶ Asking (when, and what it means) ─▶ facts
//! profile, gate ────────────▶ ┘
//! ```
//!
//! Nobody is asked whom neither the profile nor the call has named.

use crate::line::{Proxies, proxy::Choice};
use crate::{Recorder, plan};
use asking::{Manner, Never};
use driver::{Asker, ask};
use known::Known;
use record::fact::ControlKind;
use record::profile::{Address, ControlTarget, IceScheme, IceServer, IceTransport, IceUrl};
use record::{Fact, Heard, Profile, wire::LaneGate};
use std::io;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) mod asking;
mod dns;
mod driver;
mod far_tcp;
mod far_udp;
mod fresh;
mod gateway;
mod https;
pub(crate) mod known;
mod letters;
mod names;
mod place;
mod portal;
pub(crate) mod seen_as;
mod stun;
#[cfg(test)]
mod tests;

const EVERY: Duration = Duration::from_secs(1);
/// All samples together are one line a second, however many controls there are, and none comes more often than this.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);

/// What the call will tell only when it stands.
pub struct FromCall {
    pub gate: watch::Receiver<Option<LaneGate>>,
    pub ice_servers: watch::Receiver<Vec<IceServer>>,
}

/// Begins to ask whatever the profile wants; it ends when the set is dropped. Gateways and the far end's address are
/// learnt from the facts of others, so this is started before the watchers and the call.
pub fn begin(profile: &Profile, recorder: &Recorder, from_call: FromCall) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let wanted = wanted(profile);
    if wanted.is_empty() {
        return tasks;
    }
    let (known, learning) = known::listen(recorder);
    tasks.spawn(learning);
    let sample_every = SAMPLE_EVERY.max(EVERY * wanted.len() as u32);
    let mut begin = Begin { profile, recorder, known, from_call, sample_every, number: 0, tasks };
    for asked in wanted {
        begin.one(asked);
    }
    begin.tasks
}

/// One control, with a number of its own.
#[derive(Debug, PartialEq)]
enum Wanted {
    Gateway,
    Name(String),
    NameServers(Option<String>),
    FarTcp,
    FarUdp,
    Https(url::Url),
    Stun(IceUrl),
    /// Whatever STUN server the call itself has.
    CallsStun,
    Portal(url::Url),
}

/// A far end on this computer is reached by no gateway and no name server, and its call says nothing of them.
fn wanted(profile: &Profile) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = vec![];
    let here = plan::is_loopback(profile);
    let host = profile.signaling.url.host();
    let far = host.parse::<std::net::IpAddr>().is_err().then(|| host.to_owned());
    for target in &profile.lanes.controls {
        let those = match target {
            ControlTarget::Gateway | ControlTarget::Dns(None) if here => vec![],
            ControlTarget::Gateway => vec![Wanted::Gateway],
            ControlTarget::Dns(name) => {
                let name = name.clone().or_else(|| far.clone());
                let through_system = name.clone().map(Wanted::Name);
                through_system.into_iter().chain([Wanted::NameServers(name)]).collect()
            }
            ControlTarget::Far => vec![Wanted::FarTcp, Wanted::FarUdp],
            ControlTarget::Https(url) => vec![Wanted::Https(url.clone())],
            ControlTarget::Stun(url) => vec![Wanted::Stun(url.clone())],
            ControlTarget::Portal(url) => vec![Wanted::Portal(url.clone())],
        };
        for asked in those {
            if !wanted.contains(&asked) {
                wanted.push(asked);
            }
        }
    }
    if !wanted.is_empty() && !wanted.iter().any(|asked| matches!(asked, Wanted::Stun(_))) {
        wanted.push(Wanted::CallsStun);
    }
    wanted
}

struct Begin<'a> {
    profile: &'a Profile,
    recorder: &'a Recorder,
    known: watch::Receiver<Known>,
    from_call: FromCall,
    sample_every: Duration,
    number: u32,
    tasks: JoinSet<()>,
}

impl Begin<'_> {
    fn one(&mut self, asked: Wanted) {
        self.number += 1;
        let recorder = self.recorder.clone();
        match asked {
            Wanted::Gateway => {
                let mut manner = self.manner(ControlKind::Gateway, EVERY, Some(gateway::NEVER));
                if !gateway::permitted() {
                    (manner.never, manner.silence_tells) = (None, false);
                    recorder.note(Fact::Blind { watcher: record::Sense::Gateway, why: gateway::NOT_PERMITTED.into() });
                }
                self.ask(manner, None, gateway::GatewayAsker::new(self.known.clone()));
            }
            Wanted::Name(name) => {
                let manner = self.manner(ControlKind::Dns, EVERY, None);
                self.ask(manner, Some(name.as_str().into()), dns::NameAsker::new(&name));
            }
            Wanted::NameServers(name) => {
                let manner = self.manner(ControlKind::Dns, EVERY, Some(dns::NEVER));
                self.ask_over(manner, None, dns::ServersAsker::new(self.known.clone(), name.as_deref()));
            }
            Wanted::FarTcp => {
                let manner = self.manner(ControlKind::FarTcp, far_tcp::EVERY, None);
                self.ask(manner, None, far_tcp::FarTcpAsker::new(self.known.clone(), recorder));
            }
            Wanted::FarUdp => {
                let manner = self.manner(ControlKind::FarUdp, EVERY, None);
                let url = &self.profile.signaling.url;
                let behind_proxy = (!goes_directly(url)).then(|| place::Place::keep(url.host(), url.port()));
                let gate = self.from_call.gate.clone();
                self.ask_over(
                    manner,
                    None,
                    far_udp::FarUdpAsker::new(recorder, self.known.clone(), gate, behind_proxy),
                );
            }
            Wanted::Https(url) => {
                let manner = self.manner(ControlKind::Https, https::EVERY, None);
                if self.may_be_asked(&url, "wss") {
                    let (ca, expected) = (self.profile.signaling.ca.clone(), self.profile.lanes.expect_issuer.clone());
                    let asker = https::HttpsAsker::new(recorder, self.number, &url, ca, expected);
                    self.ask(manner, Some(url.as_str().into()), asker);
                }
            }
            Wanted::Portal(url) => {
                let manner = self.manner(ControlKind::Portal, portal::EVERY, None);
                if self.may_be_asked(&url, "ws") {
                    let shown = url.as_str().into();
                    self.ask(manner, Some(shown), portal::PortalAsker::new(recorder, self.number, url));
                }
            }
            Wanted::Stun(url) => {
                let manner = self.manner(ControlKind::Stun, EVERY, None);
                self.ask_over(manner, Some(stun::shown(&url)), stun::StunAsker::new(recorder, &url));
            }
            Wanted::CallsStun => {
                let manner = self.manner(ControlKind::Stun, EVERY, None);
                let mut servers = self.from_call.ice_servers.clone();
                self.tasks.spawn(async move {
                    // A call that has no such server never gets past here.
                    let Some(url) = stun_of_call(&mut servers).await else { return };
                    match stun::StunAsker::new(recorder.clone(), &url) {
                        Ok(asker) => Box::pin(ask(manner, Some(stun::shown(&url)), asker, recorder)).await,
                        Err(error) => note_blind(&recorder, &error),
                    }
                });
            }
        }
    }

    fn manner(&self, kind: ControlKind, every: Duration, never: Option<Never>) -> Manner {
        Manner { control: self.number, kind, every, sample_every: self.sample_every, never, silence_tells: true }
    }

    fn ask(&mut self, manner: Manner, target: Option<Heard>, asker: impl Asker + 'static) {
        self.tasks.spawn(Box::pin(ask(manner, target, asker, self.recorder.clone())));
    }

    fn ask_over(&mut self, manner: Manner, target: Option<Heard>, asker: io::Result<impl Asker + 'static>) {
        match asker {
            Ok(asker) => self.ask(manner, target, asker),
            Err(error) => note_blind(self.recorder, &error),
        }
    }

    /// A web server that this computer reaches by a proxy alone would look dead if it were asked past it.
    fn may_be_asked(&self, url: &url::Url, scheme: &str) -> bool {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let directly =
            Address::parse(&format!("{scheme}://{host}:{port}/")).is_ok_and(|address| goes_directly(&address));
        if !directly {
            let why =
                format!("a control over {scheme} is not asked: this computer's environment names a web proxy for it");
            self.recorder.note(Fact::Blind { watcher: record::Sense::Controls, why: why.as_str().into() });
        }
        directly
    }
}

fn goes_directly(url: &Address) -> bool {
    matches!(Proxies::from_environment().choose(url), Choice::Direct)
}

fn note_blind(recorder: &Recorder, error: &io::Error) {
    let why = format!("the system gave us no UDP socket: {error}");
    recorder.note(Fact::Blind { watcher: record::Sense::Controls, why: why.as_str().into() });
}

/// The first of the call's servers that is asked by STUN over UDP, of the profile or of the far end's welcome.
async fn stun_of_call(servers: &mut watch::Receiver<Vec<IceServer>>) -> Option<IceUrl> {
    let first = |servers: &Vec<IceServer>| {
        let urls = servers.iter().flat_map(|server| &server.urls).filter_map(|url| IceUrl::parse(url).ok());
        urls.into_iter().find(|url| url.scheme == IceScheme::Stun && url.transport == IceTransport::Udp)
    };
    let servers = servers.wait_for(|servers| first(servers).is_some()).await.ok()?;
    first(&servers)
}
