//! `Verdict`: `verdict.json` as the contract words it, read independently of the code that writes it.

use anyhow::{Result, bail, ensure};
use record::Wall;
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize)]
pub struct Verdict {
    pub schema: String,
    pub outcome: String,
    pub owner: String,
    pub headline: String,
    pub started: Wall,
    pub planned_s: f64,
    pub held_s: f64,
    pub drops: Vec<Drop>,
    #[serde(default)]
    pub unconfirmed: Option<Unconfirmed>,
    pub findings: Vec<Finding>,
    pub not_tested: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Drop {
    pub id: u64,
    pub plane: String,
    pub last_good: Wall,
    pub first_bad: Wall,
    pub declared: Wall,
    pub restored: Option<Wall>,
    pub cause: String,
    pub owner: String,
    pub confidence: String,
    pub measured: Value,
    pub says: String,
    pub because: Vec<Because>,
    pub ruled_out: Vec<Value>,
    pub not_seen: Vec<Value>,
    #[serde(rename = "do")]
    pub advice: Value,
    pub recovery: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Because {
    pub seq: u64,
    pub says: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    pub id: String,
    pub measured: Value,
    pub says: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Unconfirmed {
    pub plane: String,
    pub since: Wall,
    pub says: String,
}

const OUTCOMES: [&str; 4] = ["held", "dropped", "not_established", "ended_by_user"];
const CONFIDENCES: [&str; 3] = ["shown", "likely", "not_proven"];

/// `verdict.json` gives times to the millisecond, cut and not rounded.
const WRITTEN_MS: f64 = 1.0;

/// The closed list of causes with the owners each may have; `handshake_failed` is owned by its stage.
const CAUSES: [(&str, &[&str]); 29] = [
    ("slept", &["this_computer"]),
    ("app_stalled", &["this_computer"]),
    ("link_down", &["this_computer"]),
    ("network_switched", &["this_computer"]),
    ("address_changed", &["this_computer"]),
    ("vpn_changed", &["this_computer"]),
    ("dns_failed", &["local_network"]),
    ("gateway_lost", &["local_network"]),
    ("captive_portal", &["local_network"]),
    ("udp_blocked", &["local_network"]),
    ("nat_expired", &["local_network"]),
    ("nat_rebound", &["local_network"]),
    ("proxy_refused", &["local_network"]),
    ("idle_timeout", &["internet_path", "voice_service"]),
    ("lifetime_cap", &["internet_path", "voice_service"]),
    ("connection_reset", &["internet_path"]),
    ("half_open", &["internet_path"]),
    ("packet_loss", &["local_network", "internet_path", "not_proven"]),
    ("path_lost", &["internet_path"]),
    ("one_way_loss", &["internet_path"]),
    ("service_closed", &["voice_service"]),
    ("service_restarted", &["voice_service"]),
    ("service_overloaded", &["voice_service"]),
    ("service_unreachable", &["voice_service"]),
    ("auth_rejected", &["voice_service"]),
    ("turn_failed", &["voice_service"]),
    ("peer_left", &["voice_service"]),
    ("handshake_failed", &["this_computer", "local_network", "internet_path", "voice_service", "not_proven"]),
    ("not_proven", &["not_proven"]),
];

impl Verdict {
    pub fn read(bytes: &[u8]) -> Result<Self> {
        match serde_json::from_slice(bytes) {
            Ok(verdict) => Ok(verdict),
            Err(error) => {
                bail!("verdict.json is not as the contract words it: {error}\n{}", String::from_utf8_lossy(bytes))
            }
        }
    }

    pub fn on(&self, plane: &str) -> Vec<&Drop> {
        self.drops.iter().filter(|drop| drop.plane == plane).collect()
    }

    /// The plane's only drop.
    pub fn one(&self, plane: &str) -> Result<&Drop> {
        match self.on(plane)[..] {
            [drop] => Ok(drop),
            _ => bail!("expected one drop of {plane}, the verdict has {}", self.on(plane).len()),
        }
    }

    pub fn none(&self, plane: &str) -> Result<()> {
        ensure!(self.on(plane).is_empty(), "expected no drop of {plane}");
        Ok(())
    }

    pub fn findings(&self, id: &str) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.id == id).collect()
    }

    /// What every verdict must hold, whatever happened: closed lists, order of times, evidence that is in the log.
    pub fn check_form(&self, last_seq: u64) -> Result<()> {
        ensure!(self.schema == "linewitness.verdict/1", "the schema is {}", self.schema);
        ensure!(OUTCOMES.contains(&self.outcome.as_str()), "{} is no outcome", self.outcome);
        sentence(&self.headline)?;
        for drop in &self.drops {
            drop.check_form(last_seq)?;
        }
        self.findings.iter().try_for_each(|finding| sentence(&finding.says))
    }

    pub fn summary(&self) -> String {
        let mut text = format!("{}, owner {}: {}", self.outcome, self.owner, self.headline);
        for drop in &self.drops {
            text += &format!(
                "\n  {} {} ({}, {}) last good {} first bad {} declared {} restored {}: {}",
                drop.plane,
                drop.cause,
                drop.owner,
                drop.confidence,
                drop.last_good,
                drop.first_bad,
                drop.declared,
                drop.restored.map_or("never".to_owned(), |at| at.to_string()),
                drop.says
            );
        }
        for finding in &self.findings {
            text += &format!("\n  found {} {}: {}", finding.id, finding.measured, finding.says);
        }
        text
    }
}

impl Drop {
    fn check_form(&self, last_seq: u64) -> Result<()> {
        ensure!(["signaling", "media"].contains(&self.plane.as_str()), "{} is no plane", self.plane);
        ensure!(CONFIDENCES.contains(&self.confidence.as_str()), "{} is no confidence", self.confidence);
        let Some((_, owners)) = CAUSES.iter().find(|(cause, _)| *cause == self.cause) else {
            bail!("{} is no cause", self.cause);
        };
        ensure!(owners.contains(&self.owner.as_str()), "{} cannot be owned by {}", self.cause, self.owner);
        ensure!(self.cause == "not_proven" || !self.because.is_empty(), "{} without evidence", self.cause);
        ensure!(self.because.iter().all(|b| (1..=last_seq).contains(&b.seq)), "evidence that is not in the log");
        ensure!(self.last_good <= self.first_bad, "the first bad moment is before the last good one");
        ensure!(self.first_bad <= self.declared, "declared before it was bad");
        ensure!(self.restored.is_none_or(|at| at > self.last_good), "restored before it was lost");
        sentence(&self.says)
    }

