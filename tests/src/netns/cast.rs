//! `Cast`: everybody that a scenario's `[world]` asks for, started, and the profile that calls them.

use super::logind::{self, Logind};
use crate::far::{certificate, control, coturn, ender, haproxy, janus, nginx, proxy, reflector};
use crate::part::names;
use crate::scenario::world::{Far, InFront, Token, WebProxy};
use crate::scenario::{Deed, Scenario};
use crate::world::SERVER;
use crate::{Hold, Program, World, rights, secrets};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use toml::{Table, Value};

pub struct Cast {
    far: Option<Program>,
    in_front: Option<Proxy>,
    relay: Option<Program>,
    certificate: Option<certificate::Certificate>,
    /// What the profile must trust.
    trusted: Option<PathBuf>,
    web_proxy: Option<proxy::Proxy>,
    pub logind: Option<Logind>,
    which: Far,
    /// It has the far end's only place, for as long as it is kept here.
    _another_call: Option<Hold>,
    /// What the reflector is started with.
    settings: Vec<String>,
    /// So many were started in the far end's and the relay's place; each has logs of its own.
    starts: u32,
    names: Option<Program>,
    _control: Option<control::Control>,
}

enum Proxy {
    Program(Program),
    Ender(ender::Ender),
}

type Need = (&'static str, &'static str);

/// Programs that are not ours, with the packages that have them, and devices, with the kernel's modules.
pub fn needs(scenario: &Scenario) -> Vec<Need> {
    const NGINX: Need = ("nginx", "nginx");
    const COTURN: Need = ("turnserver", "coturn");
    let world = &scenario.world;
    let mut needs = Vec::new();
    match &world.in_front {
        Some(InFront::Nginx { .. } | InFront::Inspector | InFront::Refuser { .. }) => needs.push(NGINX),
        Some(InFront::Haproxy { .. }) => needs.push(("haproxy", "haproxy")),
        Some(InFront::Idler { .. } | InFront::Capper { .. } | InFront::Passer) | None => {}
    }
    needs.extend(world.no_pings.then_some(("setpriv", "util-linux")));
    needs.extend((world.far == Far::Janus).then_some(("janus", "janus")));
    needs.extend(world.control.then_some([NGINX, COTURN]).into_iter().flatten());
    needs.extend(world.relay.then_some(COTURN));
    needs.extend(world.names.then_some(("dnsmasq", "dnsmasq-base")));
    needs.extend(world.logind.then_some(logind::NEEDS).into_iter().flatten());
    for deed in scenario.steps.iter().map(|step| step.deed).chain(world.broken) {
        needs.extend(match deed {
            Deed::TunnelUp | Deed::TunnelTakesRoute | Deed::TunnelTakesFarEnd | Deed::Jitter { .. } => {
                Some(("/dev/net/tun", "tun"))
            }
            Deed::MappingsLost { .. } => Some(("conntrack", "conntrack")),
            Deed::PortalClosed => Some(NGINX),
            _ => None,
        });
    }
    needs.sort_unstable();
    needs.dedup();
    needs
}

pub fn enter(world: &World, scenario: &Scenario) -> Result<Cast> {
    let asked = &scenario.world;
    let names = asked.names.then(|| names::start(world, &[(names::FAR, SERVER), (control::NAME, control::ADDRESS)]));
    let inspected = asked.in_front == Some(InFront::Inspector);
    let certificate = (asked.control || asked.relay || inspected).then(|| certificate::make(world)).transpose()?;
    let control = match &certificate {
        Some(certificate) if asked.control => Some(control::start(world, certificate)?),
        _ => None,
    };
    let seconds = |span: record::profile::Span| {
        u32::try_from(span.get().as_secs()).context("the kernel counts these limits in seconds")
    };
    asked.router_keeps_tcp_for.map(|limit| world.router_keeps_tcp_for(seconds(limit)?)).transpose()?;
    asked.router_keeps_udp_for.map(|limit| world.router_keeps_udp_for(seconds(limit)?)).transpose()?;
    if asked.router_scatters_ports {
        world.router_scatters_ports()?;
    }
    if asked.router_bars_forgotten_udp {
        world.router_bars_forgotten_udp()?;
    }
    if asked.no_pings {
        world.client.sysctl("ipv4/ping_group_range", "1 0")?;
        // How long a neighbour's last answer counts is drawn from 15 to 45 seconds; a story cannot wait for so long.
        world.client.sysctl("ipv4/neigh/eth0/base_reachable_time_ms", "1000")?;
    }
    let web_proxy = asked.web_proxy.map(|kind| {
        let refuses = match kind {
            WebProxy::Open => None,
            WebProxy::Refuses(status) => Some(status),
        };
        proxy::start(world, refuses)
    });
    let mut cast = Cast {
        far: None,
        in_front: None,
        relay: None,
        trusted: certificate.as_ref().map(|certificate| certificate.ca.clone()),
        settings: settings(scenario, certificate.as_ref()),
        certificate,
        web_proxy: web_proxy.transpose()?,
        _another_call: None,
        logind: asked.logind.then(|| logind::start(world)).transpose()?,
        which: asked.far,
        starts: 0,
        names: names.transpose()?,
        _control: control,
    };
    cast.start_far_end(world)?;
    if asked.far_is_full {
        let args = ["--to", &reflector::url(), "--for", "10m"];
        cast._another_call = Some(Hold::established(world, "another-call", &args)?);
    }
    if asked.relay {
        cast.start_relay(world)?;
    }
    cast.in_front = asked.in_front.map(|in_front| cast.proxy(world, in_front)).transpose()?;
    Ok(cast)
}

