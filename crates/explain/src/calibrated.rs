//! What a calibration before the run shows of this program, and when it shows nothing any more.

use crate::Timeline;
use record::{Wall, fact::Calibrated};

/// A month brings every system its updates, and what was shown of the one before is not shown of the one after.
const GOOD_FOR_US: i64 = 30 * 86_400 * 1_000_000;

/// For every report, where the last calibration is not too old. The recorder notes only that of its own version.
pub fn sentence(timeline: &Timeline) -> Option<String> {
    let calibrated = timeline.calibrated.filter(|calibrated| calibrated.is_possible())?;
    let age = timeline.began.wall.micros().saturating_sub(calibrated.at.micros());
    if !(0..=GOOD_FOR_US).contains(&age) {
        return None;
    }
    let Calibrated { at, named, of, missed, held, .. } = calibrated;
    let names: Vec<&str> = missed.iter().map(record::Heard::as_str).collect();
    let not = if names.is_empty() { String::new() } else { format!(", and not: {}", names.join(", ")) };
    let lost = if *held { "" } else { "; where nothing was broken it named a loss" };
    Some(format!("This computer's Linewitness named {named} of {of} known faults on {}{not}{lost}.", date(*at)))
}

/// The event itself.
pub fn row(calibrated: &Calibrated) -> String {
    let Calibrated { at, app, named, of, .. } = calibrated;
    format!("Calibrated on {} (version {app}): {named} of {of} known faults were named.", date(*at))
}

fn date(at: Wall) -> String {
    at.timestamp().strftime("%Y-%m-%d").to_string()
}