    pub fn is(&self, cause: &str, owner: &str, confidence: &str) -> Result<()> {
        let said = (self.cause.as_str(), self.owner.as_str(), self.confidence.as_str());
        let wanted = (cause, owner, confidence);
        ensure!(said == wanted, "{}: expected {wanted:?}, the verdict is {said:?}", self.plane);
        Ok(())
    }

    pub fn restored(&self) -> Result<Wall> {
        self.restored.ok_or_else(|| anyhow::anyhow!("{}: expected to be restored, it never was", self.plane))
    }

    /// `last_good` at most `ms` before the truth. Packets that were past the fault when it began arrive in the next
    /// moments; more than that after the truth is a life that was not there.
    pub fn last_good_before(&self, truth: Wall, ms: f64) -> Result<()> {
        const UNDERWAY_MS: f64 = 5.0;
        let early = ms_between(self.last_good, truth);
        ensure!(
            (-UNDERWAY_MS..=ms).contains(&early),
            "{}: last good lies {early:.1} ms before the truth {truth}; allowed is {ms}",
            self.plane
        );
        Ok(())
    }

    /// `first_bad` at most `ms` after the truth.
    pub fn first_bad_after(&self, truth: Wall, ms: f64) -> Result<()> {
        let late = ms_between(truth, self.first_bad);
        ensure!(
            (-WRITTEN_MS..=ms).contains(&late),
            "{}: first bad lies {late:.1} ms after the truth {truth}; allowed is 0 to {ms}",
            self.plane
        );
        Ok(())
    }

    /// Restored after the fault was gone, and at most `ms` after.
    pub fn restored_after(&self, last_hit: Wall, lifted: Wall, ms: f64) -> Result<()> {
        let restored = self.restored()?;
        ensure!(restored > last_hit, "{}: restored at {restored}, while the fault still bit at {last_hit}", self.plane);
        let late = ms_between(lifted, restored);
        ensure!(late <= ms, "{}: restored {late:.0} ms after the fault was lifted; allowed is {ms}", self.plane);
        Ok(())
    }
}

/// What was measured is as long as the truth: at the moment where ends were seen as they happened, else between what was
/// survived and what was not, and neither further from the truth than allowed.
pub fn is_near(measured: &Value, truth: f64, within: f64) -> bool {
    let figure = |name: &str| measured[name].as_f64();
    match (figure("seconds"), figure("over_s"), figure("under_s")) {
        (Some(seconds), ..) => (seconds - truth).abs() <= within,
        (None, Some(over), Some(under)) => {
            // A proof crosses the wire a moment after its silence was over.
            const UNDERWAY: f64 = 0.1;
            (truth - within..=truth + UNDERWAY).contains(&over) && (truth - UNDERWAY..=truth + within).contains(&under)
        }
        _ => false,
    }
}

/// Milliseconds from `a` to `b`; negative if `b` is earlier.
pub fn ms_between(a: Wall, b: Wall) -> f64 {
    (b.micros() - a.micros()) as f64 / 1000.0
}

/// A finished sentence, as a person would be shown it.
fn sentence(text: &str) -> Result<()> {
    ensure!(text.trim().len() > 5 && !text.contains(['\n', '{', '}']), "not a sentence: {text:?}");
    Ok(())
}
