//! Every secret that the lab gives to a hold is marked, and nothing that a hold leaves behind may have the mark in it: neither
//! its bundle, nor its run's folder with the program's own diagnostics, nor what it printed.

use anyhow::{Context, Result, ensure};
use record::bundle;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// How each of them begins.
pub const MARK: &str = "s3cr3t";
/// In a URL, before the host and after it.
pub const OF_THE_URL: [&str; 2] = ["la:s3cr3t-of-the-user@", "?key=s3cr3t-of-the-query"];
/// The mark after three letters, as a name of two has it in front, when a header carries both.
const MARK_IN_BASE64: &str = "czNjcjN0";

/// A far end's URL as a desk might hand it out, with more in it than anybody else may know.
pub fn url(plain: &str) -> String {
    let [user, query] = OF_THE_URL;
    format!("{}{query}", plain.replacen("://", &format!("://{user}"), 1))
}

/// What a hold has left. Fails where a secret is in it, and where there is less to search than a hold leaves.
pub fn none_in(home: &Path, bundle: &Path, printed: &[&Path]) -> Result<()> {
    for member in [bundle::ABOUT, bundle::EVENTS, bundle::VERDICT, bundle::REPORT, bundle::PROFILE] {
        let bytes = bundle::read_member(File::open(bundle)?, member)
            .with_context(|| format!("{} has no {member} to search", bundle.display()))?;
        none(&bytes, Path::new(member))?;
    }
    let kept = files(home)?;
    ensure!(kept.iter().any(|path| path.ends_with(bundle::EVENTS)), "no run to search in {}", home.display());
    let all = kept.iter().map(PathBuf::as_path).chain(printed.iter().copied());
    all.into_iter().try_for_each(|path| none(&fs::read(path).with_context(|| format!("{}", path.display()))?, path))
}

fn none(bytes: &[u8], of: &Path) -> Result<()> {
    let text = String::from_utf8_lossy(bytes);
    for mark in [MARK, MARK_IN_BASE64] {
        let found = text.find(mark).map(|at| text[at..].chars().take(40).collect::<String>());
        ensure!(found.is_none(), "{} holds a secret: {found:?}", of.display());
    }
    Ok(())
}

/// In this folder and those within it.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.append(&mut files(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_plain_and_in_a_header() {
        let of = Path::new("a file");
        assert!(none(b"wss://voice.example/ and nothing else", of).is_ok());
        assert!(none(url("wss://voice.example/").as_bytes(), of).is_err());
        // What `la:s3cr3t-of-the-user` is in base64.
        assert!(none(b"Authorization: Basic bGE6czNjcjN0LW9mLXRoZS11c2Vy", of).is_err());
    }

    #[test]
    fn a_hold_that_left_nothing_was_not_searched() {
        let folder = std::env::temp_dir();
        assert!(none_in(&folder, &folder.join("no such bundle"), &[]).is_err());
    }
}
