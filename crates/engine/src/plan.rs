//! What a hold will do, worked out from its profile before anything is done.

use crate::{call::peer::BindWhere, signaling};
use record::{Profile, fact::Plan};
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
        not_tested: untested(profile),
    })
}

/// What the profile asks for and this version does not do.
fn untested(profile: &Profile) -> Vec<record::Heard> {
    let Some(lanes) = &profile.lanes else { return vec![] };
    let asked = [
        (lanes.bare_websocket, "The bare WebSocket lane of the profile was not run: this version has no lanes."),
        (!lanes.quiet_ladder.is_empty(), "The quiet ladder of the profile was not run: this version has no lanes."),
        (!lanes.udp_ladder.is_empty(), "The UDP ladder of the profile was not run: this version has no lanes."),
        (!lanes.controls.is_empty(), "The controls of the profile were not run: this version has none."),
    ];
    asked.into_iter().filter(|(asked, _)| *asked).map(|(_, says)| says.into()).collect()
}

/// Loopback joins only where the far end is on it: anywhere else it would be one more path that cannot work.
pub fn where_to_bind(profile: &Profile, self_test: bool) -> BindWhere {
    let host = profile.signaling.url.host();
    let on_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match (self_test, on_loopback) {
        (true, _) => BindWhere::Loopback,
        (false, true) => BindWhere::Everywhere,
        (false, false) => BindWhere::Interfaces,
    }
}
