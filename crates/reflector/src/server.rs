//! `Reflector`: binds, accepts, and ends in order.

use crate::calls::Calls;
use crate::door::{self, Visitor};
use crate::greeting::{Token, greet, random_hex};
use crate::journal::{Entry, Journal};
use crate::lanes::{
    self,
    desk::{self, Desks},
    udp::{self, Udp},
};
use crate::metrics::{self, Metrics};
use crate::mux::Mux;
use crate::peer::Outside;
use crate::settings::Settings;
use crate::socket::Socket;
use crate::strangers::{Stranger, Strangers};
use crate::{account, open_files, tls, turn};
use anyhow::Context;
use engine::Clock;
use record::Heard;
use record::wire::{FromFar, LaneGate, Sealed};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::TlsAcceptor;

pub struct Reflector {
    listener: TcpListener,
    local: SocketAddr,
    metrics_listener: Option<(TcpListener, SocketAddr)>,
    tls: Option<TlsAcceptor>,
    house: Arc<House>,
    stop: watch::Sender<bool>,
    drained: mpsc::Receiver<()>,
    /// What could not be opened; for the operator.
    warnings: Vec<String>,
}

/// What every part of the reflector shares.
pub struct House {
    pub settings: Settings,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub calls: Arc<Calls>,
    pub desks: Arc<Desks>,
    /// Absent where its port could not be opened.
    udp: Option<Udp>,
    pub token: Token,
    pub outside: Outside,
    pub journal: Journal,
    shutdown: watch::Receiver<bool>,
    /// Held by everything that should be waited for at the end.
    pub open: mpsc::Sender<()>,
    instance: String,
    /// Who issued our certificate, if we have one.
    certificate_from: Option<Heard>,
}

/// How a run went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    pub calls: u64,
    /// Calls that had not ended in order when the drain time was over.
    pub cut: usize,
    /// Connections whose task panicked: faults of ours, each in the log.
    pub failed: usize,
}

impl Reflector {
    /// The ports are open when this returns.
    pub async fn bind(settings: Settings) -> anyhow::Result<Self> {
        Self::bind_with(settings, Clock::real()).await
    }

    /// As `bind`, on a clock of the caller's.
    pub async fn bind_with(settings: Settings, clock: Clock) -> anyhow::Result<Self> {
        settings.check()?;
        let tls = settings.tls.as_ref().map(tls::identity).transpose()?;
        let certificate_from = tls.as_ref().and_then(|tls| tls.issuer.clone());
        let tls = tls.map(|tls| tls.acceptor);
        let (listener, local) = listen_for_calls(settings.listen).await?;
        if let Some(port) = settings.media_port {
            // Calls open it address by address; whether it is free at all is better known now.
            std::net::UdpSocket::bind((settings.listen.ip(), port))
                .with_context(|| format!("UDP port {port} cannot be opened for media. Is it free and allowed?"))?;
        }
        let metrics_listener = match settings.metrics {
            Some(address) => Some(listen(address, "metrics").await?),
            None => None,
        };
        let metrics = Arc::new(Metrics::default());
        let desks = Arc::new(Desks::new(most_lanes(&settings), Arc::clone(&metrics)));
        let (to_lanes, for_lanes) = mpsc::channel(udp::WAITING);
        let beside = Arc::new(Mux::with_lanes(local.port(), to_lanes));
        let media = match (settings.udp_through, settings.media_port) {
            (None, None) => None,
            (None, Some(port)) if port != local.port() => Some(Arc::new(Mux::new(port))),
            _ => Some(Arc::clone(&beside)),
        };
        let mut warnings = vec![];
        let udp = match udp::try_port(&beside, local) {
            Ok(()) => Some(Udp::begin(beside, for_lanes, Arc::clone(&desks), clock.clone())?),
            Err(error) => {
                warnings.push(format!(
                    "UDP port {} cannot be opened ({error}): callers cannot test UDP beside their calls. Free it, or \
                     listen on another number.",
                    local.port()
                ));
                None
            }
        };
        let (stop, shutdown) = watch::channel(false);
        let (open, drained) = mpsc::channel(1);
        let house = House {
            desks,
            udp,
            calls: Arc::new(Calls::new(settings.limits, clock.clone(), Arc::clone(&metrics))),
            token: Token::new(settings.token.as_ref().map(|token| token.reveal().as_str()))?,
            outside: Outside { address: settings.advertise, mux: media, through: settings.udp_through },
            journal: Journal::default(),
            certificate_from,
            instance: random_hex::<4>().context("the system gives no random numbers")?,
            settings,
            clock,
            metrics,
            shutdown,
            open,
        };
        Ok(Self { listener, local, metrics_listener, tls, house: Arc::new(house), stop, drained, warnings })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref().map(|(_, local)| *local)
    }

