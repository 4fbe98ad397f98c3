//! Lanes beside the call, as the timeline keeps them.

use super::{At, Timeline};
use record::fact::{Lane, Prediction};

impl<'a> Timeline<'a> {
    pub(super) fn take_lane(&mut self, at: At, fact: &'a Lane) {
        let _ = (at, fact);
    }

    pub(super) fn take_prediction(&mut self, at: At, fact: &'a Prediction) {
        let _ = (at, fact);
    }
}
