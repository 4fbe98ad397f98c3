//! Why it happened: the `Story` computed from the `Log`, from zero, every time. Pure: no I/O, no clock, and it cannot
//! fail; a log that makes no sense gives a poor story, never a panic.
//!
//! ```text
//! Log ─Timeline::read→ Timeline ─drops::find→ Drops ─rules::judge→ Judgements ─verdict→ Verdict ─story→ Story ─report→ text
//! ```
#![forbid(unsafe_code)]

mod calibrated;
mod catalogue;
pub mod cause;
pub mod drops;
pub mod findings;
mod foresight;
mod imported;
pub mod limits;
pub mod names;
pub mod now;
mod one_clock;
mod outages;
mod recovery;
pub mod report;
pub mod rows;
pub mod rule;
pub mod rules;
pub mod story;
#[cfg(test)]
mod tests;
pub mod timeline;
mod unconfirmed;
pub mod update;
pub mod verdict;
mod words;

pub use cause::{Cause, Confidence, Owner};
pub use drops::{Drop, Plane};
pub use foresight::foresee;
pub use names::Names;
pub use rows::{Lane, Row, Tone, sentence, tone, worth_showing};
pub use rule::{Advice, Rule};
pub use story::{Story, story, story_by, story_so_far};
pub use timeline::Timeline;
pub use unconfirmed::Unconfirmed;
pub use update::{Update, update};
pub use verdict::{Outcome, Verdict};
pub use words::planned;
