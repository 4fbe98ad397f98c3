//! The lab: real programs in network namespaces, real faults at known times, and what Linewitness said of them.
//!
//! A story builds a `World` (client, router, server), starts the far end in it, places a `Hold`, breaks something with a
//! `Fault`, and compares the verdict with the truth: the first packet that the fault touched, as the kernel stamped it.
//! The stories stand in `tests/lab/`; this library is their stage.
#![cfg(target_os = "linux")]

pub mod far;
pub mod fault;
pub mod hold;
pub mod ns;
pub mod part;
pub mod program;
pub mod rights;
pub mod stage;
pub mod verdict;
pub mod witness;
pub mod world;

pub use fault::{Fault, Truth};
pub use hold::{Hold, Told};
pub use program::Program;
pub use stage::Story;
pub use world::World;
