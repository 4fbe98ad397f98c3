//! Files that a user asked for, at the place that the user named: whole or not at all.

use crate::wire::Failure;
use desk::files;
use record::profile::Recipient;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who may read what is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// As this computer gives every new file.
    Usual,
    /// It holds a secret: nobody but its owner, on systems that tell users apart by a file's rights.
    Owner,
}

/// Gives the path. The dialog has asked already whether a file of this name may be replaced.
pub fn copy(from: &Path, to: &Path) -> Result<String, Failure> {
    if from == to {
        return Ok(to.display().to_string());
    }
    let bytes = fs::read(from).map_err(|error| failure(from, files::why(&error)))?;
    write(&bytes, to, Readers::Usual)
}

/// As `write`, so that its recipient alone can open it.
pub fn sealed(bytes: &[u8], recipient: &Recipient, to: &Path) -> Result<String, Failure> {
    let sealed = desk::sealed::seal(bytes, recipient).map_err(|error| failure(to, files::why(&error)))?;
    write(&sealed, to, Readers::Usual)
}

pub fn write(bytes: &[u8], to: &Path, readers: Readers) -> Result<String, Failure> {
    let beside = beside(to);
    let written = create(&beside, readers).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, to)
    });
    written.map_err(|error: io::Error| {
        // Half a file is of no use; the error to tell is the first one.
        let _ = fs::remove_file(&beside);
        failure(to, files::why_not_written(&error))
    })?;
    Ok(to.display().to_string())
}

fn create(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    // A user's folders are closed to others here; a file takes over the rights of its folder.
    let _ = readers;
    options.open(path)
}

/// Of its own for each: the same file may be saved twice at once.
fn beside(to: &Path) -> PathBuf {
    static SAVED: AtomicU64 = AtomicU64::new(0);
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}-part", std::process::id(), SAVED.fetch_add(1, Ordering::Relaxed)));
    to.with_file_name(name)
}

fn failure(path: &Path, why: String) -> Failure {
    Failure { says: format!("{}: {why}", path.display()) }
}

#[cfg(test)]
mod tests {
    use super::{Readers::*, *};

    #[test]
    fn a_file_is_written_whole_and_what_cannot_be_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("a.witness");
        assert_eq!(write(b"one", &to, Usual), Ok(to.display().to_string()));
        assert_eq!(copy(&to, &to), Ok(to.display().to_string()));
        write(b"two", &to, Usual).expect("the dialog has asked");
        assert_eq!(fs::read(&to).expect("there"), b"two");
        assert!(
            write(b"x", &folder.path().join("no/such.witness"), Usual)
                .expect_err("refused")
                .says
                .contains("no such folder")
        );
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1, "no half-written file is left");
        let word = "age1c688k536mzuqszyp9ag94nxvza5s05hz2nnn28v7jls99mgmsg0q5xhm28";
        let sealed =
            sealed(b"two", &Recipient::parse(word).expect("one"), &folder.path().join("b.age")).expect("written");
        assert!(sealed.ends_with("b.age") && desk::sealed::is_encrypted(Path::new(&sealed)), "{sealed}");
    }

    #[cfg(unix)]
    #[test]
    fn what_holds_a_secret_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("a.witness-profile");
        write(b"old", &to, Usual).expect("writable");
        write(b"token", &to, Owner).expect("writable");
        let mode = fs::metadata(&to).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "also where a file of the usual rights stood");
    }
}
