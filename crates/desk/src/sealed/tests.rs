use super::*;
use std::fs;

fn nobody(_: &str) -> Option<Private<String>> {
    None
}
fn secret(_: &str) -> Option<Private<String>> {
    Some(Private::new("correct horse".into()))
}

struct Keys {
    folder: tempfile::TempDir,
    recipient: Recipient,
}

impl Keys {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = new_identity(&folder.path().join("key"), record::Wall::from_micros(0), None).expect("written");
        Self { recipient: Recipient::parse(&made.recipient).expect("one of ours"), folder }
    }
    fn file(&self) -> Identities<'static> {
        Identities { file: Some(self.folder.path().join("key")), passphrase: &nobody }
    }
    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> Identities<'static> {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).expect("writable");
        Identities { file: Some(path), passphrase: &secret }
    }
}

/// With little work, so that tests are soon over.
fn under_passphrase(bytes: &[u8], work: u8) -> Vec<u8> {
    let mut to = scrypt::Recipient::new(SecretString::from("correct horse".to_owned()));
    to.set_work_factor(work);
    age::encrypt(&to, bytes).expect("memory")
}

#[track_caller]
fn refused(bytes: &[u8], identities: &Identities) -> String {
    let says = open(bytes, "a.age", identities).expect_err("refused").says;
    assert!(!says.contains('\n') && says.chars().count() < 400, "{says}");
    says
}

#[test]
fn what_is_sealed_opens_for_its_recipient_and_nobody_else() {
    let (ours, others) = (Keys::new(), Keys::new());
    for size in [0, 1, 65_535, 65_536, 200_000] {
        let plain = vec![7; size];
        let sealed = seal(&plain, &ours.recipient).expect("memory");
        assert!(looks_encrypted(&sealed) && !sealed.windows(8).any(|part| part == [7; 8]));
        assert_eq!(open(&sealed, "a.age", &ours.file()).expect("ours"), plain);
        assert!(refused(&sealed, &others.file()).contains("encrypted to somebody else"));
        let says = refused(&sealed, &Identities::NONE);
        assert!(says.contains("--identity FILE") && says.contains("does not say to whom"), "{says}");
    }
}

#[test]
fn text_armour_and_a_passphrase_alone_open_too() {
    let ours = Keys::new();
    let recipient: x25519::Recipient = ours.recipient.as_str().parse().expect("one");
    let armoured = age::encrypt_and_armor(&recipient, b"plain").expect("memory");
    assert_eq!(open(armoured.as_bytes(), "a.age", &ours.file()).expect("ours"), b"plain");

    let sealed = under_passphrase(b"plain", 4);
    assert_eq!(open(&sealed, "a.age", &Identities { file: None, passphrase: &secret }).expect("known"), b"plain");
    assert!(refused(&sealed, &Identities::NONE).contains("LINEWITNESS_PASSPHRASE"));
    let wrong = Identities { file: None, passphrase: &|_| Some(Private::new("x".into())) };
    assert!(refused(&sealed, &wrong).contains("the passphrase does not open"));
}

#[test]
fn an_identity_file_under_a_passphrase_opens_and_one_that_is_none_is_told_without_its_lines() {
    let ours = Keys::new();
    let sealed = seal(b"plain", &ours.recipient).expect("memory");
    let key = fs::read(ours.folder.path().join("key")).expect("there");
    let locked = ours.put("locked", under_passphrase(&key, 4));
    assert_eq!(open(&sealed, "a.age", &locked).expect("ours"), b"plain");
    let silent = Identities { passphrase: &nobody, ..ours.put("silent", under_passphrase(&key, 4)) };
    assert!(refused(&sealed, &silent).contains("this identity is protected"));

    let says = refused(&sealed, &ours.put("odd", "# mine\n\nAGE-SECRET-KEY-1HUNTER2\n"));
    assert!(says.contains("line 3") && !says.contains("HUNTER2"), "{says}");
    assert!(refused(&sealed, &ours.put("empty", "# nothing\n")).contains("holds no identity"));
    assert!(refused(&sealed, &ours.put("large", vec![b'#'; 100_000])).contains("too large"));
    assert!(refused(&sealed, &ours.put("other", &sealed)).contains("itself encrypted"));
    let gone = Identities { file: Some(ours.folder.path().join("gone")), passphrase: &nobody };
    assert!(refused(&sealed, &gone).contains("no such file"));
}

#[test]
fn a_cut_or_changed_file_is_said_to_be_that() {
    let ours = Keys::new();
    let sealed = seal(&vec![7; 100_000], &ours.recipient).expect("memory");
    for at in (0..sealed.len()).step_by(997).chain(0..250) {
        let cut = open(&sealed[..at], "a.age", &ours.file());
        assert!(cut.is_err(), "cut at {at}");
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        // Of a line for another recipient, which age puts in for exercise, even the seal of the header tells.
        assert!(open(&changed, "a.age", &ours.file()).is_err(), "changed at {at}");
    }
    assert!(refused(&sealed[..sealed.len() - 1], &ours.file()).contains("not whole"));
    assert!(refused(&sealed[..70_000], &ours.file()).contains("not whole"));
}

#[test]
fn a_hostile_file_costs_little_and_says_one_sentence() {
    let known = Identities { file: None, passphrase: &secret };
    let mut heavy = under_passphrase(b"plain", 4);
    let at = heavy.windows(3).position(|part| part == b" 4\n").expect("its work");
    heavy.splice(at + 1..at + 2, *b"40");
    assert!(refused(&heavy, &known).contains("2^40"), "{}", refused(&heavy, &known));
    heavy.splice(at + 1..at + 3, *b"99");
    refused(&heavy, &known);
    // A header of a hundred thousand lines, each for a recipient.
    let mut long = b"age-encryption.org/v1\n".to_vec();
    long.extend_from_slice(&b"-> X25519 a\n\n".repeat(100_000));
    assert!(refused(&long, &known).contains("header"));
    for odd in [
        "age-encryption.org/v2\n--- x\n",
        "age-encryption.org/",
        "age-encryption.org/v1\n---",
        "-----BEGIN AGE ENCRYPTED FILE-----\n",
    ] {
        refused(odd.as_bytes(), &known);
    }
}

#[cfg(unix)]
#[test]
fn an_identity_is_for_this_account_alone_and_never_written_over() {
    use std::os::unix::fs::PermissionsExt;
    let ours = Keys::new();
    let path = ours.folder.path().join("key");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    let before = fs::read(&path).expect("there");
    let again = new_identity(&path, record::Wall::from_micros(0), None).expect_err("the name is taken");
    assert!(again.says.contains("nothing is overwritten"), "{}", again.says);
    assert_eq!(fs::read(&path).expect("there"), before);
}

#[test]
fn a_name_gets_its_end_once() {
    assert_eq!(name(Path::new("a/call.witness")), Path::new("a/call.witness.age"));
    assert_eq!(name(Path::new("call.witness.age")), Path::new("call.witness.age"));
    assert_eq!(name(Path::new("call")), Path::new("call.age"));
}
