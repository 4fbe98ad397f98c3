//! The form in which a profile is made.

use super::{BTreeMap, Deserialize, Serialize, TS};

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Form {
    pub kinds: Vec<Kind>,
}

/// A provider and all that its profile can say.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Kind {
    pub id: String,
    pub label: String,
    pub fields: Vec<FormField>,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct FormField {
    pub id: String,
    /// Fields of one name stand together under it.
    pub group: String,
    pub label: String,
    pub hint: Option<String>,
    pub kind: FieldKind,
    pub choices: Vec<Choice>,
    pub default: String,
    pub required: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    Url,
    Text,
    Secret,
    Time,
    Choice,
    Switch,
    List,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Choice {
    pub id: String,
    pub label: String,
}

/// A profile as the form holds it; a list has a line for each of its entries, a switch says "true" or nothing. It holds
/// secrets, and so it has no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Draft {
    pub kind: String,
    pub values: BTreeMap<String, String>,
}

/// What a draft of a profile would do.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Check {
    /// "Ready to send." or how many things are to be mended.
    pub says: String,
    pub wrong: Vec<Wrong>,
    pub notes: Vec<String>,
    /// What it will do and what it cannot test, a line each; both empty while it cannot be read.
    pub will: Vec<String>,
    pub cannot: Vec<String>,
    /// The file as it would be saved, its secrets left out.
    pub toml: String,
}

/// `field` is nothing where no single one is at fault.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct Wrong {
    pub field: Option<String>,
    pub says: String,
}
