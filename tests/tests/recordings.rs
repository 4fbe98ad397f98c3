//! What real kernels and real programs left behind in the lab, told by the rules of today, on every system.

use linewitness_lab::{judge::judge, recording};

#[test]
fn every_recording_is_told_as_it_was() {
    let all = recording::all().unwrap_or_else(|error| panic!("{error:#}"));
    assert!(all.len() >= 20, "only {} recordings", all.len());
    let mut failures = vec![];
    for (scenario, played) in &all {
        let judged = judge(scenario, played);
        if !judged.is_well() {
            let rows = judged.rows.iter().map(|row| row.line()).chain(judged.complaints);
            failures.push(format!("{}: {}", scenario.name, rows.collect::<Vec<_>>().join("; ")));
        }
    }
    assert!(failures.is_empty(), "{} of {} are told wrongly:\n{}", failures.len(), all.len(), failures.join("\n"));
}
