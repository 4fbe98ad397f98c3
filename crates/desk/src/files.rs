//! Finding and opening what the commands are given: profiles, bundles, run folders; one sentence for each that cannot be.

use crate::{
    Failure,
    sealed::{self, Identities, Lock},
    shared::Shared,
};
use engine::runs;
use record::{
    About, Damage, Heard, Log, Private, Profile,
    bundle::{self, Bundle, Verified},
    profile,
};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

/// A log to explain, with what the bundle says about itself.
#[derive(Debug)]
pub struct Opened {
    pub about: About,
    pub log: Log,
    /// As used, without its secrets.
    pub profile: Option<String>,
    pub damage: Vec<Damage>,
    /// As the version said that wrote it.
    verdict: Option<Vec<u8>>,
}

impl Opened {
    /// What is to stand above everything that is said of it.
    pub fn warning(&self, story: &explain::Story) -> Option<String> {
        let otherwise = self.verdict.as_deref().and_then(|written| told_otherwise(written, story));
        warning(&self.damage).into_iter().chain(otherwise).reduce(|one, other| format!("{one} {other}"))
    }
}

/// Where today's rules name another cause, owner or confidence than the file's own verdict and page do.
fn told_otherwise(written: &[u8], story: &explain::Story) -> Option<String> {
    let gist = |verdict: &Value| {
        let drops = verdict["drops"].as_array().cloned().unwrap_or_default();
        let drop = |drop: &Value| ["plane", "cause", "owner", "confidence"].map(|part| drop[part].clone());
        drops.iter().map(drop).collect::<Vec<_>>()
    };
    let then: Value = serde_json::from_slice(written).ok()?;
    let now = serde_json::to_value(&story.head).ok()?;
    let said = Heard::new(then["headline"].as_str()?);
    (gist(&then) != gist(&now)).then(|| {
        format!("The page inside this file was made by another version and says: \u{201c}{said}\u{201d} What follows replaces it; give away a page made anew, and not that one.")
    })
}

/// Stands above everything said of a file that is not as it was written: whoever reads on must know.
pub fn warning(damage: &[Damage]) -> Option<String> {
    let (first, rest) = damage.split_first()?;
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
    Some(format!(
        "CAUTION: this recording is damaged or was altered: {first}{more}. What follows is said of what could be read."
    ))
}

/// Opens a bundle or a run folder, and what could be read of it.
pub fn open(path: &Path) -> Result<Opened, Failure> {
    open_with(path, &Identities::NONE)
}

/// As `open`, of an encrypted bundle too.
pub fn open_with(path: &Path, identities: &Identities) -> Result<Opened, Failure> {
    let name = path.display();
    if path.is_dir() {
        let (about, log, profile, damage) = runs::read(path)
            .map_err(|error| Failure::bad_input(format!("{name}: this folder does not hold a run: {error}")))?;
        return Ok(Opened { about, log, profile, damage, verdict: None });
    }
    let verified = verify(path, identities)?;
    Ok(opened(verified))
}

/// As `open`, of a bundle that lies in memory; `name` as its user knows it.
pub fn open_bytes(bytes: &[u8], name: &str) -> Result<Opened, Failure> {
    let verified =
        bundle::verify(Cursor::new(bytes)).map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
    Ok(opened(verified))
}

fn opened(verified: Verified) -> Opened {
    let Bundle { about, log, verdict, profile } = verified.bundle;
    Opened { about, log, profile, damage: verified.damage, verdict }
}

/// What lies in an encrypted file.
pub fn unsealed(path: &Path, identities: &Identities) -> Result<Vec<u8>, Failure> {
    sealed::open(&sealed_bytes(path)?, &path.display().to_string(), identities)
}

/// With what an encrypted file is locked, as far as it is whole.
pub fn lock(path: &Path) -> Result<Lock, Failure> {
    sealed::lock(&sealed_bytes(path)?, &path.display().to_string())
}

fn sealed_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(sealed::LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| Failure::bad_input(format!("{}: {}", path.display(), why(&error))))?;
    Ok(bytes)
}

/// Reads a bundle to its last byte, and says what each part of it showed.
pub fn verify(path: &Path, identities: &Identities) -> Result<bundle::Verified, Failure> {
    let name = path.display();
    bundle::verify(decrypted(path, identities)?).map_err(|error| Failure::bad_input(format!("{name}: {error}")))
}

