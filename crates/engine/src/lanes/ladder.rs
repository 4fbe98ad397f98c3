//! Which silences to try next, from what became of those before. Pure.
//!
//! One pass of many rungs brackets a limit between the longest silence that was survived and the shortest that was not;
//! later passes put rungs inside, and the last one tries the found value again. Narrowing begins as soon as the bracket is
//! known, while longer rungs still wait.

use record::fact::{RungCarrier, Side};
use std::time::Duration;

/// A rung to be tried, or that is being tried.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Want {
    pub quiet: Duration,
    pub by: Side,
    pub carrier: RungCarrier,
    pub pass: u32,
}

/// What became of it, with the silence there really was.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outcome {
    Survived(Duration),
    /// Its end was seen when it came.
    EndedAt(Duration),
    /// Found dead by the proof: it died somewhere within.
    FoundDead(Duration),
    /// Nothing was learned: this computer slept or stood still, or the lane never stood.
    Void,
}

pub struct Ladder {
    coarse: Vec<Duration>,
    /// A bracket no wider than this is a limit found.
    fine: Duration,
    /// Each with its pass.
    outcomes: Vec<(u32, Outcome)>,
    running: Vec<Want>,
    pass: u32,
    /// How often each coarse rung was begun.
    begun: Vec<u32>,
    /// The last pass that tried a found value again, and how many did.
    confirming: Option<u32>,
    confirmations: u32,
    /// The other carrier and the other side were tried at the bracket.
    sides_tried: bool,
}

/// The longest survived, and the shortest that was not; `seen` when that end was seen as it came.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bracket {
    pub survived: Duration,
    pub died: Duration,
    pub seen: bool,
}

/// Wanted of a limit; finer, the round trip and timers that devices look at once a second would be measured.
const FINE: Duration = Duration::from_secs(1);
/// Each is a socket.
const NARROWING: u32 = 8;
/// Long rungs may still wait while shorter ones are narrowed. What finds no place (see `sockets`) waits, and the next pass
/// waits with it.
const MOST_AT_ONCE: usize = 20;
/// Three narrow any bracket of the default rungs to a second. The others are for limits that move.
const MOST_PASSES: u32 = 8;
/// Of one coarse rung, when this computer sleeps or something else ends them all.
const MOST_TRIES: u32 = 3;
const MOST_CONFIRMATIONS: u32 = 3;

impl Ladder {
    pub fn new(mut coarse: Vec<Duration>) -> Self {
        coarse.sort_unstable();
        coarse.dedup();
        let shortest = coarse.first().copied().unwrap_or(FINE);
        Self {
            begun: vec![0; coarse.len()],
            // Of the shortest default rung it is a second; short rungs of a quick test are narrowed alike.
            fine: (shortest / 20).clamp(Duration::from_millis(50), FINE),
            coarse,
            outcomes: vec![],
            running: vec![],
            pass: 1,
            confirming: None,
            confirmations: 0,
            sides_tried: false,
        }
    }

    /// For rungs that know no other carrier and no other side: each is of the first kind, whatever they are made of.
    pub fn one_sided(coarse: Vec<Duration>) -> Self {
        Self { sides_tried: true, ..Self::new(coarse) }
    }

    pub fn came(&mut self, rung: Want, outcome: Outcome) {
        if let Some(n) = self.running.iter().position(|running| *running == rung) {
            self.running.swap_remove(n);
        }
        // What the other carrier or the other side meets is a limit of its own.
        if rung.by == Side::Us && rung.carrier == RungCarrier::Websocket {
            self.outcomes.push((rung.pass, outcome));
        }
    }

