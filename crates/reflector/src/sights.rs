//! What a call has seen, until its caller is known to have heard it.
//!
//! Written is not heard: into a connection that has died silently one can write for minutes, and the next socket would
//! never learn of just the loss that killed it. So a ping follows what is said, and until its pong comes it is kept.

use record::{Wall, fact::Sight};
use std::collections::VecDeque;

#[derive(Default)]
pub struct Sights {
    kept: VecDeque<Kept>,
    /// The last one written to the socket that stands.
    said: u64,
    /// The last one seen; they are numbered from 1.
    seen: u64,
}

pub struct Kept {
    pub number: u64,
    pub at: Wall,
    pub sight: Sight,
}

/// More than lanes may tell in a whole call, and media can make by stopping and resuming within the default time that a
/// call is kept. Over it the oldest go: how it ended matters more than how it began.
const MOST: usize = 2048;

impl Sights {
    pub fn keep(&mut self, at: Wall, sight: Sight) {
        if self.kept.len() == MOST {
            self.kept.pop_front();
        }
        self.seen += 1;
        self.kept.push_back(Kept { number: self.seen, at, sight });
    }

    /// To a new socket nothing was said yet.
    pub fn begin_anew(&mut self) {
        self.said = 0;
    }

    /// The next to be said, in the order they were seen.
    pub fn next_unsaid(&self) -> Option<&Kept> {
        self.kept.get(self.kept.partition_point(|kept| kept.number <= self.said))
    }

    pub fn was_said(&mut self, number: u64) {
        self.said = number;
    }

    /// The caller has heard all up to this number, which is its word and so believed only as far as we spoke.
    pub fn was_heard(&mut self, number: u64) {
        while self.kept.front().is_some_and(|kept| kept.number <= number.min(self.said)) {
            self.kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say_all(sights: &mut Sights) -> Vec<u64> {
        let mut said = Vec::new();
        while let Some(kept) = sights.next_unsaid() {
            let number = kept.number;
            said.push(number);
            sights.was_said(number);
        }
        said
    }
    fn see(sights: &mut Sights, n: usize) {
        for _ in 0..n {
            sights.keep(Wall::from_micros(0), Sight::Reattached);
        }
    }

    #[test]
    fn what_was_not_heard_is_said_again_in_order_and_what_was_is_not() {
        let mut sights = Sights::default();
        see(&mut sights, 3);
        assert_eq!(say_all(&mut sights), [1, 2, 3]);
        assert!(say_all(&mut sights).is_empty(), "once to each socket");
        sights.was_heard(2);
        see(&mut sights, 1);
        sights.begin_anew();
        assert_eq!(say_all(&mut sights), [3, 4]);
    }

    #[test]
    fn nobody_has_heard_what_was_not_said() {
        let mut sights = Sights::default();
        see(&mut sights, 2);
        sights.was_heard(u64::MAX);
        assert_eq!(say_all(&mut sights), [1, 2]);
    }

    #[test]
    fn the_newest_are_kept_when_there_are_too_many() {
        let mut sights = Sights::default();
        see(&mut sights, MOST + 5);
        let said = say_all(&mut sights);
        assert_eq!((said.len(), said[0], said[MOST - 1]), (MOST, 6, MOST as u64 + 5));
    }
}
