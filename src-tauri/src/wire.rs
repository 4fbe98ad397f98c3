//! What the page and the program say to each other. Words are finished here; the page only places them.

use explain::{Tone, Update};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

mod earlier;
mod many;
mod profile;

pub use earlier::{EarlierRun, EarlierRuns, Stands};
pub use many::{Desk, DeskGroup, DeskRow, GroupBy, SameSecond};
pub use profile::{Check, Choice, Draft, FieldKind, Form, FormField, Kind, Wrong};

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Start {
    /// What was opened with the program, where it can be held.
    pub offer: Option<Offer>,
    /// What was opened with the program, where it is to be read.
    pub taken: Option<Taken>,
    pub broken: Vec<BrokenRun>,
    pub recent: Vec<Recent>,
    pub holding: bool,
    pub version: String,
    pub notes: Vec<String>,
}

/// A run that was cut off: its process or its computer died.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct BrokenRun {
    pub run: String,
    pub says: String,
}

/// A finished run that this computer still has.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Recent {
    pub run: String,
    pub name: String,
    /// UTC, as RFC 3339.
    pub started: String,
    pub says: String,
    pub line: Line,
}

/// A whole run as one line, in seconds since its start.
#[derive(Clone, PartialEq, Debug, Default, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Line {
    pub planned_s: f64,
    pub held_s: f64,
    pub lost: Vec<(f64, f64)>,
    pub asleep: Vec<(f64, f64)>,
}

/// What a hold will do, in the words of the window's first page.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Offer {
    pub id: String,
    pub name: String,
    pub from: OfferFrom,
    /// The file's name, or the host a link's profile calls.
    pub source: Option<String>,
    pub tests: String,
    pub lasts: String,
    pub records: String,
    pub never: String,
    pub keeps_awake: bool,
    pub notes: Vec<String>,
    pub planned_s: f64,
    /// It came by a link: nothing runs before it was agreed to.
    pub needs_consent: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
#[serde(rename_all = "snake_case")]
pub enum OfferFrom {
    SelfTest,
    File,
    Link,
    /// Made of a report, to see whether a change mended what it shows.
    Retest,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "made once for each file that is opened")]
pub enum Taken {
    Offer { offer: Offer },
    Bundle { opened: Opened },
    Bundles { desk: Desk },
    Locked { locked: Locked },
}

/// An encrypted report, and what is asked for next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Locked {
    pub id: String,
    pub name: String,
    pub asks: Asks,
    /// The file that a passphrase is asked for: the report, or an identity.
    pub of: String,
    /// Why the last try did not open it.
    pub says: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    Identity,
    Passphrase,
}

/// Where a running hold stands.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Live {
    pub update: Update,
    /// A few words to be read from afar.
    pub state: String,
    /// The line under it: what was lost, what is done about it, when it ends.
    pub says: String,
    pub tone: Tone,
    pub held_s: f64,
    pub planned_s: f64,
    pub keeps_awake: bool,
    /// The newest first.
    pub newest: Vec<Newest>,
    pub ended: Option<EndedView>,
}

/// `at` is seconds since the start.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Newest {
    pub at: f64,
    pub text: String,
    pub tone: Tone,
}

/// How a hold ended, and what it left.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct EndedView {
    pub run: String,
    pub bundle: Option<String>,
    pub says: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Opened {
    pub id: String,
    pub title: String,
    pub path: Option<String>,
    pub caution: Option<String>,
    pub provenance: String,
    pub update: Update,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Preview {
    /// The name the file is given unless another is chosen.
    pub file: String,
    pub members: Vec<Member>,
    /// What is never in it, a line each.
    pub removed: Vec<String>,
    /// Names stand in it for addresses, hosts and sessions.
    pub under_names: bool,
    /// It was recorded here, and can be saved in both ways.
    pub can_choose: bool,
    /// What is to be known of how it is saved.
    pub how: Option<String>,
}

/// One file of the bundle.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Member {
    pub name: String,
    pub bytes: usize,
    pub says: String,
    pub fields: Vec<Field>,
    /// What is to be known of one whose fields are not listed.
    pub note: Option<String>,
}

/// One of each kind: how often it stands there, and the first of them.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Field {
    pub path: String,
    pub example: String,
    pub count: usize,
    pub says: String,
}

/// What would show whether a change mended what a report shows.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Retest {
    /// How long it takes, and when it is mended.
    pub says: String,
    /// What to know before it is held, a line each.
    pub notes: Vec<String>,
    /// Where it can be held from here.
    pub offer: Option<Offer>,
    /// The name of its file; nothing where no profile is needed.
    pub file: Option<String>,
}

/// Why something was not done, in one sentence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Failure {
    pub says: String,
}

impl From<desk::Failure> for Failure {
    fn from(failure: desk::Failure) -> Self {
        Self { says: failure.says }
    }
}
