//! `Failure`: why something was not done, in one sentence: what happened, what it means, what to do.

use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub fault: Fault,
    pub says: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// What was given cannot be used.
    Input,
    /// This program, or the computer it runs on, could not do its part.
    Ours,
}

impl Failure {
    pub fn bad_input(says: impl Into<String>) -> Self {
        Self { fault: Fault::Input, says: says.into() }
    }
    pub fn ours(says: impl Into<String>) -> Self {
        Self { fault: Fault::Ours, says: says.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}
