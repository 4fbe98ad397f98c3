//! What of a run goes into its bundle, and so to others: the recording under names, or as it is where that is asked for.

use engine::runs;
use explain::Story;
use record::{
    About, Names, Private, Profile, bundle,
    names::Named,
    profile::{self, Share},
};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

pub struct Shared {
    pub about: About,
    /// Nothing where the recording goes as it is.
    under_names: Option<UnderNames>,
}

struct UnderNames {
    events: Vec<u8>,
    profile: String,
    story: Story,
}

/// In the place of a profile that an earlier version wrote otherwise.
const NOT_READ: &str = "# The profile could not be read again and was left out.\n";

impl Shared {
    /// What the names stand for is written into the run's folder first: a bundle without its map would be of no use to
    /// whoever is to look into a device's log.
    pub fn of(folder: &Path, about: &About, key: Option<&Private<String>>) -> io::Result<Self> {
        let profile = profile::shown(&fs::read_to_string(folder.join(bundle::PROFILE))?);
        let share = Share { names_key: key.cloned(), ..profile.as_ref().map(|p| p.share.clone()).unwrap_or_default() };
        let about = About { names: Some(share.addresses.unwrap_or_default()), ..about.clone() };
        let Some(mut names) = share.names() else { return Ok(Self { about, under_names: None }) };
        let (_, mut log, ..) = runs::read(folder)?;
        names.log(&mut log);
        let profile = profile.map_or_else(|| NOT_READ.to_owned(), |profile| named(profile, &mut names));
        keep(&names.map(), folder)?;
        let (events, story) = (log.write_lines(), explain::story(&log));
        Ok(Self { about, under_names: Some(UnderNames { events, profile, story }) })
    }

    /// What is told of it instead, where names change it.
    pub fn story(&self) -> Option<&Story> {
        self.under_names.as_ref().map(|under| &under.story)
    }

    /// What stands in the place of the recording.
    pub fn members(&self) -> Vec<(&'static str, &[u8])> {
        self.under_names.as_ref().map_or_else(Vec::new, |under| {
            vec![(bundle::EVENTS, under.events.as_slice()), (bundle::PROFILE, under.profile.as_bytes())]
        })
    }
}

fn named(mut profile: Profile, names: &mut Names) -> String {
    names.profile(&mut profile);
    profile.without_secrets()
}

/// For this account alone to read. On Windows that is for the folder to say.
fn keep(map: &[Named], folder: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(folder.join(runs::NAMES))?;
    file.write_all(&serde_json::to_vec_pretty(map)?)?;
    file.sync_all()
}
