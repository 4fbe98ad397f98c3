//! Real dumps, what is made of them for other versions, and what a stranger may send in their place.

use explain::{Story, story};
use flate2::read::GzDecoder;
use import::{Imported, Refusal};
use record::{
    Fact,
    fact::{Mark, Media},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

fn dump(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/imports/{name}.gz", env!("CARGO_MANIFEST_DIR"));
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).expect("it is kept")).read_to_end(&mut bytes).expect("packed by Chromium");
    bytes
}

fn read(dump: &[u8]) -> Result<Imported, Refusal> {
    import::read(dump, "0.0.0", [0; 5])
}

/// What must hold of any import.
fn told(imported: &Imported) -> Story {
    let told = story(&imported.log);
    let Some(Fact::Mark(Mark::Imported(how))) = imported.log.events.first().map(|event| &event.fact) else {
        panic!("it does not say first that it was imported")
    };
    assert!(imported.about.app.as_str().ends_with(how.format.as_str()));
    for drop in &told.head.drops {
        let words = serde_json::to_value(drop).expect("JSON");
        assert_eq!(words["confidence"], "not_proven", "{}", drop.says);
        assert!(
            ["not_proven", "handshake_failed"].contains(&words["cause"].as_str().expect("a word")),
            "{}",
            drop.says
        );
        assert!(drop.ruled_out.is_empty(), "what was not looked at rules nothing out: {:?}", drop.ruled_out);
        assert!(drop.last_good <= drop.first_bad && drop.first_bad <= drop.declared);
    }
    assert!(told.lanes.iter().filter(|lane| lane.id == "computer").all(|lane| lane.spans.is_empty()));
    told
}

fn seconds(story: &Story, wall: record::Wall) -> f64 {
    (wall.micros() - story.head.started.micros()) as f64 / 1e6
}

#[test]
fn a_loss_is_timed_alike_from_both_formats_and_its_cause_is_left_open() {
    let told: Vec<Story> =
        ["internals-lost", "rtcstats-lost"].map(|name| told(&read(&dump(name)).expect("a dump"))).into();
    for story in &told {
        let [drop] = story.head.drops.as_slice() else { panic!("{}", story.head.headline) };
        let (good, bad) = (drop.last_good.micros(), drop.first_bad.micros());
        // The last packet came at …574.019, as the browser says; its looks lay a second apart.
        assert_eq!(good / 1_000, 1_795_323_574_019);
        assert!(bad - good >= 1_000_000, "{} us are less than two looks lie apart", bad - good);
        assert!(drop.restored.is_none() && !story.head.complete, "the dump was taken while it was lost");
        assert!(story.head.headline.contains("imported"), "{}", story.head.headline);
        assert!(story.rows[0].text.contains("looked at every 1.0"), "{}", story.rows[0].text);
        assert!(story.rows.iter().any(|row| row.text.contains("disconnected")), "what ICE said stands in the rows");
        assert!(drop.advice.what.contains("[fd00::2]:41984"), "the path it took: {}", drop.advice.what);
    }
    let moments = |story: &Story| {
        let drop = &story.head.drops[0];
        (drop.last_good, drop.first_bad.micros() / 10_000)
    };
    assert_eq!(moments(&told[0]), moments(&told[1]));
}

#[test]
fn a_call_that_was_held_is_on_record_and_no_more() {
    let story = told(&read(&dump("internals-held")).expect("a dump"));
    assert!(story.head.drops.is_empty() && !story.head.complete);
    assert!((5.0..8.0).contains(&story.head.held_s), "{}", story.head.held_s);
    let blind = story.rows.iter().filter(|row| row.text.contains("could not be seen")).count();
    assert!(blind >= 4, "interfaces, sleep, signaling, controls: {blind}");
}

