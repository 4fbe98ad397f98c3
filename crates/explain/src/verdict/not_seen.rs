//! What no part of this log could show, and what a watcher said that it could not see. It depends on what really ran.

use crate::{Timeline, imported, rows::blind};
use record::fact::ControlKind;

/// More watchers than this do not exist; a forged log may pretend so.
const MOST: usize = 32;

pub(crate) fn list(timeline: &Timeline) -> Vec<String> {
    let asked = |kind| timeline.controls_of(kind).next().is_some();
    let mut list: Vec<String> = Vec::new();
    list.extend(timeline.imported.map(imported::between_looks));
    if timeline.imported.is_none() && !timeline.network_watched() {
        list.push("The interfaces, addresses and routes of this computer were not watched, so a change of its own network would not be known.".into());
    }
    // Between a computer and itself there is neither a gateway nor a way.
    let on_a_network = !timeline.is_loopback();
    if on_a_network && !asked(ControlKind::Gateway) {
        list.push(
            "The gateway was not asked, so a fault of the local network cannot be told from one beyond it.".into(),
        );
    }
    if on_a_network && !asked(ControlKind::Https) && !asked(ControlKind::Stun) {
        list.push(
            "No other server was asked, so a fault of the way to the far end cannot be told from one of the service."
                .into(),
        );
    }
    if !timeline.far_testifies() && timeline.stood().is_some() {
        list.push("The far end did not say what it saw.".into());
    }
    list.extend(timeline.kept_back.words());
    for (_, watcher, why) in &timeline.blind {
        let why = why.as_str().trim_end_matches('.');
        let says = format!("{} could not be seen: {why}.", blind::what(*watcher));
        if !list.contains(&says) {
            list.push(says);
        }
        if list.len() >= MOST {
            break;
        }
    }
    list
}