    /// Where a client on this computer places its call.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        let mut at = self.local;
        if at.ip().is_unspecified() {
            at.set_ip(if at.is_ipv4() {
                std::net::Ipv4Addr::LOCALHOST.into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        format!("{scheme}://{at}/call")
    }

    pub fn warnings(&self) -> Vec<String> {
        [self.house.settings.warnings(), self.warnings.clone()].concat()
    }

    /// Each call's beginning and end are told to `listener`, which must not wait.
    pub fn tell_of_calls(&self, listener: impl Fn(Entry) + Send + Sync + 'static) {
        self.house.journal.tell(listener);
    }

    /// Until `shutdown` is ready; then every call is told and closed, and what does not end within the drain time is cut.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Report {
        let Self { listener, metrics_listener, tls, house, stop, mut drained, .. } = self;
        let mut tasks = JoinSet::new();
        let mut failed = 0;
        let mut helpers = JoinSet::new();
        helpers.spawn(look_for_silence(Arc::clone(&house.calls), house.clock.clone()));
        if let Some((listener, _)) = metrics_listener {
            helpers.spawn(metrics::serve(listener, Arc::clone(&house.metrics)));
        }
        // Connections that have said nothing yet are bounded as well; a call beyond the limit must still hear why.
        let places = Arc::new(Semaphore::new(2 * house.settings.limits.calls + STRANGERS));
        let strangers = Strangers::new(most_strangers(&house.settings));
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let (tcp, remote) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(done) = tasks.join_next() => {
                    failed += usize::from(has_failed(done));
                    continue;
                }
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        // Out of file descriptors, most likely: at once it would fail again.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                tracing::warn!(%remote, "too many connections; one was dropped");
                continue;
            };
            let Some(stranger) = strangers.enter(remote.ip()) else {
                tracing::debug!(%remote, "too many connections from there that say nothing; one was dropped");
                continue;
            };
            let (house, tls) = (Arc::clone(&house), tls.clone());
            tasks.spawn(async move {
                receive(tcp, remote, tls, house, place, stranger).await;
            });
        }
        drop(listener);
        let mut report = finish(tasks, house, stop, &mut drained).await;
        report.failed += failed;
        report
    }
}

/// Connections beyond the calls' own: resumes in progress, health checks, people with a browser.
const STRANGERS: usize = 64;

/// Of one address: half of what calls leave over, even when all of them stand. An office whose callers all come at the same
/// moment is served by it. Behind a proxy everybody has its address.
fn most_strangers(settings: &Settings) -> usize {
    let left = settings.limits.calls + STRANGERS;
    if settings.behind_proxy { usize::MAX } else { left / 2 }
}

/// Whoever can reach us may place calls where there is no token: half of all places is enough for a whole office, and the
/// other half is left to others. Behind a proxy everybody has its address.
fn most_lanes(settings: &Settings) -> desk::Most {
    let in_all = places_for_lanes(settings);
    let of_one_address = if settings.behind_proxy { in_all } else { (in_all / 2).max(desk::MOST) };
    desk::Most { in_all, of_one_address }
}

/// Calls come first: lanes get what their sockets leave over.
fn places_for_lanes(settings: &Settings) -> u32 {
    // A signaling socket with its successor, and media on as many addresses as a server usually has.
    const SOCKETS_A_CALL: u64 = 8;
    let wanted = settings.limits.lanes;
    let Some(files) = open_files::raise() else { return wanted };
    let left = files.saturating_sub(settings.limits.calls as u64 * SOCKETS_A_CALL + STRANGERS as u64);
    let places = u32::try_from(left).unwrap_or(u32::MAX).clamp(desk::MOST, wanted.max(desk::MOST));
    if places < wanted {
        tracing::warn!(files, places, "the limit of open files leaves fewer places for lanes; raise it (ulimit -n)");
    }
    places
}

/// A connection that becomes a lane gives its place back: lanes have places of their own. Once it is a lane or a call it is
/// no stranger's any more.
async fn receive(
    tcp: TcpStream,
    remote: SocketAddr,
    tls: Option<TlsAcceptor>,
    house: Arc<House>,
    place: OwnedSemaphorePermit,
    stranger: Stranger,
) {
    let limits = &house.settings.limits;
    let opening = door::open(tcp, remote, tls.as_ref(), limits.message_bytes, &house.clock);
    let opened = tokio::select! {
        opened = tokio::time::timeout(limits.greeting, opening) => opened,
        () = house.stopping() => return,
    };
    let visitor = match opened {
        Ok(Ok(Some(visitor))) => visitor,
        Ok(Ok(None)) => return,
        Ok(Err(error)) => return tracing::debug!(%remote, %error, "a connection broke before it was one"),
        Err(_) => return tracing::debug!(%remote, "a connection said too little for too long"),
    };
    match visitor {
        Visitor::Caller(caller) => {
            let socket = Socket::new(caller, limits.message_bytes, house.clock.clone(), Arc::clone(&house.metrics));
            greet(socket, house, || drop(stranger)).await;
            drop(place);
        }
        Visitor::Lane(channel, from) => lanes::hold(channel, from, house, || drop((place, stranger))).await,
    }
}

