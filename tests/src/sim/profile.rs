//! The profile that a scenario is held with.

use super::net::CONTROL;
use crate::scenario::Scenario;
use anyhow::Result;
use record::Profile;
use std::net::SocketAddr;
use toml::{Table, Value};

pub const NAME: &str = "far.example";

pub fn of(scenario: &Scenario, door: SocketAddr) -> Result<Profile> {
    let run = &scenario.run;
    let host = if scenario.world.names { NAME.to_owned() } else { door.ip().to_string() };
    let mut profile = run.sections.clone();
    let mut signaling = run.signaling.clone();
    signaling.entry("url").or_insert_with(|| format!("ws://{host}:{}/call", door.port()).into());
    profile.insert("name".into(), "Lab".into());
    profile.insert("for".into(), run.length.to_string().into());
    profile.insert("signaling".into(), signaling.into());
    if scenario.world.control {
        let lanes = profile.entry("lanes").or_insert_with(|| Table::new().into());
        if let Value::Table(lanes) = lanes {
            let stun = format!("stun:{CONTROL}:3478");
            lanes.entry("controls").or_insert_with(|| ["gateway", "dns", "far", &stun].to_vec().into());
        }
    }
    Ok(record::profile::read(profile.to_string().as_bytes())?)
}
