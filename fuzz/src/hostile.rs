//! One function a reader: it is given bytes that anyone may have written, and panics where a promise is broken.

use desk::sealed::{self, Identities};
use engine::lanes::channel::take_line;
use engine::signaling::{self, In, Out};
use record::bundle::{
    Links,
    chain::{self, Chain},
};
use record::fact::{End, SocketPurpose};
use record::profile::Address;
use record::wire::datagram::{self, Datagram, FromClient, FromFar, Key, Say};
use record::wire::lane::{FromLane, LARGEST_MESSAGE, ToLane};
use record::{Damage, Log, Profile, Stamp, bundle, profile};
use ring::hmac;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use std::io::Cursor;
use std::time::Duration;

/// A bundle opens as far as it can be read; what is wrong is said in single lines, and what was read can be written.
pub fn bundle(bytes: &[u8]) {
    match bundle::read(Cursor::new(bytes)) {
        Ok((bundle, damage)) => {
            for item in &damage {
                one_line(&item.to_string());
            }
            reads_as_written(&bundle.log);
        }
        Err(refusal) => one_line(&refusal.to_string()),
    }
}

fn reads_as_written(log: &Log) {
    let numbers: Vec<u64> = log.events.iter().map(|event| event.seq).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "events out of order: {numbers:?}");
    let (again, damage) = Log::read_lines(&log.write_lines());
    assert_eq!(again, *log, "a log reads otherwise than it was written");
    let only_jumps = damage.iter().all(|item| matches!(item, Damage::Jump { .. }));
    assert!(only_jumps, "a log just written is damaged: {damage:?}");
}

/// The lines of a log are read as far as they are events.
pub fn events(bytes: &[u8]) {
    let (log, damage) = Log::read_lines(bytes);
    damage.iter().for_each(|item| one_line(&item.to_string()));
    reads_as_written(&log);
}

/// A chain is judged in a few sentences, whatever it holds. One that was written here holds; without one of its lines it does
/// not.
pub fn link(bytes: &[u8]) {
    let strange = Chain { events: bytes.first().map_or(0, |byte| (*byte).into()), head: "0".repeat(64) };
    for about in [None, Some(None), Some(Some(&strange))] {
        sound_links(chain::check(bytes, about));
    }
    let (ours, chain) = chain::linked(bytes);
    let (links, damage) = chain::check(&ours, Some(Some(&chain)));
    assert_eq!((damage, links == Links::Broken), (vec![], false), "a chain just written is broken");
    assert_eq!(chain::linked(&ours), (ours.clone(), chain.clone()), "a chain is linked otherwise the second time");

    let lines: Vec<&[u8]> = ours.split_inclusive(|byte| *byte == b'\n').collect();
    let linked: Vec<usize> = (0..lines.len()).filter(|at| is_linked(lines[*at])).collect();
    let chosen = bytes.first().map_or(0, |byte| usize::from(*byte)) % linked.len().max(1);
    let Some(without) = linked.get(chosen) else { return };
    let (links, damage) =
        chain::check(&[&lines[..*without], &lines[without + 1..]].concat().concat(), Some(Some(&chain)));
    assert!(links == Links::Broken, "line {} is missing, and nobody says so", without + 1);
    sound_links((links, damage));
}

fn is_linked(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let Some((_, end)) = line.len().checked_sub(19).map(|at| line.split_at(at)) else { return false };
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    end.starts_with(b",\"link\":\"") && end[9..17].iter().all(digit) && end.ends_with(b"\"}")
}

fn sound_links((links, damage): (Links, Vec<Damage>)) {
    assert_eq!(links == Links::Broken, !damage.is_empty());
    assert!(damage.len() <= 25, "{} sentences", damage.len());
    damage.iter().for_each(|item| one_line(&item.to_string()));
}

/// An encrypted file opens or is refused in one line; what is sealed here opens as it was, and with one byte changed or its end
/// cut off it does not.
pub fn sealed(bytes: &[u8]) {
    // Published, and for tests alone. No passphrase: its work is what a fuzzer would spend its time on.
    const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/bundles/TEST-KEY.txt");
    const RECIPIENT: &str = "age1c688k536mzuqszyp9ag94nxvza5s05hz2nnn28v7jls99mgmsg0q5xhm28";
    let key = Identities { file: Some(KEY.into()), passphrase: &|_| None };
    match sealed::open(bytes, "a.age", &key) {
        Ok(within) => bundle(&within),
        Err(refusal) => one_line(&refusal.says),
    }
    let recipient = profile::Recipient::parse(RECIPIENT).expect("it is one");
    let mut ours = sealed::seal(bytes, &recipient).expect("memory can be written");
    assert_eq!(sealed::open(&ours, "a.age", &key).expect("it is ours"), bytes);
    let at = bytes.iter().fold(0_usize, |at, byte| at.wrapping_mul(31).wrapping_add((*byte).into())) % ours.len();
    assert!(sealed::open(&ours[..at], "a.age", &key).is_err(), "cut at {at}, and opened");
    ours[at] ^= 1;
    assert!(sealed::open(&ours, "a.age", &key).is_err(), "changed at {at}, and opened");
}

