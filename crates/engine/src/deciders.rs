//! What decides without any I/O, under one roof. The engine feeds these with what sockets and systems tell; whoever plays a
//! hold on scripted clocks feeds them with what it computed, and so stands on the very same decisions.
//!
//! Beside them, and public where they stand: `caretaker`, `signaling` and its adapters, `plan`.

pub use crate::call::{
    detector::{ConsentClock, GapDetector},
    instruments::Instruments,
    undelivered::Notice,
};
pub use crate::controls::{
    asking::{Asking, Manner, Never, OVERDUE, Step},
    known::{FarEnd, Known},
    seen_as::SeenAs,
};
pub use crate::lanes::{
    calm::Calm,
    ladder,
    plan::{MARGIN, fitting},
    street::Waits,
    talking::Talk,
};
pub use crate::line::{
    pulse::{LATE, Pulse},
    unanswered::{Unanswered, Word, pong_patience},
};
pub use crate::pulse::stood_still;
pub use crate::watch::network::picture;
