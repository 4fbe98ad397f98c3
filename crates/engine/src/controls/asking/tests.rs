use super::*;
use proptest::prelude::*;

fn start() -> Stamp {
    Stamp::new(1_795_255_200_000_000, 1_000_000_000, 900_000_000)
}

/// A control with somebody at the other end, who answers or not.
struct Scene {
    asking: Asking,
    now: Stamp,
    facts: Vec<(u64, Fact)>,
    put: Vec<u64>,
}

fn manner(never: Option<Never>) -> Manner {
    let (every, sample_every) = (ms(1_000), ms(5_000));
    Manner { control: 7, kind: ControlKind::Stun, every, sample_every, never, silence_tells: true }
}

impl Scene {
    fn new(never: Option<Never>) -> Self {
        let asking = Asking::new(manner(never), start());
        let mut scene = Self { asking, now: start(), facts: vec![], put: vec![] };
        scene.aim(Some("there"));
        scene
    }

    fn at(&self) -> u64 {
        self.now.since(start()).as_millis() as u64
    }

    fn aim(&mut self, target: Option<&str>) {
        let fact = self.asking.aim(target.map(Heard::from), self.now);
        self.note(fact);
    }

    fn note(&mut self, fact: Option<Fact>) {
        let at = self.at();
        self.facts.extend(fact.map(|fact| (at, fact)));
    }

    /// Until `until`; an attempt is answered after as long as `answer` says.
    fn run(&mut self, until: u64, mut answer: impl FnMut(u64) -> Option<u64>) {
        let mut coming: Vec<(u64, u64)> = vec![];
        loop {
            for step in self.asking.due(self.now) {
                match step {
                    Step::Put(attempt) => {
                        self.put.push(self.at());
                        coming.extend(answer(self.at()).map(|takes| (self.at() + takes, attempt)));
                    }
                    Step::Note(fact) => self.note(Some(fact)),
                }
            }
            coming.sort_unstable();
            let due = self.at() + self.asking.wait(self.now).as_millis() as u64;
            match coming.first().copied().filter(|(at, _)| *at <= due) {
                Some((at, attempt)) if at < until => {
                    coming.remove(0);
                    self.now = start().plus(ms(at));
                    let fact = self.asking.answered(attempt, self.now);
                    self.note(fact);
                }
                _ if due >= until => {
                    self.now = start().plus(ms(until));
                    return;
                }
                _ => self.now = start().plus(ms(due)),
            }
        }
    }

    fn controls(&self) -> impl Iterator<Item = (u64, &Control)> {
        self.facts.iter().filter_map(|(at, fact)| match fact {
            Fact::Control(control) => Some((*at, control)),
            _ => None,
        })
    }

    /// When a silence was said, and the question it began with.
    fn silences(&self) -> Vec<(u64, u64)> {
        let silent = |(at, control): (u64, &Control)| match control {
            Control::Silent { asked, .. } => Some((at, asked.since(start()).as_millis() as u64)),
            _ => None,
        };
        self.controls().filter_map(silent).collect()
    }

    fn backs(&self) -> Vec<u64> {
        self.controls().filter(|(_, control)| matches!(control, Control::Back { .. })).map(|(at, _)| at).collect()
    }
}

#[test]
fn one_that_answers_is_asked_once_a_second_and_sampled_every_five() {
    let mut scene = Scene::new(None);
    scene.run(10_100, |_| Some(20));
    assert_eq!(scene.put, (0..=10).map(|s| s * 1_000).collect::<Vec<_>>());
    let said: Vec<&Control> = scene.controls().map(|(_, control)| control).collect();
    assert_eq!(
        said[0],
        &Control::Asking { control: 7, kind: ControlKind::Stun, target: "there".into(), rationed: false }
    );
    let last_ok = Some(start().plus(ms(4_020)));
    assert_eq!(said[1], &Control::Sample { control: 7, asked: 5, answered: 5, rtt_ms: Some(20.0), last_ok });
    assert_eq!(said.len(), 3, "{said:?}");
}

#[test]
fn a_lost_packet_is_asked_again_and_counted_and_is_no_silence() {
    let mut scene = Scene::new(None);
    scene.run(5_100, |at| (at != 2_000 && at != 2_300).then_some(20));
    assert_eq!(scene.put, [0, 1_000, 2_000, 2_300, 2_600, 3_000, 4_000, 5_000]);
    assert_eq!(scene.silences(), []);
    let asked = scene.controls().find_map(|(_, control)| match control {
        Control::Sample { asked, answered, .. } => Some((*asked, *answered)),
        _ => None,
    });
    assert_eq!(asked, Some((7, 5)));
}

#[test]
fn silence_is_said_within_two_seconds_of_its_first_question_and_ends_with_the_first_answer() {
    let mut scene = Scene::new(None);
    scene.run(9_500, |at| (!(2_500..7_900).contains(&at)).then_some(30));
    assert_eq!(scene.silences(), [(4_900, 3_000)]);
    assert_eq!(scene.backs(), [8_030]);
    let once = |at: &&u64| (5_000..8_000).contains(*at);
    assert_eq!(scene.put.iter().filter(once).collect::<Vec<_>>(), [&5_000, &6_000, &7_000], "known to be silent");
    let said = scene.controls().find_map(|(_, control)| match control {
        Control::Silent { last_ok, says, .. } => Some((*last_ok, says.as_str())),
        _ => None,
    });
    assert_eq!(said, Some((Some(start().plus(ms(2_030))), "no answer of any kind")));
}

#[test]
fn an_answer_of_a_second_is_slow_and_no_silence() {
    let mut scene = Scene::new(None);
    scene.run(30_000, |_| Some(1_100));
    assert_eq!(scene.silences(), []);
}

