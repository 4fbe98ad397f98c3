//! What the operator decides, with defaults that suit a support desk's small server, each with its reason.

use anyhow::ensure;
use record::{Private, profile::IceUrl};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Settings {
    /// TCP. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Without it the port speaks `ws://`.
    pub tls: Option<TlsFiles>,
    /// Without it anybody may call.
    pub token: Option<Private<String>>,
    /// 60 s is what the proxies of this world do (nginx, Apache; HAProxy 50 s), so that a client which survives here has
    /// shown something.
    pub idle_timeout: Duration,
    /// What clients do by themselves; only for the warning that the idle timeout is too short for it.
    pub client_heartbeat: Duration,
    /// Two minutes outlast a modem that dials in anew, and a laptop carried to another room.
    pub kept_for: Duration,
    pub limits: Limits,
    /// All media over this one UDP port, for firewalls that open ports one by one; else each call has its own.
    pub media_port: Option<u16>,
    /// The address callers know us by, when a NAT stands before us.
    pub advertise: Option<IpAddr>,
    /// A reverse proxy on this computer hands the calls on: media must then not be looked for where they come from.
    pub behind_proxy: bool,
    /// All UDP, media and lanes, comes by this port of a box on this computer that hands it on: callers are told it, and are
    /// looked for nowhere else.
    pub udp_through: Option<u16>,
    pub turn: Option<Turn>,
    /// Where Prometheus may ask. Its own address, because what it tells is not for callers.
    pub metrics: Option<SocketAddr>,
    /// How long an orderly end may take; systemd kills after 90 s and Docker after 10 s, so less than either.
    pub drain: Duration,
    /// Threads that carry the media. One holds the calls that `limits` allows by default.
    pub media_threads: usize,
}

#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// PEM: the server's certificate first, then those between it and the authority.
    pub cert: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// 400 calls were carried by one core with room to spare.
    pub calls: usize,
    /// A whole office behind one NAT is one address.
    pub calls_per_address: usize,
    /// Lanes of all calls together. Each is a socket, and the usual limit of open files is not always raised with the load.
    pub lanes: u32,
    /// A session description is 2 to 6 kB; nothing of the protocol is larger.
    pub message_bytes: usize,
    /// From the first byte to `hello`. Three retransmissions of a lost TCP segment take 7 s.
    pub greeting: Duration,
}

/// A coturn server with `use-auth-secret`.
#[derive(Clone, Debug)]
pub struct Turn {
    pub secret: Private<String>,
    pub urls: Vec<String>,
    /// Credentials that end before the hold does end the call with them; a day outlasts any working day.
    pub ttl: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 400,
            calls_per_address: 100,
            lanes: 4_000,
            message_bytes: record::wire::LARGEST_MESSAGE,
            greeting: Duration::from_secs(10),
        }
    }
}

