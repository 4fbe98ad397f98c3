//! Where things are set, product by product, and the smallest change that would do.

use super::{Entry, Kind, Known, Layer, catalogue, known::unverified};
use crate::limits::Close;
use serde::Serialize;
use std::time::Duration;
use ts_rs::TS;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct SettingRow {
    pub product: String,
    pub setting: String,
    /// "60 s", where it is a limit.
    pub default: Option<String>,
    /// What was measured fits the default.
    pub fits: bool,
    pub smallest: String,
}

/// An administrator looks for the one product that stands there; a longer list is not read to its end.
const MOST: usize = 16;

/// Limits of a kind that end connections so, those that fit what was measured first. What is fixed at another number, or cannot
/// be set to this one, is none of them.
pub fn of_limits(
    kind: Kind,
    layers: &[Layer],
    close: Option<Close>,
    measured: Option<(Duration, Duration)>,
    known: Option<&Known>,
) -> Vec<SettingRow> {
    let fits = |entry: &Entry| known.is_some_and(|known| known.holds(entry));
    let asked = |entry: &&Entry| {
        let alike = entry.kind == kind && layers.contains(&entry.layer) && !entry.smallest.is_empty();
        fits(entry)
            || alike
                && close.is_none_or(|close| entry.closes_so(close))
                && measured.is_none_or(|measured| entry.may_be_set_to(measured))
    };
    let mut entries: Vec<&Entry> = catalogue().limit.iter().filter(asked).collect();
    // Stable: within them the order of the catalogue.
    let usual = |entry: &Entry| close.is_none_or(|close| entry.mostly_closes_so(close));
    entries.sort_by_key(|entry| (!fits(entry), !usual(entry), !entry.often, !entry.verified));
    let row = |entry: &Entry| SettingRow {
        product: entry.name.clone(),
        setting: if entry.change.is_empty() { "fixed".into() } else { entry.change.clone() },
        default: Some(format!("{}{}", entry.seconds.words(), unverified(entry.verified))),
        fits: fits(entry),
        smallest: entry.smallest.clone(),
    };
    entries.into_iter().take(MOST).map(row).collect()
}

/// Of a cause or a finding, by its name.
pub fn of_cause(name: &str) -> Vec<SettingRow> {
    let named = catalogue().setting.iter().filter(|setting| setting.causes.iter().any(|cause| cause == name));
    let row = |setting: &super::Setting| SettingRow {
        product: setting.product.clone(),
        setting: setting.setting.clone(),
        default: None,
        fits: false,
        smallest: setting.smallest.clone(),
    };
    named.take(MOST).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{findings::FINDINGS, rules::RULES};

    #[test]
    fn every_setting_is_for_a_cause_or_a_finding_that_there_is() {
        let cause = |rule: &&crate::Rule| serde_json::to_value(rule.id).expect("an enum is a word");
        let causes: Vec<_> = RULES.iter().map(cause).collect();
        for setting in &catalogue().setting {
            assert!(!setting.product.is_empty() && !setting.setting.is_empty() && !setting.smallest.is_empty());
            for name in &setting.causes {
                let there =
                    causes.iter().any(|cause| cause == name.as_str()) || FINDINGS.iter().any(|(id, _)| id == name);
                assert!(there, "{name}");
            }
        }
    }

    #[test]
    fn what_ends_connections_otherwise_is_not_named() {
        let websockets = [Layer::Websocket, Layer::Tcp];
        let products = |close| {
            let rows = of_limits(Kind::Idle, &websockets, Some(close), None, None);
            rows.into_iter().map(|row| row.product).collect::<Vec<_>>().join(" ")
        };
        let (fin, silence) = (products(Close::Fin), products(Close::Silence));
        assert!(fin.contains("nginx") && fin.contains("Application Load Balancer") && !fin.contains("PAN-OS"), "{fin}");
        assert!(silence.contains("PAN-OS") && silence.contains("FortiGate") && !silence.contains("nginx"), "{silence}");
    }

    #[test]
    fn what_cannot_be_what_was_measured_is_not_named() {
        let products = |seconds: u64| {
            let measured = Some((Duration::from_secs(seconds), Duration::from_secs(seconds + 1)));
            let rows = of_limits(Kind::Idle, &[Layer::Tcp], Some(Close::Silence), measured, None);
            rows.into_iter().map(|row| row.product).collect::<Vec<_>>()
        };
        let named = |all: &[String], name: &str| all.iter().any(|product| product.contains(name));
        let short = products(8);
        assert!(named(&short, "PAN-OS") && short[0] != "F5 BIG-IP Fast L4 profile", "{short:?}");
        for other in ["Azure Load Balancer", "AWS NAT gateway", "Network Load Balancer", "Azure Firewall"] {
            assert!(!named(&short, other), "{other} cannot be set to 8 s");
        }
        let longer = products(300);
        assert!(named(&longer, "Azure Load Balancer") && !named(&longer, "AWS NAT gateway"), "{longer:?}");
    }
}
