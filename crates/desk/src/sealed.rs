//! Reports that their recipient alone can open: encrypted as age files (age-encryption.org/v1), which `age` and `rage` read
//! and write as well.
//!
//! An age file is a stranger's. What it may cost is bounded before anything of it is computed: its header, what it unpacks to,
//! and the work that a passphrase asks for.

use crate::Failure;
use age::{DecryptError, Decryptor, armor::ArmoredReader, scrypt, secrecy::SecretString, x25519};
use record::{Private, profile::Recipient};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

mod identity;

pub use identity::{NewIdentity, new_identity};

/// What an encrypted file is called at its end.
pub const END: &str = "age";
const BINARY: &[u8] = b"age-encryption.org/";
const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// A day of the densest log packs to a tenth of this.
pub(crate) const LARGEST: u64 = 256_000_000;
/// Of one recipient it is 200 bytes. The library reads a header over again for each of its lines.
const LONGEST_HEADER: usize = 16_384;
/// 2^18 is what age itself asks for, a second and 256 MB; 2^20 is what a fast computer's `rage` may choose, and takes 1 GB.
const MOST_WORK: u8 = 20;
const OUR_WORK: u8 = 18;

/// What may open an encrypted report.
pub struct Identities<'a> {
    /// A file with identities, itself perhaps under a passphrase.
    pub file: Option<PathBuf>,
    /// Asks for the passphrase of what is named; nothing where nobody can be asked.
    pub passphrase: &'a dyn Fn(&str) -> Option<Private<String>>,
}

impl Identities<'_> {
    /// Opens plain files alone.
    pub const NONE: Self = Self { file: None, passphrase: &|_| None };
}

/// By its first bytes: a mail program may have given it another name.
pub fn is_encrypted(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(ARMOR.len() as u64).read_to_end(&mut start));
    read.is_ok() && looks_encrypted(&start)
}

pub fn looks_encrypted(start: &[u8]) -> bool {
    start.starts_with(BINARY) || start.starts_with(ARMOR)
}

/// The file that is given away instead of this one.
pub fn name(plain: &Path) -> PathBuf {
    if plain.extension().is_some_and(|end| end == END) {
        return plain.to_owned();
    }
    let mut name = plain.as_os_str().to_owned();
    name.push(".");
    name.push(END);
    PathBuf::from(name)
}

pub fn seal(bytes: &[u8], recipient: &Recipient) -> io::Result<Vec<u8>> {
    let recipient: x25519::Recipient = recipient.as_str().parse().map_err(io::Error::other)?;
    age::encrypt(&recipient, bytes).map_err(|error| io::Error::other(one_line(&error.to_string())))
}

/// What lies in an encrypted file, or why it cannot be had, in one sentence. `named`: as its user knows it.
pub fn open(bytes: &[u8], named: &str, identities: &Identities) -> Result<Vec<u8>, Failure> {
    let refused = |says: String| Failure::bad_input(format!("{named}: {says}"));
    let sealed = read(bytes, named)?;
    if sealed.is_under_passphrase() {
        let Some(passphrase) = (identities.passphrase)(named) else {
            return Err(refused(
                "this file is protected with a passphrase; give it on a terminal, or in LINEWITNESS_PASSPHRASE".into(),
            ));
        };
        return sealed.open_with(&passphrase).map_err(|why| refused(why.says()));
    }
    let Some(file) = &identities.file else {
        return Err(refused(
            "this report is encrypted, and does not say to whom; who has the identity for it opens it with --identity FILE, or with that file's path in LINEWITNESS_IDENTITY".into(),
        ));
    };
    let keys = identity::read(file, identities)?;
    sealed.open(keys.iter().map(|key| key as &dyn age::Identity)).map_err(|why| refused(why.says()))
}

/// What an encrypted file asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lock {
    Identity,
    Passphrase,
}

pub fn lock(bytes: &[u8], named: &str) -> Result<Lock, Failure> {
    let sealed = read(bytes, named)?;
    Ok(if sealed.is_under_passphrase() { Lock::Passphrase } else { Lock::Identity })
}

fn read(bytes: &[u8], named: &str) -> Result<Sealed, Failure> {
    let refused = |says: &str| Failure::bad_input(format!("{named}: {says}"));
    if bytes.len() as u64 > LARGEST {
        return Err(refused(&Locked::TooLarge.says()));
    }
    Sealed::read(bytes).map_err(refused)
}

/// An age file whose header was read, in bounds.
struct Sealed(Decryptor<io::Cursor<Vec<u8>>>);

/// Why it did not open.
enum Locked {
    NotForThis,
    WrongPassphrase,
    TooMuchWork(u8),
    TooLarge,
    Damaged,
}

const NOT_WHOLE: &str = "this encrypted file is not whole: it was cut or changed on its way; ask for it again";

impl Sealed {
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut bytes = bytes.to_vec();
        if bytes.starts_with(ARMOR) {
            let mut within = Vec::new();
            let read = ArmoredReader::new(io::Cursor::new(bytes)).take(LARGEST).read_to_end(&mut within);
            read.map_err(|_| NOT_WHOLE)?;
            bytes = within;
        }
        let start = &bytes[..bytes.len().min(LONGEST_HEADER)];
        if !start.windows(4).any(|part| part == b"\n---") {
            return Err(if bytes.len() > LONGEST_HEADER {
                "the header of this encrypted file is longer than one for a few recipients can be; it was not opened"
            } else {
                NOT_WHOLE
            });
        }
        Decryptor::new_buffered(io::Cursor::new(bytes)).map(Self).map_err(|error| match error {
            DecryptError::UnknownFormat => {
                "this file is encrypted in a format newer than this version knows; install the latest version"
            }
            _ => NOT_WHOLE,
        })
    }

    fn is_under_passphrase(&self) -> bool {
        self.0.is_scrypt()
    }

    fn open_with(self, passphrase: &Private<String>) -> Result<Vec<u8>, Locked> {
        let mut key = scrypt::Identity::new(SecretString::from(passphrase.reveal().clone()));
        key.set_max_work_factor(MOST_WORK);
        self.open(std::iter::once(&key as &dyn age::Identity)).map_err(|why| match why {
            // The key that the passphrase gives opens the header or does not.
            Locked::NotForThis => Locked::WrongPassphrase,
            why => why,
        })
    }

    fn open<'a>(self, keys: impl Iterator<Item = &'a dyn age::Identity>) -> Result<Vec<u8>, Locked> {
        let within = self.0.decrypt(keys).map_err(|error| match error {
            DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed => Locked::NotForThis,
            DecryptError::ExcessiveWork { required, .. } => Locked::TooMuchWork(required),
            _ => Locked::Damaged,
        })?;
        let mut bytes = Vec::new();
        within.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|_| Locked::Damaged)?;
        if bytes.len() as u64 > LARGEST { Err(Locked::TooLarge) } else { Ok(bytes) }
    }
}

impl Locked {
    fn says(&self) -> String {
        match self {
            Self::NotForThis => "this report is encrypted to somebody else: the identity given does not open it, and the file does not say whose does; ask its sender for whom the profile was made".into(),
            Self::WrongPassphrase => "the passphrase does not open this file".into(),
            Self::TooMuchWork(work) => format!("this file asks for more work than any passphrase needs (2^{work}); it was not opened"),
            Self::TooLarge => format!("this file holds more than {} MB, which no report does; it was not opened", LARGEST / 1_000_000),
            Self::Damaged => NOT_WHOLE.into(),
        }
    }
}

/// The library's words, which may be lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
