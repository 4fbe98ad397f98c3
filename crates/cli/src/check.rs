//! `linewitness check`: what a profile will do, what it will record, and what it cannot test.

use crate::{args::Check, files, say, say::Failure};
use engine::{Clock, plan};
use record::{
    Profile,
    fact::Plan,
    profile::{IcePolicy, RecoveryPolicy, Silence},
};
use std::process::ExitCode;

pub fn run(args: &Check) -> Result<ExitCode, Failure> {
    let profile = files::profile(&args.profile)?;
    let plan = plan::plan(&profile, false)
        .map_err(|error| Failure::bad_input(format!("{}: {error}", args.profile.display())))?;
    say::line(describe(&profile, &plan));
    let early = profile.credentials_that_end_early(Clock::real().now().wall);
    if !early.is_empty() {
        say::line("\nHeld now, it would go wrong in this:");
        early.iter().for_each(|says| say::line(format_args!("- {says}.")));
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(profile: &Profile, plan: &Plan) -> String {
    let mut out = Vec::new();
    let name = if plan.name.is_empty() { "This profile".to_owned() } else { format!("\"{}\"", plan.name) };
    out.push(format!("{name} is valid.\n\nIt will"));
    out.push(format!("- call {} ({}) and hold the call for {};", plan.to, plan.kind, profile.for_));
    out.push(match plan.heartbeat {
        Some(beat) => format!(
            "- send a heartbeat every {} over signaling and wait {} for its answer;",
            seconds(beat.every_ms),
            seconds(beat.answer_within_ms)
        ),
        None => "- send no heartbeat over signaling, so that a connection that dies silently is found only by what else is sent;".into(),
    });
    out.push(match plan.silence {
        Silence::Frames => "- send silence as 50 audio packets a second, as a muted caller does;".into(),
        Silence::Dtx => "- send comfort noise about every 400 ms, as a caller that saves bandwidth does;".into(),
        Silence::None => "- send no audio at all;".into(),
    });
    let servers: usize = profile.ice.servers.iter().map(|server| server.urls.len()).sum();
    out.push(match (plan.ice_policy, servers) {
        (IcePolicy::Relay, _) => "- send all media through its TURN servers;".into(),
        (IcePolicy::All, 0) => "- send media straight to the far end, with no STUN or TURN server of its own;".into(),
        (IcePolicy::All, n) => format!("- try {n} STUN or TURN addresses beside the straight way;"),
    });
    out.push(match plan.recovery {
        RecoveryPolicy::Patient => "- after a loss, reconnect and restart for as long as the hold lasts.".into(),
        RecoveryPolicy::None => "- after a loss, only watch.".into(),
        RecoveryPolicy::AsTwilio => "- after a loss, do as Twilio's SDK does, and end where it would.".into(),
        RecoveryPolicy::AsTelnyx => "- after a loss, do as Telnyx' SDK does, and end where it would.".into(),
    });
    out.push("\nIt will record times, addresses and ports of both ends, names of hosts and servers, how connections end, and counts of packets.\nIt will not record audio, tokens, passwords, or anything else this computer does.".into());
    out.push("\nIt cannot test".into());
    for says in &plan.not_tested {
        out.push(format!("- {says}"));
    }
    if plan.heartbeat.is_some() {
        out.push("- how long the path lets a quiet connection live: its own heartbeats keep it busy.".into());
    }
    out.push("- what the network between here and the far end is doing beside this call: this version has no control measurements.".into());
    out.join("\n")
}

fn seconds(ms: f64) -> String {
    format!("{} s", ms / 1e3)
}
