//! The far ends: our own reflector, and servers that none of us wrote, each with settings of its own on the world's
//! addresses.

pub mod certificate;
pub mod control;
pub mod coturn;
pub mod ender;
pub mod haproxy;
pub mod janus;
pub mod nginx;
pub mod plain;
pub mod portal;
pub mod proxy;
pub mod reflector;
