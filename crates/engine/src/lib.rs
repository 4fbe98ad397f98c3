//! Doing it: the clocks, the signaling connection, the call, their caretaker and the recorder. All the I/O is here, and no
//! opinion: the engine notes facts, `explain` says what they mean.

pub mod awake;
pub mod beside;
pub mod calibration;
pub mod call;
pub mod caretaker;
pub mod clock;
pub mod controls;
pub mod deciders;
pub mod lanes;
pub mod line;
#[cfg(target_os = "linux")]
mod logind;
pub mod plan;
pub mod pulse;
mod punctual;
pub mod recorder;
pub mod runs;
pub mod session;
pub mod signaling;
mod tls;
pub mod watch;

pub use clock::Clock;
pub use recorder::Recorder;
