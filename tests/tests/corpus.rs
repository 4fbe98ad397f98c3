//! Replays what the fuzzer was seeded with and what it once found: none of it may break a promise again.

#[path = "../../fuzz/src/hostile.rs"]
mod hostile;

use std::path::Path;

/// Calls `reader` with every file of the target's corpus.
#[expect(clippy::print_stdout, reason = "a failure must say which file it was")]
fn replay(target: &str, reader: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the corpus is committed")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    assert!(files.len() >= 8, "the corpus of {target} holds only {} files", files.len());
    for file in files {
        let bytes = std::fs::read(&file).expect("readable");
        // Named before it is read, so that a failure says which file it was.
        println!("{}", file.display());
        reader(&bytes);
    }
}

#[test]
fn every_bundle_of_the_corpus_is_read_or_refused_in_order() {
    replay("bundle", hostile::bundle);
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