impl Settings {
    pub fn listening_on(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            token: None,
            idle_timeout: Duration::from_secs(60),
            client_heartbeat: Duration::from_secs(5),
            kept_for: Duration::from_secs(120),
            limits: Limits::default(),
            media_port: None,
            advertise: None,
            behind_proxy: false,
            udp_through: None,
            turn: None,
            metrics: None,
            drain: Duration::from_secs(5),
            media_threads: 1,
        }
    }

    /// For a self-test: any free port of this computer, seen by nobody else.
    pub fn on_loopback() -> Self {
        Self::listening_on((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// What cannot work is refused before anything is opened.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.idle_timeout.is_zero(),
            "The idle timeout is 0 s: every call would end at once. Set a longer one."
        );
        ensure!(self.limits.calls > 0, "No calls are allowed at all. Set the limit of calls to 1 or more.");
        ensure!(self.limits.calls_per_address > 0, "No calls per address are allowed. Set that limit to 1 or more.");
        ensure!(
            self.limits.message_bytes >= 8 * 1024,
            "The message limit of {} bytes is too small for a session description. Set 8192 or more.",
            self.limits.message_bytes
        );
        ensure!(
            self.media_port != Some(0),
            "Port 0 is no port that media could be fixed to. Name one, or none at all."
        );
        if let Some(turn) = &self.turn {
            ensure!(!turn.urls.is_empty(), "A TURN secret is given and no TURN server. Name its URL as well.");
            for url in &turn.urls {
                let read = IceUrl::parse(url).map_err(|why| anyhow::anyhow!("A TURN URL cannot be used: {why}."))?;
                ensure!(read.is_turn(), "{read} is no TURN server. Its URL begins with turn: or turns:.");
            }
            ensure!(!turn.secret.reveal().is_empty(), "The TURN secret is empty. Copy `static-auth-secret` of coturn.");
        }
        ensure!(
            self.token.as_ref().is_none_or(|token| !token.reveal().is_empty()),
            "The token is empty, which would look like protection and be none. Set one, or leave it out."
        );
        Ok(())
    }

    /// What works and is probably not meant; for the operator to read at the start.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.idle_timeout < 2 * self.client_heartbeat {
            warnings.push(format!(
                "The idle timeout of {} is less than twice the clients' heartbeat of {}: one lost heartbeat ends a call. \
                 Set it to {} or more.",
                seconds(self.idle_timeout),
                seconds(self.client_heartbeat),
                seconds(2 * self.client_heartbeat)
            ));
        }
        if self.token.is_none() && !self.listen.ip().is_loopback() {
            warnings.push("No token is set: anybody who can reach this port may place calls.".into());
        }
        if self.tls.is_none() && !self.listen.ip().is_loopback() {
            let token = if self.token.is_some() { "the token, " } else { "" };
            warnings.push(format!(
                "No certificate is set: {token}signaling, and what lets a caller open connections beside its call, cross the network in the clear."
            ));
        }
        if let Some(turn) = &self.turn
            && turn.ttl < Duration::from_secs(3600)
        {
            warnings.push(format!(
                "TURN credentials are valid for {} only: a relayed call that is held longer will lose its relay.",
                seconds(turn.ttl)
            ));
        }
        warnings
    }
}

pub(crate) fn seconds(d: Duration) -> String {
    format!("{} s", d.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_timeout_under_two_heartbeats_is_said_with_its_mend() {
        let mut settings = Settings::on_loopback();
        settings.idle_timeout = 2 * settings.client_heartbeat;
        assert_eq!(settings.warnings(), Vec::<String>::new());
        settings.idle_timeout -= Duration::from_millis(500);
        let [only] = &settings.warnings()[..] else { panic!("{:?}", settings.warnings()) };
        assert!(only.contains("9.5 s") && only.contains("5 s") && only.ends_with("Set it to 10 s or more."), "{only}");
    }

    #[test]
    fn an_open_reflector_is_said_to_be_open() {
        let mut settings = Settings::listening_on(([0, 0, 0, 0], 7000).into());
        assert_eq!(settings.warnings().len(), 2, "{:?}", settings.warnings());
        settings.token = Some(Private::new("t".into()));
        assert!(settings.warnings()[0].contains("the token"), "{:?}", settings.warnings());
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let wrong: [fn(&mut Settings); 6] = [
            |s| s.idle_timeout = Duration::ZERO,
            |s| s.limits.calls = 0,
            |s| s.limits.message_bytes = 100,
            |s| s.media_port = Some(0),
            |s| s.token = Some(Private::new(String::new())),
            |s| {
                s.turn = Some(Turn { secret: Private::new("x".into()), urls: vec![], ttl: Duration::from_secs(1) });
            },
        ];
        for (n, spoil) in wrong.iter().enumerate() {
            let mut settings = Settings::on_loopback();
            settings.check().unwrap();
            spoil(&mut settings);
            assert!(settings.check().is_err(), "case {n}");
        }
    }

    #[test]
    fn a_turn_url_that_callers_could_not_use_is_refused_without_repeating_it() {
        for (url, word) in [
            ("turn:turn.example:3478?transport=tcp", None),
            ("turn.example:3478", Some("begin with")),
            ("stun:turn.example", Some("no TURN server")),
            ("turn:joe:hunter2@turn.example", Some("username and credential")),
        ] {
            let mut settings = Settings::on_loopback();
            let (secret, ttl) = (Private::new("x".into()), Duration::from_secs(1));
            settings.turn = Some(Turn { secret, urls: vec![url.into()], ttl });
            let refusal = settings.check().map_err(|error| error.to_string());
            match word {
                None => assert_eq!(refusal, Ok(())),
                Some(word) => {
                    let says = refusal.expect_err(url);
                    assert!(says.contains(word) && !says.contains("hunter2"), "{says}");
                }
            }
        }
    }
}