/// The token that the far end asks for; who has another one is not let in.
const TOKEN: &str = "s3cr3t-of-the-door";
const WRONG_TOKEN: &str = "s3cr3t-of-another-door";

fn settings(scenario: &Scenario, certificate: Option<&certificate::Certificate>) -> Vec<String> {
    let world = &scenario.world;
    let mut settings = Vec::new();
    let mut set = |name: &str, value: String| settings.extend([format!("--{name}"), value]);
    world.token.iter().for_each(|_| set("token", TOKEN.into()));
    world.far_ends_idle_after.iter().for_each(|limit| set("idle-timeout", limit.to_string()));
    world.far_is_full.then_some(1).iter().for_each(|most: &u32| set("max-calls", most.to_string()));
    if let (Some(InFront::Inspector), Some(certificate)) = (world.in_front, certificate) {
        set("cert", certificate.cert.display().to_string());
        set("key", certificate.key.display().to_string());
    }
    settings
}

impl Cast {
    fn proxy(&mut self, world: &World, in_front: InFront) -> Result<Proxy> {
        let ender = |ends| Ok::<_, anyhow::Error>(Proxy::Ender(ender::start(world, ends)?));
        Ok(match in_front {
            InFront::Nginx { ends_idle_after } => Proxy::Program(nginx::proxy(world, ends_idle_after.get())?),
            InFront::Haproxy { ends_idle_after } => Proxy::Program(haproxy::proxy(world, ends_idle_after.get())?),
            InFront::Idler { ends_idle_after } => ender(ender::Ends::WhenIdle(ends_idle_after.get()))?,
            InFront::Capper { ends_at_age, by } => ender(ender::Ends::AtAge(ends_at_age.get(), by))?,
            InFront::Passer => ender(ender::Ends::Never)?,
            InFront::Inspector => {
                let own = certificate::made_by(world, "inspector")?;
                let program = nginx::inspector(world, &own)?;
                // As where a company inspects: its computers trust its own authority.
                self.trusted = Some(own.ca);
                Proxy::Program(program)
            }
            InFront::Refuser { status } => Proxy::Program(nginx::refuser(world, status)?),
        })
    }

    fn next_name(&mut self, role: &str) -> String {
        self.starts += 1;
        format!("{role}-{}", self.starts)
    }

    pub fn start_far_end(&mut self, world: &World) -> Result<()> {
        let name = self.next_name("far");
        self.far = match self.which {
            Far::Reflector => {
                let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
                Some(reflector::start_with(world, &name, SERVER, &settings)?)
            }
            Far::Janus => Some(janus::start(world)?),
            Far::Nobody => None,
        };
        Ok(())
    }

    pub fn start_relay(&mut self, world: &World) -> Result<()> {
        let certificate = self.certificate.as_ref().context("made for the relay")?;
        self.relay = Some(coturn::start(world, certificate)?);
        Ok(())
    }

    pub fn far_end(&self) -> Result<&Program> {
        self.far.as_ref().context("no far end is there")
    }

    pub fn take_far_end(&mut self) -> Result<Program> {
        self.far.take().context("no far end is there")
    }

    pub fn take_relay(&mut self) -> Result<Program> {
        self.relay.take().context("no relay is there")
    }

    pub fn kill_proxy(&mut self) -> Result<()> {
        match self.in_front.take() {
            Some(Proxy::Program(program)) => program.kill(),
            Some(Proxy::Ender(ender)) => {
                // When it is dropped its sockets are closed, as the kernel does for a killed process.
                drop(ender);
                Ok(())
            }
            None => bail!("nothing stands before the far end"),
        }
    }

    pub fn ender(&self) -> Result<&ender::Ender> {
        match &self.in_front {
            Some(Proxy::Ender(ender)) => Ok(ender),
            _ => bail!("nothing stands before the far end that would do that"),
        }
    }

    pub fn kill_names(&mut self) -> Result<()> {
        self.names.take().context("this world has no name server")?.kill()
    }

    pub fn kill_web_proxy(&mut self) -> Result<()> {
        self.web_proxy.take().context("this world has no web proxy")?.kill();
        Ok(())
    }

    pub fn start_web_proxy(&mut self, world: &World) -> Result<()> {
        self.web_proxy = Some(proxy::start(world, None)?);
        Ok(())
    }

