use super::*;
use crate::{Event, Log, Stamp, fact::Media, log::line as recorded};

/// A second between events, from 10:00:01 UTC on.
fn event(seq: u64) -> Event {
    let at = Stamp::new(1_795_255_200_000_000 + seq as i64 * 1_000_000, seq, seq);
    Event { seq, at, fact: Media::Flowing { first: at }.into() }
}

struct Written {
    lines: Vec<String>,
    chain: Chain,
}

impl Written {
    fn of(events: u64) -> Self {
        let (bytes, chain) = linked(&Log { events: (1..=events).map(event).collect() }.write_lines());
        let text = String::from_utf8(bytes).expect("text");
        Self { lines: text.lines().map(str::to_owned).collect(), chain }
    }
    fn bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
    }
    /// As a sentence each.
    #[track_caller]
    fn shows(&self, says: &[&str]) {
        let (links, damage) = check(&self.bytes(), Some(Some(&self.chain)));
        let said: Vec<String> = damage.iter().map(|item| item.to_string().replace("events.jsonl: ", "")).collect();
        assert_eq!(said, says);
        assert_eq!(links == Links::Broken, !says.is_empty());
    }
}

/// What somebody would do with a text editor.
fn alter(line: &mut String) {
    *line = line.replacen("flowing", "flewing", 1);
}

#[test]
fn a_whole_chain_holds_and_is_read_past() {
    let written = Written::of(30);
    assert_eq!(check(&written.bytes(), Some(Some(&written.chain))), (Links::Hold { events: 30 }, vec![]));
    let (log, damage) = Log::read_lines(&written.bytes());
    assert_eq!((log.events.len(), damage), (30, vec![]));
    assert_eq!(linked(&written.bytes()), (written.bytes(), written.chain), "links are written once");
}

#[test]
fn an_altered_event_is_named_and_those_after_it_are_not() {
    let mut written = Written::of(30);
    alter(&mut written.lines[11]);
    written.shows(&["event 12 was altered"]);
    alter(&mut written.lines[12]);
    alter(&mut written.lines[29]);
    written.shows(&["events 12 to 13 were altered", "event 30 was altered"]);
}

#[test]
fn a_link_altered_alone_is_that_of_its_event() {
    let mut written = Written::of(30);
    let end = written.lines[11].len() - 3;
    let digit = if written.lines[11].as_bytes()[end] == b'0' { "1" } else { "0" };
    written.lines[11].replace_range(end..=end, digit);
    written.shows(&["event 12 was altered"]);
    let without = written.lines[11].len() - SUFFIX;
    written.lines[11].replace_range(without.., "}");
    written.shows(&["event 12 was altered"]);
}

#[test]
fn removed_events_are_counted_with_the_time_they_are_missing_from() {
    let mut written = Written::of(30);
    written.lines.drain(11..14);
    written.shows(&["3 events are missing after event 11, between 10:00:11 and 10:00:15 UTC"]);
    written.lines.remove(20);
    written.shows(&[
        "3 events are missing after event 11, between 10:00:11 and 10:00:15 UTC",
        "1 event is missing after event 23, between 10:00:23 and 10:00:25 UTC",
    ]);
    let mut written = Written::of(30);
    written.lines.drain(..2);
    written.shows(&["the first 2 events are missing"]);
}

#[test]
fn a_cut_end_is_counted() {
    let mut written = Written::of(30);
    written.lines.truncate(22);
    written.shows(&["the end was cut off: 8 events are missing after event 22, from 10:00:22 UTC on"]);
    written.lines.remove(4);
    written.shows(&[
        "1 event is missing after event 4, between 10:00:04 and 10:00:06 UTC",
        "the end was cut off: 8 events are missing after event 22, from 10:00:22 UTC on",
    ]);
}

