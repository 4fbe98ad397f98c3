//! What was found beside the call so far, as one calm count.

use crate::names::Names;
use record::{
    Fact,
    fact::{Control, ControlKind, Lane},
};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default)]
pub struct Beside {
    ended: usize,
    /// Controls that are not answered now.
    silent: BTreeSet<u32>,
    names_silent: bool,
}

/// A forged log may number as many as it likes.
const MOST: usize = 64;

impl Beside {
    pub fn observe(&mut self, fact: &Fact, names: &Names) {
        match fact {
            Fact::Lane(Lane::Ended { .. }) => self.ended += 1,
            Fact::Control(Control::Silent { control, .. }) if self.silent.len() < MOST => {
                self.silent.insert(*control);
            }
            Fact::Control(Control::Back { control, .. }) => {
                self.silent.remove(control);
            }
            _ => return,
        }
        self.names_silent = self.silent.iter().any(|control| names.kind(*control) == Some(ControlKind::Dns));
    }

    /// Short enough for what is left of a line.
    pub fn says(&self) -> Option<String> {
        let ended = (self.ended > 0).then(|| format!("{} ended", self.ended));
        let names = self.names_silent.then(|| "no names".to_owned());
        let list: Vec<String> = ended.into_iter().chain(names).collect();
        (!list.is_empty()).then(|| list.join(", "))
    }
}