    /// What the hold is started by: as whom, and with what it is told beside its profile.
    pub fn starter(&self, world: &World, scenario: &Scenario) -> Result<Vec<String>> {
        let mut by = if scenario.world.no_pings { rights::ordinary_user(world)? } else { Vec::new() };
        let mut variables = Vec::new();
        variables.extend(self.logind.as_ref().map(Logind::variable));
        variables.extend(self.web_proxy.as_ref().map(|_| proxy::variable()));
        if !variables.is_empty() {
            by.push("env".to_owned());
            by.append(&mut variables);
        }
        Ok(by)
    }

    /// What the hold is told: where to, and what the scenario's `[run]` says.
    pub fn profile(&self, world: &World, scenario: &Scenario) -> Result<String> {
        let mut profile = scenario.run.sections.clone();
        profile.insert("name".into(), Value::String("Lab".into()));
        let signaling = table(&mut profile, "signaling");
        let (kind, url) = address(scenario);
        signaling.insert("kind".into(), Value::String(kind.into()));
        signaling.insert("url".into(), Value::String(secrets::url(&url)));
        if let Some(trusted) = &self.trusted {
            signaling.insert("ca".into(), Value::String(trusted.display().to_string()));
        }
        if let Some(token) = scenario.world.token {
            let token = if token == Token::Known { TOKEN } else { WRONG_TOKEN };
            signaling.insert("token".into(), Value::String(token.into()));
        }
        if let Some(lasts) = scenario.world.token_lasts {
            signaling.insert("token_expires".into(), ends_after(lasts)?);
        }
        signaling.extend(scenario.run.signaling.clone());
        if scenario.world.control {
            let mut controls = vec!["gateway".to_owned(), "dns".into(), "far".into()];
            controls.push(format!("stun:{}:3478", control::ADDRESS));
            if scenario.steps.iter().any(|step| step.deed == Deed::PortalClosed) {
                controls.push(format!("portal:http://{}/generate_204", control::ADDRESS));
            }
            let controls = controls.into_iter().map(Value::String).collect();
            table(&mut profile, "lanes").entry("controls").or_insert(Value::Array(controls));
        }
        if scenario.world.relay {
            let ice = table(&mut profile, "ice");
            let mut server = Table::new();
            server.insert("urls".into(), Value::Array(vec![Value::String(coturn::Over::Udp.url())]));
            server.insert("username".into(), Value::String(coturn::USER.into()));
            server.insert("credential".into(), Value::String(coturn::PASSWORD.into()));
            if let Some(lasts) = scenario.world.relay_credentials_last {
                server.insert("expires".into(), ends_after(lasts)?);
            }
            ice.entry("servers").or_insert(Value::Array(vec![Value::Table(server)]));
        }
        let path = world.dir.join("hold.witness-profile");
        std::fs::write(&path, profile.to_string()).with_context(|| format!("writing {}", path.display()))?;
        Ok(path.to_string_lossy().into_owned())
    }
}

/// As a profile writes it: so long after now.
fn ends_after(lasts: record::profile::Span) -> Result<Value> {
    let ends = crate::world::now().plus_micros(lasts.get().as_micros() as i64);
    Ok(Value::Datetime(ends.millis().parse().context("a wall clock's time is one of TOML's")?))
}

fn table<'t>(within: &'t mut Table, name: &str) -> &'t mut Table {
    let entry = within.entry(name).or_insert_with(|| Value::Table(Table::new()));
    entry.as_table_mut().expect("the sections of a profile are tables")
}

/// What a page is told that calls the same far end.
pub fn call(scenario: &Scenario) -> serde_json::Value {
    let (_, url) = address(scenario);
    let ice = match scenario.world.relay {
        true => serde_json::json!({
            "iceServers": [{ "urls": coturn::Over::Udp.url(), "username": coturn::USER, "credential": coturn::PASSWORD }],
            "iceTransportPolicy": scenario.run.sections.get("ice").and_then(|ice| ice.get("policy")?.as_str()).unwrap_or("all"),
        }),
        false => serde_json::json!({}),
    };
    serde_json::json!({ "url": url, "ice": ice })
}

/// The kind of signaling, and where it is reached.
fn address(scenario: &Scenario) -> (&'static str, String) {
    if scenario.world.far == Far::Janus {
        return ("janus", janus::url());
    }
    let url = match scenario.world.in_front {
        Some(InFront::Nginx { .. } | InFront::Refuser { .. }) => nginx::url(),
        Some(InFront::Inspector) => nginx::url().replace("ws:", "wss:"),
        Some(InFront::Haproxy { .. }) => haproxy::url(),
        Some(InFront::Idler { .. } | InFront::Capper { .. } | InFront::Passer) => ender::url(),
        None => reflector::url(),
    };
    ("reflector", if scenario.world.names { url.replace(SERVER, names::FAR) } else { url })
}
