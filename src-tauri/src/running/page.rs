//! `Page`: who draws the hold, and whether it has drawn anything yet.

use crate::wire::Live;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A page's channel, or whatever stands for one.
pub type Shows = Box<dyn Fn(Live) + Send>;

#[derive(Clone)]
pub struct Page(Arc<Mutex<Drawer>>);

struct Drawer {
    shows: Shows,
    /// It has drawn nothing, so that all has to be told from the beginning.
    is_new: bool,
}

impl Page {
    pub fn new(shows: Shows) -> Self {
        Self(Arc::new(Mutex::new(Drawer { shows, is_new: true })))
    }

    /// Another page draws from now on; the one before is gone.
    pub fn turn_to(&self, shows: Shows) {
        *self.lock() = Drawer { shows, is_new: true };
    }

    /// `live` is asked with whether all has to be told from the beginning.
    pub fn show(&self, live: impl FnOnce(bool) -> Live) {
        let mut drawer = self.lock();
        let live = live(std::mem::take(&mut drawer.is_new));
        (drawer.shows)(live);
    }

    pub fn is_new(&self) -> bool {
        self.lock().is_new
    }

    /// A drawer that panicked left nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Drawer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