    fn survived(&self) -> Duration {
        let survived = self.outcomes.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Survived(quiet) => Some(*quiet),
            _ => None,
        });
        survived.max().unwrap_or_default()
    }

    /// A death within a silence that another rung survived had another reason, and is left out. So had one whose end was
    /// seen as it came, where a rung of the same pass or a later one was not ended by then, or not seen to.
    pub fn bracket(&self) -> Option<Bracket> {
        let survived = self.survived();
        let deaths = self.outcomes.iter().filter_map(|(pass, outcome)| match *outcome {
            Outcome::EndedAt(died) => Some((*pass, Bracket { survived, died, seen: true })),
            Outcome::FoundDead(died) => Some((*pass, Bracket { survived, died, seen: false })),
            Outcome::Survived(_) | Outcome::Void => None,
        });
        let deaths: Vec<_> = deaths.filter(|(_, death)| death.died > survived).collect();
        let outlived = |(pass, death): &(u32, Bracket)| {
            let beyond =
                |(later, other): &(u32, Bracket)| other.died > death.died + self.fine && (other.seen || later > pass);
            death.seen && deaths.iter().any(beyond)
        };
        deaths.iter().filter(|death| !outlived(death)).map(|(_, death)| *death).min_by_key(|death| death.died)
    }

    /// What to begin now, with so much time left for a silence.
    pub fn next(&mut self, left: Duration) -> Vec<Want> {
        let mut wants = match self.bracket() {
            None => self.coarse_again(),
            Some(_) if self.is_waiting() => vec![],
            Some(bracket) if bracket.seen || bracket.died - bracket.survived <= self.fine => self.confirm(bracket),
            Some(bracket) => self.narrow(bracket),
        };
        wants.retain(|want| want.quiet <= left);
        self.running.extend(&wants);
        wants
    }

    /// A rung that runs may still move the bracket.
    fn is_waiting(&self) -> bool {
        let Some(bracket) = self.bracket() else { return true };
        let inside = |rung: &Want| rung.quiet > bracket.survived && rung.quiet < bracket.died;
        self.running.iter().any(|rung| rung.pass > 1 || inside(rung))
    }

    fn coarse_again(&mut self) -> Vec<Want> {
        let survived = self.survived();
        let mut wants = vec![];
        for (quiet, begun) in self.coarse.iter().zip(&mut self.begun) {
            let runs = self.running.iter().any(|rung| rung.pass == 1 && rung.quiet == *quiet);
            if *quiet > survived && !runs && *begun < MOST_TRIES {
                *begun += 1;
                wants.push(ours(*quiet, 1));
            }
        }
        wants
    }

    fn narrow(&mut self, bracket: Bracket) -> Vec<Want> {
        if self.pass == MOST_PASSES {
            return vec![];
        }
        self.pass += 1;
        let gap = bracket.died - bracket.survived;
        let enough = (gap.as_secs_f64() / self.fine.as_secs_f64()).ceil() as u32 - 1;
        let sides = self.sides([bracket.survived, bracket.died]);
        let room = MOST_AT_ONCE.saturating_sub(self.running.len() + sides.len());
        let n = enough.min(NARROWING).min(room.max(2) as u32).max(1);
        let mut wants: Vec<_> = (1..=n).map(|i| ours(bracket.survived + gap * i / (n + 1), self.pass)).collect();
        wants.extend(sides);
        wants
    }

    /// The found value once more, twice on the side that should die.
    fn confirm(&mut self, bracket: Bracket) -> Vec<Want> {
        let near = |died: Duration| died.abs_diff(bracket.died) <= self.fine;
        let again = self.outcomes.iter().any(|(pass, outcome)| match *outcome {
            Outcome::EndedAt(died) | Outcome::FoundDead(died) => Some(*pass) == self.confirming && near(died),
            Outcome::Survived(_) | Outcome::Void => false,
        });
        let found = again && bracket.died - bracket.survived <= 2 * self.fine;
        if found || self.confirmations == MOST_CONFIRMATIONS || self.pass == MOST_PASSES {
            return vec![];
        }
        self.confirmations += 1;
        self.pass += 1;
        self.confirming = Some(self.pass);
        let (below, above) = match bracket.seen {
            // An end that comes at its own time needs only a silence that is long enough for it.
            true => (bracket.survived.max(bracket.died.saturating_sub(self.fine)), bracket.died + 2 * self.fine),
            false => (bracket.survived, bracket.died),
        };
        let mut wants = vec![ours(above, self.pass), ours(above, self.pass)];
        if !below.is_zero() {
            wants.push(ours(below, self.pass));
        }
        wants.extend(self.sides([below, above]));
        wants
    }

    /// A firewall that forgot a connection may let our word make it anew and never theirs; a proxy of HTTP counts otherwise
    /// than a device that sees only TCP.
    fn sides(&mut self, ends: [Duration; 2]) -> Vec<Want> {
        if std::mem::replace(&mut self.sides_tried, true) {
            return vec![];
        }
        let (pass, tcp) = (self.pass, RungCarrier::Tcp);
        let ends = ends.into_iter().filter(|quiet| !quiet.is_zero());
        ends.flat_map(|quiet| {
            [Want { by: Side::Them, ..ours(quiet, pass) }, Want { carrier: tcp, ..ours(quiet, pass) }]
        })
        .collect()
    }
}

