//! The retest: what to hold after a change to see whether it mended the loss, in under ten minutes where the limit lets it,
//! and the profile that holds it.

use crate::{Cause, Outcome, Story, Timeline, Verdict, limits::IdleLimit, rule::Figure, verdict::DropVerdict, words};
use record::{
    Heard, Private, Profile,
    names::is_name_of_a_host,
    profile::{self, Address, IcePolicy, IceServer, IceUrl, Lanes, MOST_RUNGS, PLACEHOLDER, RETEST, Span},
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
    /// "After the change, open … and let it run 50 s. Send back the new report. Mended if …"
    pub says: String,
    /// The same without the length: "Mended if …"
    pub mended: String,
    /// It is made for a limit, and not for whatever happens again.
    pub of_limit: bool,
    /// "open … and let it run"
    #[serde(skip)]
    #[ts(skip)]
    pub(super) open: &'static str,
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
    } else if signs.is_empty() && head.drops.iter().any(|drop| drop.restored.is_none()) {
        // It was gone to the end, and would be gone again.
        signs.push("nothing is lost".into());
    } else if signs.is_empty() {
        signs.push("nothing is lost, while what set the loss off happens again".into());
    }
    let longer = if for_s > TEN_MINUTES { " It takes longer than ten minutes, because the limit does." } else { "" };
    let above = quiet.last().map(|longest| {
        format!(" That shows a limit above {}, and no more: ask for the new value as well.", planned(*longest))
    });
    let mended = match head.drops.is_empty() && known.is_none() {
        true => "Nothing was lost, so there is nothing to mend.".to_owned(),
        false => format!("Mended if {}.{}{longer}", signs.join(", and "), above.unwrap_or_default()),
    };
    let open = match timeline.plan {
        _ if timeline.imported.is_some() => "hold such a call with Linewitness for",
        Some(plan) if plan.self_test => "open Linewitness, begin the self-test and let it run",
        _ => "on the computer that lost the call open after.witness-profile (attached; double-click) and let it run",
    };
    let says = asks(AFTER, open, for_s, &mended);
    Retest { for_s, quiet_s: quiet, quiet_udp_s: udp, says, mended, of_limit: known.is_some(), open }
}

/// What it is called wherever it is spoken of.
pub const RETEST_FILE: &str = "after.witness-profile";

const AFTER: &str = "After the change, ";

/// The one sentence of how a change is tried, on whatever page it stands.
fn asks(when: &str, open: &str, for_s: u64, mended: &str) -> String {
    let open = if when.ends_with(". ") { words::capital(open) } else { open.to_owned() };
    format!("{when}{open} {}. Send back the new report. {mended}", planned(for_s))
}

impl Retest {
    /// As a rule advises it, with this retest in the place of a hold with the same profile.
    pub(super) fn advised(&self, advice: &str) -> String {
        let when = match (advice.split_once(", then hold with"), advice.split_once(", hold with")) {
            (Some((change, _)), _) => format!("{change}, then "),
            (None, Some((change, _))) => format!("{change}, "),
            (None, None) => format!("{advice} "),
        };
        // What no hold of minutes can show is not asked of one.
        if advice.contains("cannot show this") {
            return format!("{advice} Send back the new report. {}", self.mended);
        }
        let own = advice.split_once("Mended if ").map(|(_, sign)| format!("Mended if {sign}"));
        asks(&when, self.open, self.for_s, own.as_ref().unwrap_or(&self.mended))
    }

    /// By another sign than its own.
    pub(super) fn with(&self, mended: &str) -> String {
        asks(AFTER, self.open, self.for_s, mended)
    }
}

