//! The profile that a scenario is held with.

use super::START;
use super::net::CONTROL;
use crate::scenario::{Deed, Scenario};
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
    if let Some(lasts) = scenario.world.token_lasts {
        let ends = record::Wall::from_micros(START).plus_micros(lasts.get().as_micros() as i64);
        signaling.insert("token_expires".into(), Value::Datetime(ends.millis().parse()?));
    }
    signaling.entry("url").or_insert_with(|| format!("ws://{host}:{}/call", door.port()).into());
    profile.insert("name".into(), "Lab".into());
    profile.insert("for".into(), run.length.to_string().into());
    profile.insert("signaling".into(), signaling.into());
    if scenario.world.control {
        let mut controls = vec!["gateway".to_owned(), "dns".into(), "far".into(), format!("stun:{CONTROL}:3478")];
        if scenario.steps.iter().any(|step| step.deed == Deed::PortalClosed) {
            controls.push(format!("portal:http://{CONTROL}/generate_204"));
        }
        let lanes = profile.entry("lanes").or_insert_with(|| Table::new().into());
        if let Value::Table(lanes) = lanes {
            lanes.entry("controls").or_insert_with(|| controls.into());
        }
    }
    Ok(record::profile::read(profile.to_string().as_bytes())?)
}
