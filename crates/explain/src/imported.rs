//! What may be said of a call that another program wrote down. Its media was looked at once in a while; of everything that sets
//! one cause apart from another, nothing was.

use crate::{Advice, Cause, Drop, Rule, Timeline, rules, words};
use record::fact::Imported;

/// In the headline.
pub const NOTE: &str = "imported: a browser's own record of one call's media, with nothing beside it";

/// That it was lost, and, where it never stood, how far it came: no other rule has what it asks for, and some would take what
/// is absent for evidence.
pub fn allowed(rules: &[&'static Rule], timeline: &Timeline) -> Vec<&'static Rule> {
    let may =
        |rule: &&&Rule| timeline.imported.is_none() || matches!(rule.id, Cause::NotProven | Cause::HandshakeFailed);
    rules.iter().filter(may).copied().collect()
}

pub fn row(imported: &Imported) -> String {
    let by = if imported.by.is_empty() { String::new() } else { format!(", made by {}", imported.by) };
    let mut says = format!("Imported from a dump of {}{by}, {}", imported.format, looked(imported));
    if imported.evenly {
        says.push_str("; when each look was, the dump does not say, and they were taken to lie evenly");
    }
    if imported.without_zone > 0 {
        let changes = words::count(imported.without_zone as usize, "state change");
        says.push_str(&format!("; {changes} left out, as its times of day say no zone"));
    }
    if imported.others > 0 {
        let others = words::count(imported.others as usize, "further connection");
        says.push_str(&format!("; {others} of it left out"));
    }
    says.push('.');
    says
}

/// For "not tested", and so for a ticket too.
pub fn untested(imported: &Imported) -> String {
    format!(
        "Nothing but this call's own media was tested: it was imported from a dump of {}, the record of a browser.",
        imported.format
    )
}

/// For "not seen".
pub fn between_looks(imported: &Imported) -> String {
    format!(
        "This call was not watched by Linewitness: it is a browser's own record, {}. Between two looks nothing is known, and of signaling nothing at all.",
        looked(imported)
    )
}

fn looked(imported: &Imported) -> String {
    match imported.every_ms > 0.0 {
        true => format!("looked at every {}", words::length(words::millis(imported.every_ms))),
        false => "looked at once".into(),
    }
}

/// What a dump cannot tell, a hold can.
pub fn advice(timeline: &Timeline, drop: &Drop) -> Advice {
    Advice {
        who: "The support desk".into(),
        what: format!(
            "Hold a call with Linewitness from the same computer and network until it is lost again: a dump does not show why. Until then, compare with the service's own log at the same second: {}.",
            rules::search(timeline, drop)
        ),
        retest: "Hold it for as long as this call stood before it was lost.".into(),
        wrong_if: format!(
            "a capture on that computer shows packets of the far end arriving between {} and {}.",
            words::utc_exact(drop.last_good),
            words::utc_exact(drop.over(timeline))
        ),
    }
}
