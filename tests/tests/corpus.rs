//! Replays what the fuzzer was seeded with and what it once found: none of it may break a promise again.

#[path = "../../fuzz/src/hostile.rs"]
mod hostile;

use engine::Clock;
use std::path::Path;
use std::time::Duration;

/// For one file, unoptimised, on a busy machine; each takes milliseconds.
const LONGEST: Duration = Duration::from_secs(10);

/// Calls `reader` with every file of the target's corpus.
#[expect(clippy::print_stdout, reason = "a failure must say which file it was")]
fn replay(target: &str, reader: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the corpus is committed")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    let clock = Clock::real();
    assert!(files.len() >= 8, "the corpus of {target} holds only {} files", files.len());
    for file in files {
        let bytes = std::fs::read(&file).expect("readable");
        // Named before it is read, so that a failure says which file it was.
        println!("{}", file.display());
        let begun = clock.now();
        reader(&bytes);
        let took = clock.now().awake_since(begun);
        assert!(took < LONGEST, "{took:?} for one file of {} bytes", bytes.len());
    }
}

#[test]
fn every_bundle_of_the_corpus_is_read_or_refused_in_order() {
    replay("bundle", hostile::bundle);
}

#[test]
fn every_log_of_the_corpus_is_read_as_far_as_it_is_one() {
    replay("events", hostile::events);
}

#[test]
fn every_chain_of_the_corpus_is_judged_in_bounds() {
    replay("link", hostile::link);
}

#[test]
fn every_encrypted_file_of_the_corpus_is_opened_or_refused_in_order() {
    replay("sealed", hostile::sealed);
}

#[test]
fn every_dump_of_the_corpus_becomes_a_log_or_is_refused_in_order() {
    replay("dump", hostile::dump);
}

#[test]
fn every_profile_of_the_corpus_is_read_or_refused_in_order() {
    replay("profile", hostile::profile);
}

#[test]
fn every_conversation_of_the_corpus_is_answered_in_bounds() {
    replay("signaling", hostile::signaling);
}

#[test]
fn every_datagram_of_the_corpus_is_understood_as_it_was_said_or_not_at_all() {
    replay("datagram", hostile::datagram);
}

#[test]
fn every_lane_of_the_corpus_is_read_in_bounds_wherever_it_is_cut() {
    replay("lane", hostile::lane);
}
