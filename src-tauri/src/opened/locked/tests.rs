use super::*;
use crate::tests::hostile;
use crate::wire::Opened;
use desk::sealed::new_identity;
use record::Wall;

struct Asked {
    bundles: OpenedBundles,
    folder: tempfile::TempDir,
    id: String,
}

fn asked() -> Asked {
    let bundles = OpenedBundles::default();
    let Taken::Locked { locked } = bundles.open_or_ask(&sealed()).expect("it is whole") else { panic!("it is open") };
    assert_eq!((locked.asks, locked.name.as_str(), locked.says), (Asks::Identity, "relay-restarted.witness.age", None));
    Asked { bundles, folder: tempfile::tempdir().expect("a folder"), id: locked.id }
}

fn sealed() -> PathBuf {
    hostile().with_file_name("relay-restarted.witness.age")
}

fn key() -> PathBuf {
    hostile().with_file_name("TEST-KEY.txt")
}

impl Asked {
    fn other(&self, name: &str, passphrase: Option<&str>) -> PathBuf {
        let path = self.folder.path().join(name);
        let passphrase = passphrase.map(|text| Private::new(text.to_owned()));
        new_identity(&path, Wall::from_micros(0), passphrase.as_ref()).expect("written");
        path
    }
    fn tries(&self, identity: Option<PathBuf>, passphrase: Option<&str>) -> Result<Opened, Locked> {
        let passphrase = passphrase.map(|text| Private::new(text.to_owned()));
        match self.bundles.unlock(&self.id, identity, passphrase.as_ref()).expect("it is asked for") {
            Taken::Bundle { opened } => Ok(opened),
            Taken::Locked { locked } => Err(locked),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_wrong_identity_is_said_in_a_sentence_and_the_right_one_opens_it() {
    let asked = asked();
    let locked = asked.tries(Some(asked.other("other.key", None)), None).expect_err("another's");
    let says = locked.says.expect("a sentence");
    assert!(locked.asks == Asks::Identity && says.contains("encrypted to somebody else"), "{says}");
    assert!(says.starts_with("relay-restarted.witness.age: "), "no path of this computer: {says}");
    let none = asked.tries(Some(hostile()), None).expect_err("no identity").says.expect("a sentence");
    assert!(none.starts_with("hostile.witness: "), "{none}");

    let opened = asked.tries(Some(key()), None).expect("its own");
    assert!(!opened.update.head.drops.is_empty());
    assert!(asked.bundles.unlock(&asked.id, Some(key()), None).is_err(), "it is asked for no more");

    // What is saved of it stays encrypted.
    let kept = asked.bundles.find(&opened.id).expect("just opened");
    let to = asked.folder.path().join("copy.age");
    kept.save(None, &to).expect("saved");
    assert!(sealed::is_encrypted(&to) && kept.given().expect("a name").0.ends_with(".witness.age"));
    assert!(kept.how().expect("known").expect("a sentence").contains("encrypted"));
}

#[test]
fn an_identity_under_a_passphrase_is_asked_for_it_until_it_opens() {
    let asked = asked();
    let identity = asked.other("desk.key", Some("correct horse"));
    let locked = asked.tries(Some(identity), None).expect_err("under a passphrase");
    assert_eq!((locked.asks, locked.of.as_str(), locked.says), (Asks::Passphrase, "desk.key", None));
    let wrong = asked.tries(None, Some("battery staple")).expect_err("the wrong one");
    assert_eq!(wrong.asks, Asks::Passphrase);
    assert_eq!(wrong.says.as_deref(), Some("desk.key: the passphrase does not open this file"));
    // It opens now, and is another's.
    let other = asked.tries(None, Some("correct horse")).expect_err("another's");
    assert_eq!(other.asks, Asks::Identity);
    asked.tries(Some(key()), None).expect("its own");
}
