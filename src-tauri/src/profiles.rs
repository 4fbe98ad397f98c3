//! Profiles that a support desk makes: the form, what a draft would do, the file and the link of it.

mod draft;
mod form;
mod reopened;
#[cfg(test)]
mod tests;

use crate::link;
use crate::saving::Readers;
use crate::wire::{Check, Draft, Failure, Wrong};
use desk::{check::Outlook, hold::Prepared};
use draft::Written;
pub use form::form;
use record::{Profile, profile};
pub use reopened::open;

/// What it would do, or what is wrong with it; both while it is typed.
pub fn check(draft: &Draft) -> Check {
    match prepared(draft) {
        Ok((written, prepared)) => {
            let Outlook { mut will, beside, cannot } = Outlook::of(&prepared);
            will.extend(beside.unwrap_or_default());
            let mut notes: Vec<String> = prepared.will_go_wrong().iter().map(|says| format!("{says}.")).collect();
            notes.extend(link_note(&prepared.profile));
            Check { says: "Ready to send.".into(), wrong: vec![], notes, will, cannot, toml: written.shown() }
        }
        Err((written, wrong)) => {
            let says = match wrong.len() {
                1 => "1 thing to mend.".to_owned(),
                n => format!("{n} things to mend."),
            };
            Check { says, wrong, notes: vec![], will: vec![], cannot: vec![], toml: written.shown() }
        }
    }
}

/// The file, with its secrets, and whom it is for.
pub fn file(draft: &Draft) -> Result<(String, Readers), Failure> {
    let (written, prepared) = prepared(draft).map_err(first)?;
    let readers = if link::unfit(&prepared.profile).is_some() { Readers::Owner } else { Readers::Usual };
    Ok((written.whole(), readers))
}

pub fn link(draft: &Draft) -> Result<String, Failure> {
    let (written, prepared) = prepared(draft).map_err(first)?;
    link::make(&prepared.profile, &written.whole())
}

/// The name that its file is given unless another is chosen.
pub fn file_name(draft: &Draft) -> String {
    let name = draft.values.get("name").map(String::as_str).unwrap_or_default();
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).take(60).collect();
    let words: Vec<String> = plain.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() { "linewitness".into() } else { words.join("-") }
}

fn link_note(profile: &Profile) -> Option<String> {
    let what = link::unfit(profile)?;
    Some(format!("It holds {what}: send it as a file, to the one who needs it. It does not go into a link."))
}

fn prepared(draft: &Draft) -> Result<(Written, Prepared), (Written, Vec<Wrong>)> {
    let (written, mut wrong) = Written::of(draft);
    if !wrong.is_empty() {
        return Err((written, wrong));
    }
    let text = written.whole();
    let read = profile::read(text.as_bytes()).map_err(|refusal| Wrong {
        field: refusal.line.and_then(|line| written.field_at(line)),
        says: format!("{}.", refusal.says),
    });
    let done = read.and_then(|profile| {
        Prepared::of(profile, false, None).map_err(|failure| Wrong { field: None, says: format!("{}.", failure.says) })
    });
    match done {
        Ok(prepared) => Ok((written, prepared)),
        Err(one) => {
            wrong.push(one);
            Err((written, wrong))
        }
    }
}

fn first((_, wrong): (Written, Vec<Wrong>)) -> Failure {
    let says = wrong.first().map(|wrong| wrong.says.trim_end_matches('.').to_owned());
    Failure { says: format!("this profile is not ready: {}", says.unwrap_or_default()) }
}