/// The sentence of what is told first, for whoever has just made the file.
pub fn retest_asks(story: &Story, file: &str) -> String {
    let asked = &story.page.retest;
    let says = story.page.groups.first().map_or(&asked.says, |group| &group.retest);
    let open = format!("open {file} and let it run");
    says.replace(asked.open, &open).replace(&words::capital(asked.open), &words::capital(&open))
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
/// What the call cannot be tried without stands there as a placeholder, and nothing reads the file until it is filled in.
/// The error is a finished sentence.
pub fn retest(story: &Story, profile: Option<&str>) -> Result<String, String> {
    if story.setup.self_test {
        return Err("this was a self-test of one computer; `linewitness hold` runs it again without a profile".into());
    }
    let asked = &story.page.retest;
    let mut held = profile.and_then(|text| toml::from_str(text).ok()).map_or_else(|| from_log(story), Ok)?;
    held.name = format!("{RETEST}{}", Heard::new(&held.name));
    held.for_ = Span::seconds(asked.for_s);
    let spans = |rungs: &[u64]| rungs.iter().map(|rung| Span::seconds(*rung)).collect();
    held.lanes = Lanes { quiet_ladder: spans(&asked.quiet_s), udp_ladder: spans(&asked.quiet_udp_s), ..held.lanes };
    // Its end went with the token that it was of.
    let wants_token = held.signaling.token_expires.take().is_some()
        || story.head.drops.iter().any(|drop| drop.cause == Cause::AuthRejected);
    if wants_token {
        held.signaling.token.get_or_insert_with(|| Private::new(PLACEHOLDER.to_owned()));
    }
    // A call that may go another way says nothing of the server that failed.
    if story.head.drops.iter().any(|drop| drop.cause == Cause::TurnFailed) {
        held.ice.policy = IcePolicy::Relay;
    }
    let mut fill = to_fill_in(&held);
    let (relays, others): (Vec<_>, Vec<_>) = held.ice.servers.drain(..).partition(needs_secrets);
    held.ice.servers = others.into_iter().map(|server| with_secrets(server, None)).collect();
    let mut spare = Vec::new();
    if held.ice.policy == IcePolicy::Relay {
        held.ice.servers.extend(relays.into_iter().map(|server| with_secrets(server, Some(PLACEHOLDER))));
    } else if !relays.is_empty() {
        fill.push(
            "the TURN servers at the end of this file, where the call went by one: take the # away and fill in".into(),
        );
        spare = relays;
    }
    let ask = retest_asks(story, "this file (double-click)");
    let says = [format!("The retest after: {}", story.head.headline), ask, "Secrets are in no report. Fill in:".into()];
    let comment: String = says.map(|line| format!("# {line}\n")).concat();
    let fill: String = fill.iter().map(|line| format!("#   {line}\n")).collect();
    let mut shown = held.without_secrets();
    if !spare.is_empty() && held.ice.servers.is_empty() {
        // An empty list here would forbid the tables below.
        shown = shown.replacen("\nservers = []\n", "\n", 1);
    }
    let text = format!("{comment}{fill}\n{shown}{}", spare.iter().map(commented).collect::<String>());
    match profile::read(text.replace(&format!("\"{PLACEHOLDER}\""), "\"filled in\"").as_bytes()) {
        Ok(_) => Ok(text),
        Err(refusal) => Err(format!("the profile in this bundle cannot be used again: {}", refusal.says)),
    }
}

/// What keeps a retest from being held as it is written, in one sentence; nothing where it is ready.
pub fn retest_lacks(text: &str) -> Option<String> {
    profile::read(text.as_bytes()).err().map(|refusal| format!("{}.", refusal.says))
}

fn to_fill_in(held: &Profile) -> Vec<String> {
    let mut fill = Vec::new();
    if held.signaling.token.is_some() {
        fill.push("in [signaling]: the token".to_owned());
    }
    fill.push("in [signaling]: what stood behind a question mark in url, if anything did".to_owned());
    let host = held.signaling.url.host();
    if is_name_of_a_host(host) {
        fill.push(format!(
            "in [signaling]: the host of your service in the place of {host}; `linewitness map` tells it where this was recorded"
        ));
    }
    if held.ice.policy == IcePolicy::Relay && held.ice.servers.iter().any(needs_secrets) {
        fill.push(
            "in [[ice.servers]]: user name and password of each TURN server, and its host where a name stands for it"
                .to_owned(),
        );
    }
    fill
}

fn with_secrets(server: IceServer, secret: Option<&str>) -> IceServer {
    let secret = || secret.map(|secret| Private::new(secret.to_owned()));
    IceServer { username: secret(), credential: secret(), expires: None, ..server }
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
