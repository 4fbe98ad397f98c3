//! Lanes: connections that a caller holds beside its call.

pub mod desk;
mod flows;
pub mod udp;