/// A bundle's bytes: of an encrypted one, what lies in it.
fn decrypted(path: &Path, identities: &Identities) -> Result<Box<dyn Bytes>, Failure> {
    let name = path.display().to_string();
    let unreadable = |error: io::Error| Failure::bad_input(format!("{name}: {}", why(&error)));
    let file = File::open(path).map_err(unreadable)?;
    if !sealed::is_encrypted(path) {
        return Ok(Box::new(BufReader::new(file)));
    }
    Ok(Box::new(Cursor::new(unsealed(path, identities)?)))
}

trait Bytes: Read + Seek {}
impl<T: Read + Seek> Bytes for T {}

/// Reads a profile, and the certificate authority it may name by path.
pub fn profile(path: &Path) -> Result<Profile, Failure> {
    let name = path.display();
    let bytes = some_of(path).map_err(|error| Failure::bad_input(format!("{name}: {}", why(&error))))?;
    if sealed::looks_encrypted(&bytes) {
        return Err(Failure::bad_input(format!(
            "{name}: this is an encrypted report and no profile; `linewitness explain` opens it"
        )));
    }
    let mut profile = profile::read(&bytes).map_err(|refusal| Failure::bad_input(format!("{name}: {refusal}")))?;
    if let Some(ca) = &profile.signaling.ca
        && !ca.contains("-----BEGIN")
    {
        profile.signaling.ca = Some(pem(&beside(path, ca)?)?);
    }
    Ok(profile)
}

/// A profile is a stranger's file: what it names is a file beside it, and nothing else of this computer.
fn beside(profile: &Path, named: &str) -> Result<PathBuf, Failure> {
    let profile_at = std::path::absolute(profile).unwrap_or_else(|_| profile.to_owned());
    let folder = profile_at.parent().unwrap_or(Path::new(""));
    // Judged by its letters: to ask the system for a path of another computer is to go there.
    let at = folder.join(named);
    match at.file_name() {
        Some(_) if at.parent() == Some(folder) => Ok(at),
        _ => Err(Failure::bad_input(format!(
            "{}: ca is the name of a file beside the profile, or the certificate's text, and no other path",
            profile.display()
        ))),
    }
}

/// The certificates of a PEM file; a private key beside them in it is left there.
pub fn pem(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let bytes = some_of(path).map_err(|error| Failure::bad_input(format!("{name}: {}", why(&error))))?;
    profile::certificates_in(&String::from_utf8_lossy(&bytes)).ok_or_else(|| {
        Failure::bad_input(format!(
            "{name}: this holds no certificate as PEM; it should begin with -----BEGIN CERTIFICATE-----"
        ))
    })
}

/// Of a file, and as much as profiles and certificates may be long: a device has no end.
fn some_of(path: &Path) -> io::Result<Vec<u8>> {
    const MOST: u64 = 1_000_000;
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("this is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses a name that is taken before an hour of holding, not after.
pub fn free(out: PathBuf) -> Result<PathBuf, Failure> {
    if out.is_dir() {
        return Err(Failure::bad_input(format!("{}: this is a folder; name a file in it", out.display())));
    }
    if out.exists() {
        return Err(Failure::bad_input(format!(
            "{}: this file exists, and nothing is overwritten; choose another name",
            out.display()
        )));
    }
    let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::bad_input(format!("{}: there is no such folder", folder.display())));
    }
    Ok(out)
}

/// Whether a bundle can be written there at all is tried before the hold, not after hours of it.
pub fn writable(out: Option<&Path>) -> Result<(), Failure> {
    let folder = out.and_then(Path::parent).filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let trial = folder.join(format!(".linewitness-{}", std::process::id()));
    File::create_new(&trial).and_then(|_| fs::remove_file(&trial)).map_err(|error| {
        Failure::bad_input(format!(
            "{}: the bundle could not be written here ({}); name another place",
            here(folder),
            why_not_written(&error)
        ))
    })
}

fn here(folder: &Path) -> String {
    match std::env::current_dir() {
        Ok(current) if folder == Path::new(".") => current.display().to_string(),
        _ => folder.display().to_string(),
    }
}

/// As `why`, of a file that was to be made.
pub fn why_not_written(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such folder".into(),
        ErrorKind::PermissionDenied => "this account may not write here".into(),
        _ => why(error),
    }
}

pub fn why(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".into(),
        ErrorKind::PermissionDenied => "this account may not open it".into(),
        ErrorKind::AlreadyExists => "this file exists, and nothing is overwritten".into(),
        ErrorKind::StorageFull => "the disk is full".into(),
        ErrorKind::QuotaExceeded => "this account may use no more of the disk".into(),
        ErrorKind::FileTooLarge => "the file would be larger than it may be here".into(),
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only".into(),
        _ => error.to_string(),
    }
}

