use super::*;
use crate::call::Input;
use crate::lanes::desk::{Most, Opened};
use record::fact::Sight;
use record::wire::datagram::STAND_SIZE;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const MS: Duration = Duration::from_millis(1);

struct Bench {
    desks: Arc<Desks>,
    flows: Flows<()>,
    now: Stamp,
    key: Key,
    opened: Option<Opened>,
    mailbox: UnboundedReceiver<Input>,
    sent: usize,
    got: usize,
}

fn place(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Bench {
    fn new() -> Self {
        let desks = Arc::new(Desks::new(Most { in_all: 100, of_one_address: 100 }, Arc::default()));
        let (to_call, mailbox) = unbounded_channel();
        let opened = desks.open("ticket".into(), place("192.0.2.1:1").ip(), to_call);
        let secret = hmac::Key::new(hmac::HMAC_SHA256, b"of this run");
        let now = Stamp::new(1_000_000_000, 50_000_000, 50_000_000);
        Self {
            desks,
            flows: Flows::new(secret),
            now,
            key: Key::of("ticket"),
            opened: Some(opened),
            mailbox,
            sent: 0,
            got: 0,
        }
    }
    fn ask(&mut self, from: &str, lane: u32, nonce: u64, say: FromClient) -> Option<FromFar> {
        let bytes = self.key.seal(Datagram { nonce, lane, say });
        self.sent += bytes.len();
        let answer = self.flows.handle(self.now, place(from), &(), &bytes, &self.desks)?;
        self.got += answer.len();
        let answer = self.key.open::<FromFar>(&answer).expect("sealed under the same key");
        assert_eq!((answer.nonce, answer.lane), (nonce, lane));
        Some(answer.say)
    }
    fn pass(&mut self, from: &str) -> u64 {
        match self.ask(from, 0, 1, FromClient::Echo) {
            Some(FromFar::Echo { seen, pass }) if seen == place(from) => pass,
            other => panic!("{other:?}"),
        }
    }
    fn stand(&mut self, from: &str, lane: u32, after: Duration, answer: bool) -> Option<FromFar> {
        let pass = self.pass(from);
        let speak_after_ms = after.as_millis() as u32;
        self.ask(from, lane, 100, FromClient::Stand { speak_after_ms, answer, pass })
    }
    /// What the far end says by itself in that time, looked at every ten milliseconds, with when it did.
    fn wait(&mut self, time: Duration) -> Vec<(Duration, SocketAddr, FromFar)> {
        let (began, mut said) = (self.now, vec![]);
        while self.now.since(began) < time {
            self.now = self.now.plus(10 * MS);
            for Outgoing { to, bytes, .. } in self.flows.due(self.now, &self.desks) {
                self.got += bytes.len();
                let late = self.key.open::<FromFar>(&bytes).expect("sealed under the same key");
                said.push((self.now.since(began), to, late.say));
            }
        }
        said
    }
    fn saw(&mut self) -> Vec<(u32, LaneSight)> {
        std::iter::from_fn(|| match self.mailbox.try_recv().ok()? {
            Input::Saw { sight: Sight::Lane { lane, sight }, .. } => Some((lane, sight)),
            _ => panic!("only sights"),
        })
        .collect()
    }
}

const HERE: &str = "192.0.2.7:4000";

#[test]
fn the_far_end_speaks_after_the_silence_until_it_is_heard() {
    let mut bench = Bench::new();
    assert_eq!(bench.stand(HERE, 3, 1000 * MS, true), Some(FromFar::Standing { seen: place(HERE) }));
    assert_eq!(bench.wait(990 * MS), []);
    let said = bench.wait(20 * MS);
    assert_eq!(said, [(10 * MS, place(HERE), FromFar::Late { quiet_ms: 1000 })]);
    let heard = bench.ask(HERE, 3, 100, FromClient::Word);
    assert_eq!(heard, Some(FromFar::Word { seen: place(HERE), quiet_ms: 1010, spoke: true }));
    assert_eq!(bench.wait(2000 * MS), [], "heard once, it says nothing more");
    let stood = LaneSight::Stood { from: place(HERE).into() };
    assert_eq!(
        bench.saw(),
        [(3, stood), (3, LaneSight::Spoke { quiet_ms: 1000.0 })],
        "an answer is no word of its own"
    );
}

#[test]
fn a_late_word_that_nobody_answers_is_said_three_times_and_the_callers_own_word_tells_of_another_port() {
    let mut bench = Bench::new();
    assert_eq!(bench.stand(HERE, 3, 500 * MS, false), None, "one packet, and none back");
    let times: Vec<Duration> = bench.wait(3000 * MS).iter().map(|(at, ..)| *at).collect();
    assert_eq!(times, [500 * MS, 800 * MS, 1400 * MS]);
    let anew = "192.0.2.7:5000";
    let heard = bench.ask(anew, 3, 200, FromClient::Word);
    assert_eq!(heard, Some(FromFar::Word { seen: place(anew), quiet_ms: 3000, spoke: true }));
    assert_eq!(bench.ask(anew, 3, 200, FromClient::Word), heard, "asked again");
    let saw = bench.saw();
    assert_eq!(saw[1..], [(3, LaneSight::Spoke { quiet_ms: 500.0 }), (3, LaneSight::Heard { quiet_ms: 3000.0 })]);
}

#[test]
fn nobody_is_sent_more_than_came_in_his_name() {
    let mut bench = Bench::new();
    bench.stand(HERE, 1, 100 * MS, true);
    bench.wait(3000 * MS);
    assert_eq!(bench.sent, bench.got, "an echo, and a stand with all it can bring about");
    bench.ask(HERE, 9, 5, FromClient::Word);
    assert!(bench.got <= bench.sent);
}

#[test]
fn an_address_that_has_not_shown_that_it_receives_is_never_spoken_to() {
    let mut bench = Bench::new();
    let pass = bench.pass(HERE);
    let stand = FromClient::Stand { speak_after_ms: 100, answer: false, pass };
    assert_eq!(bench.ask("198.51.100.1:53", 1, 7, stand), Some(FromFar::Unknown));
    assert_eq!(bench.wait(2000 * MS), []);
    assert_eq!(bench.ask("192.0.2.7:4001", 1, 7, stand), None, "another port of the same address may");
    assert_eq!(bench.wait(200 * MS).len(), 1);
}

#[test]
fn a_recorded_stand_begins_nothing_a_second_time() {
    let mut bench = Bench::new();
    let pass = bench.pass(HERE);
    let stand = FromClient::Stand { speak_after_ms: 100, answer: true, pass };
    assert_eq!(bench.ask(HERE, 1, 7, stand), Some(FromFar::Standing { seen: place(HERE) }));
    assert_eq!(bench.ask(HERE, 1, 7, stand), Some(FromFar::Standing { seen: place(HERE) }), "its answer was lost");
    assert_eq!(bench.ask("192.0.2.7:4001", 1, 7, stand), Some(FromFar::Unknown), "somebody else's");
    assert_eq!(bench.wait(2000 * MS).len(), 3, "one late word, said three times");
    bench.wait(KEPT_AFTER);
    assert_eq!(bench.ask(HERE, 1, 7, stand), Some(FromFar::Unknown));
    assert_eq!(bench.ask(HERE, 1, 8, FromClient::Word), Some(FromFar::Unknown));
    assert_eq!(bench.wait(2000 * MS), []);
}

#[test]
fn flows_and_silences_are_bounded() {
    let mut bench = Bench::new();
    for lane in 1..=MOST_FLOWS as u32 {
        assert!(matches!(bench.stand(HERE, lane, LONGEST_SILENCE, true), Some(FromFar::Standing { .. })));
    }
    assert_eq!(bench.stand(HERE, 99, 100 * MS, true), Some(FromFar::Unknown), "one too many");
    let mut bench = Bench::new();
    assert_eq!(bench.stand(HERE, 1, LONGEST_SILENCE + MS, true), Some(FromFar::Unknown), "too long");
    assert_eq!(bench.flows.next(), None);
}

#[test]
fn a_flood_is_answered_up_to_a_point_and_again_later() {
    let mut bench = Bench::new();
    let answered = (0..1000).filter(|nonce| bench.ask(HERE, 0, *nonce, FromClient::Echo).is_some()).count();
    assert_eq!(answered, MOST_ANSWERED as usize);
    bench.now = bench.now.plus(1000 * MS);
    assert!(bench.ask(HERE, 0, 1, FromClient::Echo).is_some());
}

#[test]
fn what_is_not_signed_or_belongs_to_a_call_that_is_over_is_not_answered() {
    let mut bench = Bench::new();
    bench.stand(HERE, 1, 500 * MS, true);
    bench.key = Key::of("another ticket");
    assert_eq!(bench.ask(HERE, 0, 1, FromClient::Echo), None);
    bench.key = Key::of("ticket");
    bench.opened = None;
    assert_eq!(bench.ask(HERE, 0, 1, FromClient::Echo), None);
    assert_eq!(bench.wait(2000 * MS), []);
    assert!(bench.flows.calls.is_empty());
    let stand = bench.key.seal(Datagram { nonce: 1, lane: 1, say: FromClient::Echo });
    assert!(stand.len() < STAND_SIZE);
}

#[test]
fn a_datagram_of_nobody_costs_the_same_however_many_flows_there_are() {
    let mut bench = Bench::new();
    let unknown = Key::of("no ticket").seal(Datagram { nonce: 1, lane: 1, say: FromClient::Echo });
    // What the loop around does for each datagram; the least of several runs, on a machine that does other things too.
    let cost = |bench: &mut Bench| {
        let clock = engine::Clock::real();
        let once = |bench: &mut Bench| {
            let began = clock.now();
            for _ in 0..200 {
                assert_eq!(bench.flows.handle(bench.now, place(HERE), &(), &unknown, &bench.desks), None);
                bench.flows.next();
            }
            clock.now().since(began)
        };
        (0..10).map(|_| once(bench)).min().unwrap()
    };
    let alone = cost(&mut bench);
    let mut calls = vec![];
    for call in 0..MOST_IN_ALL / MOST_FLOWS {
        let ticket = call.to_string();
        calls.push(bench.desks.open(ticket.clone(), place(HERE).ip(), unbounded_channel().0));
        bench.key = Key::of(&ticket);
        for lane in 1..=MOST_FLOWS as u32 {
            assert!(matches!(bench.stand(HERE, lane, LONGEST_SILENCE, true), Some(FromFar::Standing { .. })));
        }
    }
    assert_eq!(bench.flows.timetable.len(), MOST_IN_ALL / MOST_FLOWS * MOST_FLOWS);
    let among_many = cost(&mut bench);
    assert!(among_many < 10 * alone, "{alone:?} alone, {among_many:?} among many");
    drop(calls);
    bench.wait(10 * MS);
    assert!(bench.flows.timetable.is_empty(), "those of calls that are over are forgotten");
}

#[test]
fn the_reflector_as_a_whole_keeps_no_more_flows_than_it_may() {
    let mut bench = Bench::new();
    let mut calls = vec![];
    let mut standing = 0;
    for call in 0..MOST_IN_ALL / MOST_FLOWS + 2 {
        let ticket = call.to_string();
        calls.push(bench.desks.open(ticket.clone(), place(HERE).ip(), unbounded_channel().0));
        bench.key = Key::of(&ticket);
        for lane in 1..=MOST_FLOWS as u32 {
            let stood = bench.stand(HERE, lane, 500 * MS, true);
            standing += usize::from(matches!(stood, Some(FromFar::Standing { .. })));
        }
    }
    assert_eq!(standing, MOST_IN_ALL);
    bench.now = bench.now.plus(500 * MS + KEPT_AFTER);
    bench.flows.due(bench.now, &bench.desks);
    assert!(bench.flows.timetable.is_empty() && bench.flows.calls.values().all(|call| call.flows.is_empty()));
}
