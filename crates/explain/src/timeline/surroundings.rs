//! This computer, its networks and the controls, as the timeline keeps them.

use super::{At, Timeline};
use record::fact::{Control, Net, Power};

impl<'a> Timeline<'a> {
    pub(super) fn take_control(&mut self, at: At, fact: &'a Control) {
        let _ = (at, fact);
    }

    pub(super) fn take_net(&mut self, at: At, fact: &'a Net) {
        let _ = (at, fact);
    }

    pub(super) fn take_power(&mut self, at: At, fact: &'a Power) {
        let _ = (at, fact);
    }
}