#[test]
fn what_went_wrong_is_said_in_its_own_words() {
    let mut scene = Scene::new(None);
    scene.run(500, |_| None);
    scene.asking.failed("there is no such name".into());
    scene.run(3_000, |_| None);
    assert!(scene.controls().any(|(_, control)| {
        matches!(control, Control::Silent { says, last_ok: None, refused: false, .. } if says.as_str() == "there is no such name")
    }));
}

#[test]
fn one_that_never_answered_and_may_have_reasons_is_blindness_once_and_never_silence() {
    let never = Never { watcher: record::Sense::Gateway, why: "it answers no pings" };
    let mut scene = Scene::new(Some(never));
    scene.run(60_000, |_| None);
    assert_eq!(scene.silences(), []);
    let blind: Vec<_> = scene.facts.iter().filter(|(_, fact)| matches!(fact, Fact::Blind { .. })).collect();
    assert_eq!(blind.len(), 1);
    assert!((5_000..8_000).contains(&blind[0].0), "{}", blind[0].0);
    assert!(scene.put.len() < 80, "asked on, and not insistently: {}", scene.put.len());
    // From its first answer on, it is one that answers.
    scene.run(70_000, |at| (at < 65_000).then_some(1));
    assert_eq!(scene.silences(), [(66_900, 65_000)]);
}

#[test]
fn where_answers_are_rationed_only_an_error_of_our_own_system_is_silence() {
    let mut scene = Scene::new(None);
    scene.asking.manner.silence_tells = false;
    scene.run(60_000, |at| (at % 7_000 == 0).then_some(1));
    assert_eq!(scene.silences(), []);
    assert!(scene.put.len() <= 60, "never asked more than once a second: {}", scene.put.len());
    scene.asking.failed("no route to host".into());
    scene.run(65_000, |_| None);
    assert_eq!(scene.silences().len(), 1);
}

#[test]
fn another_target_is_said_and_starts_afresh() {
    let never = Never { watcher: record::Sense::Gateway, why: "it answers no pings" };
    let mut scene = Scene::new(Some(never));
    scene.run(2_500, |_| Some(1));
    scene.aim(Some("another"));
    scene.run(20_000, |_| None);
    assert_eq!(scene.silences(), [], "that one has never answered");
    scene.aim(None);
    let put = scene.put.len();
    scene.run(40_000, |_| None);
    assert_eq!(scene.put.len(), put, "there is nobody to ask");
    scene.aim(Some("another"));
    scene.run(41_500, |_| Some(1));
    let asking = scene.controls().filter(|(_, control)| matches!(control, Control::Asking { .. })).count();
    assert_eq!(asking, 2, "the same one again is no news");
    assert_eq!(scene.put.len(), put + 2);
}

#[test]
fn what_was_asked_before_a_sleep_is_forgotten() {
    let mut scene = Scene::new(None);
    scene.run(3_100, |at| (at < 3_000).then_some(1));
    scene.now = Stamp { awake: scene.now.awake, ..scene.now.plus(Duration::from_secs(3_600)) };
    assert_eq!(scene.asking.answered(4, scene.now), None, "an answer out of the night");
    let steps = scene.asking.due(scene.now);
    assert!(!steps.iter().any(|step| matches!(step, Step::Note(Fact::Control(Control::Silent { .. })))), "{steps:?}");
    assert!(matches!(steps[0], Step::Put(5)), "asked anew at once: {steps:?}");
}

#[test]
fn a_process_that_stood_still_accuses_nobody() {
    let mut scene = Scene::new(None);
    scene.run(3_100, |at| (at < 3_000).then_some(1));
    scene.now = scene.now.plus(ms(10_000));
    scene.run(20_000, |_| Some(1));
    assert_eq!(scene.silences(), []);
}

/// Eight hours at 5 % lost each way, by a generator whose seed is fixed.
#[test]
fn five_percent_lost_at_random_is_no_silence_in_a_night() {
    let mut scene = Scene::new(None);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut lost = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % 10_000 < 975
    };
    scene.run(8 * 3_600_000, |_| (!lost()).then_some(25));
    assert_eq!(scene.silences(), []);
    let bytes: usize = scene.facts.iter().map(|(_, fact)| serde_json::to_string(fact).unwrap().len()).sum();
    assert!(bytes / (8 * 3_600) < 50, "{} bytes a second", bytes / (8 * 3_600));
}

proptest! {
    /// Whatever comes and however time runs: silences and their ends take turns, and little is kept.
    #[test]
    fn silences_and_answers_take_turns(
        moves in prop::collection::vec((0u64..4_000, 0u64..12, any::<bool>(), any::<bool>()), 0..300),
    ) {
        let mut asking = Asking::new(manner(None), start());
        let mut now = start();
        let mut silent = false;
        let mut check = |fact: &Fact| match fact {
            Fact::Control(Control::Silent { .. }) => !std::mem::replace(&mut silent, true),
            Fact::Control(Control::Back { .. }) => std::mem::replace(&mut silent, false),
            _ => true,
        };
        asking.aim(Some("there".into()), now);
        for (wait, attempt, answered, overslept) in moves {
            let due = asking.wait(now);
            now = now.plus(if overslept { ms(wait) } else { due.min(ms(wait)) });
            if answered
                && let Some(fact) = asking.answered(asking.attempts.saturating_sub(attempt), now)
            {
                prop_assert!(check(&fact));
            }
            for step in asking.due(now) {
                if let Step::Note(fact) = step {
                    prop_assert!(check(&fact));
                }
            }
            prop_assert!(asking.open.len() <= 16);
        }
    }
}