/// A browser's dump becomes a log whose events stand in order and read as they were written, or is refused in one line.
pub fn dump(bytes: &[u8]) {
    match import::read(bytes, "0.0.0", [0; 5]) {
        Ok(imported) => {
            let log = imported.log;
            assert!(log.events.is_sorted_by(|a, b| a.seq < b.seq && a.at <= b.at), "events out of order");
            let (again, damage) = Log::read_lines(&log.write_lines());
            assert_eq!((again, damage), (log, vec![]), "a log reads otherwise than it was written");
        }
        Err(refusal) => one_line(&refusal.to_string()),
    }
}

/// A profile is read or refused in one line that names a line of the file; what goes into a bundle is TOML again.
pub fn profile(bytes: &[u8]) {
    match profile::read(bytes) {
        Ok(profile) => {
            let shown = profile.without_secrets();
            let table: Result<toml::Table, _> = toml::from_str(&shown);
            assert!(table.is_ok(), "a profile was written as what is no TOML:\n{shown}");
            // Printing a profile for diagnostics must never be able to leak what it holds.
            let printed = format!("{profile:?}");
            for secret in [Some(&profile.signaling.token)].into_iter().flatten().flatten() {
                let secret = secret.reveal();
                // Shorter ones occur by chance in any text.
                assert!(secret.len() < 16 || !printed.contains(secret.as_str()), "the token is printed");
            }
        }
        Err(refusal) => {
            one_line(&refusal.to_string());
            let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
            assert!(refusal.line.is_none_or(|line| (1..=lines).contains(&line)), "line {:?} of {lines}", refusal.line);
        }
    }
}

/// A signaling adapter answers any conversation with a bounded number of messages that its own far end can read.
///
/// The input is one line a message of the far end. The first line names the adapter; a line of one word in brackets is
/// what befalls the adapter otherwise.
pub fn signaling(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let Some(kind) = lines.next().and_then(signaling::by_id) else { return };
    let address = Address::parse("ws://far.example/call").expect("this one is a URL");
    let mut adapter = (kind.new)(&Profile::to(address));
    let mut now = Stamp::new(1_795_255_200_000_000, 1_000_000, 1_000_000);
    let start = [In::Connect { purpose: SocketPurpose::First }, In::SocketOpen { conn: 1 }, offer(false)];
    for input in start.into_iter().chain(lines.map(befalls)) {
        adapter.handle(now, input);
        let mut asked = 0;
        while let Some(out) = adapter.poll() {
            asked += 1;
            assert!(asked <= MOST_ASKED, "one input is answered without end");
            sound(&out);
        }
        now = now.plus(Duration::from_secs(1));
    }
}

/// An offer repeated with all the candidates that are kept for it is the longest answer to anything.
const MOST_ASKED: usize = 200;

fn offer(restart: bool) -> In {
    In::Offer { sdp: "v=0\r\na=ice-ufrag:ours\r\n".to_owned(), restart }
}

fn befalls(line: &str) -> In {
    match line {
        "[closed]" => In::SocketClosed(End::Fin),
        "[resume]" => In::Connect { purpose: SocketPurpose::Resume },
        "[new call]" => In::Connect { purpose: SocketPurpose::NewCall },
        "[open]" => In::SocketOpen { conn: 2 },
        "[restart]" => offer(true),
        "[candidate]" => In::LocalCandidate { candidate: "candidate:1".into(), mid: Some("0".into()), line: Some(0) },
        "[end of candidates]" => In::EndOfCandidates,
        "[hang up]" => In::HangUp { reason: "over" },
        "[tick]" => In::Tick,
        message => In::Text(message.to_owned()),
    }
}

/// What an adapter asks for can be sent, noted and shown.
fn sound(out: &Out) {
    match out {
        Out::Text(text) => {
            let read: Result<serde_json::Value, _> = serde_json::from_str(text);
            assert!(read.is_ok(), "an adapter sends what is no JSON: {text}");
        }
        Out::Note(fact) => {
            let written = serde_json::to_string(fact).expect("a fact can be written");
            let read: Result<record::Fact, _> = serde_json::from_str(&written);
            assert!(read.is_ok(), "a fact is written as what cannot be read again: {written}");
        }
        Out::CloseSocket { code, .. } => assert!((1000..5000).contains(code), "{code} is no close code"),
        Out::OpenSocket(_) | Out::Event(_) => {}
    }
}

