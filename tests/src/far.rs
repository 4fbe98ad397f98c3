//! The far ends: our own reflector, and servers that none of us wrote, each with settings of its own on the world's
//! addresses.

pub mod certificate;
pub mod coturn;
pub mod janus;
pub mod reflector;
