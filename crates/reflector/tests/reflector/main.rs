//! The reflector as its callers meet it: real sockets on loopback, one reflector for each test.
#![allow(clippy::unwrap_used, reason = "in a test's helpers as in the test itself, a panic is the report")]

mod beside;
mod desk;
mod door;
mod hostile;
mod journal;
mod lanes;
mod media;
mod nat;
mod session;
#[cfg(target_os = "linux")] // It reads the kernel's tables.
mod sockets;
mod udp;