/// A datagram is understood only if it was sealed under the key, by the side that says such things, and then it says the
/// same when it is sealed again.
///
/// The input is one datagram. Nobody can guess the key, so it is tried once as it is and once as if it came from somebody
/// who has the ticket: then the name and the seal are put right, and the length is that of its kind.
pub fn datagram(bytes: &[u8]) {
    const TICKET: &str = "0123456789abcdef0123456789abcdef";
    let key = Key::of(TICKET);
    let mut sealed = bytes.to_vec();
    sealed.resize(datagram::SIZE, 0);
    let kind = sealed[3];
    sealed[..12].copy_from_slice(&key.seal(Datagram { nonce: 0, lane: 0, say: FromClient::Echo })[..12]);
    sealed[3] = kind;
    let (said, tag) = sealed.split_at_mut(datagram::SIZE - 32);
    tag.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, TICKET.as_bytes()), said).as_ref());
    for length in [datagram::SIZE, datagram::STAND_SIZE] {
        sealed.resize(length, 0);
        let ours = opened::<FromClient>(&key, &sealed);
        let theirs = opened::<FromFar>(&key, &sealed);
        assert!(!(ours && theirs), "what one side says is understood of the other");
        assert!(!opened::<FromClient>(&Key::of("another"), &sealed), "another's key opens it");
    }
    opened::<FromClient>(&key, bytes);
    opened::<FromFar>(&key, bytes);
}

fn opened<S: Say + Copy + PartialEq + Debug>(key: &Key, bytes: &[u8]) -> bool {
    let Some(said) = key.open::<S>(bytes) else { return false };
    assert!(datagram::is_ours(bytes) && datagram::name_of(bytes) == Some(key.name()));
    let again = key.seal(said);
    assert_eq!(again.len(), bytes.len(), "an answer may be longer than its question");
    assert_eq!(key.open::<S>(&again), Some(said), "it is sealed as what says something else");
    true
}

/// What comes on a lane is read line by line, in bounds, wherever the network cut it; and what one side can read it can
/// write, without the ticket in any print of it.
///
/// The input is what the other side sends. Its first byte is the length of the pieces in which it arrives.
pub fn lane(bytes: &[u8]) {
    let Some((size, sent)) = bytes.split_first() else { return };
    let size = usize::from(*size).max(1);
    let in_pieces = lines(sent.chunks(size), size);
    assert_eq!(in_pieces, lines([sent].into_iter(), sent.len()), "it reads otherwise in pieces of {size}");
    for line in in_pieces {
        if let Some(FromLane::Begin { ticket, .. }) = understood(&line) {
            let secret = ticket.0.reveal();
            // Shorter ones occur by chance in any text.
            let printed = format!("{:?}", understood::<FromLane>(&line));
            assert!(secret.len() < 16 || !printed.contains(secret.as_str()), "the ticket is printed");
        }
        if let Some(ToLane::Refused { says, .. }) = understood(&line) {
            assert!(!says.as_str().chars().any(char::is_control), "a control character in {says:?}");
        }
    }
}

/// Until one is too long, after which nobody reads on.
fn lines<'a>(pieces: impl Iterator<Item = &'a [u8]>, size: usize) -> Vec<String> {
    let (mut unread, mut lines) = (vec![], vec![]);
    for piece in pieces {
        unread.extend_from_slice(piece);
        assert!(unread.len() <= LARGEST_MESSAGE + size, "{} bytes are kept", unread.len());
        while let Some(line) = take_line(&mut unread) {
            // What is no text is read as signs that stand for it, each of them longer.
            assert!(line.len() <= 3 * LARGEST_MESSAGE, "a line of {} bytes", line.len());
            lines.push(line);
            if lines.last().is_some_and(String::is_empty) {
                return lines;
            }
        }
    }
    lines
}

fn understood<T: Serialize + DeserializeOwned + PartialEq + Debug>(line: &str) -> Option<T> {
    let said: T = serde_json::from_str(line).ok()?;
    let written = serde_json::to_string(&said).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(again, said, "it is written as what says something else");
    Some(said)
}

/// One sentence for a person: short enough to be read, and unable to steer a terminal.
fn one_line(text: &str) {
    assert!(!text.is_empty() && text.chars().count() < 1_000, "{} characters: {text:?}", text.chars().count());
    assert!(!text.chars().any(char::is_control), "a control character in {text:?}");
}
