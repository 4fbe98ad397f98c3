//! Encrypted reports: what opens one is asked for until it opens or nobody wants to any more. Passphrases and identities are
//! used and forgotten; of an identity file only its path is remembered, until its passphrase is given.

use super::{KEPT, OpenedBundles, Source, problem};
use crate::taking::file_name;
use crate::wire::{Asks, Failure, Locked, Taken};
use desk::{
    files,
    sealed::{self, Identities, Lock},
};
use record::Private;
use std::cell::Cell;
use std::path::{Path, PathBuf};

#[derive(Clone)]
pub struct LockedFile {
    id: String,
    path: PathBuf,
    lock: Lock,
    /// Itself under a passphrase.
    identity: Option<PathBuf>,
}

impl OpenedBundles {
    /// Opens it, or asks for what opens it.
    pub fn open_or_ask(&self, path: &Path) -> Result<Taken, Failure> {
        if !sealed::is_encrypted(path) {
            return Ok(Taken::Bundle { opened: self.open(path)? });
        }
        let lock = files::lock(path).map_err(|failure| Failure { says: problem(path, &failure) })?;
        let mut last = self.last();
        let id = last.next("locked");
        if last.locked.len() == KEPT {
            last.locked.remove(0);
        }
        let locked = LockedFile { id, path: path.to_owned(), lock, identity: None };
        last.locked.push(locked.clone());
        Ok(Taken::Locked { locked: locked.asks(None) })
    }

    /// Without a passphrase, where an identity was chosen that may need none.
    pub fn unlock(
        &self,
        id: &str,
        identity: Option<PathBuf>,
        passphrase: Option<&Private<String>>,
    ) -> Result<Taken, Failure> {
        let found = self.last().locked.iter().find(|locked| locked.id == id).cloned();
        let Some(mut locked) = found else {
            return Err(Failure { says: "this report is not asked for any more; open it again".into() });
        };
        let identity = identity.or_else(|| locked.identity.clone());
        let needed = Cell::new(false);
        let given = |_: &str| {
            needed.set(true);
            passphrase.cloned()
        };
        let opened = files::unsealed(&locked.path, &Identities { file: identity.clone(), passphrase: &given });
        let failure = match opened {
            Ok(bytes) => {
                self.last().locked.retain(|locked| locked.id != id);
                let opened = files::open_bytes(&bytes, &file_name(&locked.path))?;
                let opened = self.keep(&locked.path, &opened, Source::Unsealed(bytes));
                return Ok(Taken::Bundle { opened });
            }
            Err(failure) => failure,
        };
        let asked_for = needed.get() && passphrase.is_none();
        // It is said of the identity, so that its passphrase was not the right one.
        let of_identity = |path: &PathBuf| needed.get() && failure.says.starts_with(&path.display().to_string());
        let is_kept = asked_for || identity.as_ref().is_some_and(of_identity);
        let says = problem(identity.as_deref().filter(|_| is_kept).unwrap_or(&locked.path), &failure);
        let says = identity
            .as_deref()
            .map_or_else(|| says.clone(), |path| says.replace(&path.display().to_string(), &file_name(path)));
        locked.identity = identity.filter(|_| is_kept && locked.lock == Lock::Identity);
        let shown = locked.asks(Some(says).filter(|_| !asked_for));
        self.last().locked.iter_mut().filter(|one| one.id == id).for_each(|one| one.clone_from(&locked));
        Ok(Taken::Locked { locked: shown })
    }
}

impl LockedFile {
    fn asks(&self, says: Option<String>) -> Locked {
        let asks =
            if self.lock == Lock::Identity && self.identity.is_none() { Asks::Identity } else { Asks::Passphrase };
        let of = self.identity.as_deref().unwrap_or(&self.path);
        Locked { id: self.id.clone(), name: file_name(&self.path), asks, of: file_name(of), says }
    }
}

#[cfg(test)]
mod tests;