/// Which run this is and what recorded it, for whoever wants to ask back.
pub fn provenance(about: &About) -> String {
    let place = [about.platform.version.as_str(), about.platform.arch.as_str()];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let by = if about.app.is_empty() { "an unknown version".into() } else { format!("Linewitness {}", about.app) };
    match place.is_empty() {
        true => format!("Run {}, recorded by {by}.", about.run),
        false => format!("Run {}, recorded by {by} on {}.", about.run, place.join(", ")),
    }
}

/// The report for a browser can be made from the rest at any time: where there is no room for it, the rest goes first.
const WITHOUT_REPORT: &str = "there was no room for report.html; `linewitness report BUNDLE --html FILE` makes it";

/// The run in `folder` as one file, with its story for whoever opens it without Linewitness. `caution`: what is to stand
/// above that story; `key`: what its names are made with. Gives what was not done beside it, in words.
pub fn write_bundle(
    folder: &Path,
    about: &About,
    story: &explain::Story,
    caution: Option<&str>,
    key: Option<&Private<String>>,
    out: &Path,
) -> io::Result<Vec<String>> {
    let shared = Shared::of(folder, about, key)?;
    let (about, story) = (&shared.about, shared.story().unwrap_or(story));
    let (verdict, report) = (verdict_json(story), explain::report::html(story, caution));
    let told = [&shared.members()[..], &[(bundle::VERDICT, verdict.as_bytes())]].concat();
    let no_room = |error: &io::Error| {
        matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
    };
    let whole = [&told[..], &[(bundle::REPORT, report.as_bytes())]].concat();
    let (left_out, forgotten) = match runs::write_bundle(folder, about, &whole, out) {
        Ok(forgotten) => (None, forgotten),
        Err(error) if no_room(&error) && !out.exists() => {
            (Some(WITHOUT_REPORT.to_owned()), runs::write_bundle(folder, about, &told, out)?)
        }
        Err(error) => return Err(error),
    };
    let forgotten = forgotten.map(|error| {
        let run = &about.run;
        let why = why(&error);
        format!(
            "that there is a bundle could not be noted ({why}), and the run will be offered again; `linewitness runs --delete {run}` removes it"
        )
    });
    Ok(left_out.into_iter().chain(forgotten).chain(shared.not_done).collect())
}

/// A new file that this account alone may read. On Windows that is for the folder to say.
pub fn new_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// `verdict.json` as the contract words it.
pub fn verdict_json(story: &explain::Story) -> String {
    serde_json::to_string_pretty(&story.head).expect("a verdict holds text and numbers, which JSON can write")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n";

    #[test]
    fn what_another_version_made_of_a_file_is_told_where_it_differs() {
        let story = explain::story(&Log::default());
        let alike = verdict_json(&story);
        assert_eq!(told_otherwise(alike.as_bytes(), &story), None);
        let drop = r#"{ "plane": "media", "cause": "path_lost", "owner": "internet_path", "confidence": "shown" }"#;
        let other = format!(r#"{{ "headline": "Internet path: the path was lost \u0007(Shown)", "drops": [{drop}] }}"#);
        let says = told_otherwise(other.as_bytes(), &story).expect("it is said");
        assert!(says.contains("the path was lost") && !says.contains('\u{7}'), "{says}");
        assert_eq!(told_otherwise(b"no JSON", &story), None);
    }

    #[test]
    fn a_profile_names_a_file_beside_it_and_takes_no_key_along() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("mail")).expect("made");
        fs::write(at("both.pem"), format!("{KEY}{CERTIFICATE}")).expect("written");
        fs::write(at("mail/both.pem"), format!("{KEY}{CERTIFICATE}")).expect("written");
        let read = |ca: &str| {
            let text = format!("[signaling]\nurl = \"wss://far.example/\"\nca = {ca:?}\n");
            fs::write(at("mail/acme.witness-profile"), text).expect("written");
            profile(&at("mail/acme.witness-profile"))
                .map(|profile| profile.signaling.ca)
                .map_err(|refused| refused.says)
        };
        assert_eq!(read("both.pem"), Ok(Some(CERTIFICATE.to_owned())));
        assert_eq!(read(at("mail/both.pem").to_str().expect("text")), Ok(Some(CERTIFICATE.to_owned())));
        for other in ["../both.pem", at("both.pem").to_str().expect("text"), "mail/../../both.pem", "..", "/dev/zero"] {
            assert!(read(other).expect_err(other).contains("beside the profile"), "{other}");
        }
        assert!(read("mail").expect_err("a folder").contains("there is no such file"));
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        assert!(some_of(Path::new("/dev/zero")).is_err() || cfg!(windows));
        assert!(pem(&std::env::temp_dir()).is_err());
    }
}
