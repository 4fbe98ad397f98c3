//! `Backlog`: what is still to be shown. It is bounded, and whoever fills it never waits: a terminal that was
//! stopped, or a pipe that nobody reads, holds up the one thread that writes to it and nothing else.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

pub struct Backlog<T> {
    state: Mutex<State<T>>,
    more: Condvar,
    most: usize,
    taken: AtomicU64,
}

struct State<T> {
    waiting: VecDeque<T>,
    lost: u64,
    over: bool,
}

#[derive(Debug, PartialEq)]
pub enum Next<T> {
    /// `lost` were dropped since the item before.
    Item { item: T, lost: u64 },
    /// Nothing came in that time.
    Quiet,
    /// Nothing will come any more.
    Over,
}

impl<T> Backlog<T> {
    pub fn of_at_most(most: usize) -> Self {
        let state = Mutex::new(State { waiting: VecDeque::new(), lost: 0, over: false });
        Self { state, more: Condvar::new(), most, taken: AtomicU64::new(0) }
    }

    /// The oldest goes where there is no room: what is new matters more to whoever looks again.
    pub fn push(&self, item: T) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.waiting.len() >= self.most {
            state.waiting.pop_front();
            state.lost += 1;
        }
        state.waiting.push_back(item);
        self.more.notify_one();
    }

    pub fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.more.notify_one();
    }

    /// What comes next, waiting for it no longer than `wait`.
    pub fn next(&self, wait: Duration) -> Next<T> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |state: &mut State<T>| state.waiting.is_empty() && !state.over;
        let (mut state, _) = self.more.wait_timeout_while(state, wait, idle).unwrap_or_else(PoisonError::into_inner);
        match state.waiting.pop_front() {
            Some(item) => {
                self.taken.fetch_add(1, Ordering::Relaxed);
                Next::Item { item, lost: std::mem::take(&mut state.lost) }
            }
            None if state.over => Next::Over,
            None => Next::Quiet,
        }
    }

    /// Grows while somebody takes what is shown.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_are_counted_once() {
        let backlog = Backlog::of_at_most(2);
        (1..=5).for_each(|n| backlog.push(n));
        assert_eq!(backlog.next(Duration::ZERO), Next::Item { item: 4, lost: 3 });
        assert_eq!(backlog.next(Duration::ZERO), Next::Item { item: 5, lost: 0 });
        assert_eq!(backlog.next(Duration::ZERO), Next::Quiet);
        backlog.push(6);
        backlog.close();
        assert_eq!(backlog.next(Duration::ZERO), Next::Item { item: 6, lost: 0 }, "what was there is still given");
        assert_eq!(backlog.next(Duration::from_secs(9)), Next::Over);
    }
}
