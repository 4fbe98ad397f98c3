//! The marker of a run whose bundle is written: where that is.
//!
//! It is put beside its name before the bundle is begun, and gets its name when the bundle is safe. So a disk that the bundle
//! fills has room for it, and a power loss between the two is seen through: where the bundle lies that was promised, and is
//! this run's own, it was written.

use super::write_beside;
use record::{About, RunId, bundle};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

const BUNDLED: &str = "bundled";

pub fn promise(folder: &Path, out: &Path) -> io::Result<()> {
    let out = std::path::absolute(out)?;
    write_beside(&folder.join(BUNDLED), &bytes(&out))
}

pub fn keep(folder: &Path) -> io::Result<()> {
    let marker = folder.join(BUNDLED);
    fs::rename(super::beside(&marker), &marker)?;
    super::sync_folder(folder);
    Ok(())
}

pub fn forget(folder: &Path) -> io::Result<()> {
    let marker = folder.join(BUNDLED);
    for path in [super::beside(&marker), marker] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    super::sync_folder(folder);
    Ok(())
}

/// Where the bundle of a run was written. The marker alone says so: a bundle that its owner has moved was written too.
pub fn bundle_of(folder: &Path, about: &About) -> Option<PathBuf> {
    let marker = folder.join(BUNDLED);
    read(&marker).or_else(|| read(&super::beside(&marker)).filter(|promised| is_of(promised, &about.run)))
}

/// An empty marker was cut short, and says nothing.
fn read(marker: &Path) -> Option<PathBuf> {
    fs::read(marker).ok().filter(|path| !path.is_empty()).map(path)
}

/// A bundle gets its name when it is whole; whose it is, its cover sheet says.
fn is_of(bundle: &Path, run: &RunId) -> bool {
    let read = || {
        let about = bundle::read_member(BufReader::new(File::open(bundle).ok()?), bundle::ABOUT)?;
        serde_json::from_slice::<About>(&about).ok()
    };
    read().is_some_and(|about| about.run == *run)
}

/// A path on Unix is any bytes.
#[cfg(unix)]
fn bytes(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}
#[cfg(unix)]
fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(<OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}
#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from(String::from_utf8_lossy(&bytes).into_owned()))
}
