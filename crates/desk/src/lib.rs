//! What the terminal and the window both do for their user: open files, prepare a hold, hold, end it with a bundle. It
//! shows nothing; whoever shows it gives the words to a terminal or to a page.
#![forbid(unsafe_code)]

pub mod anew;
pub mod check;
mod failure;
mod far_end;
pub mod files;
pub mod foresight;
pub mod giving;
pub mod hold;
pub mod imports;
pub mod kept;
pub mod logging;
pub mod map;
pub mod recover;
pub mod sealed;
mod shared;
pub mod stop;

pub use failure::{Failure, Fault};
pub use far_end::SelfTest;

/// A tokio runtime of the size that this work needs.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        // One thread for the call's packets and one for everything else keeps either from delaying the other.
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::ours(format!("the system gave us no threads to work with: {error}")))
}
