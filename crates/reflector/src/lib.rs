//! The reflector: the far end that a support desk hosts. It answers a call, sends the audio back, and keeps its own
//! account of what it received, so that two logs and not one tell where a call broke.
//!
//! ```text
//! server  accepts ─▶ door  TLS, HTTP, upgrade ─▶ greeting  hello, token, limits ─▶ call  one loop for each call
//!                                                                                    ├ contact ─▶ socket   its signaling
//!                                                                                    ├ media ─▶ peer       its audio
//!                                                                                    └ echo ─▶ account  what arrived
//! ```
//!
//! The desk runs it as `linewitness reflect`; a hold without a far end starts one on loopback; tests do both.

pub mod account;
mod call;
mod calls;
mod door;
mod echo;
mod greeting;
mod journal;
mod lanes;
mod metrics;
mod mux;
mod open_files;
mod peer;
mod server;
mod settings;
pub mod sights;
mod socket;
mod strangers;
mod tls;
mod turn;

pub use journal::{Audio, CallEnd, Entry, Seen, Told};
pub use metrics::Disconnect;
pub use server::{Reflector, Report};
pub use settings::{Limits, Settings, TlsFiles, Turn};
