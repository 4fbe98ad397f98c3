//! Pages of what was found beside a call that was not lost by it, or not by it alone.

use super::{AdminPage, fits_none, udp};
use crate::{
    Cause, Owner, Timeline,
    catalogue::{self, Kind, Layer, SettingRow},
    findings::Finding,
    limits::{IdleLimit, LifetimeLimit, Who},
    report::retest::Retest,
    rules::idle_timeout,
    words,
};
use record::fact::RungCarrier;

/// What sets one such page apart.
struct Found<'f> {
    finding: &'f Finding,
    owner: Owner,
    title: &'static str,
    ask: String,
    settings: (Vec<SettingRow>, Option<String>),
    /// Where it is another sign than that of the limits.
    mended: Option<&'static str>,
    wrong_if: String,
}

/// `told`: causes of losses, whose page says it already.
pub(super) fn pages(
    timeline: &Timeline,
    findings: &[Finding],
    told: impl Fn(Cause) -> bool,
    retest: &Retest,
) -> Vec<AdminPage> {
    let limits = &timeline.limits;
    let named = |id: &'static str| findings.iter().filter(move |finding| finding.id == id);
    let mut all: Vec<Found> = Vec::new();
    // Findings are told in the order of their limits.
    if !told(Cause::IdleTimeout) {
        all.extend(named("idle_limit").zip(&limits.idle).map(|(finding, limit)| idle(finding, limit)));
    }
    if !told(Cause::LifetimeCap) {
        all.extend(named("lifetime_limit").zip(&limits.lifetime).map(|(finding, limit)| lifetime(finding, limit)));
    }
    if !told(Cause::NatExpired) {
        all.extend(quiet_udp(timeline, named("udp_idle_limit").zip(&limits.udp)));
    }
    all.extend(named("tls_inspected").map(inspected));
    let destination = super::destination(timeline);
    all.into_iter().map(|found| page(found, &destination, retest)).collect()
}

fn page(found: Found, destination: &str, retest: &Retest) -> AdminPage {
    let Found { finding, owner, title, ask, settings, mended, wrong_if } = found;
    let who = if owner == Owner::VoiceService { "Whoever runs the voice service" } else { "The network administrator" };
    AdminPage {
        drops: vec![],
        title: format!("{owner}: {title}"),
        sure: None,
        who: who.into(),
        lost: None,
        seen: vec![finding.says.clone()],
        search: vec![],
        controls: vec![],
        ask,
        settings: settings.0,
        settings_note: settings.1,
        destination: destination.to_owned(),
        retest: mended.map_or_else(|| retest.says.clone(), |mended| retest.with(mended)),
        wrong_if,
    }
}

fn idle<'f>(finding: &'f Finding, limit: &IdleLimit) -> Found<'f> {
    let layers: &[Layer] = match limit.carrier() {
        Some(RungCarrier::Websocket) => &[Layer::Websocket],
        Some(RungCarrier::Tcp) => &[Layer::Tcp],
        None => &[Layer::Websocket, Layer::Tcp],
    };
    let quiet = words::planned(idle_timeout::surely_beyond(limit.under));
    let known = catalogue::idle(limit);
    let note = limit.exact.filter(|_| known.is_none()).map(fits_none);
    Found {
        finding,
        owner: owner(limit.who),
        title: "quiet connections are ended",
        ask: format!("Raise the idle or session timeout towards {} to 3600 s, and for nothing else.", limit.host),
        settings: (catalogue::of_limits(Kind::Idle, layers, limit.close, Some(limit.interval()), known.as_ref()), note),
        mended: None,
        wrong_if: format!(
            "a connection from here to {} that is left quiet for {quiet} stays up before anything is changed.",
            limit.host
        ),
    }
}

fn lifetime<'f>(finding: &'f Finding, limit: &LifetimeLimit) -> Found<'f> {
    let known = catalogue::lifetime(limit);
    let age = words::length(limit.exact.median);
    let note = Some(limit.exact).filter(|_| known.is_none()).map(fits_none);
    Found {
        finding,
        owner: owner(limit.who),
        title: "connections are ended at a fixed age",
        ask: format!("Raise what limits a connection or request to {} beyond the longest call.", limit.host),
        settings: (
            catalogue::of_limits(
                Kind::Lifetime,
                &[Layer::Websocket],
                limit.close,
                Some((limit.exact.median, limit.exact.median)),
                known.as_ref(),
            ),
            note,
        ),
        mended: None,
        wrong_if: format!("a connection from here to {} becomes older than {age}.", limit.host),
    }
}

/// One router forgets both kinds of flow: one page, with the shorter limit.
fn quiet_udp<'f, 't>(
    timeline: &Timeline,
    found: impl Iterator<Item = (&'f Finding, &'t crate::limits::UdpLimit)>,
) -> Option<Found<'f>> {
    let (finding, limit) = found.filter(|(_, limit)| limit.unclear.is_none()).min_by_key(|(_, limit)| limit.under)?;
    let under = words::length(limit.under);
    Some(Found {
        finding,
        owner: Owner::LocalNetwork,
        title: "the NAT forgets quiet flows",
        ask: "Set the UDP session timeout of the router or firewall to 300 s, for the media ports alone.".into(),
        settings: udp(timeline),
        mended: None,
        wrong_if: format!("a UDP flow from here that is left quiet for {under} is still reached from outside."),
    })
}

fn inspected(finding: &Finding) -> Found<'_> {
    Found {
        finding,
        owner: Owner::LocalNetwork,
        title: "TLS is opened on the way",
        ask: "Exempt this destination from TLS inspection.".into(),
        settings: (catalogue::of_cause(finding.id), None),
        mended: Some("Mended if the certificate is signed by whom the far end names, and no such finding is told."),
        wrong_if: "the service shows the same issuer to somebody outside of this network.".into(),
    }
}

fn owner(who: Who) -> Owner {
    match who {
        Who::FarEnd => Owner::VoiceService,
        Who::Between | Who::Unknown => Owner::InternetPath,
    }
}
