//! Identity files: the secrets that open reports, as `age-keygen` writes them too: one a line, perhaps under a passphrase.

use super::{Identities, OUR_WORK, Sealed, looks_encrypted};
use crate::{Failure, files};
use age::{
    scrypt,
    secrecy::{ExposeSecret, SecretString},
    x25519,
};
use record::{Private, Wall};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// A few lines; hundreds of identities would be tried one by one.
const LARGEST: u64 = 64_000;
const SECRET: &str = "AGE-SECRET-KEY-1";

/// What a profile needs to know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewIdentity {
    pub recipient: String,
}

/// Makes one, and writes it where nothing is yet, for this account alone to read.
pub fn new_identity(path: &Path, made: Wall, passphrase: Option<&Private<String>>) -> Result<NewIdentity, Failure> {
    let key = x25519::Identity::generate();
    let recipient = key.to_public().to_string();
    let (day, secret) = (made.timestamp().strftime("%Y-%m-%d"), key.to_string());
    let text = format!(
        "# Linewitness identity, made {day}. Whoever has this file opens what is encrypted to its recipient.\n\
         # public key: {recipient}\n{}\n",
        secret.expose_secret()
    );
    let bytes = match passphrase {
        Some(passphrase) => {
            let mut to = scrypt::Recipient::new(SecretString::from(passphrase.reveal().clone()));
            to.set_work_factor(OUR_WORK);
            age::encrypt(&to, text.as_bytes()).map_err(|error| Failure::ours(super::one_line(&error.to_string())))?
        }
        None => text.into_bytes(),
    };
    let written = files::new_private(path).and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| Failure::bad_input(format!("{}: {}", path.display(), files::why_not_written(&error))))?;
    Ok(NewIdentity { recipient })
}

pub fn read(path: &Path, identities: &Identities) -> Result<Vec<x25519::Identity>, Failure> {
    let named = path.display().to_string();
    let refused = |says: &str| Failure::bad_input(format!("{named}: {says}"));
    let mut bytes = bytes_of(path).map_err(|error| refused(&files::why(&error)))?;
    if looks_encrypted(&bytes) {
        let sealed = Sealed::read(&bytes).map_err(refused)?;
        if !sealed.is_under_passphrase() {
            return Err(refused("this identity file is itself encrypted to somebody; decrypt it first"));
        }
        let Some(passphrase) = (identities.passphrase)(&named) else {
            return Err(refused(
                "this identity is protected with a passphrase; give it on a terminal, or in LINEWITNESS_PASSPHRASE",
            ));
        };
        bytes = sealed.open_with(&passphrase).map_err(|why| refused(&why.says()))?;
    }
    // Its lines are secrets: none is repeated in what is said of it.
    let mut keys = Vec::new();
    for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        keys.push(line.parse().map_err(|_| {
            refused(&format!("line {} is no identity that this version knows; they begin with {SECRET}", index + 1))
        })?);
    }
    if keys.is_empty() {
        return Err(refused("this file holds no identity; `linewitness identity FILE` makes one"));
    }
    Ok(keys)
}

fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("this is too large for an identity file"));
    }
    Ok(bytes)
}
