//! `Cast`: everybody that a scenario's `[world]` asks for, started, and the profile that calls them.

use super::logind::{self, Logind};
use crate::far::{certificate, control, coturn, ender, haproxy, janus, nginx, reflector};
use crate::part::names;
use crate::scenario::world::{Far, InFront};
use crate::scenario::{Deed, Scenario};
use crate::world::SERVER;
use crate::{Program, World};
use anyhow::{Context, Result, bail};
use toml::{Table, Value};

pub struct Cast {
    far: Option<Program>,
    in_front: Option<Proxy>,
    relay: Option<Program>,
    certificate: Option<certificate::Certificate>,
    pub logind: Option<Logind>,
    which: Far,
    /// So many were started in the far end's and the relay's place; each has logs of its own.
    starts: u32,
    _names: Option<Program>,
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
        Some(InFront::Nginx { .. }) => needs.push(NGINX),
        Some(InFront::Haproxy { .. }) => needs.push(("haproxy", "haproxy")),
        Some(InFront::Idler { .. } | InFront::Capper { .. }) | None => {}
    }
    needs.extend((world.far == Far::Janus).then_some(("janus", "janus")));
    needs.extend(world.control.then_some([NGINX, COTURN]).into_iter().flatten());
    needs.extend(world.relay.then_some(COTURN));
    needs.extend(world.names.then_some(("dnsmasq", "dnsmasq-base")));
    needs.extend(world.logind.then_some(logind::NEEDS).into_iter().flatten());
    for deed in scenario.steps.iter().map(|step| step.deed).chain(world.broken) {
        needs.extend(match deed {
            Deed::TunnelUp | Deed::TunnelTakesRoute | Deed::Jitter { .. } => Some(("/dev/net/tun", "tun")),
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
    let certificate = (asked.control || asked.relay).then(|| certificate::make(world)).transpose()?;
    let control = match &certificate {
        Some(certificate) if asked.control => Some(control::start(world, certificate)?),
        _ => None,
    };
    let seconds = |span: record::profile::Span| {
        u32::try_from(span.get().as_secs()).context("the kernel counts these limits in seconds")
    };
    asked.router_keeps_tcp_for.map(|limit| world.router_keeps_tcp_for(seconds(limit)?)).transpose()?;
    asked.router_keeps_udp_for.map(|limit| world.router_keeps_udp_for(seconds(limit)?)).transpose()?;
    let mut cast = Cast {
        far: None,
        in_front: None,
        relay: None,
        certificate,
        logind: asked.logind.then(|| logind::start(world)).transpose()?,
        which: asked.far,
        starts: 0,
        _names: names.transpose()?,
        _control: control,
    };
    cast.start_far_end(world)?;
    if asked.relay {
        cast.start_relay(world)?;
    }
    cast.in_front = asked.in_front.map(|in_front| proxy(world, in_front)).transpose()?;
    Ok(cast)
}

fn proxy(world: &World, in_front: InFront) -> Result<Proxy> {
    Ok(match in_front {
        InFront::Nginx { ends_idle_after } => Proxy::Program(nginx::proxy(world, ends_idle_after.get())?),
        InFront::Haproxy { ends_idle_after } => Proxy::Program(haproxy::proxy(world, ends_idle_after.get())?),
        InFront::Idler { ends_idle_after } => {
            Proxy::Ender(ender::start(world, ender::Ends::WhenIdle(ends_idle_after.get()))?)
        }
        InFront::Capper { ends_at_age } => Proxy::Ender(ender::start(world, ender::Ends::AtAge(ends_at_age.get()))?),
    })
}

impl Cast {
    fn next_name(&mut self, role: &str) -> String {
        self.starts += 1;
        format!("{role}-{}", self.starts)
    }

    pub fn start_far_end(&mut self, world: &World) -> Result<()> {
        let name = self.next_name("far");
        self.far = match self.which {
            Far::Reflector => Some(reflector::start(world, &name)?),
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

    /// What the hold is told: where to, and what the scenario's `[run]` says.
    pub fn profile(&self, world: &World, scenario: &Scenario) -> Result<String> {
        let mut profile = scenario.run.sections.clone();
        profile.insert("name".into(), Value::String("Lab".into()));
        let signaling = table(&mut profile, "signaling");
        let (kind, url) = address(scenario);
        signaling.insert("kind".into(), Value::String(kind.into()));
        signaling.insert("url".into(), Value::String(url));
        if let Some(certificate) = &self.certificate {
            signaling.insert("ca".into(), Value::String(certificate.ca.display().to_string()));
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
            ice.entry("servers").or_insert(Value::Array(vec![Value::Table(server)]));
        }
        let path = world.dir.join("hold.witness-profile");
        std::fs::write(&path, profile.to_string()).with_context(|| format!("writing {}", path.display()))?;
        Ok(path.to_string_lossy().into_owned())
    }
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
        Some(InFront::Nginx { .. }) => nginx::url(),
        Some(InFront::Haproxy { .. }) => haproxy::url(),
        Some(InFront::Idler { .. } | InFront::Capper { .. }) => ender::url(),
        None => reflector::url(),
    };
    ("reflector", if scenario.world.names { url.replace(SERVER, names::FAR) } else { url })
}
