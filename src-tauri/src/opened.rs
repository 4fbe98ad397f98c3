//! Bundles that were opened. A bundle is a stranger's file: its text becomes words to show, and nothing else.

use crate::taking::file_name;
use crate::wire::{Failure, Opened};
use desk::{anew, files, imports, kept, recover};
use explain::Story;
pub use held::Kept;
use held::Source;
use locked::LockedFile;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod held;
mod locked;

/// The stories of the last few: the page asks for their previews and reports.
#[derive(Default)]
pub struct OpenedBundles(Mutex<Last>);

#[derive(Default)]
struct Last {
    /// How many there were at all.
    count: u64,
    kept: Vec<Arc<Kept>>,
    /// Those for which somebody looks for a key.
    locked: Vec<LockedFile>,
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
        let source = anew::run_of(path).map_or(Source::File, |run| Source::Own(Box::new(run)));
        Ok(self.keep(path, &opened, source))
    }

    /// A browser's dump, as the bundle that is made of it. Nothing is written before its user saves it.
    pub fn import(&self, path: &Path) -> Result<Opened, Failure> {
        let short = |failure: desk::Failure| Failure { says: problem(path, &failure) };
        let imported = imports::read(path).map_err(short)?;
        let (_, bytes) = imports::packed(&imported)
            .map_err(|error| Failure { says: format!("{}: {}", file_name(path), files::why(&error)) })?;
        let opened = files::open_bytes(&bytes, &file_name(path))?;
        Ok(self.keep(path, &opened, Source::Imported(bytes)))
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
        let found = self.last().kept.iter().find(|kept| kept.id == id).cloned();
        found.ok_or_else(|| Failure { says: "this report is not open any more; open it again".into() })
    }

    fn keep(&self, path: &Path, opened: &files::Opened, source: Source) -> Opened {
        let story = explain::story(&opened.log);
        let caution = opened.warning(&story);
        let mut last = self.last();
        let id = last.next("opened");
        let shown = Opened {
            id: id.clone(),
            title: title(&story),
            path: Some(path.display().to_string()),
            caution: caution.clone(),
            provenance: files::provenance(&opened.about),
            update: explain::update(None, &story),
        };
        if last.kept.len() == KEPT {
            last.kept.remove(0);
        }
        let (path, addresses) = (path.to_owned(), opened.about.names);
        last.kept.push(Arc::new(Kept { id, path, story, caution, addresses, source }));
        shown
    }

    /// Whoever panicked with it in hand left it whole.
    fn last(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn next(&mut self, of: &str) -> String {
        self.count += 1;
        format!("{of}-{}", self.count)
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

/// Of a run whose profile may have no name.
pub fn untitled(name: String) -> String {
    if name.is_empty() { "A call".into() } else { name }
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
        // An earlier version recorded it, which named another owner.
        let caution = opened.caution.expect("its own page says otherwise");
        assert!(caution.contains("made by another version") && !caution.contains("CAUTION"), "{caution}");
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
    fn what_others_recorded_is_saved_as_it_came() {
        let bundles = OpenedBundles::default();
        let opened = bundles.open(&recording("idler_drops_a_quiet_call")).expect("a bundle");
        let (name, recipient) = bundles.find(&opened.id).expect("just opened").given().expect("readable");
        assert!(recipient.is_none() && name.ends_with(".witness"), "{name}");
    }

    #[test]
    fn a_browsers_dump_is_a_report_like_any_other_and_nothing_is_written_before_it_is_saved() {
        let bundles = OpenedBundles::default();
        let folder = tempfile::tempdir().expect("a folder");
        let dump = folder.path().join("webrtc_internals_dump.gz");
        std::fs::copy(crate::tests::dump("internals-lost.gz"), &dump).expect("copied");
        let opened = bundles.import(&dump).expect("a dump");
        assert!(opened.provenance.contains("imported from webrtc-internals"), "{}", opened.provenance);
        assert!(!opened.update.page.not_seen.is_empty(), "what a dump cannot show is said");
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 1);
        let to = folder.path().join("saved.witness");
        bundles.find(&opened.id).expect("just opened").save(None, &to).expect("saved");
        let again = bundles.open(&to).expect("a bundle");
        assert_eq!(again.update.head, opened.update.head);
        let says = bundles.import(&recording("idler_drops_a_quiet_call")).expect_err("no dump").says;
        assert!(says.contains("no dump that can be imported"), "{says}");
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