/// Of one connection alone.
fn of(connection: &str, dump: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(dump).expect("text");
    let quoted = format!("\"{connection}\"");
    // Times are differences: a line of another connection is emptied, and keeps its own.
    let lines = text.lines().map(|line| match serde_json::from_str::<Value>(line) {
        Ok(Value::Array(event)) if !line.contains(&quoted) => {
            json!(["other", null, null, event.last().expect("a time")]).to_string()
        }
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n").into_bytes()
}

#[test]
fn a_far_end_that_is_silent_with_its_path_alive_is_no_loss() {
    let imported = read(&of("8-1", &dump("rtcstats-muted"))).expect("a dump");
    let story = told(&imported);
    assert!(story.head.drops.is_empty(), "{}", story.head.headline);
    assert!(story.head.complete, "its page closed it");
    let notes: Vec<&str> =
        story.rows.iter().map(|row| row.text.as_str()).filter(|text| text.contains("no media came")).collect();
    assert!(matches!(notes.as_slice(), [one] if one.contains("muted")), "{notes:?}");
}

/// As rtcstats-js tells it: only what changed, under numbers, with the time once.
fn compressed(dump: &[u8]) -> Vec<u8> {
    const NAMES: [(&str, &str); 17] = [
        ("packetsReceived", "14"),
        ("packetsLost", "15"),
        ("jitter", "16"),
        ("lastPacketReceivedTimestamp", "34"),
        ("bytesReceived", "41"),
        ("packetsSent", "79"),
        ("dtlsState", "123"),
        ("selectedCandidatePairId", "125"),
        ("address", "134"),
        ("port", "135"),
        ("candidateType", "136"),
        ("localCandidateId", "148"),
        ("remoteCandidateId", "149"),
        ("currentRoundTripTime", "152"),
        ("requestsReceived", "155"),
        ("responsesReceived", "157"),
        ("timestamp", "t"),
    ];
    const KINDS: [&str; 8] = [
        "inbound-rtp",
        "outbound-rtp",
        "remote-inbound-rtp",
        "remote-outbound-rtp",
        "transport",
        "candidate-pair",
        "local-candidate",
        "remote-candidate",
    ];
    let mut before: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut delta = |connection: &str, stats: &Map<String, Value>| {
        let was = before.insert(connection.to_owned(), stats.clone()).unwrap_or_default();
        let mut short = |id: &str| {
            let next = ids.len().to_string();
            ids.entry(format!("{connection} {id}")).or_insert(next).clone()
        };
        let mut told = Map::new();
        let mut latest = f64::MIN;
        for (id, report) in stats {
            let report = report.as_object().expect("a report");
            latest = latest.max(report["timestamp"].as_f64().expect("a time"));
            let mut changed = Map::new();
            for (name, value) in report {
                if was.get(id).is_some_and(|was| was.get(name) == Some(value)) || name == "id" || name == "timestamp" {
                    continue;
                }
                let number = NAMES.iter().find(|(full, _)| full == name).map_or(name.as_str(), |(_, number)| number);
                let value = match (name.as_str(), value.as_str()) {
                    ("type", Some(kind)) => {
                        KINDS.iter().position(|known| *known == kind).map_or(value.clone(), |at| json!(at + 1))
                    }
                    (name, Some(id)) if name.ends_with("Id") => json!(short(id)),
                    _ => value.clone(),
                };
                changed.insert(number.to_owned(), value);
            }
            told.insert(short(id), Value::Object(changed));
        }
        for gone in was.keys().filter(|id| !stats.contains_key(*id)) {
            told.insert(short(gone), Value::Null);
        }
        told.insert("t".into(), json!(latest));
        Value::Object(told)
    };
    let text = std::str::from_utf8(dump).expect("text");
    let lines = text.lines().map(|line| match serde_json::from_str::<Value>(line) {
        Ok(Value::Array(event)) => match (event[0].as_str(), event[1].as_str(), &event[2]) {
            (Some("getStats"), Some(connection), Value::Object(stats)) => {
                json!(["g", connection, delta(connection, stats), event.last()]).to_string()
            }
            (Some("oniceconnectionstatechange"), _, state) => json!([24, event[1], state, event.last()]).to_string(),
            (Some("close"), ..) => json!([36, event[1], null, event.last()]).to_string(),
            _ => line.to_owned(),
        },
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n").into_bytes()
}

#[test]
fn what_is_told_only_where_it_changed_says_the_same() {
    for name in ["rtcstats-lost", "rtcstats-muted"] {
        let (whole, short) = (dump(name), compressed(&dump(name)));
        assert!(short.len() * 2 < whole.len(), "{} of {}", short.len(), whole.len());
        assert_eq!(read(&short).expect("a dump").log, read(&whole).expect("a dump").log, "{name}");
    }
}

#[test]
fn older_rtcstats_are_one_array_with_times_of_the_clock() {
    let text = dump("rtcstats-lost");
    let mut now = 0.0;
    let lines = std::str::from_utf8(&text).expect("text").lines();
    let events = lines.filter_map(|line| serde_json::from_str::<Vec<Value>>(line).ok()).map(|mut event| {
        now += event.pop().and_then(|time| time.as_f64()).expect("a time");
        event.push(json!(now));
        Value::Array(event)
    });
    let older = Value::Array(events.collect()).to_string();
    let (older, newer) = (read(older.as_bytes()).expect("a dump"), read(&text).expect("a dump"));
    let drops = |imported: &Imported| story(&imported.log).head.drops.iter().map(|d| d.last_good).collect::<Vec<_>>();
    assert_eq!(drops(&older), drops(&newer));
}

#[test]
fn what_an_older_chromium_leaves_out_is_said() {
    let mut whole: Value = serde_json::from_slice(&dump("internals-lost")).expect("JSON");
    for connection in whole["PeerConnections"].as_object_mut().expect("connections").values_mut() {
        connection["stats"].as_object_mut().expect("series").retain(|name, _| !name.ends_with("-timestamp"));
        for update in connection["updateLog"].as_array_mut().expect("updates") {
            let kind = update["type"].as_str().expect("a word").trim_start_matches("on").to_owned();
            let value = update["value"].as_str().expect("text").trim_matches('"').to_owned();
            *update = json!({"time": "11/22/2026, 5:59:26 AM", "type": kind, "value": value});
        }
    }
    let imported = read(whole.to_string().as_bytes()).expect("a dump");
    let story = told(&imported);
    let row = &story.rows[0].text;
    assert!(row.contains("taken to lie evenly") && row.contains("say no zone"), "{row}");
    let [drop] = story.head.drops.as_slice() else { panic!("{}", story.head.headline) };
    // Evenly laid looks may be half a step off, and its last packet is taken as it was told or earlier.
    assert!((drop.last_good.micros() / 1_000).abs_diff(1_795_323_574_010) < 1_600, "{:?}", drop.last_good);
}

/// A look a second, `packets` each, with the transport's own count where `path` says that it lived.
fn looks(packets: &[(u64, bool)], more: &[Value]) -> Vec<u8> {
    const START: f64 = 1_795_255_200_000.0;
    let (mut received, mut transport) = (0, 0);
    let mut lines = vec!["RTCStatsDump".to_owned(), json!({"fileFormat": 3}).to_string()];
    lines.push(json!(["create", "PC_0", {}, START]).to_string());
    for (came, lives) in packets {
        received += came;
        transport += came + u64::from(*lives);
        let stats = json!({
            "IT1": {"type": "inbound-rtp", "packetsReceived": received},
            "T1": {"type": "transport", "packetsReceived": transport},
        });
        lines.push(json!(["getStats", "PC_0", stats, 1000]).to_string());
    }
    lines.extend(more.iter().map(Value::to_string));
    lines.join("\n").into_bytes()
}

#[test]
fn a_silence_is_a_loss_only_where_the_path_was_silent_for_long_enough() {
    let run = |n: usize, what: (u64, bool)| vec![what; n];
    let drops = |silence: Vec<(u64, bool)>| {
        let packets = [run(8, (50, true)), silence, run(6, (50, true))].concat();
        told(&read(&looks(&packets, &[])).expect("a dump"))
    };
    let lost = drops(run(7, (0, false)));
    let [drop] = lost.head.drops.as_slice() else { panic!("{}", lost.head.headline) };
    // Packets came until some time after the seventh second's look; the first one again before the sixteenth's.
    assert_eq!((seconds(&lost, drop.last_good), drop.restored.map(|at| seconds(&lost, at))), (6.0, Some(15.0)));
    assert!(seconds(&lost, drop.first_bad) >= 8.0);
    for short in [run(4, (0, false)), run(30, (0, true))] {
        let held = drops(short);
        assert!(held.head.drops.is_empty(), "{}", held.head.headline);
        assert!(held.rows.iter().any(|row| row.text.contains("no media came")));
    }
    // A path that lived on for a while, and then was lost.
    let later = drops([run(5, (0, true)), run(7, (0, false))].concat());
    let [drop] = later.head.drops.as_slice() else { panic!("{}", later.head.headline) };
    assert_eq!(seconds(&later, drop.last_good), 12.0);
}

#[test]
fn a_call_that_never_stood_failed_on_its_way_and_nowhere_else() {
    let states = [json!([24, "PC_0", "checking", 100]), json!([24, "PC_0", "failed", 15_000])];
    let story = told(&read(&looks(&[], &states)).expect("a dump"));
    let head = serde_json::to_value(&story.head).expect("JSON");
    assert_eq!(head["outcome"], "not_established");
    assert_eq!(head["drops"][0]["measured"]["stage"], "ice");
    assert!(matches!(read(&looks(&[], &states[..1])), Err(Refusal::NoCall("rtcstats"))));
}

#[test]
fn what_is_no_dump_is_refused_in_a_sentence() {
    let refused = |dump: &[u8]| read(dump).expect_err("refused").to_string();
    for other in [&b""[..], b"hello", b"{\"a\":1}", b"[1,2]", b"\x89PNG", b"   ", b"{}", b"[]"] {
        assert!(refused(other).contains("webrtc-internals"), "{}", refused(other));
    }
    let whole = dump("internals-lost");
    assert!(refused(&whole[..whole.len() / 2]).contains("cut"), "{}", refused(&whole[..whole.len() / 2]));
    assert!(refused(br#"{"PeerConnections":{},"UserAgent":"x"}"#).contains("nothing of a call"));
    for (open, close) in [("[", "]"), ("{\"PeerConnections\":", "}"), ("{\"a\":", "}")] {
        let deep = format!("{}{}", open.repeat(200_000), close.repeat(200_000));
        refused(deep.as_bytes());
    }
}

/// Cut anywhere, and altered anywhere: refused in a sentence, or told.
#[test]
fn a_dump_that_was_cut_or_altered_breaks_nothing() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let numbers = ["1e308", "-1e308", "-1", "1e999", "null", "\"x\"", "18446744073709551616", "0.0000001", "[]", "{}"];
    let mut read_some = 0;
    for name in ["internals-lost", "rtcstats-lost"] {
        let whole = dump(name);
        let try_it = |altered: &[u8]| read(altered).is_ok_and(|imported| told(&imported).rows.len() > 1);
        for _ in 0..60 {
            try_it(&whole[..next(whole.len())]);
        }
        for _ in 0..120 {
            let mut altered = whole.clone();
            for _ in 0..=next(4) {
                let at = next(altered.len());
                altered[at] = u8::try_from(next(256)).expect("a byte");
            }
            read_some += u32::from(try_it(&altered));
        }
        // A number anywhere becomes another, or something else.
        let text = String::from_utf8(whole).expect("text");
        let starts: Vec<usize> = text
            .char_indices()
            .zip(text.chars().skip(1))
            .filter(|((_, before), digit)| matches!(before, ':' | ',' | '[' | ' ') && digit.is_ascii_digit())
            .map(|((at, _), _)| at + 1)
            .collect();
        for _ in 0..120 {
            let at = starts[next(starts.len())];
            let long = text[at..].find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(0);
            let altered = format!("{}{}{}", &text[..at], numbers[next(numbers.len())], &text[at + long..]);
            read_some += u32::from(try_it(altered.as_bytes()));
        }
    }
    assert!(read_some > 100, "only {read_some} could be read: the test alters too much to show anything");
}

#[test]
fn a_flood_is_bounded() {
    // A thousand connections, one of which is a call; looks without end would be counted the same way.
    let mut lines = vec!["RTCStatsDump".to_owned(), "{}".to_owned()];
    for n in 0..1_000 {
        lines.push(json!(["create", format!("PC_{n:04}"), {}, 1_795_255_200_000_u64]).to_string());
    }
    for n in 0..20 {
        let stats = json!({"I": {"type": "inbound-rtp", "packetsReceived": n * 50}});
        lines.push(json!(["getStats", "PC_0000", stats, 1000]).to_string());
    }
    let imported = read(lines.join("\n").as_bytes()).expect("a dump");
    let others = imported.log.events.iter().find_map(|event| match &event.fact {
        Fact::Mark(Mark::Imported(how)) => Some(how.others),
        _ => None,
    });
    assert_eq!(others, Some(63));
    let flows = imported.log.events.iter().filter(|event| matches!(event.fact, Fact::Media(Media::Flowing { .. })));
    assert_eq!(flows.count(), 1);
}
