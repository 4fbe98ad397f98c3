//! `tls_inspected`: somebody between signs certificates in the server's place. An issuer that we do not know is none; only
//! one that differs from what the far end says of its own certificate, from what the profile expects, or from what the
//! same server showed before.

use super::Finding;
use crate::{Timeline, rule::Measured, timeline::Issuer, words};
use record::Said;

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    let issuers = &timeline.between.issuers;
    if let Some(found) = opened(timeline) {
        return vec![found];
    }
    // The profile expects one issuer of everything it reaches.
    let expected = issuers.iter().find_map(|seen| seen.expected);
    let unexpected = issuers.iter().find_map(|seen| {
        let expected = seen.expected.or(expected)?;
        (!begins(seen.issuer, expected)).then(|| inspected(seen, expected))
    });
    unexpected.or_else(|| changed(issuers)).into_iter().collect()
}

/// The far end's own account against what it showed us.
fn opened(timeline: &Timeline) -> Option<Finding> {
    let (_, own) = timeline.far_certificate?;
    let seen = timeline.between.issuers.iter().find(|seen| seen.signaling && seen.issuer != own)?;
    Some(Finding {
        id: "tls_inspected",
        measured: Measured::default()
            .word("server", seen.server)
            .word("issuer", seen.issuer.to_string())
            .word("expected", own.to_string()),
        says: format!(
            "The certificate we were shown for {} was signed by “{}”, and the far end says that its own was signed by “{own}”: something between ends TLS, such as a device that inspects it or a load balancer in front of the service; what ends TLS also ends connections by timers of its own, so exempt this destination from inspection.",
            seen.server, seen.issuer
        ),
    })
}

/// As an issuer's name, or one part of it, begins.
fn begins(issuer: &Said, expected: &Said) -> bool {
    let (issuer, expected) = (issuer.as_str(), expected.as_str());
    let parts = issuer.split([',', '=']).map(str::trim);
    issuer.starts_with(expected) || parts.into_iter().any(|part| part.starts_with(expected))
}

fn inspected(seen: &Issuer, expected: &Said) -> Finding {
    Finding {
        id: "tls_inspected",
        measured: Measured::default()
            .word("server", seen.server)
            .word("issuer", seen.issuer.to_string())
            .word("expected", expected.to_string()),
        says: format!(
            "The certificate of {} was signed by “{}” and not by “{expected}” as the profile expects: a device on the way, or security software here, likely opens and inspects TLS; exempt this destination from inspection, because what inspects a connection also ends it by timers of its own.",
            seen.server, seen.issuer
        ),
    }
}

fn changed(issuers: &[Issuer]) -> Option<Finding> {
    issuers.iter().enumerate().find_map(|(index, later)| {
        let first = issuers[..index].iter().find(|seen| seen.server == later.server && seen.issuer != later.issuer)?;
        Some(Finding {
            id: "tls_inspected",
            measured: Measured::default()
                .word("server", later.server)
                .word("issuer", later.issuer.to_string())
                .word("before", first.issuer.to_string()),
            says: format!(
                "The certificate of {} was signed by “{}” at first and by “{}” from {} on: if that is not a change at the server, a device that inspects TLS likely stands on one of the ways to it; compare with the certificate seen from another network.",
                later.server,
                first.issuer,
                later.issuer,
                words::utc(later.at.stamp)
            ),
        })
    })
}
