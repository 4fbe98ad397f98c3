//! What a calibration says on a terminal.

use super::judged::{Calibration, Judged, Said};
use explain::rules;
use std::fmt::Write;

/// Named by what it would take: nothing of these can be broken on loopback.
const NOT_SHOWN: &str = "This shows that the program tells these faults apart on this computer, and nothing of any network. \
On loopback there is no gateway, no Wi-Fi, no other network to switch to, no name server and no router of somebody else; nothing is lost or \
late by itself; both ends share one kernel, its timers and its clock; and the computer did not sleep.";

pub fn opening(width: usize) -> String {
    let says = "Breaking connections of this computer's own, each in a known way and through a real hold. Nothing leaves this computer. It takes less than a minute.";
    format!("{}\n", wrapped("", says, width))
}

/// As soon as it is known.
pub fn one(done: usize, of: usize, judged: &Judged, width: usize) -> String {
    let mark = if judged.right { "●" } else { "✗" };
    let count = format!("{done:>2}/{of} {mark} ");
    let mut out = wrapped(&count, &format!("{}: {}", judged.id, judged.does), width);
    let under = " ".repeat(count.chars().count());
    out.push_str(&wrapped(&under, &named(judged), width));
    for complaint in &judged.complaints {
        out.push_str(&wrapped(&under, complaint, width));
    }
    if let (false, Some(log)) = (judged.right, &judged.log) {
        out.push_str(&wrapped(&under, &format!("Its log: linewitness explain {}", log.display()), width));
    }
    out
}

fn named(judged: &Judged) -> String {
    let Some(Said { cause, owner, confidence, .. }) = &judged.said else {
        return if judged.expected.is_none() && judged.right {
            "Held; nothing was lost.".into()
        } else {
            "No loss was named.".into()
        };
    };
    let mut says = format!("{owner}: {} ({confidence})", rules::rule(*cause).title);
    if let Some(times) = &judged.times {
        let _ = write!(
            says,
            "; done at {}, said to have begun between {} and {} it, known {} after",
            times.done.timestamp().strftime("%H:%M:%S%.3f UTC"),
            apart(times.last_good_ms),
            apart(times.first_bad_ms),
            length(times.delay_ms)
        );
    }
    says.push('.');
    says
}

/// "0.2 ms after it"
fn apart(ms: f64) -> String {
    format!("{} {}", length(ms.abs()), if ms < 0.0 { "before" } else { "after" })
}

fn length(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1e3),
    }
}

pub fn closing(result: &Calibration, width: usize) -> String {
    let held = match result.held {
        true => "The hold in which nothing was broken was held.",
        false => "In a hold in which nothing was broken a loss was named.",
    };
    let mut out = format!("\nNamed {} of {} today, in {:.0} s. {held}\n", result.named, result.of, result.took_s);
    if !result.missed.is_empty() {
        let _ = writeln!(out, "Not named rightly: {}.", result.missed.join(", "));
    }
    out.push_str(&wrapped("", NOT_SHOWN, width));
    out.push_str(&wrapped("", "Holds of the next 30 days note this in their bundles.", width));
    out
}

/// The first line after `first`, the others under it.
fn wrapped(first: &str, text: &str, width: usize) -> String {
    let indent = first.chars().count();
    let mut out = first.to_owned();
    let mut used = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > indent {
            if used + 1 + length > width.clamp(48, 100) {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                used = indent;
            } else {
                out.push(' ');
                used += 1;
            }
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::faults::FAULTS;
    use record::Wall;
    use std::time::Duration;

    fn all(wrong: &str) -> Calibration {
        let one = |fault| {
            let judged = Judged::not_played(fault, "no sockets");
            match judged.id == wrong {
                true => judged,
                false => Judged { right: true, complaints: vec![], ..judged },
            }
        };
        Calibration::of(FAULTS.iter().map(one).collect(), Wall::from_micros(0), Duration::from_secs(37))
    }

    #[test]
    fn the_count_comes_first_and_what_it_does_not_show_is_always_said() {
        let said = closing(&all(""), 80);
        assert!(
            said.starts_with("\nNamed 9 of 9 today, in 37 s. The hold in which nothing was broken was held.\n"),
            "{said}"
        );
        assert!(said.contains("nothing of any") && said.contains("no Wi-Fi") && said.contains("one kernel"), "{said}");
        assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
        let said = closing(&all("reset"), 80);
        assert!(said.contains("Named 8 of 9") && said.contains("Not named rightly: reset."), "{said}");
        assert!(
            closing(&all("nothing"), 80)
                .contains("Named 9 of 9 today, in 37 s. In a hold in which nothing was broken a loss was named.")
        );
    }

    #[test]
    fn what_was_not_named_is_told_with_its_reason() {
        let faults = all("reset").faults;
        let reset = faults.iter().find(|judged| judged.id == "reset").expect("one of them");
        let said = one(7, 10, reset, 80);
        assert!(said.starts_with(" 7/10 ✗ reset: ") && said.contains("It could not be played: no sockets."), "{said}");
        let held = faults.iter().find(|judged| judged.id == "nothing").expect("one of them");
        assert!(one(10, 10, held, 80).ends_with("Held; nothing was lost.\n"));
    }

    #[test]
    fn lengths_are_as_fine_as_they_are_known() {
        assert_eq!([0.04, 9.96, 20.2, 1_448.7].map(length), ["0.0 ms", "10.0 ms", "20 ms", "1.45 s"]);
        assert_eq!((apart(-20.0), apart(0.3)), ("20 ms before".to_owned(), "0.3 ms after".to_owned()));
    }
}
