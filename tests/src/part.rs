//! Parts that a story adds to its world: other ways out, name servers, what the router remembers and forgets.

pub mod busy;
pub mod ipv6;
pub mod names;
pub mod second_uplink;
pub mod translation;
pub mod tunnel;
