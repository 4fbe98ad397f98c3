//! Bundles that are kept as they were written: every later version opens them, and says the same of them.

use desk::{files, sealed::Identities};
use record::{bundle::Links, profile};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    bundle: Vec<Kept>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    file: String,
    #[serde(rename = "written")]
    _written: String,
    headline: Option<String>,
    causes: Vec<String>,
    links: String,
    #[serde(default)]
    damaged: bool,
}

const TABLE: &str = "bundles.toml";
const KEY: &str = "TEST-KEY.txt";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bundles")
}

fn table() -> Vec<Kept> {
    let text = fs::read_to_string(folder().join(TABLE)).expect("it is committed");
    toml::from_str::<Table>(&text).expect("a table").bundle
}

fn key() -> Identities<'static> {
    Identities { file: Some(folder().join(KEY)), passphrase: &|_| None }
}

#[test]
fn every_bundle_of_the_table_opens_and_says_what_it_said() {
    for kept in table() {
        let name = &kept.file;
        let verified = files::verify(&folder().join(name), &key()).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(!verified.damage.is_empty(), kept.damaged, "{name}: {:?}", verified.damage);
        let links = match verified.links {
            Links::None => "none",
            Links::Hold { .. } => "hold",
            Links::Broken => "broken",
        };
        assert_eq!(links, kept.links, "{name}");
        if let Some(headline) = &kept.headline {
            let verdict = verified.bundle.verdict.as_deref().expect("it was written with its verdict");
            let verdict: serde_json::Value = serde_json::from_slice(verdict).expect("JSON");
            assert_eq!(verdict["headline"].as_str(), Some(headline.as_str()), "{name}");
            let profile = verified.bundle.profile.as_deref().and_then(profile::name_in);
            assert_eq!(profile.as_deref(), Some("Lab"), "{name}");
        }
        let today = serde_json::to_value(&explain::story(&verified.bundle.log).head).expect("JSON");
        let drops = today["drops"].as_array().expect("drops");
        let causes: Vec<&str> = drops.iter().filter_map(|drop| drop["cause"].as_str()).collect();
        assert_eq!(causes, kept.causes, "{name}");
    }
}

#[test]
fn every_file_beside_the_table_is_in_it() {
    let listed: BTreeSet<String> = table().into_iter().map(|kept| kept.file).collect();
    let there = fs::read_dir(folder()).expect("readable").map(|entry| entry.expect("readable").file_name());
    let there: BTreeSet<String> = there.map(|name| name.into_string().expect("text")).collect();
    let others: Vec<&String> = there.difference(&listed).collect();
    assert_eq!(others, ["README.md", KEY, TABLE]);
    assert!(listed.is_subset(&there), "{listed:?}");
}
