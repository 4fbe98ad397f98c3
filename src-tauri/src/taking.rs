//! What is given to the program: paths, `file://` URLs and links, by a double-click, a drop, a dialog or another start.

use crate::app::App;
use crate::link;
use crate::offers::What;
use crate::wire::{Failure, Offer, OfferFrom, Taken};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use url::Url;

/// What a zip begins with.
const ZIP: &[u8] = b"PK";
/// What browsers' dumps begin with, the longest first: of rtcstats, of webrtc-internals, of both packed.
const DUMPS: [&[u8]; 5] = [b"RTCStatsDump", b"{", b"[[", b"[\"", &[0x1f, 0x8b]];
/// What a profile's file is called at its end.
pub const PROFILE: &str = "witness-profile";
pub const BUNDLE: &str = "witness";

impl App {
    /// Opens what is given: a profile becomes an offer, a bundle is opened, and several are laid beside each other.
    pub fn take(&self, given: &[String]) -> Result<Taken, Failure> {
        if let [only] = given
            && is_link(only)
        {
            return Ok(Taken::Offer { offer: self.take_link(only)? });
        }
        let paths: Vec<PathBuf> = given.iter().map(|given| path(given)).flat_map(unfolded).collect();
        match paths.as_slice() {
            [] => Err(Failure { says: "there is no report and no profile in what was opened".into() }),
            [only] if is_bundle(only) => self.opened.open_or_ask(only),
            [only] if is_dump(only) => Ok(Taken::Bundle { opened: self.opened.import(only)? }),
            [only] => Ok(Taken::Offer { offer: self.take_profile(only)? }),
            several => Ok(Taken::Bundles { desk: self.opened.open_many(several) }),
        }
    }

    pub fn take_link(&self, link: &str) -> Result<Offer, Failure> {
        let profile = Box::new(link::read(link)?);
        let host = profile.signaling.url.host().to_owned();
        self.offers.make(What::Profile { profile, named: None }, OfferFrom::Link, Some(host))
    }

    fn take_profile(&self, path: &Path) -> Result<Offer, Failure> {
        let profile = Box::new(desk::files::profile(path).map_err(|failure| unknown(path).unwrap_or(failure.into()))?);
        let name = file_name(path);
        self.offers.make(What::Profile { profile, named: Some(name.clone()) }, OfferFrom::File, Some(name))
    }
}

pub fn is_link(given: &str) -> bool {
    given.get(..link::SCHEME.len() + 1).is_some_and(|start| start.eq_ignore_ascii_case("linewitness:"))
}

/// Both ways in which desktops name a file.
pub fn path(given: &str) -> PathBuf {
    let url = Url::parse(given).ok().filter(|url| url.scheme() == "file");
    url.and_then(|url| url.to_file_path().ok()).unwrap_or_else(|| PathBuf::from(given))
}

pub fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    record::Heard::new(&name).to_string()
}

/// Of a folder, the reports that lie in it.
fn unfolded(path: PathBuf) -> Vec<PathBuf> {
    let Ok(entries) = path.read_dir() else { return vec![path] };
    let mut within: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    within.retain(|path| path.extension().is_some_and(|end| end == BUNDLE));
    within.sort();
    within
}

/// By what it holds: a mail program may have given it another name.
fn is_bundle(path: &Path) -> bool {
    let mut start = [0; ZIP.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    match read {
        Ok(()) => start == ZIP || desk::sealed::is_encrypted(path) || path.extension().is_some_and(|end| end == BUNDLE),
        Err(_) => path.extension().is_some_and(|end| end == BUNDLE),
    }
}

/// What a browser wrote down of a call: JSON, packed or not. A profile begins with a name or a table's.
fn is_dump(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(DUMPS[0].len() as u64).read_to_end(&mut start));
    let profile = path.extension().is_some_and(|end| end == PROFILE || end == "toml");
    read.is_ok() && !profile && DUMPS.iter().any(|begins| start.trim_ascii_start().starts_with(begins))
}

/// What is plainly another kind of file is not blamed line by line.
fn unknown(path: &Path) -> Option<Failure> {
    let known = path.extension().is_some_and(|end| end == PROFILE || end == "toml");
    (!known && path.is_file()).then(|| Failure {
        says: format!(
            "{}: this is neither a profile nor a report; open the file that your support desk sent you",
            file_name(path)
        ),
    })
}