async fn finish(
    mut tasks: JoinSet<()>,
    house: Arc<House>,
    stop: watch::Sender<bool>,
    drained: &mut mpsc::Receiver<()>,
) -> Report {
    let drain = house.settings.drain;
    let (calls, metrics) = (Arc::clone(&house.calls), Arc::clone(&house.metrics));
    stop.send_replace(true);
    drop(house);
    let mut failed = 0;
    let all = async {
        while let Some(done) = tasks.join_next().await {
            failed += usize::from(has_failed(done));
        }
        // Goodbyes that outlived their calls.
        while drained.recv().await.is_some() {}
    };
    let in_time = tokio::time::timeout(drain, all).await.is_ok();
    let cut = if in_time { 0 } else { calls.count() };
    tasks.shutdown().await;
    Report { calls: metrics.calls_total(), cut, failed }
}

fn has_failed(done: Result<(), JoinError>) -> bool {
    match done {
        Ok(()) => false,
        Err(error) => {
            tracing::error!(%error, "a connection's task failed; the others go on");
            true
        }
    }
}

/// A loaded machine delays a tick by tens of milliseconds; for longer than this a caller notices.
const STOOD_STILL: Duration = Duration::from_millis(700);
/// Less cannot be told from the difference in reading two clocks on a busy machine.
const SLEPT: Duration = Duration::from_millis(300);

/// One ticker for the silence of all calls, and for our own.
async fn look_for_silence(calls: Arc<Calls>, clock: Clock) {
    let mut ticker = tokio::time::interval(account::LOOK_EVERY);
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = clock.now();
    loop {
        ticker.tick().await;
        let now = clock.now();
        // When we ourselves were kept from running, packets lie in the kernel unread: they are let in first.
        if now.awake_since(last) < 3 * account::LOOK_EVERY && now.slept_since(last) < SLEPT {
            calls.look(now);
        }
        if now.awake_since(last) >= STOOD_STILL || now.slept_since(last) >= SLEPT {
            calls.stood_still(last, now);
        }
        last = now;
    }
}

async fn listen(at: SocketAddr, what: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(at).await.with_context(|| {
        format!("{at} cannot be opened for {what}. Is it this computer's address, and is the port free and allowed?")
    })?;
    let local = listener.local_addr().with_context(|| format!("{at} was opened and does not know itself"))?;
    Ok((listener, local))
}

/// UDP stands on the same number, so a number that the system may choose must be free for both.
async fn listen_for_calls(at: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    const TRIES: u32 = 16;
    let mut opened = listen(at, "calls").await?;
    for _ in 1..TRIES {
        if at.port() != 0 || std::net::UdpSocket::bind(opened.1).is_ok() {
            break;
        }
        opened = listen(at, "calls").await?;
    }
    Ok(opened)
}

impl House {
    /// Ready once the reflector is to end, and from then on.
    pub fn stopping(&self) -> impl Future<Output = ()> + use<> {
        let mut shutdown = self.shutdown.clone();
        async move {
            // The sender gone is as good as its word.
            let _said = shutdown.wait_for(|down| *down).await;
        }
    }

    /// The port of UDP lanes, for a caller who reached us at this address.
    fn udp_at(&self, at: SocketAddr) -> Option<u16> {
        let udp = self.udp.as_ref()?;
        let brought = self.settings.behind_proxy || self.settings.advertise.is_some();
        let opened = match at.ip().to_canonical().is_loopback() && brought {
            true => udp.open_everywhere(),
            false => udp.open_at(at.ip()),
        };
        opened
            .map(|port| self.settings.udp_through.unwrap_or(port))
            .inspect_err(|error| tracing::warn!(%error, %at, "UDP cannot be opened here; its lanes are left out"))
            .ok()
    }

    pub fn welcome(&self, call: &str, ticket: &str, lanes: &desk::Opened, at: SocketAddr, resumed: bool) -> FromFar {
        FromFar::Welcome {
            call: call.into(),
            ticket: Sealed::new(ticket.to_owned()),
            instance: self.instance.as_str().into(),
            resumed,
            kept_s: self.settings.kept_for.as_secs_f64(),
            idle_timeout_s: self.settings.idle_timeout.as_secs_f64(),
            certificate_from: self.certificate_from.clone(),
            lanes: Some(LaneGate { ticket: Sealed(lanes.ticket.clone()), most: desk::MOST, udp: self.udp_at(at) }),
            ice_servers: self.settings.turn.iter().map(|turn| turn::credentials(turn, self.clock.now().wall)).collect(),
        }
    }
}