#[test]
fn what_was_put_in_is_named_by_its_line_and_its_neighbours_are_not() {
    for at in [0_usize, 11, 30] {
        // A copy of another event, one without a link, the same event once more, and a number that no event has.
        let copies = [
            Written::of(30).lines[20].replacen("21", &(at + 1).to_string(), 1),
            String::from_utf8(recorded(&event(at as u64 + 1))).expect("text").trim_end().to_owned(),
            Written::of(30).lines[at.saturating_sub(1)].clone(),
            Written::of(30).lines[3].replacen("\"seq\":4", "\"seq\":9999", 1),
        ];
        for (kind, copy) in copies.into_iter().enumerate() {
            let mut written = Written::of(30);
            written.lines.insert(at, copy);
            let (links, damage) = check(&written.bytes(), Some(Some(&written.chain)));
            assert_eq!(links, Links::Broken);
            let put_in = |item: &Damage| matches!(item, Damage::PutIn { line, .. } if line.abs_diff(at + 1) <= 1);
            // After the last event, one that is its follower by number cannot be told from it.
            let altered = |item: &Damage| at == 30 && matches!(item, Damage::Altered { first: 31, last: 31 });
            assert!(matches!(damage.as_slice(), [one] if put_in(one) || altered(one)), "{at}, {kind}: {damage:?}");
        }
    }
}

#[test]
fn swapped_and_moved_events_are_named() {
    let mut written = Written::of(30);
    written.lines.swap(11, 12);
    written.shows(&["event 12 was moved: it stands after event 13"]);
    let mut written = Written::of(30);
    let moved = written.lines.remove(4);
    written.lines.push(moved);
    written.shows(&["event 5 was moved: it stands after event 30"]);
}

#[test]
fn renumbering_hides_nothing() {
    let mut written = Written::of(30);
    written.lines.remove(11);
    for (at, line) in written.lines.iter_mut().enumerate().skip(11) {
        *line = line.replacen(&format!("\"seq\":{},", at + 2), &format!("\"seq\":{},", at + 1), 1);
    }
    written.shows(&["events 12 to 29 were altered"]);
}

#[test]
fn an_about_that_was_made_to_fit_does_not_fit_the_links() {
    let mut written = Written::of(30);
    written.chain.events = 29;
    written.shows(&["events.jsonl holds 30 events, and about.json tells of 29"]);
    let mut written = Written::of(30);
    written.chain.head = Written::of(29).chain.head;
    written.shows(&["events.jsonl was written anew, or about.json altered: each event fits the one before it, and their head is not the one in about.json"]);
    let mut written = Written::of(30);
    written.lines.pop();
    written.chain.events = 29;
    let (links, damage) = check(&written.bytes(), Some(Some(&written.chain)));
    assert_eq!((links, damage), (Links::Broken, vec![Damage::OtherHead]), "the count was made to fit as well");
    let (links, damage) = check(&written.bytes(), Some(None));
    assert_eq!((links, damage), (Links::Broken, vec![Damage::HeadRemoved]));
    assert_eq!(
        check(&written.bytes(), None),
        (Links::Hold { events: 29 }, vec![]),
        "about.json is gone, and told as such"
    );
    let bare = Log { events: (1..=29).map(event).collect() }.write_lines();
    assert_eq!(check(&bare, Some(Some(&written.chain))), (Links::Broken, vec![Damage::LinksRemoved]));
}

#[test]
fn what_was_not_recorded_is_no_broken_chain() {
    // The disk refused events 12 to 14, a line was spoilt by it, and the last one broke off.
    let mut events: Vec<Event> = (1..=30).map(event).collect();
    events.drain(11..14);
    let mut bytes = Log { events }.write_lines();
    let spoilt = bytes.iter().position(|byte| *byte == b'\n').expect("lines") + 1;
    let _ = bytes.splice(spoilt..spoilt, *b"{\"seq\":\xff\n");
    bytes.truncate(bytes.len() - 9);
    let (in_bundle, chain) = linked(&bytes);
    assert_eq!(check(&in_bundle, Some(Some(&chain))), (Links::Hold { events: 26 }, vec![]));
    assert_eq!(Log::read_lines(&in_bundle), Log::read_lines(&bytes));
}

#[test]
fn a_forged_chain_costs_time_in_bounds_and_gives_a_short_list() {
    let mut written = Written::of(2_000);
    for line in &mut written.lines {
        *line = line.replacen("\"seq\":", "\"seq\":18446744073709551615, \"was\":", 1);
    }
    let (links, damage) = check(&written.bytes(), Some(Some(&written.chain)));
    assert_eq!(links, Links::Broken);
    assert!(damage.len() <= 21, "{}", damage.len());
    let mut written = Written::of(2_000);
    written.lines.reverse();
    assert!(check(&written.bytes(), Some(Some(&written.chain))).1.len() <= 21);
}
