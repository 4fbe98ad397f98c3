//! What real kernels and real programs left behind in the lab, told by the rules of today, on every system.

use linewitness_lab::{judge::judge, recording};
use std::fs::File;

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

#[test]
fn every_recording_can_be_retested_in_ten_minutes_with_a_profile_that_reads() {
    for folder in std::fs::read_dir(recording::folder()).expect("it is there") {
        let folder = folder.expect("it can be listed").path();
        let file = File::open(folder.join("hold.witness")).expect("each recording has its bundle");
        let (bundle, _) = record::bundle::read(file).expect("it reads");
        let story = explain::story(&bundle.log);
        let text = explain::report::retest(&story, bundle.profile.as_deref())
            .unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
        let filled = text.replace("\"…\"", "\"filled in\"");
        let read = record::profile::read(filled.as_bytes())
            .unwrap_or_else(|refusal| panic!("{}: {refusal}\n{text}", folder.display()));
        assert_eq!(read.for_.get().as_secs(), story.page.retest.for_s, "{}", folder.display());
        assert!(story.page.retest.for_s <= 600, "{}", folder.display());
        // What a limit ends is met: a rung lies beyond it, and the hold is longer than the rung.
        let longest = read.lanes.quiet_ladder.iter().chain(&read.lanes.udp_ladder).max();
        assert!(longest.is_none_or(|rung| rung.get() < read.for_.get()), "{}", folder.display());
    }
}
