use super::*;
use crate::{Event, Platform, RunId, Stamp, fact::Media};
use std::io::Cursor;

fn about() -> About {
    let started = Stamp::new(1_795_255_200_000_000, 1, 1);
    About {
        schema: SCHEMA.into(),
        app: "0.1.0".into(),
        run: RunId::new(started, [1; 5]),
        platform: Platform::default(),
        started,
        names: None,
        members: std::collections::BTreeMap::new(),
        chain: None,
    }
}

fn log() -> Log {
    let event = |seq| {
        let at = Stamp::new(1_795_255_200_000_000 + seq as i64, seq, seq);
        Event { seq, at, fact: Media::Flowing { first: at }.into() }
    };
    Log { events: (1..=50).map(event).collect() }
}

fn whole() -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let events = log().write_lines();
    let members: [(&str, &[u8]); 3] = [(EVENTS, &events), (VERDICT, b"{}"), (PROFILE, b"name = \"x\"")];
    write(&mut out, &about(), &members).expect("memory can be written");
    out.into_inner()
}

/// A zip of our choice, not of `write`'s.
fn forged(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, options()).expect("a name");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

#[test]
fn a_bundle_reads_as_it_was_written() {
    let (bundle, damage) = read(Cursor::new(whole())).expect("our own");
    assert_eq!(damage, []);
    assert_eq!(bundle.log, log());
    assert_eq!(bundle.verdict.as_deref(), Some(&b"{}"[..]));
    assert_eq!(bundle.profile.as_deref(), Some("name = \"x\""));
    assert_eq!(bundle.about.run, about().run);
    assert_eq!(bundle.about.members.len(), 4);
    assert_eq!(bundle.about.chain.map(|chain| chain.events), Some(50));
}

#[test]
fn each_member_that_was_altered_is_found_and_named() {
    let whole = whole();
    let members = |bytes: &[u8]| {
        [EVENTS, VERDICT, PROFILE, ABOUT].map(|name| (name, read_member(Cursor::new(bytes), name).expect("there")))
    };
    let verified = verify(Cursor::new(whole.clone())).expect("ours");
    assert_eq!((verified.damage.as_slice(), verified.links), (&[][..], Links::Hold { events: 50 }));
    assert!(verified.members.iter().all(|member| member.hash == Hash::Fits), "{:?}", verified.members);
    for altered in 0..4 {
        let mut members = members(&whole);
        let (name, bytes) = &mut members[altered];
        // In about.json that is a digit of the version; what it does to the others shows in their own places.
        let at = match *name {
            ABOUT => bytes.windows(5).position(|part| part == b"0.1.0").expect("the version"),
            _ => bytes.len() / 2,
        };
        bytes[at] ^= 1;
        let name = *name;
        let members = members.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
        let verified = verify(Cursor::new(forged(&members))).expect("opens");
        assert!(verified.damage.contains(&Damage::WrongHash { name: name.into() }), "{name}: {:?}", verified.damage);
        let differing = |member: &&Member| member.hash == Hash::Differs;
        let differing: Vec<_> = verified.members.iter().filter(differing).map(|member| member.name).collect();
        assert_eq!(differing, [name]);
    }
}

#[test]
fn an_event_altered_together_with_its_hash_is_found_by_its_link() {
    let whole = whole();
    let events = read_member(Cursor::new(&whole), EVENTS).expect("there");
    let events = String::from_utf8(events).expect("text").replacen("\"seq\":9,", "\"seq\":9, ", 1);
    let (bundle, _) = read(Cursor::new(whole)).expect("ours");
    let mut about = bundle.about;
    about.members = [(EVENTS.to_owned(), hex(&Sha256::digest(&events)))].into();
    let about = with_its_own_hash(about).expect("memory");
    let (_, damage) = read(Cursor::new(forged(&[(EVENTS, events.as_bytes()), (ABOUT, &about)]))).expect("opens");
    assert_eq!(damage, [Damage::Altered { first: 9, last: 9 }]);
}

#[test]
fn a_bundle_of_before_there_were_links_reads_as_it_did() {
    let mut about = serde_json::to_value(about()).expect("JSON");
    let events = log().write_lines();
    about["members"] = serde_json::json!({ EVENTS: hex(&Sha256::digest(&events)) });
    let about = serde_json::to_vec(&about).expect("JSON");
    let verified = verify(Cursor::new(forged(&[(EVENTS, &events), (ABOUT, &about)]))).expect("opens");
    assert_eq!((verified.damage.as_slice(), verified.links), (&[][..], Links::None));
    assert_eq!(verified.bundle.log, log());
}

#[test]
fn a_cut_or_foreign_file_is_said_in_one_sentence() {
    let bytes = whole();
    for cut in [0, 1, 22, bytes.len() / 2, bytes.len() - 1] {
        let error = read(Cursor::new(bytes[..cut].to_vec())).expect_err("cut").to_string();
        assert!(error.contains("not a witness bundle") && !error.contains('\n'), "{error}");
    }
    let error = read(Cursor::new(forged(&[("photo.jpg", b"x")]))).expect_err("no events").to_string();
    assert!(error.contains("events.jsonl"), "{error}");
}

