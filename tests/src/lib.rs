//! The lab: faults at known times, and what Linewitness said of them.
//!
//! A scenario is a file: the world, what is broken in it and when, and what must be said of that. Two runners play it:
//! `netns` with the real program between real programs on a real kernel, `sim` with scripted clocks on a computed network.
//! Both are judged alike, by the truth: the first packet that a fault touched, never the command that caused it.

pub mod disguise;
pub mod judge;
pub mod mutation;
pub mod recording;
pub mod scenario;
pub mod score;
pub mod sim;
pub mod truth;
pub mod verdict;

// The real kernel's faults need Linux' network namespaces.
#[cfg(target_os = "linux")]
pub mod browser;
#[cfg(target_os = "linux")]
pub mod far;
#[cfg(target_os = "linux")]
pub mod fault;
#[cfg(target_os = "linux")]
pub mod hold;
#[cfg(target_os = "linux")]
pub mod netns;
#[cfg(target_os = "linux")]
pub mod ns;
#[cfg(target_os = "linux")]
pub mod packets;
#[cfg(target_os = "linux")]
pub mod part;
#[cfg(target_os = "linux")]
pub mod program;
#[cfg(target_os = "linux")]
pub mod rights;
#[cfg(target_os = "linux")]
pub mod secrets;
#[cfg(target_os = "linux")]
pub mod stage;
#[cfg(target_os = "linux")]
pub mod witness;
#[cfg(target_os = "linux")]
pub mod world;

#[cfg(target_os = "linux")]
pub use {
    fault::{Fault, Truth},
    hold::{Hold, Told},
    program::Program,
    stage::{Piece, Story},
    world::World,
};
