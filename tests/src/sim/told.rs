//! A word that changes, for whoever waits for it. Those who wait are woken in the order in which they came: tokio's own
//! wakes them in a drawn one, and the same seed would not give the same log.

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

pub struct Told<T>(Rc<Inner<T>>);

struct Inner<T> {
    word: RefCell<T>,
    waiting: RefCell<BTreeMap<u64, Waker>>,
    numbers: Cell<u64>,
}

impl<T> Clone for Told<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: Default> Default for Told<T> {
    fn default() -> Self {
        Self(Rc::new(Inner { word: RefCell::default(), waiting: RefCell::default(), numbers: Cell::default() }))
    }
}

impl<T> Told<T> {
    pub fn tell(&self, word: T) {
        *self.0.word.borrow_mut() = word;
        let waiting = std::mem::take(&mut *self.0.waiting.borrow_mut());
        waiting.into_values().for_each(Waker::wake);
    }

    pub fn word(&self) -> Ref<'_, T> {
        self.0.word.borrow()
    }

    /// At once, where it is so already.
    pub async fn is(&self, so: impl Fn(&T) -> bool) {
        let number = self.0.numbers.replace(self.0.numbers.get() + 1);
        let place = Place { told: &self.0, number };
        poll_fn(|cx| {
            if so(&self.word()) {
                return Poll::Ready(());
            }
            place.told.waiting.borrow_mut().insert(place.number, cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Who waits no more is not woken.
struct Place<'a, T> {
    told: &'a Inner<T>,
    number: u64,
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        self.told.waiting.borrow_mut().remove(&self.number);
    }
}
