//! What of a run is given away: its bundle, or where its profile names a recipient, an encrypted one, and then nothing plain.

use crate::{
    Failure, files, recover,
    sealed::{self, seal},
};
use engine::runs;
use explain::Story;
use record::{
    About, Private, Profile, bundle,
    profile::{self, Recipient},
};
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

/// What was written of a run.
#[derive(Debug)]
pub struct Written {
    /// The bundle that this computer's user reads.
    pub plain: PathBuf,
    /// The file to give away: the same, or the encrypted one.
    pub given: PathBuf,
    /// What could not be done beside it, in words.
    pub not_done: Vec<String>,
}

/// The name under which a hold of this profile gives its bundle away.
pub fn name(out: PathBuf, profile: &Profile) -> PathBuf {
    if profile.share.recipient.is_some() { sealed::name(&out) } else { out }
}

/// As `files::write_bundle`. With a recipient, what is written to `out` is encrypted, and the plain bundle stays in the run's
/// folder.
pub fn write_bundle(
    folder: &Path,
    about: &About,
    story: &Story,
    caution: Option<&str>,
    key: Option<&Private<String>>,
    out: &Path,
) -> io::Result<Written> {
    let profile = fs::read_to_string(folder.join(bundle::PROFILE))?;
    let recipient = profile::recipient_in(&profile)
        .map_err(|says| io::Error::other(format!("it was to be encrypted, and cannot be: {says}")))?;
    let Some(recipient) = recipient else {
        let not_done = files::write_bundle(folder, about, story, caution, key, out)?;
        return Ok(Written { plain: out.to_owned(), given: out.to_owned(), not_done });
    };
    let (plain, given) = (folder.join(recover::bundle_name(&about.run)), sealed::name(out));
    // One may be left of an attempt that was killed; the folder is ours.
    remove(&plain)?;
    let not_done = files::write_bundle(folder, about, story, caution, key, &plain)?;
    let sealed = fs::read(&plain).and_then(|bytes| seal(&bytes, &recipient));
    match sealed.and_then(|sealed| runs::write_new(&about.run, &given, |file| file.write_all(&sealed))) {
        Ok(()) => Ok(Written { plain, given, not_done }),
        // Nothing can be given away: so that it can be tried again, the run has no bundle.
        Err(error) => {
            runs::forget_bundle(folder)?;
            remove(&plain)?;
            Err(error)
        }
    }
}

/// For whom a bundle is encrypted when it leaves this computer: one of a run of its own, whose profile says so.
pub fn recipient_of(bundle: &Path) -> Result<Option<Recipient>, Failure> {
    let name = bundle.display();
    let home = runs::home().and_then(std::path::absolute).map_err(|error| Failure::ours(error.to_string()))?;
    if !std::path::absolute(bundle).is_ok_and(|path| path.starts_with(home)) {
        return Ok(None);
    }
    let file = File::open(bundle).map_err(|error| Failure::bad_input(format!("{name}: {}", files::why(&error))))?;
    let profile = bundle::read_member(BufReader::new(file), bundle::PROFILE).unwrap_or_default();
    profile::recipient_in(&String::from_utf8_lossy(&profile)).map_err(|says| {
        Failure::bad_input(format!("{name}: this report was to leave this computer encrypted, and cannot: {says}"))
    })
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