#[test]
fn a_newer_schema_asks_for_a_newer_version_and_another_is_refused() {
    let mut cover = about();
    let with = |cover: &About| {
        let text = serde_json::to_vec(cover).expect("json");
        read(Cursor::new(forged(&[(EVENTS, &log().write_lines()), (ABOUT, &text)])))
    };
    cover.schema = "linewitness.bundle/2".into();
    assert!(with(&cover).expect_err("newer").to_string().contains("newer Linewitness"));
    cover.schema = "somebody.else/1".into();
    assert!(with(&cover).expect_err("strange").to_string().contains("somebody.else/1"));
    let unknown_shape = br#"{"schema":"linewitness.bundle/3","run":{"new":"shape"}}"#;
    let error = read(Cursor::new(forged(&[(EVENTS, b""), (ABOUT, unknown_shape)]))).expect_err("newer").to_string();
    assert!(error.contains("newer Linewitness"), "{error}");
}

#[test]
fn a_missing_or_broken_cover_costs_only_the_cover() {
    for cover in [None, Some(&b"{\"schema\""[..])] {
        let events = log().write_lines();
        let mut members: Vec<(&str, &[u8])> = vec![(EVENTS, &events)];
        members.extend(cover.map(|c| (ABOUT, c)));
        let (bundle, damage) = read(Cursor::new(forged(&members))).expect("events are there");
        assert_eq!(bundle.log, log());
        assert_eq!(damage.len(), 1, "{damage:?}");
        assert!(damage[0].to_string().contains(ABOUT));
    }
}

#[test]
fn an_altered_member_is_found_by_its_hash() {
    let (bundle, _) = read(Cursor::new(whole())).expect("ours");
    let cover = serde_json::to_vec(&bundle.about).expect("json");
    let mut altered = log();
    altered.events.remove(7);
    let bytes = forged(&[(EVENTS, &altered.write_lines()), (VERDICT, b"{ }"), (ABOUT, &cover)]);
    let (bundle, damage) = read(Cursor::new(bytes)).expect("opens");
    assert_eq!(bundle.log, altered);
    for name in [EVENTS, VERDICT] {
        assert!(damage.contains(&Damage::WrongHash { name: name.into() }), "{damage:?}");
    }
    assert!(damage.contains(&Damage::MissingMember { name: PROFILE.into() }), "{damage:?}");
    assert!(damage.contains(&Damage::Jump { after: 7, next: 9 }), "{damage:?}");
}

#[test]
fn a_path_that_climbs_out_is_named_and_never_opened() {
    let events = log().write_lines();
    let bytes =
        forged(&[(EVENTS, &events), ("../../etc/cron.d/x", b"boo"), ("/abs", b"boo"), ("sub/events.jsonl", b"boo")]);
    let (bundle, damage) = read(Cursor::new(bytes)).expect("opens");
    assert_eq!(bundle.log, log());
    assert_eq!(damage.iter().filter(|d| matches!(d, Damage::StrangeMember { .. })).count(), 3);
}

#[test]
fn a_zip_bomb_costs_its_limit_and_no_more() {
    // 60 MB of spaces in a member that may hold one: 60 kB in the file.
    let bytes = forged(&[(EVENTS, &log().write_lines()), (PROFILE, &vec![b' '; 60_000_000])]);
    assert!(bytes.len() < 200_000);
    let (bundle, damage) = read(Cursor::new(bytes)).expect("opens");
    assert_eq!(bundle.profile.map(|p| p.len()), Some(1_000_000));
    assert!(damage.contains(&Damage::TooLarge { name: PROFILE.into(), limit: 1_000_000 }), "{damage:?}");
}

#[test]
fn an_archive_of_thousands_of_members_is_not_opened() {
    let names: Vec<String> = (0..1000).map(|i| format!("m{i}")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b""[..])).collect();
    assert!(read(Cursor::new(forged(&members))).expect_err("too many").to_string().contains("1000"));
}

#[test]
fn bits_flipped_anywhere_never_panic_and_never_pass_unseen() {
    let bytes = whole();
    let (reference, _) = read(Cursor::new(bytes.clone())).expect("ours");
    for i in (0..bytes.len()).step_by(3) {
        let mut flipped = bytes.clone();
        flipped[i] ^= 0x10;
        if let Ok((bundle, damage)) = read(Cursor::new(flipped))
            && damage.is_empty()
        {
            assert_eq!(bundle.log, reference.log, "byte {i}");
            assert_eq!(bundle.verdict, reference.verdict, "byte {i}");
        }
    }
}

/// A disk with so much room.
struct Full(Cursor<Vec<u8>>, usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.get_ref().len() + bytes.len() > self.1 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_as_that_wherever_it_runs_full() {
    let size = whole().len();
    for room in (0..size).step_by(7) {
        let events = log().write_lines();
        let members: [(&str, &[u8]); 3] = [(EVENTS, &events), (VERDICT, b"{}"), (PROFILE, b"name = \"x\"")];
        let full = write(Full(Cursor::new(Vec::new()), room), &about(), &members).expect_err("no room");
        assert_eq!(full.kind(), io::ErrorKind::StorageFull, "room for {room} of {size}");
    }
}
