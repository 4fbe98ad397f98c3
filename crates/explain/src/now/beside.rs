//! What was found beside the call so far, as one calm count.

use crate::{names::Names, words};
use record::{
    Fact,
    fact::{Control, ControlKind, Lane, Manner},
};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default)]
pub struct Beside {
    quiet_ended: usize,
    others_ended: usize,
    /// Controls that are not answered now.
    silent: BTreeSet<u32>,
    names_silent: bool,
}

/// A forged log may number as many as it likes.
const MOST: usize = 64;

impl Beside {
    pub fn observe(&mut self, fact: &Fact, names: &Names) {
        match fact {
            Fact::Lane(Lane::Ended { lane, .. }) => match names.manner(*lane) {
                Some(Manner::Quiet(_) | Manner::QuietUdp(_) | Manner::BareWebsocket) => self.quiet_ended += 1,
                _ => self.others_ended += 1,
            },
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

    pub fn says(&self) -> Option<String> {
        let ended = |n: usize, what: &str| (n > 0).then(|| format!("{} ended", words::count(n, what)));
        let parts = [
            ended(self.quiet_ended, "quiet connection"),
            ended(self.others_ended, "other connection"),
            self.names_silent.then(|| "names do not resolve".to_owned()),
        ];
        let list: Vec<String> = parts.into_iter().flatten().collect();
        (!list.is_empty()).then(|| list.join(", "))
    }
}
