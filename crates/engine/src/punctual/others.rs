//! Nothing to ask for.

pub fn be() {}
