//! What a hold will do, worked out from its profile before anything is done.

use crate::{call::peer::BindWhere, lanes::Lanes, signaling};
use record::{Heard, Profile, Wall, fact::Plan, profile::IceUrl};
use std::net::IpAddr;

/// What a hold will do, or the reason why this profile cannot be held.
pub fn plan(profile: &Profile, self_test: bool) -> anyhow::Result<Plan> {
    let kind = signaling::by_id(&profile.signaling.kind).ok_or_else(|| {
        let known: Vec<&str> = signaling::ALL.iter().map(|adapter| adapter.id).collect();
        anyhow::anyhow!(
            "signaling.kind \"{}\" is not one this version knows; it knows {}",
            record::Heard::new(&profile.signaling.kind),
            known.join(" and ")
        )
    })?;
    Ok(Plan {
        name: profile.name.as_str().into(),
        kind: kind.id.into(),
        to: profile.signaling.url.to_string().as_str().into(),
        self_test,
        planned_s: profile.for_.get().as_secs_f64(),
        heartbeat: profile.signaling.heartbeat.planned(),
        silence: profile.media.silence,
        ice_policy: profile.ice.policy,
        recovery: profile.recovery.policy,
        beside: Some(Lanes::plan(profile)),
        token_ends: profile.signaling.token_ends(),
        credentials_end: credentials_end(profile),
    })
}

/// Servers by the names they are shown under.
fn credentials_end(profile: &Profile) -> Vec<(Heard, Wall)> {
    let dated = profile.ice.servers.iter().filter_map(|server| Some((server, server.ends()?)));
    let named = dated.flat_map(|(server, ends)| server.urls.iter().map(move |url| (url, ends)));
    named.filter_map(|(url, ends)| Some((Heard::new(&IceUrl::parse(url).ok()?.to_string()), ends))).collect()
}

/// Loopback joins only where the far end is on it: anywhere else it would be one more path that cannot work.
pub fn where_to_bind(profile: &Profile, self_test: bool) -> BindWhere {
    match (self_test, is_loopback(profile)) {
        (true, _) => BindWhere::Loopback,
        (false, true) => BindWhere::Everywhere,
        (false, false) => BindWhere::Interfaces,
    }
}

/// The far end is on this computer.
pub fn is_loopback(profile: &Profile) -> bool {
    let host = profile.signaling.url.host();
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
