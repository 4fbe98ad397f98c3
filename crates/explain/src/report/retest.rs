//! The retest: what to hold after a change to see whether it mended the loss, in under ten minutes where the limit lets it,
//! and the profile that holds it.

use crate::{Cause, Outcome, Story, Timeline, Verdict, limits::IdleLimit, rule::Figure, verdict::DropVerdict, words};
use record::{
    Heard, Profile,
    names::is_name_of_a_host,
    profile::{self, Address, IcePolicy, IceServer, IceUrl, Lanes, MOST_RUNGS, Span},
    wire::datagram,
};
use serde::Serialize;
use std::time::Duration;
use ts_rs::TS;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Retest {
    pub for_s: u64,
    /// Connections that are kept quiet for so long, over TCP and over UDP.
    pub quiet_s: Vec<u64>,
    pub quiet_udp_s: Vec<u64>,
    /// "Hold the retest profile … for 50 s. Mended if …"
    pub says: String,
    /// The same without the length: "Mended if …"
    pub mended: String,
    /// It is made for a limit, and not for whatever happens again.
    pub of_limit: bool,
}

const TEN_MINUTES: u64 = 600;
/// Until the call stands, a connection is made and, after its silence, proved.
const AROUND_A_RUNG: u64 = 20;
/// One that lived before, one shortly beyond the limit, and two well beyond it: a limit that was only moved a little is met.
const OF_THE_LIMIT: [f64; 4] = [0.8, 1.15, 1.5, 2.0];
/// Of several limits on the way the shortest two; each of them opens sockets.
const MOST_LIMITS: usize = 2;

pub(crate) fn plan(timeline: &Timeline, head: &Verdict) -> Retest {
    let quiet = of_limits(idle_limits(timeline, head));
    let udp_limits = timeline.limits.udp.iter().filter(|limit| limit.unclear.is_none());
    let mut udp = of_limits(udp_limits.map(|limit| limit.under).collect());
    udp.retain(|rung| *rung <= datagram::LONGEST_SILENCE.as_secs());
    let age = ages(timeline, head).into_iter().max();
    let longest = quiet.iter().chain(&udp).max().map(|rung| rung + AROUND_A_RUNG);
    let twice = age.map(|age| beyond(age, 2.0) + AROUND_A_RUNG);
    // A service that ends quiet calls may keep quiet lanes: then the call itself is the proof.
    let own = own_silence(head).filter(|_| quiet.is_empty());
    let three_times = own.map(|silence| beyond(silence, 3.0) + AROUND_A_RUNG);
    let known = longest.max(twice).max(three_times).map(|seconds| seconds.next_multiple_of(10));
    let for_s = known.unwrap_or_else(|| as_before(timeline));
    let mut signs = Vec::new();
    if let Some(longest) = quiet.last() {
        let all = words::count(quiet.len(), "connection");
        signs.push(format!("all {all} that it keeps quiet live, the longest of them for {}", planned(*longest)));
    }
    if let Some(longest) = udp.last() {
        let all = words::count(udp.len(), "UDP flow");
        signs.push(format!(
            "all {all} that it keeps quiet are still reached, the longest of them after {}",
            planned(*longest)
        ));
    }
    if let Some(age) = age {
        signs.push(format!("no connection ends at the age of {}", words::length(age)));
    }
    if let Some(silence) = own {
        signs.push(format!("the call's own connection is not ended after {} of quiet", words::length(silence)));
    }
    if signs.is_empty() && head.outcome == Outcome::NotEstablished {
        signs.push("the call stands, and nothing is lost".into());
    } else if signs.is_empty() {
        signs.push("nothing is lost, while what set the loss off happens again".into());
    }
    let longer = if for_s > TEN_MINUTES { " It takes longer than ten minutes, because the limit does." } else { "" };
    let mended = match head.drops.is_empty() && known.is_none() {
        true => "Nothing was lost, so there is nothing to mend.".to_owned(),
        false => format!("Mended if {}.{longer}", signs.join(", and ")),
    };
    let says =
        format!("Hold the retest profile (linewitness report BUNDLE --retest FILE) for {}. {mended}", planned(for_s));
    Retest { for_s, quiet_s: quiet, quiet_udp_s: udp, says, mended, of_limit: known.is_some() }
}

fn planned(seconds: u64) -> String {
    words::planned(Duration::from_secs(seconds))
}

/// Silences after which connections were ended: as the lanes found them, else as the call's own connection met them.
fn idle_limits(timeline: &Timeline, head: &Verdict) -> Vec<Duration> {
    let length = |limit: &IdleLimit| limit.exact.map_or(limit.under, |exact| exact.median);
    let found: Vec<Duration> = timeline.limits.idle.iter().map(length).collect();
    if found.is_empty() { measured(head, Cause::IdleTimeout) } else { found }
}

fn ages(timeline: &Timeline, head: &Verdict) -> Vec<Duration> {
    let found: Vec<Duration> = timeline.limits.lifetime.iter().map(|limit| limit.exact.median).collect();
    if found.is_empty() { measured(head, Cause::LifetimeCap) } else { found }
}

fn measured(head: &Verdict, cause: Cause) -> Vec<Duration> {
    let seconds = |drop: &DropVerdict| {
        drop.measured.iter().find_map(|(name, figure)| match figure {
            Figure::Number(seconds) if name == "seconds" => Some(words::millis(seconds * 1e3)),
            _ => None,
        })
    };
    head.drops.iter().filter(|drop| drop.cause == cause).filter_map(seconds).take(1).collect()
}