fn ours(quiet: Duration, pass: u32) -> Want {
    Want { quiet, by: Side::Us, carrier: RungCarrier::Websocket, pass }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use record::profile::Lanes;
    use std::collections::VecDeque;

    const S: Duration = Duration::from_secs(1);

    /// A path with one limit, and a clock that jumps from end to end.
    struct Path {
        limit: Duration,
        /// It says so when the time comes; else what comes later is lost without a word.
        says: bool,
        /// At this time everything that runs is cut, once.
        cut_at: Option<Duration>,
        /// So many rungs run at once; who finds no place waits for one. There are 16 at least (see `sockets`).
        places: usize,
        now: Duration,
        waiting: VecDeque<Want>,
        running: Vec<(Duration, Want)>,
        most: usize,
    }

    impl Path {
        fn new(limit: Duration, says: bool) -> Self {
            Self {
                limit,
                says,
                cut_at: None,
                places: 99,
                now: Duration::ZERO,
                waiting: VecDeque::new(),
                running: vec![],
                most: 0,
            }
        }
        /// When a rung that began then is known, and what of it.
        fn end(&self, began: Duration, rung: Want) -> (Duration, Outcome) {
            let (after, outcome) = match (rung.quiet < self.limit, self.says) {
                (true, _) => (rung.quiet, Outcome::Survived(rung.quiet)),
                (false, true) => (self.limit, Outcome::EndedAt(self.limit)),
                (false, false) => (rung.quiet + 3 * S, Outcome::FoundDead(rung.quiet)),
            };
            match self.cut_at {
                Some(cut) if began < cut && cut < began + after => (cut, Outcome::EndedAt(cut - began)),
                _ => (began + after, outcome),
            }
        }
        /// Until nothing runs and nothing more is wanted.
        fn walk(&mut self, ladder: &mut Ladder, hold: Duration) {
            for _ in 0..1000 {
                self.waiting.extend(ladder.next(hold.saturating_sub(self.now)));
                while self.running.len() < self.places
                    && let Some(want) = self.waiting.pop_front()
                {
                    if self.now + want.quiet > hold {
                        ladder.came(want, Outcome::Void);
                        continue;
                    }
                    self.running.push((self.now, want));
                }
                self.most = self.most.max(self.running.len());
                let ends = self.running.iter().enumerate();
                let Some((n, (at, outcome))) =
                    ends.map(|(n, (began, rung))| (n, self.end(*began, *rung))).min_by_key(|(_, (at, _))| *at)
                else {
                    return;
                };
                self.now = at;
                let (_, rung) = self.running.swap_remove(n);
                ladder.came(rung, outcome);
            }
            panic!("it has no end");
        }
    }

    fn default_rungs() -> Vec<Duration> {
        Lanes::default().quiet_ladder.iter().map(|rung| rung.get()).collect()
    }

    proptest! {
        #[test]
        fn every_limit_within_reach_is_found_to_the_second(ms in 1_000u64..700_000, says: bool, cut in 0u64..2_000, places in 16usize..30) {
            let limit = Duration::from_millis(ms);
            let mut path = Path::new(limit, says);
            // In half of the cases something else ends all connections once.
            path.cut_at = (cut < 1_000).then(|| Duration::from_secs(cut));
            path.places = places;
            let mut ladder = Ladder::new(default_rungs());
            path.walk(&mut ladder, 4 * 3600 * S);
            match ladder.bracket() {
                None => prop_assert!(limit > 605 * S && ladder.survived() >= 605 * S, "{:?}", ladder.survived()),
                Some(bracket) => {
                    // What else cut it within a second of the limit cannot be told from it.
                    let tolerance = if path.cut_at.is_some() { S } else { Duration::ZERO };
                    prop_assert!(bracket.survived < limit && limit <= bracket.died + tolerance, "{bracket:?}");
                    prop_assert!(bracket.died - bracket.survived <= S, "{bracket:?}");
                    prop_assert!(!says || bracket.died.abs_diff(limit) <= tolerance, "{bracket:?}");
                }
            }
            prop_assert!(path.most <= places.min(MOST_AT_ONCE + 3), "{} at once", path.most);
        }
    }

    #[test]
    fn an_end_with_a_time_of_its_own_is_only_confirmed_and_soon() {
        let mut path = Path::new(60 * S, true);
        let mut ladder = Ladder::new(default_rungs());
        path.walk(&mut ladder, 3600 * S);
        assert_eq!(ladder.bracket(), Some(Bracket { survived: 59 * S, died: 60 * S, seen: true }));
        assert_eq!(ladder.pass, 2);
        assert_eq!(path.now, 120 * S, "one more silence, without waiting for the longest rungs");
    }

    #[test]
    fn a_short_hold_narrows_without_waiting_for_the_longest_rungs() {
        let mut path = Path::new(Duration::from_millis(60_020), false);
        let mut ladder = Ladder::new(default_rungs().into_iter().filter(|rung| *rung <= 250 * S).collect());
        path.walk(&mut ladder, 300 * S);
        let bracket = ladder.bracket().expect("there is a limit");
        assert!(bracket.died - bracket.survived <= S, "{bracket:?}");
        assert_eq!(ladder.pass, 3, "narrowed and confirmed");
    }

    #[test]
    fn what_slept_is_done_over_and_not_without_end() {
        let mut ladder = Ladder::new(vec![25 * S, 45 * S]);
        for _ in 0..MOST_TRIES {
            let wants = ladder.next(3600 * S);
            assert_eq!(wants.len(), 2);
            for want in wants {
                ladder.came(want, Outcome::Void);
            }
        }
        assert_eq!(ladder.next(3600 * S), []);
        assert_eq!(ladder.bracket(), None);
    }

    #[test]
    fn nothing_is_begun_that_cannot_be_finished() {
        let mut ladder = Ladder::new(default_rungs());
        assert!(ladder.next(60 * S).iter().all(|want| want.quiet <= 60 * S));
        assert_eq!(ladder.running.len(), 4);
    }
}
