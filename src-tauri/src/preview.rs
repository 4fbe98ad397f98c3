//! What is in a bundle before it is given away: its members, and one of each kind of field, from the bytes of the file.

mod fields;

use crate::opened::Kept;
use crate::wire::{Failure, Member, Preview};
use fields::Fields;
use record::{bundle, profile::Addresses};
use std::io::Cursor;

/// In the order in which they are worth reading.
const MEMBERS: [(&str, &str); 5] = [
    (bundle::EVENTS, "what happened, one event a line"),
    (bundle::VERDICT, "the result, for other programs"),
    (bundle::REPORT, "the report, for a browser"),
    (bundle::PROFILE, "the profile as used, secrets left out"),
    (bundle::ABOUT, "program, system, checksums"),
];
const REMOVED: [&str; 3] = [
    "tokens, user names and passwords: used, never written down",
    "names of Wi-Fi networks, of this computer and of its user",
    "sound, text and anything else that connections carried",
];

const OWN_REPORT: &str =
    "The report as this window shows it. It is made of the other files, with nothing in it that they do not hold.";
/// What a window shows is told anew from the events; this member is as it came.
const STRANGE_REPORT: &str =
    "The report as it came with this file, from whoever made it. This window tells its own from events.jsonl.";

/// `asked`: what is to stand in it for addresses, where its user has said so.
pub fn preview(kept: &Kept, asked: Option<Addresses>) -> Result<Preview, Failure> {
    let bytes = kept.packed(asked)?;
    let open = || Cursor::new(&bytes);
    let own = kept.is_ours();
    let mut members = Vec::new();
    for (name, says) in MEMBERS {
        let Some(bytes) = bundle::read_member(open(), name) else { continue };
        let fields = of(name, &bytes);
        let says = match name {
            bundle::EVENTS => {
                format!("{says}: {}", bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count())
            }
            _ => says.to_owned(),
        };
        let note = (name == bundle::REPORT).then(|| if own { OWN_REPORT } else { STRANGE_REPORT }.to_owned());
        members.push(Member { name: name.into(), bytes: bytes.len(), says, fields: fields.listed(), note });
    }
    // A copy of somebody else's file takes them along.
    members.extend(bundle::strangers(open()).into_iter().map(|name| Member {
        name,
        bytes: 0,
        says: "not of a report, and never opened".into(),
        fields: Vec::new(),
        note: Some("It does not belong into a report. It came with this file, and a copy takes it along.".into()),
    }));
    Ok(Preview {
        file: kept.given()?.0,
        members,
        removed: REMOVED.map(str::to_owned).to_vec(),
        under_names: kept.addresses(asked) == Addresses::Pseudonyms,
        can_choose: kept.can_choose(),
        how: kept.how()?,
    })
}

fn of(name: &str, bytes: &[u8]) -> Fields {
    let mut fields = Fields::default();
    let text = || String::from_utf8_lossy(bytes);
    match name {
        bundle::EVENTS => {
            for line in bytes.split(|byte| *byte == b'\n') {
                fields.extend(serde_json::from_slice(line).ok());
            }
        }
        bundle::PROFILE => fields.extend(toml::from_str(&text()).ok()),
        bundle::REPORT => {}
        _ => fields.extend(serde_json::from_slice(bytes).ok()),
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opened::OpenedBundles;
    use crate::tests::{hostile, recording};
    use std::fs::File;

    fn of(path: &std::path::Path) -> Preview {
        let bundles = OpenedBundles::default();
        let opened = bundles.open(path).expect("a bundle");
        preview(&bundles.find(&opened.id).expect("just opened"), None).expect("readable")
    }

    #[test]
    fn each_kind_of_field_is_shown_once_from_the_real_bytes() {
        let shown = of(&recording("idler_drops_a_quiet_call"));
        let names: Vec<&str> = shown.members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["events.jsonl", "verdict.json", "profile.toml", "about.json"]);
        let events = &shown.members[0];
        let wall = events.fields.iter().find(|field| field.path == "at.wall").expect("every event has one");
        assert!(wall.count > 100 && wall.example.starts_with("20"), "{wall:?}");
        let to = events.fields.iter().find(|field| field.path == "fact.mark.started.to").expect("the plan says where");
        assert!(to.count == 1 && to.example.starts_with("ws"), "{to:?}");
        assert!(events.fields.len() < 400, "{} are not one of each kind", events.fields.len());
    }

    #[test]
    fn a_hostile_bundle_gives_a_short_list() {
        let shown = of(&hostile());
        assert!(serde_json::to_string(&shown).expect("it can be sent").len() < 500_000);
    }

    #[test]
    fn what_a_strangers_file_brings_along_is_named_and_its_report_is_not_called_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.witness");
        let mut zip = zip::ZipWriter::new(File::create(&path).expect("writable"));
        let from = |name| bundle::read_member(File::open(recording("idler_drops_a_quiet_call")).expect("there"), name);
        let events = from(bundle::EVENTS).expect("it has events");
        for (name, bytes) in [(bundle::EVENTS, &*events), (bundle::REPORT, b"<p>forged"), ("notes/../x.exe", b"MZ")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("written");
            std::io::Write::write_all(&mut zip, bytes).expect("written");
        }
        zip.finish().expect("written");
        let shown = of(&path);
        let noted: Vec<_> = shown.members.iter().filter_map(|one| Some((&*one.name, one.note.as_deref()?))).collect();
        assert_eq!(noted.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["report.html", "notes/../x.exe"]);
        assert!(noted[0].1.contains("whoever made it") && noted[1].1.contains("does not belong"), "{noted:?}");
    }
}