/// How long the call's own connection was quiet where the service ended it for that.
fn own_silence(head: &Verdict) -> Option<Duration> {
    let ended = head.drops.iter().find(|drop| drop.cause == Cause::IdleTimeout)?;
    let silence = ended.first_bad.micros().saturating_sub(ended.last_good.micros());
    Some(Duration::from_micros(silence.max(0) as u64)).filter(|silence| *silence >= Duration::from_secs(1))
}

fn of_limits(mut limits: Vec<Duration>) -> Vec<u64> {
    limits.retain(|limit| *limit >= Duration::from_secs(1));
    limits.sort_unstable();
    let mut rungs: Vec<u64> = limits.into_iter().take(MOST_LIMITS).flat_map(rungs).collect();
    rungs.sort_unstable();
    rungs.dedup();
    rungs.truncate(MOST_RUNGS);
    rungs
}

/// Those that end within ten minutes; where none beyond the limit does, the first beyond it.
fn rungs(limit: Duration) -> Vec<u64> {
    let all: Vec<u64> = OF_THE_LIMIT.iter().map(|share| beyond(limit, *share)).collect();
    let first_beyond = all[1];
    all.into_iter().filter(|rung| *rung <= first_beyond || rung + AROUND_A_RUNG <= TEN_MINUTES).collect()
}

/// In whole seconds; no ladder goes beyond two hours.
fn beyond(limit: Duration, share: f64) -> u64 {
    let most = if share < 1.0 { 7_000 } else { 7_200 };
    ((limit.as_secs_f64() * share).ceil() as u64).clamp(1, most)
}

/// As long as the hold was planned, within ten minutes.
fn as_before(timeline: &Timeline) -> u64 {
    let planned = timeline.plan.map_or(300.0, |plan| plan.planned_s);
    let minutes = if planned.is_finite() { (planned / 60.0).ceil().clamp(1.0, 10.0) } else { 5.0 };
    minutes as u64 * 60
}

/// The retest as a profile. `profile`: the bundle's own, which holds no secret; without one, what the log says of the call.
/// The error is a finished sentence.
pub fn retest(story: &Story, profile: Option<&str>) -> Result<String, String> {
    if story.setup.self_test {
        return Err("this was a self-test of one computer; `linewitness hold` runs it again without a profile".into());
    }
    let asked = &story.page.retest;
    let mut held = profile.and_then(|text| toml::from_str(text).ok()).map_or_else(|| from_log(story), Ok)?;
    let mut missing = vec!["in [signaling]: token = \"…\", and what stood behind a question mark in url".to_owned()];
    let host = held.signaling.url.host();
    if is_name_of_a_host(host) {
        missing.push(format!(
            "in [signaling]: the host of your service in the place of {host}; `linewitness map` tells it where this was recorded"
        ));
    }
    held.name = format!("Retest: {}", Heard::new(&held.name));
    held.for_ = Span::seconds(asked.for_s);
    let spans = |rungs: &[u64]| rungs.iter().map(|rung| Span::seconds(*rung)).collect();
    held.lanes = Lanes { quiet_ladder: spans(&asked.quiet_s), udp_ladder: spans(&asked.quiet_udp_s), ..held.lanes };
    let (with_secrets, without): (Vec<_>, Vec<_>) = held.ice.servers.drain(..).partition(needs_secrets);
    held.ice.servers = without;
    if !with_secrets.is_empty() {
        missing.push("the ICE servers at the end of this file: take the # away and fill in both".into());
    }
    if held.ice.policy == IcePolicy::Relay && !with_secrets.is_empty() {
        held.ice.policy = IcePolicy::All;
        missing.push("in [ice]: policy = \"relay\" in place of \"all\", once those servers stand there".into());
    }
    let says = [format!("The retest after: {}", story.head.headline), asked.says.clone()];
    let says = says.into_iter().chain(["Secrets are in no bundle. Where the call needs them, fill in:".into()]);
    let comment: String = says.map(|line| format!("# {line}\n")).collect();
    let missing: String = missing.iter().map(|line| format!("#   {line}\n")).collect();
    let mut shown = held.without_secrets();
    if !with_secrets.is_empty() && held.ice.servers.is_empty() {
        // An empty list here would forbid the tables below.
        shown = shown.replacen("\nservers = []\n", "\n", 1);
    }
    let text = format!("{comment}{missing}\n{shown}{}", with_secrets.iter().map(commented).collect::<String>());
    match profile::read(text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(refusal) => Err(format!("the profile in this bundle cannot be used again: {}", refusal.says)),
    }
}

/// As it would stand there, each line behind a `#`. A URL is a stranger's word.
fn commented(server: &IceServer) -> String {
    let urls: Vec<String> = server.urls.iter().map(|url| format!("{:?}", Heard::new(url).as_str())).collect();
    format!("\n# [[ice.servers]]\n# urls = [{}]\n# username = \"…\"\n# credential = \"…\"\n", urls.join(", "))
}

fn needs_secrets(server: &IceServer) -> bool {
    server.urls.iter().any(|url| IceUrl::parse(url).is_ok_and(|url| url.is_turn()))
}

fn from_log(story: &Story) -> Result<Profile, String> {
    let to = Address::parse(&story.setup.to)
        .map_err(|why| format!("this recording does not say where the call went: {why}"))?;
    let mut profile = Profile::to(to);
    profile.name.clone_from(&story.setup.name);
    profile.signaling.kind.clone_from(&story.setup.kind);
    Ok(profile)
}
