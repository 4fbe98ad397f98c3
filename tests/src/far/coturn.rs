//! Debian's coturn: a relay for one static user, over UDP, TCP and TLS.

use super::certificate::Certificate;
use crate::{Program, World, ns::Ns, world::SERVER};
use anyhow::{Context, Result};

pub const USER: &str = "witness";
pub const PASSWORD: &str = "s3cr3t-of-the-relay";
const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;
/// Whatever goes to these goes to the relay.
pub const PORTS: [u16; 2] = [PORT, TLS_PORT];

#[derive(Clone, Copy, Debug)]
pub enum Over {
    Udp,
    Tcp,
    Tls,
}

impl Over {
    pub fn url(self) -> String {
        match self {
            Self::Udp => format!("turn:{SERVER}:{PORT}?transport=udp"),
            Self::Tcp => format!("turn:{SERVER}:{PORT}?transport=tcp"),
            Self::Tls => format!("turns:{SERVER}:{TLS_PORT}?transport=tcp"),
        }
    }
}

/// For the one user of the lab's.
pub fn start(world: &World, certificate: &Certificate) -> Result<Program> {
    let tls = [
        format!("--tls-listening-port={TLS_PORT}"),
        format!("--cert={}", certificate.cert.display()),
        format!("--pkey={}", certificate.key.display()),
    ];
    let mut program = relay(world, "coturn", SERVER, &[&[one_user()], &tls[..]].concat())?;
    program.listens(&world.server, TLS_PORT)?;
    Ok(program)
}

/// As `start`, without TLS and on that address. `name` tells the logs of one start from those of the next.
pub fn start_plain(world: &World, name: &str, address: &str) -> Result<Program> {
    // As the client is reached, so the far end is: by default it would give relays of IPv4 alone.
    let family = "--allocation-default-address-family=keep".to_owned();
    relay(world, name, address, &[one_user(), family, "--no-tls".into()])
}

/// For users whose name is the second at which they expire, signed with this secret.
pub fn start_with_secret(world: &World, name: &str, secret: &str) -> Result<Program> {
    let auth = ["--use-auth-secret".to_owned(), format!("--static-auth-secret={secret}"), "--no-tls".into()];
    relay(world, name, SERVER, &auth)
}

fn one_user() -> String {
    format!("--user={USER}:{PASSWORD}")
}

/// The machine's own configuration is not read, no telnet console is opened, and everything written stays in the world.
fn relay(world: &World, name: &str, address: &str, more: &[String]) -> Result<Program> {
    let settings = [
        "-n".to_owned(),
        "--no-cli".into(),
        "--lt-cred-mech".into(),
        "--realm=lab".into(),
        format!("--listening-ip={address}"),
        format!("--relay-ip={address}"),
        format!("--listening-port={PORT}"),
        format!("--userdb={}", world.dir.join("turndb").display()),
        format!("--pidfile={}", world.dir.join("coturn.pid").display()),
        "--log-file=stdout".into(),
        "--simple-log".into(),
        "--no-dtls".into(),
    ];
    run(world, &world.server, name, &[&settings, more].concat())
}

/// Says only where it is asked from.
pub fn stun(world: &World, ns: &Ns, addresses: &[&str]) -> Result<Program> {
    let mut settings = vec![
        "-n".to_owned(),
        "--no-cli".into(),
        "--stun-only".into(),
        format!("--listening-port={PORT}"),
        format!("--userdb={}", world.dir.join("stundb").display()),
        format!("--pidfile={}", world.dir.join("stun.pid").display()),
        "--log-file=stdout".into(),
        "--simple-log".into(),
        "--no-tls".into(),
        "--no-dtls".into(),
    ];
    settings.extend(addresses.iter().map(|address| format!("--listening-ip={address}")));
    run(world, ns, "stun", &settings)
}

fn run(world: &World, ns: &Ns, name: &str, settings: &[String]) -> Result<Program> {
    let program =
        crate::rights::program("turnserver").context("turnserver, of the package coturn, is not installed")?;
    let args: Vec<&str> = settings.iter().map(String::as_str).collect();
    let mut program = Program::start(world, ns, name, &program.to_string_lossy(), &args)?;
    program.listens(ns, PORT)?;
    Ok(program)
}
