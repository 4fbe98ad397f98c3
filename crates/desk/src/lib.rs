//! What the terminal and the window both do for their user: open files, prepare a hold, hold, end it with a bundle. It
//! shows nothing; whoever shows it gives the words to a terminal or to a page.
#![forbid(unsafe_code)]

pub mod check;
mod failure;
mod far_end;
pub mod files;
mod foresight;
pub mod hold;
pub mod recover;

pub use failure::{Failure, Fault};
pub use far_end::SelfTest;
