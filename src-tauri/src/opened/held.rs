//! One that was opened: what it is called, and what leaves this computer when it is saved.

use super::title;
use crate::saving::{self, Readers};
use crate::taking::{BUNDLE, file_name};
use crate::wire::Failure;
use desk::{anew, files, giving, sealed};
use engine::runs::Found;
use explain::Story;
use record::profile::{Addresses, Recipient};
use std::fs;
use std::path::{Path, PathBuf};

pub struct Kept {
    pub id: String,
    pub path: PathBuf,
    pub story: Story,
    /// What is said above the story of a file that is not as it was written.
    pub(super) caution: Option<String>,
    /// What stands in it for addresses, where it says so.
    pub(super) addresses: Option<Addresses>,
    pub(super) source: Source,
}

/// Where what is saved comes from.
pub(super) enum Source {
    /// The file, as it is.
    File,
    /// A run of this computer's own, which can be packed anew.
    Own(Box<Found>),
    /// It came encrypted; what lies in it is in memory alone.
    Unsealed(Vec<u8>),
    /// It is made of a browser's dump, and no file yet.
    Imported(Vec<u8>),
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

    pub fn bundle_file(&self) -> String {
        self.file(BUNDLE)
    }

    /// What stands in the file for addresses, unless something else is asked for.
    pub fn addresses(&self, asked: Option<Addresses>) -> Addresses {
        // Before there were names, all was plain.
        let as_it_is = self.addresses.unwrap_or(Addresses::Plain);
        asked.filter(|_| self.can_choose()).unwrap_or(as_it_is)
    }

    /// Only whoever recorded it knows both.
    pub fn can_choose(&self) -> bool {
        matches!(self.source, Source::Own(_))
    }

    /// Its report for a browser is of our making.
    pub fn is_ours(&self) -> bool {
        matches!(self.source, Source::Own(_) | Source::Imported(_))
    }

    /// The bundle as its user wants to give it away.
    pub fn packed(&self, asked: Option<Addresses>) -> Result<Vec<u8>, Failure> {
        match &self.source {
            Source::Unsealed(bytes) | Source::Imported(bytes) => Ok(bytes.clone()),
            Source::Own(run) if self.is_otherwise(asked) => Ok(anew::pack(run, self.addresses(asked))?.bytes),
            Source::File | Source::Own(_) => fs::read(&self.path)
                .map_err(|error| Failure { says: format!("{}: {}", self.path.display(), files::why(&error)) }),
        }
    }

    /// The report for a browser.
    pub fn report(&self, asked: Option<Addresses>) -> Result<String, Failure> {
        let caution = self.caution.as_deref();
        match &self.source {
            Source::Own(run) if self.is_otherwise(asked) => {
                Ok(explain::report::html(&anew::pack(run, self.addresses(asked))?.story, caution))
            }
            _ => Ok(explain::report::html(&self.story, caution)),
        }
    }

    fn is_otherwise(&self, asked: Option<Addresses>) -> bool {
        self.addresses(asked) != self.addresses(None)
    }

    /// What it is called when it leaves this computer, and for whom it is encrypted then: a profile that asks for that has its
    /// report leave in no other way.
    pub fn given(&self) -> Result<(String, Option<Recipient>), Failure> {
        let sealed = || format!("{}.{}", self.bundle_file(), sealed::END);
        match &self.source {
            Source::Unsealed(_) => Ok((sealed(), None)),
            Source::Imported(_) => Ok((self.bundle_file(), None)),
            Source::File | Source::Own(_) => Ok(match giving::recipient_of(&self.path)? {
                Some(recipient) => (sealed(), Some(recipient)),
                None => (self.bundle_file(), None),
            }),
        }
    }

    /// What is to be known of how it is saved.
    pub fn how(&self) -> Result<Option<String>, Failure> {
        Ok(match &self.source {
            Source::Unsealed(_) => Some("It is saved as it came: encrypted.".into()),
            Source::Imported(_) => Some(format!("It is made of {}, which stays as it is.", file_name(&self.path))),
            Source::File | Source::Own(_) => giving::recipient_of(&self.path)?.map(|_| {
                "It is encrypted for the support desk that made the profile. Nobody else can open the file.".into()
            }),
        })
    }

    pub fn save(&self, asked: Option<Addresses>, to: &Path) -> Result<String, Failure> {
        if let Source::Unsealed(_) = &self.source {
            return saving::copy(&self.path, to);
        }
        let bytes = self.packed(asked)?;
        match self.given()? {
            (_, Some(recipient)) => saving::sealed(&bytes, &recipient, to),
            (_, None) => saving::write(&bytes, to, Readers::Usual),
        }
    }

    /// What was recorded, and the profile of it: of a run of this computer's own with all addresses as they are.
    pub fn recorded(&self) -> Result<(Story, Option<String>), Failure> {
        let opened = match &self.source {
            Source::Own(run) => files::open(&run.folder)?,
            Source::File | Source::Unsealed(_) | Source::Imported(_) => {
                files::open_bytes(&self.packed(None)?, &file_name(&self.path))?
            }
        };
        Ok((explain::story(&opened.log), opened.profile))
    }
}
