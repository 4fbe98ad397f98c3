//! Bundles that were opened. A bundle is a stranger's file: its text becomes words to show, and nothing else.

use crate::taking::{BUNDLE, file_name};
use crate::wire::{Failure, Opened};
use desk::{files, giving, kept, recover, sealed};
use explain::Story;
use record::profile::Recipient;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The stories of the last few: the page asks for their previews and reports.
#[derive(Default)]
pub struct OpenedBundles(Mutex<(u64, Vec<Arc<Kept>>)>);

pub struct Kept {
    pub id: String,
    pub path: PathBuf,
    pub story: Story,
    /// What is said above the story of a file that is not as it was written.
    caution: Option<String>,
}

const KEPT: usize = 8;

impl OpenedBundles {
    /// By path, or by the name of a run that this computer still has.
    pub fn open_run_or_path(&self, run_or_path: &str) -> Result<Opened, Failure> {
        match kept::bundle_of(run_or_path) {
            Some(bundle) => self.open(&bundle),
            None => self.open(&crate::taking::path(run_or_path)),
        }
    }

    pub fn open(&self, path: &Path) -> Result<Opened, Failure> {
        let opened = files::open(path)?;
        let story = explain::story(&opened.log);
        let caution = opened.warning();
        let id = self.keep(path, &story, caution.clone());
        Ok(Opened {
            id,
            title: title(&story),
            path: Some(path.display().to_string()),
            caution,
            provenance: files::provenance(&opened.about),
            update: explain::update(None, &story),
        })
    }

    /// Makes the bundle of a run that broke off, and opens it.
    pub fn recover(&self, run: &str) -> Result<Opened, Failure> {
        let broken = recover::broken_off()?.into_iter().find(|found| found.about.run.to_string() == run);
        let Some(found) = broken else {
            return Err(Failure { says: "that run is not here any more, or it has its report already".into() });
        };
        let out = files::free(kept::folder()?.join(recover::bundle_name(&found.about.run)))?;
        let written = recover::recover(&found, &out)?.written;
        self.open(&written.plain)
    }

    pub fn find(&self, id: &str) -> Result<Arc<Kept>, Failure> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.1.iter().find(|kept| kept.id == id).cloned();
        found.ok_or_else(|| Failure { says: "this report is not open any more; open it again".into() })
    }

    fn keep(&self, path: &Path, story: &Story, caution: Option<String>) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let id = format!("opened-{}", kept.0);
        if kept.1.len() == KEPT {
            kept.1.remove(0);
        }
        kept.1.push(Arc::new(Kept { id: id.clone(), path: path.to_owned(), story: story.clone(), caution }));
        id
    }
}

impl Kept {
    /// "2026-11-21 1002 Acme support.witness", in local time. Names are a stranger's: of them only what every system lets
    /// stand in a file's name.
    pub fn file(&self, end: &str) -> String {
        let began = self.story.head.started.timestamp().to_zoned(jiff::tz::TimeZone::system());
        let plain = |c: char| if c.is_alphanumeric() || " -_".contains(c) { c } else { ' ' };
        let title: String = title(&self.story).chars().map(plain).take(60).collect();
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{} {title}.{end}", began.strftime("%Y-%m-%d %H%M"))
    }

    /// The report for a browser.
    pub fn report(&self) -> String {
        explain::report::html(&self.story, self.caution.as_deref())
    }

    pub fn bundle_file(&self) -> String {
        self.file(BUNDLE)
    }

    /// What it is called when it leaves this computer, and for whom it is encrypted then: a profile that asks for that has its
    /// report leave in no other way.
    pub fn given(&self) -> Result<(String, Option<Recipient>), Failure> {
        let recipient = giving::recipient_of(&self.path)?;
        let plain = self.bundle_file();
        Ok(if recipient.is_some() { (format!("{plain}.{}", sealed::END), recipient) } else { (plain, None) })
    }
}

pub fn title(story: &Story) -> String {
    match (story.setup.self_test, story.setup.name.as_str(), story.setup.to.as_str()) {
        (true, ..) => "Self-test".into(),
        (_, "", "") => "A call".into(),
        (_, "", to) => format!("A call to {to}"),
        (_, name, _) => name.to_owned(),
    }
}

/// As it is shown in a list of problems.
pub fn problem(path: &Path, failure: &desk::Failure) -> String {
    let (name, full) = (file_name(path), path.display().to_string());
    failure.says.replace(&full, &name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{hostile, recording};

    #[test]
    fn a_recording_of_the_lab_is_opened_with_its_cause() {
        let bundles = OpenedBundles::default();
        let opened = bundles.open(&recording("idler_drops_a_quiet_call")).expect("a bundle");
        assert_eq!(opened.caution, None);
        assert!(opened.update.head.headline.contains("quiet connections are ended"), "{}", opened.update.head.headline);
        let kept = bundles.find(&opened.id).expect("just opened");
        assert!(kept.bundle_file().ends_with(".witness"), "{}", kept.bundle_file());
    }

    #[test]
    fn a_hostile_bundle_is_words_and_never_a_path() {
        let bundles = OpenedBundles::default();
        let opened = bundles.open(&hostile()).expect("it is opened");
        assert!(opened.caution.is_some());
        let file = bundles.find(&opened.id).expect("just opened").bundle_file();
        assert!(!file.contains(['/', '\\', '<', '>', ':']) && file.chars().count() < 100, "{file}");
        let json = serde_json::to_string(&opened).expect("it can be sent");
        assert!(json.len() < 1_000_000, "{}", json.len());
    }

    #[test]
    fn an_encrypted_report_is_told_as_one_and_kept_ones_of_others_are_saved_as_they_are() {
        let bundles = OpenedBundles::default();
        let path = hostile().with_file_name("relay-restarted.witness.age");
        let says = bundles.open(&path).expect_err("nobody gave its identity").says;
        assert!(says.contains("encrypted") && says.contains("LINEWITNESS_IDENTITY"), "{says}");
        let opened = bundles.open(&recording("idler_drops_a_quiet_call")).expect("a bundle");
        let (name, recipient) = bundles.find(&opened.id).expect("just opened").given().expect("readable");
        assert!(recipient.is_none() && name.ends_with(".witness"), "{name}");
    }

    #[test]
    fn what_is_no_bundle_is_refused_and_what_was_long_ago_is_not_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cut.witness");
        std::fs::write(&path, b"PK but cut").expect("writable");
        let bundles = OpenedBundles::default();
        assert!(bundles.open(&path).expect_err("cut").says.contains("not a witness bundle"));
        assert!(bundles.find("opened-1").is_err());
    }
}
